/**
 * The agent's side of SMTP submission (RFC 6409): a server that takes whole messages, whatever the client logs in
 * as, and hands each on. Commands are read one at a time; PIPELINING and CHUNKING are not offered, and whoever
 * speaks ahead is not heard: what stands behind STARTTLS, DATA or a message's end is how messages are smuggled.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { Fault, isFault } from "../../../base/index.ts";
import { readMailbox } from "../../../mail/index.ts";
import { SMTP_RECIPIENTS_MAX } from "../../../protocols/index.ts";
import { readSmtpCommand, readSmtpPath, SmtpReader, type SmtpFlaw } from "../../../wire/index.ts";
import { Channel } from "./channel.ts";
import type { Reply } from "./delivery.ts";
import type { Message } from "./message.ts";

/** What a dialogue asks of whom it is held for. */
export interface DialoguePorts {
  readonly host: string;
  /** Of a message, at most. */
  readonly bytesMax: number;
  /** Speaks TLS on the client's stream; absent where STARTTLS is not offered. */
  readonly upgrade: (() => Promise<Duplex>) | undefined;
  /** What becomes of `message`. */
  submit(message: Message): Promise<Reply>;
  /** A message that is not taken, and so is never judged, and why. */
  refuse(rule: string, reason: string): void;
  /** Bytes that are no SMTP. */
  offend(detail: string): void;
  /** Why it is over. */
  because(reason: string): void;
}

/** Waits of a server: RFC 5321, 4.5.3.2.7. */
export interface DialogueTimes {
  readonly commandMs: number;
  /** Between two pieces of a message, and for all of it. */
  readonly dataMs: number;
  readonly messageMs: number;
  readonly writeMs: number;
  /** From the last reply until the client has left. */
  readonly lingerMs: number;
}
export const DIALOGUE_TIMES: DialogueTimes = {
  commandMs: 300_000,
  dataMs: 60_000,
  messageMs: 600_000,
  writeMs: 30_000,
  lingerMs: 1000,
};

const LINGER_BYTES_MAX = 1 << 20;
const ERRORS_MAX = 10;
const COMMANDS_MAX = 5000;
const TEXT_CHARS_MAX = 400; // Of one line; RFC 5321, 4.5.3.1.5 allows 512 octets.
const LINES_MAX = 8;
const MAIL_PARAMETERS = new Set(["SIZE", "BODY", "AUTH"]);

/** Serves one client until it leaves or is left. */
export class Dialogue {
  readonly #ports: DialoguePorts;
  readonly #times: DialogueTimes;
  #channel: Channel;
  #reader = new SmtpReader();
  #isTls: boolean;
  #hasGreeted = false;
  #hasLoggedIn = false;
  #from: string | undefined;
  #recipients: string[] = [];
  #errors = 0;
  #commands = 0;
  #isOver = false;

  constructor(stream: Duplex, ports: DialoguePorts, times: DialogueTimes = DIALOGUE_TIMES) {
    this.#ports = ports;
    this.#times = times;
    this.#channel = new Channel(stream);
    this.#isTls = ports.upgrade === undefined;
  }

  async run(): Promise<void> {
    await this.#say({ code: 220, enhanced: "", text: `${this.#ports.host} ESMTP Cofferdam` });
    while (!this.#isOver) {
      const line = await this.#line(this.#times.commandMs);
      if (line === undefined) break;
      this.#commands += 1;
      const reply = await this.#answer(line);
      if (reply !== undefined) await this.#say(reply);
      if (this.#errors > ERRORS_MAX || this.#commands > COMMANDS_MAX)
        await this.#leave({ code: 421, enhanced: "4.7.0", text: "too many commands or errors" });
    }
    this.#channel.stream.end();
    await this.#linger();
  }

  /** Ends it at once, as a server that has to go may at any point (RFC 5321, 3.8); false where it has ended. */
  interrupt(text: string): boolean {
    const { stream } = this.#channel;
    if (this.#isOver || !stream.writable) return false;
    this.#isOver = true;
    stream.end(`421 4.3.2 Cofferdam: ${text}\r\n`);
    return true;
  }

  /** Reads and throws away what still comes, so that the last reply is not lost with it. */
  async #linger(): Promise<void> {
    const until = performance.now() + this.#times.lingerMs;
    let bytes = 0;
    try {
      while (bytes < LINGER_BYTES_MAX) {
        const leftMs = until - performance.now();
        const chunk = leftMs > 0 ? await this.#channel.read(leftMs) : undefined;
        if (chunk === undefined) return;
        bytes += chunk.length;
      }
    } catch (error) {
      if (!isFault(error, "gateway.smtp_silent")) throw error;
    }
  }

  /** The reply to a line; `undefined` where it was given, or none is due. */
  async #answer(line: string): Promise<Reply | undefined> {
    const command = readSmtpCommand(line);
    const { verb = "", argument = "" } = command ?? {};
    switch (verb) {
      case "EHLO":
      case "HELO":
        return await this.#greet(verb, argument);
      case "STARTTLS":
        return await this.#startTls(argument);
      case "AUTH":
        return await this.#login(argument);
      case "MAIL":
        return this.#mail(argument);
      case "RCPT":
        return this.#rcpt(argument);
      case "DATA":
        return await this.#data(argument);
      case "RSET":
        this.#reset();
        return OK;
      case "NOOP":
        return OK;
      case "QUIT":
        await this.#leave({ code: 221, enhanced: "2.0.0", text: "bye" });
        return undefined;
      case "VRFY":
      case "EXPN":
        return this.#error(502, "5.7.0", "nobody is told whether a mailbox exists");
      case "BDAT":
        return this.#error(502, "5.5.1", "CHUNKING is not offered: send the message by DATA");
      default:
        if (this.#commands === 1) {
          this.#ports.offend(`${JSON.stringify(line.slice(0, 40))} is no command of SMTP`);
          await this.#leave({ code: 421, enhanced: "4.7.0", text: "this is SMTP" });
          return undefined;
        }
        return this.#error(500, "5.5.2", "no command that is known here");
    }
  }

