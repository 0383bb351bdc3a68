/**
 * What a client of SMTP says (RFC 5321, 2.3.8 and 4.5.2): lines that end in CRLF, and a message that ends in
 * CRLF "." CRLF. No other octets end either, so that nothing can be a message for one reader and commands for
 * the next (CVE-2023-51764 and its kin): a bare CR, a bare LF or a NUL is a flaw, and nothing is read beyond it.
 *
 *     text [CRLF]            a line: printable ASCII
 *     *( ["."] text CRLF ) "." CRLF      a message: a dot that begins a line is doubled
 *
 * @module
 */

const COMMAND_OCTETS_MAX = 12_288; // RFC 4954, 4: a line of AUTH; others are shorter (RFC 5321, 4.5.3.1.4).
const MESSAGE_START_OCTETS = 16_384;
const [CR, LF, DOT, NUL] = [0x0d, 0x0a, 0x2e, 0x00];

/** Why nothing more is read of a connection. */
export interface SmtpFlaw {
  readonly flaw: string;
}

/** Where the message stands, octet by octet. */
type State = "line" | "text" | "cr" | "dot" | "dot-cr" | "end";

/** Reads one side of a connection, as it comes in. */
export class SmtpReader {
  #bytes: Buffer = Buffer.alloc(0);
  #message: Message | undefined;
  #flaw: SmtpFlaw | undefined;

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** Whether there is more than what was read. */
  get isAhead(): boolean {
    return this.#bytes.length > 0;
  }

  /** The next line without its end; `undefined` until it is whole. */
  line(): string | SmtpFlaw | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    const end = this.#bytes.indexOf(LF);
    const line = this.#bytes.subarray(0, end < 0 ? this.#bytes.length : end + 1);
    if (line.length > COMMAND_OCTETS_MAX) return this.#fail("a line that is too long");
    const text = line.toString("latin1").replace(/\r\n$/, "");
    // A CR may be the last of what has come so far.
    const odd = /[^ -~]/.exec(end < 0 ? text.replace(/\r$/, "") : text);
    if (odd !== null) return this.#fail(nameOf(odd[0]));
    if (end < 0) return undefined;
    this.#bytes = this.#bytes.subarray(end + 1);
    return text;
  }

  /** From here on a message is read; of one with more than `bytesMax` only how much it has. */
  begin(bytesMax: number): void {
    this.#message = new Message(bytesMax);
  }

  /** The message, each of its lines with CRLF, without the doubled dots; `undefined` until it is whole. */
  message(): { readonly bytes: Buffer; readonly isTooLong: boolean } | SmtpFlaw | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    const message = this.#message;
    if (message === undefined) return this.#fail("no message is read");
    const used = message.take(this.#bytes);
    this.#bytes = this.#bytes.subarray(used);
    if (message.flaw !== undefined) return this.#fail(message.flaw);
    if (!message.isWhole) return undefined;
    this.#message = undefined;
    return { bytes: message.bytes, isTooLong: message.isTooLong };
  }

  #fail(flaw: string): SmtpFlaw {
    this.#bytes = Buffer.alloc(0);
    this.#flaw = { flaw };
    return this.#flaw;
  }
}

class Message {
  flaw: string | undefined;
  readonly #bytesMax: number;
  #state: State = "line";
  #store: Buffer = Buffer.allocUnsafe(MESSAGE_START_OCTETS);
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isWhole(): boolean {
    return this.#state === "end";
  }

  get isTooLong(): boolean {
    return this.#length > this.#bytesMax;
  }

  get bytes(): Buffer {
    return this.isTooLong ? Buffer.alloc(0) : this.#store.subarray(0, this.#length);
  }

  /** How many of `bytes` belong to the message. */
  take(bytes: Buffer): number {
    this.#makeRoom(bytes.length + 1);
    let at = 0;
    while (at < bytes.length && this.#state !== "end" && this.flaw === undefined) {
      this.#step(bytes[at] ?? NUL);
      at += 1;
    }
    return at;
  }

  #step(octet: number): void {
    switch (this.#state) {
      case "line":
        if (octet === DOT) this.#state = "dot";
        else this.#text(octet);
        break;
      case "dot":
        // The first of a line that is more than a dot was put there by the client (RFC 5321, 4.5.2).
        if (octet === CR) this.#state = "dot-cr";
        else this.#text(octet);
        break;
      case "dot-cr":
        if (octet === LF) this.#state = "end";
        else this.flaw = nameOf("\r");
        break;
      case "cr":
        if (octet !== LF) this.flaw = nameOf("\r");
        this.#put(CR);
        this.#put(LF);
        this.#state = "line";
        break;
      default:
        this.#text(octet);
    }
  }

  #text(octet: number): void {
    if (octet === LF) this.flaw = nameOf("\n");
    else if (octet === NUL) this.flaw = nameOf("\0");
    this.#state = octet === CR ? "cr" : "text";
    if (octet !== CR) this.#put(octet);
  }

  #put(octet: number): void {
    if (this.#length < this.#store.length) this.#store[this.#length] = octet;
    this.#length += 1;
  }

  /** For `count` octets more; what is too long is only counted. */
  #makeRoom(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#store.length || this.isTooLong) return;
    const size = Math.min(Math.max(wanted, 2 * this.#store.length), this.#bytesMax + 1);
    if (size <= this.#store.length) return;
    const store = Buffer.allocUnsafe(size);
    this.#store.copy(store, 0, 0, this.#length);
    this.#store = store;
  }
}

function nameOf(octet: string): string {
  if (octet === "\r") return "a carriage return without a line feed";
  if (octet === "\n") return "a line feed without a carriage return";
  return octet === "\0" ? "a zero byte" : "a byte that is no printable ASCII";
}
