/**
 * Reads messages off a connection, however its bytes are cut.
 *
 * Bytes go in by `push`, events come out by `next`, one at a time: who does not ask for more is not sent more,
 * and what stands behind a message is not looked at before somebody asks for it. Every byte is looked at
 * once, whatever the chunks (held by counting in the tests); what is held back is the line that is not whole.
 * A flaw is final: nothing is read behind it.
 *
 * @module
 */
import {
  isFramingField,
  mayBeginRequest,
  mayBeginResponse,
  parseRequestLine,
  parseStatusLine,
  requestMessage,
  responseMessage,
  type Fields,
  type Flaw,
  type Framing,
  type RequestMessage,
  type ResponseMessage,
} from "./head.ts";
import { isLineByte, readChunkSize, readField } from "./syntax.ts";

export interface ReaderLimits {
  /** Bytes of a head, with its line ends. */
  readonly headBytes: number;
  /** Fields of a head, and of a trailer. */
  readonly fields: number;
}

/** A chunk's size with its extensions, in bytes; nobody is known to use any. */
export const CHUNK_LINE_BYTES_MAX = 1024;
/** Extensions of all chunks of a body, in bytes: what costs work and carries nothing. */
export const EXTENSION_BYTES_MAX = 16_384;
export const TRAILER_BYTES_MAX = 8192;

/** What could not be read. */
export interface Bad {
  readonly kind: "bad";
  readonly why: string;
  /** `start`: this begins no message; `size`: a limit; `cut`: the connection ended within a message. */
  readonly flaw: "start" | "size" | "syntax" | "cut";
  /** From the start of the line at fault to the last byte that came. */
  readonly seen: Buffer;
}

export type ReadEvent<Head> =
  | { readonly kind: "head"; readonly head: Head }
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "end"; readonly trailers: Fields }
  | Bad;

/** How requests and answers differ. */
interface Grammar<Start, Head> {
  /** Empty lines that may stand before a message (RFC 9112, 2.2). */
  readonly blankLines: number;
  mayBegin(text: string): boolean;
  start(line: string): Start | Flaw;
  head(start: Start, fields: Fields): (Head & { readonly framing: Framing }) | Flaw;
}

type State =
  | "start"
  | "fields"
  | "length"
  | "close"
  | "size"
  | "chunk"
  | "chunk-end"
  | "trailers"
  | "done"
  | "bad";

const EMPTY = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;
const PREFIX_CHARS = 16; // Longer than any method with its space.
const NO_FIELDS: Fields = [];

/** Reads one direction of one connection. */
export class MessageReader<Start extends object, Head extends object> {
  readonly #limits: ReaderLimits;
  readonly #grammar: Grammar<Start, Head>;
  #state: State = "start";
  #bytes: Buffer = EMPTY;
  /** Behind `#bytes`, with room for more; only where a line came in pieces. */
  #store: Buffer = EMPTY;
  #at = 0;
  /** No line ends between `#at` and here. */
  #scanned = 0;
  /** Bytes that the present head, line or trailer may still take. */
  #budget: number;
  #blanks = 0;
  #start: Start | undefined;
  #fields: string[] = [];
  #left = 0;
  #extensions = 0;

  constructor(limits: ReaderLimits, grammar: Grammar<Start, Head>) {
    this.#limits = limits;
    this.#grammar = grammar;
    this.#budget = limits.headBytes;
  }