  async #greet(verb: string, argument: string): Promise<Reply | undefined> {
    if (!/^[!-~]{1,255}$/.test(argument))
      return this.#error(501, "5.5.4", `${verb} takes one name`);
    this.#reset();
    this.#hasGreeted = true;
    const { host, bytesMax } = this.#ports;
    if (verb === "HELO") return { code: 250, enhanced: "", text: host };
    const lines = [
      host,
      `SIZE ${bytesMax}`,
      "8BITMIME",
      "ENHANCEDSTATUSCODES",
      ...(this.#isTls ? [] : ["STARTTLS"]),
      "AUTH PLAIN LOGIN",
    ];
    await this.#write(250, lines);
    return undefined;
  }

  async #startTls(argument: string): Promise<Reply | undefined> {
    const { upgrade } = this.#ports;
    if (upgrade === undefined || this.#isTls) return this.#error(503, "5.5.1", "no STARTTLS here");
    if (argument !== "") return this.#error(501, "5.5.4", "STARTTLS takes nothing");
    await this.#say({ code: 220, enhanced: "2.0.0", text: "go ahead" });
    this.#channel = new Channel(await upgrade());
    this.#reader = new SmtpReader();
    this.#isTls = true;
    // RFC 3207, 4.2: as if nothing had been said.
    this.#hasGreeted = this.#hasLoggedIn = false;
    this.#reset();
    return undefined;
  }

  /** Whatever it says is right: it holds nothing, and nothing of it is kept. */
  async #login(argument: string): Promise<Reply | undefined> {
    if (this.#hasLoggedIn || this.#from !== undefined || !this.#hasGreeted)
      return this.#error(503, "5.5.1", "not now");
    const [, mechanism = "", initial] = /^(\S+)(?: (\S+))?$/.exec(argument) ?? [];
    const prompts = MECHANISMS.get(mechanism.toUpperCase());
    if (prompts === undefined) return this.#error(504, "5.5.4", "AUTH takes PLAIN or LOGIN");
    const said = [initial].filter((one) => one !== undefined);
    while (said.length < prompts.length) {
      await this.#write(334, [prompts[said.length] ?? ""]);
      const line = await this.#line(this.#times.commandMs);
      if (line === undefined) return undefined;
      said.push(line);
    }
    const isOdd = said.some((one) => !/^(=|[A-Za-z0-9+/]*={0,2})$/.test(one));
    if (isOdd) return this.#error(501, "5.5.2", "no base 64, or given up");
    this.#hasLoggedIn = true;
    return { code: 235, enhanced: "2.7.0", text: "taken; Cofferdam logs in with its own" };
  }

