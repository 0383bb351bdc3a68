/**
 * ntfy (docs.ntfy.sh/publish, docs.ntfy.sh/subscribe/api): cards are published to one topic, and each approver
 * answers on a topic of their own, which is asked for what is new. Messages of ntfy have no author: who knows a
 * topic's name, or may write to it, is its approver. So a name is as long as a key, and stands in no message:
 * there are no buttons, since one would have to carry it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { Fault } from "../base/index.ts";
import type { Batch, Channel, Memory, Reply } from "./channel.ts";
import { apiFault, callApi, parseJson } from "./http.ts";

/** Above, ntfy makes the message a file. */
const MESSAGE_BYTES_MAX = 4096;
/** A visitor is given one request in five seconds, after a few (docs.ntfy.sh/config). */
const CALL_MS = 5000;
const TOPIC = /^[A-Za-z0-9_-]{1,64}$/;
/** 22 characters of 64 hold 132 bits. */
const SECRET_TOPIC = /^[A-Za-z0-9_-]{22,64}$/;

const messageSchema = z.looseObject({
  id: z.string().min(1).max(64),
  time: z.int().nonnegative(),
  event: z.literal("message"),
  topic: z.string(),
  message: z.string(),
  /** Of the message that this one is a newer form of. */
  sequence_id: z.string().optional(),
});
/** Not only text. */
const NOT_PLAIN = ["attachment", "encoding"];

/** Where an approver's topic has been read to: the second, and what of that second is known. */
const cursorSchema = z.object({ time: z.int(), ids: z.array(z.string()) });

export interface NtfyOptions {
  readonly api: string;
  readonly token: string | undefined;
  readonly topic: string;
  /** Topics for answers by the name of whose they are. */
  readonly replies: ReadonlyMap<string, string>;
}

/** @throws {Fault} `channel.topic` where a name is none, or could be guessed. */
export function createNtfy(options: NtfyOptions): Channel {
  const { api, token, topic, replies } = options;
  requireTopics(options);
  const secrets = [...replies.values(), topic, ...(token === undefined ? [] : [token])];
  const bearer = token === undefined ? {} : { bearer: token };
  const publish = async (message: string, signal: AbortSignal, title: string) => {
    const json = { topic, title, message };
    const { status, text } = await callApi({
      ...{ api, path: "/", method: "POST", json, signal, secrets, ...bearer },
    });
    if (status !== 200) throw apiFault(api, `publishing: status ${status}`, secrets);
    const sent = messageSchema.pick({ id: true, time: true }).parse(parseJson(text, api));
    return { ref: `cards/${sent.id}`, order: sent.time };
  };
  return {
    name: "ntfy",
    key: `ntfy:${createHash("sha256").update(`${api} ${topic}`).digest("hex").slice(0, 16)}`,
    places: ["cards"],
    how: "write to your own topic: approve ID CODE",
    fits: (text) => Buffer.byteLength(text) <= MESSAGE_BYTES_MAX,
    announce: (_, { id, text }, signal) => publish(text, signal, `Cofferdam asks: ${id}`),
    async say(_, text, signal) {
      await publish(text, signal, "Cofferdam");
    },
    async decisions(memory, signal) {
      return listen(memory, replies, async (path) => {
        const { status, text } = await callApi({
          ...{ api, path, method: "GET", signal, secrets, ...bearer },
        });
        if (status !== 200) throw apiFault(api, `reading answers: status ${status}`, secrets);
        return text;
      });
    },
    async answer({ from }, text, signal) {
      await publish(text, signal, `To ${from}`);
      return undefined;
    },
    async settle(_, outcome, signal) {
      await publish(outcome, signal, "Cofferdam");
    },
  };
}

function requireTopics({ topic, replies }: NtfyOptions): void {
  const names = [...replies.values()];
  const weak = [...replies].find(([, one]) => !SECRET_TOPIC.test(one))?.[0];
  const why = !TOPIC.test(topic)
    ? "the topic for cards has no name of a topic"
    : weak !== undefined
      ? `the topic for answers of ${weak} is not 22 to 64 of A-Z, a-z, 0-9, _ and -`
      : new Set([topic, ...names]).size <= names.length
        ? "two of the topics are one, so nobody could tell who answers"
        : undefined;
  if (why === undefined) return;
  throw new Fault("channel.topic", why, {
    hint: "make one with: head -c 24 /dev/urandom | base64 | tr +/ -_",
  });
}

/** Only while a card is open. */
async function listen(
  memory: Memory,
  topics: ReadonlyMap<string, string>,
  get: (path: string) => Promise<string>,
): Promise<Batch> {
  const [oldest] = memory.open();
  const cursors = new Map<string, string>();
  if (oldest === undefined) return { replies: [], cursors, pauseMs: CALL_MS };
  const replies: Reply[] = [];
  for (const [name, topic] of topics) {
    const known = memory.cursor(name);
    const cursor =
      known === undefined
        ? { time: oldest.order, ids: [] }
        : cursorSchema.parse(JSON.parse(known) as unknown);
    // A server that has forgotten the id gives all that it has.
    const since = cursor.ids.at(-1) ?? String(Math.max(0, cursor.time - 1));
    const text = await get(`/${topic}/json?poll=1&since=${encodeURIComponent(since)}`);
    const { found, next } = readLines(text, cursor, { name, topic });
    replies.push(...found);
    cursors.set(name, JSON.stringify(next));
  }
  return { replies, cursors, pauseMs: CALL_MS * Math.max(1, topics.size) };
}

type Cursor = z.infer<typeof cursorSchema>;

/** One message a line; what is of before the cursor was heard already. */
export function readLines(
  text: string,
  cursor: Cursor,
  { name, topic }: { readonly name: string; readonly topic: string },
): { readonly found: readonly Reply[]; readonly next: Cursor } {
  let { time, ids } = cursor;
  const found: Reply[] = [];
  for (const line of text.split("\n")) {
    const { success, data } = messageSchema.safeParse(jsonOf(line));
    if (!success || data.topic !== topic) continue;
    if (data.time < time || (data.time === time && ids.includes(data.id))) continue;
    ids = data.time === time ? [...ids, data.id] : [data.id];
    time = data.time;
    if (NOT_PLAIN.some((field) => field in data)) continue;
    if ((data.sequence_id ?? data.id) !== data.id) continue; // Edited.
    // There are no answers to a message; who may publish cards is the server's to say.
    const where = { order: time, place: "cards", isAlone: true };
    found.push({ from: `ntfy:${name}`, text: data.message, ...where });
  }
  return { found, next: { time, ids } };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined; // A line that was cut; it comes whole the next time.
  }
}
