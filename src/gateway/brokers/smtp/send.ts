/**
 * Sends one message to its server (RFC 5321, 3.3; RFC 3207; RFC 4954), command by command. One message, one
 * attempt: from the last octet of the message on nothing is tried again, whatever is said or not said then.
 *
 * @module
 */
import type { Socket } from "node:net";
import { describeError, Fault, isFault } from "../../../base/index.ts";
import { redactText, type Lease } from "../../../vault/index.ts";
import { SmtpReplyReader, stuffDots, type SmtpReply } from "../../../wire/index.ts";
import type { Place, Way } from "../broker.ts";
import { Channel } from "./channel.ts";
import { shownText, type Delivery } from "./delivery.ts";
import { isImplicitTls, type Message } from "./message.ts";

/** Waits of a client: RFC 5321, 4.5.3.2 asks for more where a person waits for nothing. */
export interface SendTimes {
  readonly replyMs: number;
  readonly writeMs: number;
  /** Servers scan a message before they take it. */
  readonly endMs: number;
}
export const SEND_TIMES: SendTimes = { replyMs: 60_000, writeMs: 300_000, endMs: 600_000 };

const QUIT_MS = 1000;

/** Sends `message` on `way`, which it closes. Never rejects. */
export async function send(
  message: Message,
  way: Way,
  place: Pick<Place, "grant" | "options" | "port" | "secure">,
  times: SendTimes = SEND_TIMES,
): Promise<Delivery> {
  const sending = new Sending(message, way, times);
  try {
    const delivery = await sending.run(place);
    await sending.quit();
    return delivery;
  } catch (error) {
    if (isFault(error, "gateway.smtp_refused")) await sending.quit();
    return sending.failed(error);
  } finally {
    way.socket.destroy();
  }
}

class Sending {
  readonly #message: Message;
  readonly #way: Way;
  readonly #times: SendTimes;
  readonly #accepted: string[] = [];
  readonly #refused: Delivery["refused"] = [];
  #channel: Channel;
  #replies = new SmtpReplyReader();
  #extensions: ReadonlyMap<string, string> = new Map();
  /** The server has, or may have, all of the message. */
  #isOut = false;
  #last: SmtpReply | undefined;

  constructor(message: Message, way: Way, times: SendTimes) {
    this.#message = message;
    this.#way = way;
    this.#times = times;
    this.#channel = new Channel(way.socket);
  }