  #mail(argument: string): Reply {
    if (!this.#hasGreeted) return this.#error(503, "5.5.1", "EHLO first");
    if (this.#from !== undefined) return this.#error(503, "5.5.1", "a message is under way; RSET");
    const path = readSmtpPath(argument, "FROM");
    if (path === undefined) return this.#error(501, "5.5.4", "write MAIL FROM:<a@b.example>");
    const mailbox = readMailbox(path.path);
    if (mailbox === undefined) return this.#error(553, "5.1.7", NO_MAILBOX);
    const { parameters } = path;
    const odd = [...parameters.keys()].find((name) => !MAIL_PARAMETERS.has(name));
    if (odd !== undefined) return this.#error(555, "5.5.4", `${odd} is not offered`);
    const { SIZE: size = "0", BODY: body = "7BIT" } = Object.fromEntries(parameters);
    if (!/^\d{1,20}$/.test(size) || !/^(7BIT|8BITMIME)$/i.test(body))
      return this.#error(501, "5.5.4", "a parameter that cannot be read");
    if (Number(size) > this.#ports.bytesMax) return this.#tooLong(Number(size));
    this.#from = mailbox.address;
    return OK;
  }

  #rcpt(argument: string): Reply {
    if (this.#from === undefined) return this.#error(503, "5.5.1", "MAIL first");
    const path = readSmtpPath(argument, "TO");
    if (path === undefined) return this.#error(501, "5.5.4", "write RCPT TO:<a@b.example>");
    const [odd] = path.parameters.keys();
    if (odd !== undefined) return this.#error(555, "5.5.4", `${odd} is not offered`);
    const mailbox = readMailbox(path.path);
    if (mailbox === undefined) return this.#error(553, "5.1.3", NO_MAILBOX);
    if (this.#recipients.includes(mailbox.address)) return OK;
    if (this.#recipients.length >= SMTP_RECIPIENTS_MAX)
      return this.#error(550, "5.5.3", `more than ${SMTP_RECIPIENTS_MAX} recipients`);
    this.#recipients.push(mailbox.address);
    return OK;
  }

  async #data(argument: string): Promise<Reply | undefined> {
    const from = this.#from;
    if (from === undefined || this.#recipients.length === 0)
      return this.#error(503, "5.5.1", "MAIL and RCPT first");
    if (argument !== "") return this.#error(501, "5.5.4", "DATA takes nothing");
    await this.#say({ code: 354, enhanced: "", text: "end with <CRLF>.<CRLF>" });
    const recipients = this.#recipients;
    this.#reset();
    const read = await this.#message();
    if (read === undefined) return undefined;
    if (read.isTooLong) return this.#tooLong();
    return await this.#ports.submit({ from, recipients, bytes: read.bytes });
  }

  async #message() {
    const until = performance.now() + this.#times.messageMs;
    this.#reader.begin(this.#ports.bytesMax);
    for (;;) {
      const read = this.#reader.message();
      if (read !== undefined && "flaw" in read) return await this.#misread("message", read);
      if (read !== undefined && this.#reader.isAhead)
        return await this.#misread("message", { flaw: "more behind its end" });
      if (read !== undefined) return read;
      const leftMs = Math.min(this.#times.dataMs, until - performance.now());
      const chunk = await this.#read(leftMs);
      if (chunk === undefined) return undefined;
      this.#reader.push(chunk);
    }
  }

  async #line(timeoutMs: number): Promise<string | undefined> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const line = this.#reader.line();
      if (typeof line === "object") return await this.#misread("line", line);
      if (line !== undefined && this.#reader.isAhead)
        return await this.#misread("line", { flaw: "more than one command at a time" });
      if (line !== undefined) return line;
      const leftMs = until - performance.now();
      const chunk = await this.#read(leftMs);
      if (chunk === undefined) return undefined;
      this.#reader.push(chunk);
    }
  }

  async #read(timeoutMs: number): Promise<Buffer | undefined> {
    if (timeoutMs <= 0)
      throw new Fault("gateway.smtp_silent", "the client does not come to an end");
    const chunk = await this.#channel.read(timeoutMs);
    if (chunk === undefined) {
      this.#ports.because("the client left");
      this.#isOver = true;
    }
    return chunk;
  }

  /** From here on client and server could disagree on what is text and what a command, so it is over. */
  async #misread(what: "line" | "message", { flaw }: SmtpFlaw): Promise<undefined> {
    if (what === "message") this.#ports.refuse("smtp.line_ends", `a message with ${flaw}`);
    else if (this.#commands === 0) this.#ports.offend(`${flaw}, where SMTP begins`);
    else this.#ports.refuse("smtp.command", `a line with ${flaw}`);
    const enhanced = what === "message" ? "5.6.0" : "5.5.2";
    await this.#leave({ code: 554, enhanced, text: `refused: ${flaw}` });
  }

  async #leave(reply: Reply): Promise<void> {
    if (!this.#isOver) await this.#say(reply);
    this.#isOver = true;
  }

  #tooLong(bytes?: number): Reply {
    const { bytesMax } = this.#ports;
    const size = bytes === undefined ? "it" : `${bytes} bytes`;
    this.#ports.refuse(
      "smtp.bytes",
      `a message: ${size} is more than the ${bytesMax} bytes granted`,
    );
    return this.#error(552, "5.3.4", `more than the ${bytesMax} bytes that are granted`);
  }

  #reset(): void {
    this.#from = undefined;
    this.#recipients = [];
  }

  #error(code: number, enhanced: string, text: string): Reply {
    this.#errors += 1;
    return { code, enhanced, text };
  }

  #say({ code, enhanced, text }: Reply): Promise<void> {
    const plain = text.replaceAll(/[^ -~]+/g, "?");
    const lines = plain.match(new RegExp(`.{1,${TEXT_CHARS_MAX}}`, "g")) ?? [""];
    const prefix = enhanced === "" ? "" : `${enhanced} `;
    return this.#write(
      code,
      lines.slice(0, LINES_MAX).map((line) => `${prefix}${line}`),
    );
  }

  #write(code: number, lines: readonly string[]): Promise<void> {
    const text = lines.map((line, at) => `${code}${at < lines.length - 1 ? "-" : " "}${line}\r\n`);
    return this.#channel.write(text.join(""), this.#times.writeMs);
  }
}

const OK: Reply = { code: 250, enhanced: "2.0.0", text: "ok" };
const NO_MAILBOX = "no mailbox of the plain form name@domain.example, in ASCII";
/** Prompts of each, in base 64: of LOGIN "Username:" and "Password:". */
const MECHANISMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["PLAIN", [""]],
  ["LOGIN", ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"]],
]);
