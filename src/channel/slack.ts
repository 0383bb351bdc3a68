/**
 * Slack, by the Web API (docs.slack.dev/reference/methods): cards by `chat.postMessage`, answers in the thread
 * of each open card, asked for by `conversations.replies`. Nothing is sent to us. What stands beside a thread is
 * not heard: anybody in the conversation can post what looks like a card there.
 *
 * What counts is a message of a person of the bot's own workspace: none that was edited, has a subtype, or that
 * any app or bot posted, also in that person's name.
 *
 * @module
 */
import { z } from "zod";
import { isFault } from "../base/index.ts";
import type { Batch, Channel, Memory, Reply } from "./channel.ts";
import { partsOf } from "./channel.ts";
import { apiFault, callApi, parseJson } from "./http.ts";

/** A text object has at most 3000 characters; ours is one, so that it is never cut. */
const TEXT_CHARS_MAX = 3000;
/** Methods of tier 3 may be called 50 times a minute (docs.slack.dev/apis/web-api/rate-limits). */
const CALL_MS = 1500;
const PAUSE_MS_MIN = 3000;
/** Threads that are looked at before a pause; the others have their turn after it. */
const THREADS_MAX = 10;
const PAGE = 100;
const PAGES_MAX = 50;

const messageSchema = z.looseObject({
  type: z.literal("message"),
  ts: z.string().regex(/^\d{1,12}\.\d{6}$/),
  user: z.string().regex(/^[UW][A-Z0-9]{2,20}$/),
  text: z.string(),
  thread_ts: z.string().optional(),
});
/** Each is only there where it is not, or no longer, what a person typed. */
const NOT_ONES_OWN = [
  "subtype",
  "bot_id",
  "app_id",
  "bot_profile",
  "edited",
  "username",
  "files",
  "attachments",
];

/** Whose user it is; in a conversation that workspaces share, another's may have an id that is ours, too. */
const TEAMS = ["team", "user_team", "source_team"];

export interface SlackOptions {
  readonly api: string;
  readonly token: string;
  readonly channel: string;
}

/** Whom the token makes us. */
interface Own {
  readonly user: string;
  readonly team: string;
}

export function createSlack({ api, token, channel }: SlackOptions): Channel {
  const post = async (method: string, json: unknown, signal: AbortSignal) =>
    call(`/${method}`, signal, { json });
  const call = async (path: string, signal: AbortSignal, body?: { readonly json: unknown }) => {
    const method = body === undefined ? "GET" : "POST";
    const secrets = [token];
    const { text } = await callApi({
      ...{ api, path, method, bearer: token, signal, secrets, ...body },
    });
    const answer = z.looseObject({ ok: z.boolean() }).safeParse(parseJson(text, api));
    if (answer.success && answer.data.ok) return answer.data;
    const why = answer.success ? String(answer.data["error"]) : "no answer of Slack's";
    throw apiFault(api, `${path.split("?")[0]}: ${why}`, secrets);
  };
  const send = async (text: string, signal: AbortSignal, thread?: string) => {
    const escaped = escapeText(text);
    const posted = await post(
      "chat.postMessage",
      {
        channel,
        text: escaped,
        // What is shown; `text` is for notifications. Neither is read as markup, and no name becomes a mention.
        blocks: [{ type: "section", text: { type: "plain_text", text: escaped, emoji: false } }],
        ...{ mrkdwn: false, parse: "none", link_names: false },
        ...{ unfurl_links: false, unfurl_media: false },
        ...(thread === undefined ? {} : { thread_ts: thread }),
      },
      signal,
    );
    const { ts } = z.object({ ts: messageSchema.shape.ts }).parse(posted);
    return { ref: `${channel}/${ts}`, order: orderOf(ts) };
  };
  let own: Own | undefined;
  let turn = 0;
  return {
    name: "slack",
    key: `slack:${channel}`,
    places: [channel],
    how: "answer in its thread with its code",
    fits: (text) => escapeText(text).length <= TEXT_CHARS_MAX,
    announce: (_, card, signal) => send(card.text, signal),
    async say(_, text, signal) {
      await send(text, signal);
    },
    async decisions(memory, signal) {
      own ??= ownSchema.parse(await post("auth.test", {}, signal));
      const open = memory.open().map(({ ref }) => partsOf(ref).message);
      turn = turn < open.length ? turn : 0;
      const threads = open.slice(turn, turn + THREADS_MAX);
      const batch = await listen(memory, { channel, own, threads }, (path) => call(path, signal));
      turn += THREADS_MAX;
      return batch;
    },
    async answer({ about }, text, signal) {
      await send(text, signal, about === undefined ? undefined : partsOf(about).message);
      return undefined;
    },
    async settle(ref, outcome, signal) {
      await send(outcome, signal, partsOf(ref).message);
    },
  };
}

