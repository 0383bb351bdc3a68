/**
 * Telegram, by the Bot API (core.telegram.org/bots/api): cards by `sendMessage`, answers by `getUpdates`, which
 * waits until there are some. Who speaks is `from.id`, a number that nobody chooses; names are never looked at.
 *
 * What counts is a new message of a person: none that was edited, forwarded, sent through a bot or a business
 * account, or in the name of a chat. Buttons name the approval and decide nothing.
 *
 * @module
 */
import { z } from "zod";
import { Fault, isFault } from "../base/index.ts";
import type { Announcement, Batch, Channel, Memory, Reply, Sent } from "./channel.ts";
import { partsOf } from "./channel.ts";
import { apiFault, callApi, parseJson } from "./http.ts";

/** `sendMessage`: text of 1 to 4096 characters; counted in UTF-16 units, of which there are never fewer. */
const TEXT_CHARS_MAX = 4096;
const POLL_S = 25;
/** A server that does not wait is not asked without end. */
const PAUSE_MS = 1000;
const CURSOR = "updates";

const chatSchema = z.object({ id: z.int(), type: z.string() });
const userSchema = z.object({ id: z.int().positive(), is_bot: z.boolean() });
const messageSchema = z.looseObject({
  message_id: z.int(),
  chat: chatSchema,
  from: userSchema.optional(),
  text: z.string().optional(),
  reply_to_message: z.object({ message_id: z.int(), chat: chatSchema }).optional(),
});
const updateSchema = z.object({
  update_id: z.int(),
  message: messageSchema.optional(),
  callback_query: z
    .object({
      id: z.string(),
      from: userSchema,
      // An inaccessible one has the same two.
      message: z.object({ message_id: z.int(), chat: chatSchema }).optional(),
      data: z.string().optional(),
    })
    .optional(),
});
type Update = z.infer<typeof updateSchema>;

/** Each is only there where somebody else had a part in the message (Message, by their names there). */
const NOT_ONES_OWN = [
  "edit_date",
  "forward_origin",
  "forward_from",
  "forward_from_chat",
  "forward_sender_name",
  "forward_date",
  "is_automatic_forward",
  "via_bot",
  "sender_chat",
  "sender_business_bot",
  "business_connection_id",
  "author_signature",
  "is_from_offline",
];

export interface TelegramOptions {
  readonly api: string;
  readonly token: string;
  readonly chats: readonly number[];
}

/** A bot's number and its secret: what stands in every path. */
const TOKEN = /^\d{1,16}:[A-Za-z0-9_-]{20,100}$/;

/** @throws {Fault} `channel.token` where it is no token of a bot: it would stand in a path. */
export function createTelegram({ api, token, chats }: TelegramOptions): Channel {
  if (!TOKEN.test(token)) {
    throw new Fault("channel.token", "what is kept as the token of Telegram's bot is none", {
      hint: "@BotFather gives one: a number, a colon, and letters",
    });
  }
  const call = async (method: string, json: unknown, signal: AbortSignal, waitMs = 0) => {
    const path = `/bot${token}/${method}`;
    const secrets = [token];
    const { text } = await callApi({
      ...{ api, path, method: "POST", json, signal, secrets, waitMs },
    });
    const answer = answerSchema.safeParse(parseJson(text, api));
    if (answer.success && answer.data.ok) return answer.data.result;
    throw apiFault(api, `${method}: ${answer.data?.description ?? "no answer of a bot"}`, secrets);
  };
  const send = async (json: Readonly<Record<string, unknown>>, signal: AbortSignal) => {
    const plain = { ...json, link_preview_options: { is_disabled: true } }; // And no parse_mode.
    return sentOf(messageSchema.parse(await call("sendMessage", plain, signal)));
  };
  return {
    name: "telegram",
    // The number before the colon is the bot's own, and no secret.
    key: `telegram:${token.split(":")[0]}`,
    places: chats.map(String),
    how: "answer this message with its code; in a chat with me alone also: approve ID CODE",
    fits: (text) => text.length <= TEXT_CHARS_MAX,
    announce: (chat, card, signal) =>
      send({ chat_id: Number(chat), text: card.text, reply_markup: buttonsOf(card) }, signal),
    async say(chat, text, signal) {
      await send({ chat_id: Number(chat), text }, signal);
    },
    async decisions(memory, signal) {
      return listen(memory, chats, (offset) =>
        call(
          "getUpdates",
          {
            timeout: POLL_S,
            allowed_updates: ["message", "callback_query"],
            ...(offset === undefined ? {} : { offset }),
          },
          signal,
          POLL_S * 1000,
        ),
      );
    },
    async answer({ place, press, order }, text, signal) {
      if (press !== undefined) {
        // It only ends the phone's waiting, and is refused where that has ended.
        await call("answerCallbackQuery", { callback_query_id: press.query }, signal).catch(spent);
      }
      const reply = { message_id: order, allow_sending_without_reply: true };
      return send(
        {
          chat_id: Number(place),
          text,
          ...(press === undefined
            ? { reply_parameters: reply }
            : { reply_markup: { force_reply: true } }),
        },
        signal,
      );
    },
    async settle(ref, outcome, signal) {
      const { place, message } = partsOf(ref);
      const about = { chat_id: Number(place), message_id: Number(message) };
      // Refused where the buttons are gone already, which is what is wanted.
      await call("editMessageReplyMarkup", about, signal).catch(spent);
      const reply_parameters = {
        message_id: about.message_id,
        allow_sending_without_reply: true,
      };
      await send({ chat_id: about.chat_id, text: outcome, reply_parameters }, signal);
    },
  };
}

