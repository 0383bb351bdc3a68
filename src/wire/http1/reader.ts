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
import { Lines } from "./lines.ts";
import { isConnectionField, readChunkSize, readField } from "./syntax.ts";

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

interface Framed {
  readonly framing: Framing;
  readonly persists: boolean;
}

/** How requests and answers differ. */
interface Grammar<Start, Head> {
  /** Empty lines that may stand before a message (RFC 9112, 2.2). */
  readonly blankLines: number;
  mayBegin(text: string): boolean;
  start(line: string): Start | Flaw;
  head(start: Start, fields: Fields): (Head & Framed) | Flaw;
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
  /** The last message said that it is the last. */
  | "over"
  | "bad";

const CR = 0x0d;
const LF = 0x0a;
const PREFIX_CHARS = 16; // Longer than any method with its space.
const NO_FIELDS: Fields = [];

/** Reads one direction of one connection. */
export class MessageReader<Start extends object, Head extends object> {
  readonly #limits: ReaderLimits;
  readonly #grammar: Grammar<Start, Head>;
  #state: State = "start";
  readonly #lines = new Lines();
  /** Bytes that the present head, line or trailer may still take. */
  #budget: number;
  #blanks = 0;
  #start: Start | undefined;
  #fields: string[] = [];
  #left = 0;
  #extensions = 0;
  #persists = true;

  constructor(limits: ReaderLimits, grammar: Grammar<Start, Head>) {
    this.#limits = limits;
    this.#grammar = grammar;
    this.#budget = limits.headBytes;
  }

  /** Takes the next bytes; they are kept until they are read, so nobody may write to them again. */
  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  /** Nothing of a message has come. */
  get isIdle(): boolean {
    return (this.#state === "start" || this.#state === "over") && this.unread === 0;
  }

  /** How many bytes are there that have not been read. */
  get unread(): number {
    return this.#lines.length;
  }

  /** Those bytes. */
  rest(): Buffer {
    return this.#lines.rest();
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
      case "over":
        return this.unread > 0 ? this.#bad("bytes behind the last message", "start") : undefined;
      default:
        return undefined;
    }
  }

  #readStart(): ReadEvent<Head> | "again" | undefined {
    const line = this.#line();
    if (line === undefined) {
      const text = this.#lines.prefix(PREFIX_CHARS);
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
    this.#persists = head.persists;
    this.#enter(head.framing);
    return { kind: "head", head };
  }

  #enter(framing: Framing): void {
    if (framing.kind === "length") this.#left = framing.bytes;
    this.#extensions = 0;
    this.#budget = CHUNK_LINE_BYTES_MAX;
    const isEmpty = framing.kind === "none" || (framing.kind === "length" && framing.bytes === 0);
    if (isEmpty) this.#state = "done";
    else
      this.#state =
        framing.kind === "chunked" ? "size" : framing.kind === "close" ? "close" : "length";
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
    const there = this.#lines.length;
    if (there === 0) return undefined;
    const bytes = this.#lines.take(this.#state === "close" ? there : Math.min(there, this.#left));
    this.#left -= bytes.length;
    if (this.#left === 0 && this.#state === "length") this.#state = "done";
    if (this.#left === 0 && this.#state === "chunk") this.#state = "chunk-end";
    return { kind: "data", bytes };
  }

  #readSize(): ReadEvent<Head> | "again" | undefined {
    const line = this.#line();
    if (typeof line !== "string") return line;
    const size = readChunkSize(line);
    if (size === undefined)
      return this.#bad("a chunk's size is not one", "syntax", line.length + 2);
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
    const [first = CR, second = LF] = [this.#lines.peek(0), this.#lines.peek(1)];
    if (first !== CR || second !== LF) {
      return this.#bad("a chunk does not end where it should", "syntax");
    }
    if (this.#lines.length < 2) return undefined;
    this.#lines.take(2);
    this.#state = "size";
    return "again";
  }

  #readTrailers(): ReadEvent<Head> | "again" | undefined {
    const line = this.#line();
    if (typeof line !== "string") return line;
    if (line === "") return this.#finish(this.#fields);
    const event = this.#field(line);
    if (event !== "again" || !isConnectionField(this.#fields.at(-2) ?? "")) return event;
    return this.#bad("a trailer about the connection", "syntax", line.length + 2);
  }

  #finish(trailers: Fields): ReadEvent<Head> {
    this.#state = this.#persists ? "start" : "over";
    this.#budget = this.#limits.headBytes;
    this.#blanks = 0;
    return { kind: "end", trailers };
  }

  /** The next line, within what its head, body or trailer may still take. */
  #line(): string | Bad | undefined {
    const before = this.#lines.length;
    const line = this.#lines.line(this.#budget);
    if (typeof line === "string") this.#budget -= before - this.#lines.length;
    else if (line !== undefined) {
      const isStart = this.#state === "start" && line.flaw === "syntax";
      return this.#bad(line.why, isStart ? "start" : line.flaw);
    }
    return line;
  }

  /** `back`: how many bytes of the line at fault have been taken already. */
  #bad(why: string, flaw: Bad["flaw"], back = 0): Bad {
    this.#state = "bad";
    return { kind: "bad", why, flaw, seen: this.#lines.rest(back) };
  }
}

export type RequestReader = Pick<
  MessageReader<object, RequestMessage>,
  "push" | "next" | "end" | "rest" | "unread"
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
  "push" | "next" | "end" | "rest" | "unread"
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
