/**
 * What a server of SMTP answers (RFC 5321, 4.2), within bounds: it may be anybody's.
 *
 *     *( code "-" text CRLF ) code [SP text] CRLF      code = %x32-35 2DIGIT
 *
 * @module
 */
import { Fault } from "../../base/index.ts";

const LINE_OCTETS_MAX = 2048; // RFC 5321, 4.5.3.1.5 says 512.
const LINES_MAX = 128;

/** One reply. */
export interface SmtpReply {
  readonly code: number;
  /** Without the code; printable ASCII, all else as "?". */
  readonly lines: readonly string[];
}

/** Reads one side of a connection, as it comes in. */
export class SmtpReplyReader {
  #bytes: Buffer = Buffer.alloc(0);
  #code: string | undefined;
  #lines: string[] = [];

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** Whether more has come than replies were asked for. */
  get isAhead(): boolean {
    return this.#bytes.length > 0 || this.#lines.length > 0;
  }

  /** The next reply; `undefined` until it is whole. @throws {Fault} `wire.smtp_reply` where it is none. */
  reply(): SmtpReply | undefined {
    for (;;) {
      const end = this.#bytes.indexOf("\n");
      if ((end < 0 ? this.#bytes.length : end) > LINE_OCTETS_MAX)
        throw flaw("a line without an end");
      if (end < 0) return undefined;
      const line = this.#bytes.toString("latin1", 0, end + 1);
      this.#bytes = this.#bytes.subarray(end + 1);
      const [, code, mark, text = ""] = /^([2-5]\d\d)(?:([ -])([^\r\n]*))?\r\n$/.exec(line) ?? [];
      if (code === undefined) throw flaw("a line that is no reply");
      if (this.#code !== undefined && this.#code !== code) throw flaw("two codes in one reply");
      this.#code = code;
      this.#lines.push(text.replaceAll(/[^ -~]/g, "?"));
      if (this.#lines.length > LINES_MAX) throw flaw("a reply without an end");
      if (mark === "-") continue;
      const reply = { code: Number(code), lines: this.#lines };
      this.#code = undefined;
      this.#lines = [];
      return reply;
    }
  }
}

function flaw(what: string): Fault {
  return new Fault("wire.smtp_reply", `the server answered with ${what}`);
}