const ownSchema = z
  .object({ user_id: z.string(), team_id: z.string() })
  .transform(({ user_id: user, team_id: team }): Own => ({ user, team }));

/** Hears what was said in `threads`. */
async function listen(
  memory: Memory,
  { channel, own, threads }: { channel: string; own: Own; threads: readonly string[] },
  get: (path: string) => Promise<unknown>,
): Promise<Batch> {
  const cursors = new Map<string, string>();
  const replies: Reply[] = [];
  let calls = 0;
  let failed: unknown;
  for (const thread of threads) {
    const since = memory.cursor(thread) ?? thread;
    let found: readonly Stamped[];
    try {
      found = await readThread(thread, since, (query) => {
        calls += 1;
        return get(
          `/conversations.replies?${new URLSearchParams({ channel, ...query }).toString()}`,
        );
      });
    } catch (error) {
      if (!isFault(error, "channel.api")) throw error;
      failed = error; // A card that somebody deleted has no thread; the others have.
      continue;
    }
    for (const { message } of found) {
      const reply = replyOf(message, { channel, own, thread });
      if (reply !== undefined) replies.push(reply);
    }
    cursors.set(thread, found.at(-1)?.ts ?? since);
  }
  if (cursors.size === 0 && failed !== undefined) throw failed;
  return { replies, cursors, pauseMs: Math.max(PAUSE_MS_MIN, calls * CALL_MS) };
}

interface Stamped {
  readonly ts: string;
  readonly message: unknown;
}

/** What was said in a thread after `since`, oldest first. */
async function readThread(
  thread: string,
  since: string,
  get: (query: Readonly<Record<string, string>>) => Promise<unknown>,
): Promise<readonly Stamped[]> {
  const found: Stamped[] = [];
  let cursor = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const asked = { ts: thread, oldest: since, limit: String(PAGE) };
    const got = pageSchema.parse(await get(cursor === "" ? asked : { ...asked, cursor }));
    for (const message of got.messages) {
      const { success, data } = stampSchema.safeParse(message);
      if (success && orderOf(data.ts) > orderOf(since)) found.push({ ts: data.ts, message });
    }
    cursor = got.response_metadata?.next_cursor ?? "";
    if (cursor === "") break;
  }
  return found.sort((a, b) => orderOf(a.ts) - orderOf(b.ts));
}

const stampSchema = z.looseObject({ ts: messageSchema.shape.ts });
const pageSchema = z.object({
  messages: z.array(z.unknown()),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

/** What a person typed in `thread`. */
export function replyOf(
  message: unknown,
  { channel, own, thread }: { channel: string; own: Own; thread: string },
): Reply | undefined {
  const { success, data } = messageSchema.safeParse(message);
  if (!success || NOT_ONES_OWN.some((field) => field in data)) return undefined;
  const { ts, user, text, thread_ts: below } = data;
  if (user === own.user || below !== thread) return undefined;
  if (TEAMS.some((field) => (data[field] ?? own.team) !== own.team)) return undefined;
  return {
    from: `slack:${user}`,
    text: unescapeText(text),
    order: orderOf(ts),
    place: channel,
    isAlone: false,
    about: `${channel}/${thread}`,
  };
}

/** The three characters that Slack reads (docs.slack.dev/messaging/formatting-message-text). */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Slack takes digits for a telephone number at times, and links them. */
function unescapeText(text: string): string {
  const typed = text.replaceAll(/<tel:[^<>|]*\|([^<>|]*)>/g, "$1");
  return typed.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** A timestamp names its message and orders it: microseconds, which a double holds. */
function orderOf(ts: string): number {
  return Number(ts.replace(".", ""));
}