  /** Takes the next bytes; they are kept until they are read, so nobody may write to them again. */
  push(chunk: Buffer): void {
    const left = this.#bytes.length - this.#at;
    if (left === 0) {
      this.#bytes = chunk;
      this.#store = EMPTY;
      this.#at = this.#scanned = 0;
      return;
    }
    const end = this.#bytes.length;
    if (this.#store.length - end < chunk.length) {
      this.#store = Buffer.allocUnsafe(2 * (left + chunk.length));
      this.#bytes.copy(this.#store, 0, this.#at);
      this.#scanned = Math.max(0, this.#scanned - this.#at);
      this.#at = 0;
      chunk.copy(this.#store, left);
      this.#bytes = this.#store.subarray(0, left + chunk.length);
      return;
    }
    chunk.copy(this.#store, end);
    this.#bytes = this.#store.subarray(0, end + chunk.length);
  }

  /** Nothing of a message has come. */
  get isIdle(): boolean {
    return this.#state === "start" && !this.hasBytes;
  }

  /** Bytes are there that have not been read. */
  get hasBytes(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** Those bytes. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  /** The next event, or nothing until more bytes come. */
  next(): ReadEvent<Head> | undefined {
    for (;;) {
      const event = this.#step();
      if (event !== "again") return event;
    }
  }

  /** The connection has ended, and `next` has nothing more: the last event, if there is one. */
  end(): ReadEvent<Head> | undefined {
    if (this.#state === "close") return this.#finish(NO_FIELDS);
    if (this.isIdle || this.#state === "bad") return undefined;
    return this.#bad("the connection ended within a message", "cut");
  }

  #step(): ReadEvent<Head> | "again" | undefined {
    switch (this.#state) {
      case "start":
        return this.#readStart();
      case "fields":
        return this.#readFields();
      case "size":
        return this.#readSize();
      case "chunk-end":
        return this.#readChunkEnd();
      case "trailers":
        return this.#readTrailers();
      case "length":
      case "chunk":
      case "close":
        return this.#readData();
      case "done":
        return this.#finish(this.#fields);
      default:
        return undefined;
    }
  }

  #readStart(): ReadEvent<Head> | "again" | undefined {
    const line = this.#line();
    if (line === undefined) {
      const text = this.#bytes.toString("latin1", this.#at, this.#at + PREFIX_CHARS);
      // An empty line's first half.
      if (text === "\r" && this.#blanks < this.#grammar.blankLines) return undefined;
      return this.#grammar.mayBegin(text) ? undefined : this.#bad("no message begins so", "start");
    }
    if (typeof line !== "string") return line;
    if (line === "" && this.#blanks < this.#grammar.blankLines) {
      this.#blanks += 1;
      return "again";
    }
    const start = this.#grammar.start(line);
    if ("flaw" in start) return this.#bad(start.flaw, "start", line.length + 2);
    this.#start = start;
    this.#fields = [];
    this.#state = "fields";
    return "again";
  }

  #readFields(): ReadEvent<Head> | "again" | undefined {
    const line = this.#line();
    if (typeof line !== "string") return line;
    if (line !== "") return this.#field(line);
    const start = this.#start;
    if (start === undefined) return undefined; // Cannot be: a first line has been read.
    const head = this.#grammar.head(start, this.#fields);
    if ("flaw" in head) return this.#bad(head.flaw, "syntax");
    this.#fields = [];
    this.#enter(head.framing);
    return { kind: "head", head };
  }

  #enter(framing: Framing): void {
    if (framing.kind === "length") this.#left = framing.bytes;
    this.#extensions = 0;
    this.#budget = CHUNK_LINE_BYTES_MAX;
    const isEmpty = framing.kind === "none" || (framing.kind === "length" && framing.bytes === 0);
    if (isEmpty) this.#state = "done";
    else this.#state = framing.kind === "chunked" ? "size" : framing.kind === "close" ? "close" : "length";
  }

  #field(line: string): ReadEvent<Head> | "again" {
    const flaw = readField(line, this.#fields);
    if (flaw !== undefined) return this.#bad(flaw, "syntax", line.length + 2);
    if (this.#fields.length > 2 * this.#limits.fields) {
      return this.#bad(`more than ${this.#limits.fields} fields`, "size");
    }
    return "again";
  }

  #readData(): ReadEvent<Head> | undefined {
    const there = this.#bytes.length - this.#at;
    if (there === 0) return undefined;
    const take = this.#state === "close" ? there : Math.min(there, this.#left);
    const bytes = this.#bytes.subarray(this.#at, this.#at + take);
    this.#at += take;
    this.#left -= take;
    if (this.#left === 0 && this.#state === "length") this.#state = "done";
    if (this.#left === 0 && this.#state === "chunk") this.#state = "chunk-end";
    return { kind: "data", bytes };
  }

  #readSize(): ReadEvent<Head> | "again" | undefined {
    const line = this.#line();
    if (typeof line !== "string") return line;
    const size = readChunkSize(line);
    if (size === undefined) return this.#bad("a chunk's size is not one", "syntax", line.length + 2);
    this.#extensions += line.includes(";") ? line.length : 0;
    if (this.#extensions > EXTENSION_BYTES_MAX) {
      return this.#bad(`chunk extensions of more than ${EXTENSION_BYTES_MAX} bytes`, "size");
    }
    this.#left = size;
    this.#state = size === 0 ? "trailers" : "chunk";
    this.#budget = size === 0 ? TRAILER_BYTES_MAX : CHUNK_LINE_BYTES_MAX;
    return "again";
  }

  #readChunkEnd(): ReadEvent<Head> | "again" | undefined {
    const there = this.#bytes.length - this.#at;
    const [first, second] = [this.#bytes[this.#at], this.#bytes[this.#at + 1]];
    if ((there > 0 && first !== CR) || (there > 1 && second !== LF)) {
      return this.#bad("a chunk does not end where it should", "syntax");
    }
    if (there < 2) return undefined;
    this.#at += 2;
    this.#state = "size";
    return "again";
  }

  #readTrailers(): ReadEvent<Head> | "again" | undefined {
    const line = this.#line();
    if (typeof line !== "string") return line;
    if (line === "") return this.#finish(this.#fields);
    const event = this.#field(line);
    if (event !== "again" || !isFramingField(this.#fields.at(-2) ?? "")) return event;
    return this.#bad("a trailer that frames the message", "syntax", line.length + 2);
  }

  #finish(trailers: Fields): ReadEvent<Head> {
    this.#state = "start";
    this.#budget = this.#limits.headBytes;
    this.#blanks = 0;
    return { kind: "end", trailers };
  }

  /** The next line without its end; nothing where it is not whole yet. */
  #line(): string | Bad | undefined {
    this.#scanned = Math.max(this.#scanned, this.#at);
    const end = this.#bytes.indexOf(LF, this.#scanned);
    const length = (end < 0 ? this.#bytes.length : end + 1) - this.#at;
    if (length > this.#budget) return this.#bad("longer than it may be", "size");
    if (end < 0) return this.#lookAhead();
    if (end === this.#at || this.#bytes[end - 1] !== CR) {
      return this.#bad("a line that ends in a bare line feed", "syntax");
    }
    const line = this.#bytes.toString("latin1", this.#at, end - 1);
    this.#budget -= length;
    this.#at = this.#scanned = end + 1;
    return line;
  }

  /** Half a line: what may never stand in one is refused before its end comes. */
  #lookAhead(): Bad | undefined {
    const last = this.#bytes.length - 1;
    for (let n = this.#scanned; n <= last; n += 1) {
      const code = this.#bytes[n] ?? 0;
      if (isLineByte(code) || (code === CR && n === last)) continue;
      return this.#bad("a control character in a line", this.#state === "start" ? "start" : "syntax");
    }
    // A last CR is looked at again, with what follows it.
    this.#scanned = this.#bytes[last] === CR ? Math.max(last, this.#at) : last + 1;
    return undefined;
  }

  /** `back`: how many bytes of the line at fault have been taken already. */
  #bad(why: string, flaw: Bad["flaw"], back = 0): Bad {
    this.#state = "bad";
    return { kind: "bad", why, flaw, seen: this.#bytes.subarray(Math.max(0, this.#at - back)) };
  }
}

export type RequestReader = Pick<
  MessageReader<object, RequestMessage>,
  "push" | "next" | "end" | "rest" | "isIdle" | "hasBytes"
>;

/** Reads requests. */
export function createRequestReader(limits: ReaderLimits): RequestReader {
  return new MessageReader(limits, {
    blankLines: 1,
    mayBegin: mayBeginRequest,
    start: parseRequestLine,
    head: requestMessage,
  });
}

export interface ResponseReader extends Pick<
  MessageReader<object, ResponseMessage>,
  "push" | "next" | "end" | "rest" | "isIdle" | "hasBytes"
> {
  /** What is read next answers a request of this method. */
  expect(method: string): void;
}

/** Reads answers: interim ones (1xx) are messages of their own. */
export function createResponseReader(limits: ReaderLimits): ResponseReader {
  let asked = "GET";
  const reader = new MessageReader(limits, {
    blankLines: 0,
    mayBegin: mayBeginResponse,
    start: parseStatusLine,
    head: (start: Parameters<typeof responseMessage>[0], fields: Fields) =>
      responseMessage(start, fields, asked),
  });
  return Object.assign(reader, { expect: (method: string) => void (asked = method) });
}
