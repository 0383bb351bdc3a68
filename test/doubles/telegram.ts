/**
 * A double of Telegram's Bot API, as far as a bot that asks and listens needs it, written from
 * core.telegram.org/bots/api. Faithful: the envelope (`ok`, `result`, `error_code`, `description`,
 * `parameters.retry_after`); `getUpdates` with its waiting, `offset` that confirms all before it, and
 * `allowed_updates`; numbers of updates and, by chat, of messages that only grow; texts of at most 4096
 * characters; the fields of messages that were edited, forwarded or sent through others. Not there: groups'
 * privacy mode, entities, files, webhooks, and Telegram's own limits of speed.
 *
 * @module
 */
import { startDouble, type Answer, type Call, type Double } from "./double.ts";

export const TELEGRAM_TOKEN = "4242:AAdoubleDoubleDoubleDoubleDouble";

type Fields = Readonly<Record<string, unknown>>;
interface Update extends Fields {
  readonly update_id: number;
}

/** A message of the bot's, as it stands now. */
export interface BotMessage {
  readonly chat: number;
  readonly id: number;
  readonly text: string;
  readonly replyTo?: number;
  buttons: readonly string[];
}

/** What somebody types. */
export interface Written {
  readonly from: number;
  readonly chat: number;
  readonly text: string;
  /** A message of that chat, by its number. */
  readonly replyTo?: number;
  readonly username?: string;
  readonly isBot?: boolean;
  /** More fields of the message, as of a forwarded one. */
  readonly more?: Fields;
  /** Another kind of update: `edited_message`, `channel_post`. */
  readonly kind?: string;
}

export interface TelegramDouble extends Double {
  readonly sent: readonly BotMessage[];
  write(written: Written): void;
  press(from: number, message: BotMessage, data: string): void;
  /** Tells the last update once more, under its old number, though it was confirmed: a server's mistake. */
  repeat(): void;
  /** Refuses the next calls of `method`: by 429 and how many seconds, or by another status. */
  refuse(
    method: string,
    times: number,
    how: { readonly status: number; readonly s?: number },
  ): void;
  /** How often a method was called. */
  calls(method: string): number;
}

export async function startTelegram(): Promise<TelegramDouble> {
  const sent: BotMessage[] = [];
  const counts = new Map<string, number>();
  const refusals: { method: string; times: number; status: number; s: number }[] = [];
  const messageIds = new Map<number, number>();
  let updates: Update[] = [];
  let last: Update | undefined;
  let again: Update[] = [];
  let updateId = 1000;
  let wake = Promise.withResolvers<void>();

  const nextMessage = (chat: number) => {
    const id = (messageIds.get(chat) ?? 0) + 1;
    messageIds.set(chat, id);
    return id;
  };
  const tell = (update: Update) => {
    last = update;
    updates.push(update);
    wake.resolve();
  };
  const chatOf = (id: number) => ({ id, type: id > 0 ? "private" : "supergroup" });
  const messageOf = ({ chat, id, text }: Pick<BotMessage, "chat" | "id" | "text">) => ({
    message_id: id,
    date: Math.floor(Date.now() / 1000),
    chat: chatOf(chat),
    from: { id: 4242, is_bot: true, first_name: "Cofferdam" },
    text,
  });

  const methods: Readonly<Record<string, (json: Fields) => Answer | Promise<Answer>>> = {
    sendMessage(json) {
      const text = String(json["text"]);
      const chat = Number(json["chat_id"]);
      if (json["parse_mode"] !== undefined) return bad("the double reads no markup");
      if (text === "" || text.length > 4096) return bad("message is too long");
      const keyboard = (json["reply_markup"] as { inline_keyboard?: Fields[][] } | undefined)
        ?.inline_keyboard;
      const buttons = (keyboard ?? []).flat().map((one) => String(one["callback_data"]));
      if (buttons.some((data) => data.length > 64)) return bad("BUTTON_DATA_INVALID");
      const reply = json["reply_parameters"] as { message_id?: number } | undefined;
      const message: BotMessage = {
        ...{ chat, id: nextMessage(chat), text, buttons },
        ...(reply?.message_id === undefined ? {} : { replyTo: reply.message_id }),
      };
      sent.push(message);
      return good(messageOf(message));
    },
    editMessageReplyMarkup(json) {
      const found = sent.find(
        ({ chat, id }) => chat === Number(json["chat_id"]) && id === Number(json["message_id"]),
      );
      if (found === undefined) return bad("message to edit not found");
      if (found.buttons.length === 0) return bad("message is not modified");
      found.buttons = [];
      return good(messageOf(found));
    },
    answerCallbackQuery: () => good(true),
    async getUpdates(json) {
      const offset = Number(json["offset"] ?? 0);
      const allowed = json["allowed_updates"] as readonly string[];
      updates = updates.filter(({ update_id }) => update_id >= offset);
      const kept = () =>
        [...again, ...updates].filter((one) => allowed.some((kind) => kind in one)).slice(0, 100);
      if (kept().length === 0) {
        wake = Promise.withResolvers<void>();
        const timer = setTimeout(() => wake.resolve(), Number(json["timeout"] ?? 0) * 1000);
        timer.unref(); // A test that is over waits for nobody.
        await wake.promise;
        clearTimeout(timer);
      }
      const told = kept();
      again = [];
      return good(told);
    },
  };

  const double = await startDouble(({ method, path, json }: Call) => {
    const [bot, name = ""] = path;
    if (method !== "POST" || bot !== `bot${TELEGRAM_TOKEN}`) {
      return failed(401, "Unauthorized");
    }
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const refusal = refusals.find((one) => one.method === name && one.times > 0);
    if (refusal !== undefined) {
      refusal.times -= 1;
      const more = refusal.status === 429 ? { parameters: { retry_after: refusal.s } } : {};
      return failed(refusal.status, "Too Many Requests or worse", more);
    }
    return methods[name]?.(json) ?? failed(404, "Not Found");
  });
  return {
    ...double,
    sent,
    calls: (method) => counts.get(method) ?? 0,
    refuse(method, times, { status, s = 1 }) {
      refusals.push({ method, times, status, s });
    },
    repeat() {
      if (last === undefined) return;
      again.push(last);
      wake.resolve();
    },
    press(from, message, data) {
      tell({
        update_id: (updateId += 1),
        callback_query: {
          id: String(updateId),
          from: { id: from, is_bot: false, first_name: "P" },
          message: messageOf(message),
          data,
        },
      });
    },
    write({ from, chat, text, replyTo, username = "p", isBot = false, more, kind = "message" }) {
      const message = {
        ...messageOf({ chat, id: nextMessage(chat), text }),
        from: { id: from, is_bot: isBot, first_name: "P", username },
        ...(replyTo === undefined
          ? {}
          : { reply_to_message: { message_id: replyTo, chat: chatOf(chat) } }),
        ...more,
      };
      tell({ update_id: (updateId += 1), [kind]: message });
    },
  };
}

function good(result: unknown): Answer {
  return { status: 200, json: { ok: true, result } };
}

function bad(description: string): Answer {
  return failed(400, `Bad Request: ${description}`);
}

function failed(status: number, description: string, more: Fields = {}): Answer {
  return { status, json: { ok: false, error_code: status, description, ...more } };
}
