/**
 * A double of an ntfy server with access control, as far as publishing and asking need it, written from
 * docs.ntfy.sh/publish, docs.ntfy.sh/subscribe/api and docs.ntfy.sh/config. Faithful: publishing as JSON; a
 * message of more than 4096 bytes becomes a file; `poll=1` with `since` as an id, a time or `all`, JSON lines,
 * and all that is kept where the id is unknown; a second's resolution; tokens that may do one thing with one
 * topic; 429. Not there: pushing to phones, priorities, schedules, and the ends of what is kept.
 *
 * @module
 */
import { startDouble, type Answer, type Call, type Double } from "./double.ts";

export const NTFY_TOKEN = "tk_double0123456789";

export interface NtfyMessage {
  readonly id: string;
  readonly time: number;
  readonly event: string;
  readonly topic: string;
  readonly message: string;
  readonly title?: string;
}

export interface NtfyDouble extends Double {
  readonly messages: readonly NtfyMessage[];
  /** What an app on a phone does: it publishes with its own token. */
  publish(topic: string, message: string, more?: Readonly<Record<string, unknown>>): void;
}

export async function startNtfy(): Promise<NtfyDouble> {
  const messages: NtfyMessage[] = [];
  let count = 0;
  const nextId = () => `m${String((count += 1)).padStart(9, "0")}`;
  const add = (topic: string, message: string, more: Readonly<Record<string, unknown>> = {}) => {
    const isFile = Buffer.byteLength(message) > 4096;
    const added = {
      ...{ id: nextId(), time: Math.floor(Date.now() / 1000), event: "message", topic },
      message: isFile ? "You received a file: attachment.txt" : message,
      ...(isFile ? { attachment: { name: "attachment.txt" } } : {}),
      ...more,
    };
    messages.push(added);
    return added;
  };
  const double = await startDouble(({ method, path, query, headers, json }: Call): Answer => {
    if (headers.authorization !== `Bearer ${NTFY_TOKEN}`) {
      return { status: 403, json: { code: 40301, http: 403, error: "forbidden" } };
    }
    if (method === "POST" && path.length === 0) {
      const { topic, message, title } = json;
      return {
        status: 200,
        json: add(String(topic), String(message), { title: String(title) }),
      };
    }
    const [topic, kind] = path;
    if (method !== "GET" || kind !== "json" || query.get("poll") !== "1") {
      return { status: 404, json: { code: 40401, http: 404, error: "page not found" } };
    }
    const since = query.get("since") ?? "all";
    const own = messages.filter((one) => one.topic === topic);
    const at = own.findIndex(({ id }) => id === since);
    const found = /^\d{10}$/.test(since)
      ? own.filter(({ time }) => time >= Number(since))
      : own.slice(at + 1);
    return { status: 200, text: found.map((one) => `${JSON.stringify(one)}\n`).join("") };
  });
  return {
    ...double,
    get messages() {
      return messages;
    },
    publish(topic, message, more) {
      add(topic, message, more);
    },
  };
}
