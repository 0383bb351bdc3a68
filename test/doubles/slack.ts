/**
 * A double of Slack's Web API, as far as an app that asks and listens needs it, written from
 * docs.slack.dev/reference/methods. Faithful: `ok` and `error` at status 200; 429 with `Retry-After`; timestamps
 * that name and order messages; `conversations.replies`, its parent first; `oldest` that leaves its own message
 * out; pages by `next_cursor`; text objects of at most 3000 characters; the fields of messages that were edited
 * or that apps posted. Not there: markup, mentions, events, and Slack's own limits of speed.
 *
 * @module
 */
import { startDouble, type Answer, type Call, type Double } from "./double.ts";

export const SLACK_TOKEN = "xoxb-double-0123456789";
const TEAM = "T0DOUBLE1";
const PAGE_MAX = 3; // So that there are pages.

type Fields = Readonly<Record<string, unknown>>;

export interface SlackMessage extends Fields {
  readonly ts: string;
  readonly text: string;
  readonly user: string;
  readonly thread_ts?: string;
}

export interface SlackDouble extends Double {
  readonly messages: readonly SlackMessage[];
  /** What the app posted, as it is shown. */
  readonly posted: readonly SlackMessage[];
  write(user: string, text: string, thread?: string, more?: Fields): void;
  /** Refuses the next calls. */
  refuse(times: number, seconds: number): void;
}

export async function startSlack(channel: string): Promise<SlackDouble> {
  const messages: SlackMessage[] = [];
  let refusals = { times: 0, seconds: 0 };
  let lastMicros = 0;
  const stamp = () => {
    lastMicros = Math.max(lastMicros + 1, Date.now() * 1000);
    const digits = String(lastMicros);
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  };
  const add = (message: Fields & Pick<SlackMessage, "text" | "user">) => {
    const added: SlackMessage = { type: "message", team: TEAM, ...message, ts: stamp() };
    messages.push(added);
    return added;
  };

  const post = (json: Fields): Answer => {
    if (json["channel"] !== channel) return wrong("channel_not_found");
    const [block] = json["blocks"] as { text: { type: string; text: string } }[];
    const shown = block?.text;
    if (shown === undefined || shown.text.length > 3000) return wrong("invalid_blocks");
    const { ts } = add({
      text: shown.text,
      ...{ user: "U0DOUBLEBOT", bot_id: "B0DOUBLE1", app_id: "A0DOUBLE1" },
      ...(typeof json["thread_ts"] === "string" ? { thread_ts: json["thread_ts"] } : {}),
    });
    return right({ channel, ts });
  };
  const page = (all: readonly SlackMessage[], query: URLSearchParams): Answer => {
    const limit = Math.min(Number(query.get("limit") ?? 100), PAGE_MAX);
    const from = Number(query.get("cursor") ?? 0);
    const next = from + limit < all.length ? String(from + limit) : "";
    return right({
      messages: all.slice(from, from + limit),
      has_more: next !== "",
      response_metadata: { next_cursor: next },
    });
  };
  const isAfter = ({ ts }: SlackMessage, query: URLSearchParams) =>
    Number(ts) > Number(query.get("oldest") ?? 0);

  const double = await startDouble(({ method, path, query, headers, json }: Call) => {
    if (refusals.times > 0) {
      refusals.times -= 1;
      const wait = { "retry-after": String(refusals.seconds) };
      return { status: 429, headers: wait, json: { ok: false, error: "ratelimited" } };
    }
    if (headers.authorization !== `Bearer ${SLACK_TOKEN}`) return wrong("invalid_auth");
    const call = `${method} ${path.join("/")}`;
    if (call === "POST auth.test") {
      return right({ user_id: "U0DOUBLEBOT", bot_id: "B0DOUBLE1", team_id: TEAM });
    }
    if (call === "POST chat.postMessage") return post(json);
    if (query.get("channel") !== channel) return wrong("channel_not_found");
    if (call === "GET conversations.replies") {
      const parent = query.get("ts");
      const thread = messages.filter(
        (one) => one.ts === parent || (one.thread_ts === parent && isAfter(one, query)),
      );
      return thread.length === 0 ? wrong("thread_not_found") : page(thread, query);
    }
    return wrong("unknown_method");
  });
  return {
    ...double,
    messages,
    get posted() {
      return messages.filter((one) => one["bot_id"] === "B0DOUBLE1");
    },
    refuse(times, seconds) {
      refusals = { times, seconds };
    },
    write(user, text, thread, more = {}) {
      add({ user, text, ...(thread === undefined ? {} : { thread_ts: thread }), ...more });
    },
  };
}

function right(fields: Fields): Answer {
  return { status: 200, json: { ok: true, ...fields } };
}

function wrong(error: string): Answer {
  return { status: 200, json: { ok: false, error } };
}