  async run(place: Pick<Place, "grant" | "options" | "port" | "secure">): Promise<Delivery> {
    const { tls } = place.grant;
    const isImplicit = tls && isImplicitTls(place);
    if (isImplicit) await this.#secure(place);
    await this.#expect("the greeting", [220]);
    await this.#hello();
    if (tls && !isImplicit) {
      if (!this.#extensions.has("STARTTLS")) throw unfit("it offers no STARTTLS");
      await this.#command("STARTTLS", [220]);
      await this.#secure(place);
      // RFC 3207, 4.2: what it said before counts for nothing.
      await this.#hello();
    }
    await this.#login(this.#way.lease);
    return await this.#transact();
  }

  /** What is known where it ended before its end. */
  failed(error: unknown): Delivery {
    const secrets = this.#way.lease?.secrets ?? [];
    const isReply = isFault(error, "gateway.smtp_refused");
    // A success other than the one that was asked for says nothing either way.
    const isRefused = isReply && (this.#last?.code ?? 0) >= 400;
    return {
      sent: this.#isOut && !isRefused ? "unknown" : "no",
      accepted: [],
      refused: this.#refused,
      code: isReply ? (this.#last?.code ?? 0) : 0,
      text: redactText(shownText([describeError(error).replaceAll(/[^ -~]/g, "?")]), secrets),
    };
  }

  /** Takes leave, so that the server's log has no lost connection; never rejects. */
  async quit(): Promise<void> {
    try {
      await this.#channel.write("QUIT\r\n", QUIT_MS);
      await this.#channel.read(QUIT_MS);
    } catch {
      // It is over in either case, and what became of the message is known.
    }
  }

  async #transact(): Promise<Delivery> {
    const { from, recipients, bytes } = this.#message;
    const isEightBit = bytes.some((octet) => octet > 0x7f);
    if (isEightBit && !this.#extensions.has("8BITMIME"))
      throw unfit("it takes no bytes beyond ASCII (no 8BITMIME): encode them");
    const size = this.#extensions.has("SIZE") ? ` SIZE=${bytes.length}` : "";
    const body = isEightBit ? " BODY=8BITMIME" : "";
    await this.#command(`MAIL FROM:<${from}>${size}${body}`, [250]);
    for (const recipient of recipients) {
      const reply = await this.#ask(`RCPT TO:<${recipient}>`);
      if (reply.code === 250 || reply.code === 251) this.#accepted.push(recipient);
      else this.#refused.push({ recipient, code: reply.code, text: this.#shown(reply) });
    }
    if (this.#accepted.length === 0) {
      throw new Fault("gateway.smtp_refused", "the server took it for nobody");
    }
    await this.#command("DATA", [354]);
    await this.#channel.write(stuffDots(bytes), this.#times.writeMs);
    this.#isOut = true;
    await this.#channel.write(".\r\n", this.#times.writeMs);
    const reply = await this.#expect("the message", [250], this.#times.endMs);
    return {
      sent: "yes",
      accepted: this.#accepted,
      refused: this.#refused,
      code: reply.code,
      text: this.#shown(reply),
    };
  }

  async #hello(): Promise<void> {
    // No name of this host leaves; a literal is what clients without a name say (RFC 5321, 4.1.4).
    const { lines } = await this.#command("EHLO [127.0.0.1]", [250]);
    this.#extensions = new Map(
      lines.slice(1).map((line) => {
        const [keyword = "", ...rest] = line.split(" ");
        return [keyword.toUpperCase(), rest.join(" ").toUpperCase()];
      }),
    );
  }

  async #secure(place: Pick<Place, "secure">): Promise<void> {
    // What stands behind the reply was said by nobody who has proved to be anybody.
    if (this.#replies.isAhead) throw unfit("it said more before TLS than it was asked for");
    this.#channel = new Channel(await place.secure(this.#channel.stream as Socket));
    this.#replies = new SmtpReplyReader();
  }

  async #login(lease: Lease | undefined): Promise<void> {
    if (lease === undefined) return;
    const { attach } = lease;
    if (attach.kind !== "login") throw unfit("its credential is no login");
    const { user, password } = attach;
    const offered = new Set((this.#extensions.get("AUTH") ?? "").split(" "));
    const encoded = (text: string) => Buffer.from(text).toString("base64");
    // A login that fails says nothing more than that: servers repeat what they were told.
    if (offered.has("PLAIN")) {
      await this.#command(`AUTH PLAIN ${encoded(`\0${user}\0${password}`)}`, [235], "the login");
    } else if (offered.has("LOGIN")) {
      await this.#command("AUTH LOGIN", [334], "the login");
      await this.#command(encoded(user), [334], "the login");
      await this.#command(encoded(password), [235], "the login");
    } else throw unfit("it offers no login by password (AUTH PLAIN, AUTH LOGIN)");
  }

  async #command(line: string, codes: readonly number[], secret?: string): Promise<SmtpReply> {
    await this.#say(line);
    return await this.#expect(secret ?? line, codes, this.#times.replyMs, secret !== undefined);
  }

  async #ask(line: string): Promise<SmtpReply> {
    await this.#say(line);
    return await this.#reply(this.#times.replyMs);
  }

  async #say(line: string): Promise<void> {
    if (this.#replies.isAhead) throw unfit("it answered what it was not asked");
    await this.#channel.write(`${line}\r\n`, this.#times.writeMs);
  }

  async #expect(
    what: string,
    codes: readonly number[],
    timeoutMs = this.#times.replyMs,
    isSecret = false,
  ): Promise<SmtpReply> {
    const reply = await this.#reply(timeoutMs);
    if (codes.includes(reply.code)) return reply;
    const said = isSecret ? "" : `: ${this.#shown(reply)}`;
    throw new Fault("gateway.smtp_refused", `the server refused ${what} (${reply.code})${said}`);
  }

  async #reply(timeoutMs: number): Promise<SmtpReply> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const reply = this.#replies.reply();
      if (reply !== undefined) {
        this.#last = reply;
        return reply;
      }
      const leftMs = until - performance.now();
      if (leftMs <= 0) throw new Fault("gateway.smtp_silent", "the server does not end its answer");
      const chunk = await this.#channel.read(leftMs);
      if (chunk === undefined) throw new Fault("gateway.smtp_gone", "the server left");
      this.#replies.push(chunk);
    }
  }

  #shown({ lines }: SmtpReply): string {
    return redactText(shownText(lines), this.#way.lease?.secrets ?? []);
  }
}

function unfit(why: string): Fault {
  return new Fault("gateway.smtp_unfit", `the server is not used: ${why}`);
}