/** Passes where the service said no to what need not be. */
function spent(error: unknown): void {
  if (!isFault(error, "channel.api")) throw error;
}

const answerSchema = z.object({
  ok: z.boolean(),
  result: z.unknown(),
  description: z.string().optional(),
});

async function listen(
  memory: Memory,
  chats: readonly number[],
  ask: (offset: number | undefined) => Promise<unknown>,
): Promise<Batch> {
  const known = memory.cursor(CURSOR);
  // What is before the offset is confirmed by this, and told no more.
  const offset = known === undefined ? undefined : Number(known);
  const updates = z.array(z.unknown()).parse(await ask(offset));
  const replies: Reply[] = [];
  let next = offset;
  for (const raw of updates) {
    const id = z.object({ update_id: z.int() }).parse(raw).update_id;
    if (next !== undefined && id < next) continue; // Told twice.
    next = id + 1;
    const reply = replyOf(raw, chats);
    if (reply !== undefined) replies.push(reply);
  }
  const cursors = next === undefined ? new Map() : new Map([[CURSOR, String(next)]]);
  return { replies, cursors, pauseMs: updates.length === 0 ? PAUSE_MS : 0 };
}

/** What a person said in a place of ours, or nothing. */
export function replyOf(update: unknown, chats: readonly number[]): Reply | undefined {
  const { success, data } = updateSchema.safeParse(update);
  if (!success) return undefined;
  const { message, callback_query: press } = data;
  if (press !== undefined) return pressOf(press, chats);
  const { from, chat, text, message_id: order } = message ?? {};
  if (message === undefined || from === undefined || text === undefined) return undefined;
  if (from.is_bot || chat === undefined || order === undefined) return undefined;
  if (NOT_ONES_OWN.some((field) => field in message)) return undefined;
  if (!isPlace(chat, from.id, chats)) return undefined;
  const answered = message.reply_to_message;
  return {
    from: `telegram:${from.id}`,
    text,
    order,
    place: String(chat.id),
    isAlone: chat.type === "private",
    ...(answered?.chat.id === chat.id ? { about: `${chat.id}/${answered.message_id}` } : {}),
  };
}

function pressOf(
  { id: query, from, message, data = "" }: NonNullable<Update["callback_query"]>,
  chats: readonly number[],
): Reply | undefined {
  const [, word, id] = /^(approve|deny):(p-[0-9a-z]{1,20})$/.exec(data) ?? [];
  if (message === undefined || id === undefined || from.is_bot) return undefined;
  const { chat, message_id: order } = message;
  if (!isPlace(chat, from.id, chats)) return undefined;
  const wish = word === "approve" ? "approve" : "deny";
  return {
    ...{ from: `telegram:${from.id}`, text: "", order, place: String(chat.id), isAlone: false },
    about: `${chat.id}/${order}`,
    press: { wish, id, query },
  };
}

/** A listed chat, or the private one with whoever speaks. */
function isPlace(
  { id, type }: z.infer<typeof chatSchema>,
  from: number,
  chats: readonly number[],
): boolean {
  return chats.includes(id) || (type === "private" && id === from);
}

function buttonsOf({ id, isWhole }: Announcement) {
  const deny = { text: "Deny", callback_data: `deny:${id}` };
  const approve = { text: "Approve", callback_data: `approve:${id}` };
  return { inline_keyboard: [isWhole ? [approve, deny] : [deny]] };
}

function sentOf({ chat, message_id: order }: z.infer<typeof messageSchema>): Sent {
  return { ref: `${chat.id}/${order}`, order };
}
