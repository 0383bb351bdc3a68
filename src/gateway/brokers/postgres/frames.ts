/**
 * Messages of PostgreSQL's protocol, version 3.0 (the server's documentation, "Message Formats").
 *
 *     type (1) | length (4, itself included) | body
 *
 * A start-up message has no type. Numbers are big-endian, texts end with a zero.
 *
 * @module
 */
import { Fault } from "../../../base/index.ts";

export const HEADER_BYTES = 5;

/** Types of messages, by what the documentation calls them. */
export const T = {
  query: 0x51,
  parse: 0x50,
  bind: 0x42,
  execute: 0x45,
  describe: 0x44,
  close: 0x43,
  sync: 0x53,
  flush: 0x48,
  functionCall: 0x46,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  terminate: 0x58,
  password: 0x70,
} as const;

/** Types of messages of the server. */
export const R = {
  authentication: 0x52,
  backendKey: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyIn: 0x47,
  copyOut: 0x48,
  copyBoth: 0x57,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  noData: 0x6e,
  notice: 0x4e,
  notification: 0x41,
  parameterDescription: 0x74,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  portalSuspended: 0x73,
  ready: 0x5a,
  rowDescription: 0x54,
} as const;

/** A message with its header. */
export function message(type: number, ...parts: readonly (Buffer | string | number)[]): Buffer {
  const bodies = parts.map((part) =>
    typeof part === "number" ? Buffer.of(part) : typeof part === "string" ? cstring(part) : part,
  );
  const length = bodies.reduce((sum, { length }) => sum + length, 4);
  const head = Buffer.alloc(HEADER_BYTES);
  head[0] = type;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, ...bodies]);
}

/** A text with its zero; a zero within it would end it early. */
export function cstring(text: string): Buffer {
  return Buffer.from(`${text.replaceAll("\0", "")}\0`);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

/** What a failure says. `code` is an SQLSTATE. */
export interface ErrorFields {
  readonly severity?: "ERROR" | "FATAL";
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

/** An ErrorResponse. */
export function errorMessage(fields: ErrorFields): Buffer {
  const { severity = "ERROR", code, message: said, detail, hint } = fields;
  const parts = [`S${severity}`, `V${severity}`, `C${code}`, `M${said}`];
  if (detail !== undefined) parts.push(`D${detail}`);
  if (hint !== undefined) parts.push(`H${hint}`);
  return message(R.error, ...parts, 0);
}

/** Fields of an ErrorResponse or NoticeResponse, by their letters. */
export function readFields(body: Buffer): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1);
    if (end < 0) break;
    fields[String.fromCharCode(body[at] ?? 0)] = body.toString("utf8", at + 1, end);
    at = end + 1;
  }
  return fields;
}

/** The same error or notice less what tells of values: its detail, its context, and its own query. */
export function withoutValues(frame: Buffer): Buffer {
  const kept = Object.entries(readFields(frame.subarray(5))).filter(
    ([letter]) => !VALUES.has(letter),
  );
  return message(frame[0] ?? R.error, ...kept.map(([letter, text]) => `${letter}${text}`), 0);
}
const VALUES: ReadonlySet<string> = new Set(["D", "W", "q"]);

/** Reads a body from its start; what is not there is a fault. */
export class BodyReader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get left(): number {
    return this.#body.length - this.#at;
  }

  text(): string {
    const end = this.#body.indexOf(0, this.#at);
    if (end < 0) throw malformed("a text without an end");
    const bytes = this.#body.subarray(this.#at, end);
    const text = bytes.toString("utf8");
    if (text.includes("\ufffd") && !Buffer.from(text).equals(bytes)) {
      throw malformed("a text that is no UTF-8");
    }
    this.#at = end + 1;
    return text;
  }

  int16(): number {
    return this.bytes(2).readInt16BE();
  }

  int32(): number {
    return this.bytes(4).readInt32BE();
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0;
  }

  bytes(count: number): Buffer {
    if (count < 0 || count > this.left) throw malformed("a message that ends early");
    const bytes = this.#body.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }

  /** Count, then as many of `one`. */
  list<Item>(one: () => Item): Item[] {
    const count = this.int16() & 0xff_ff;
    const items: Item[] = [];
    for (let at = 0; at < count; at += 1) items.push(one());
    return items;
  }

  end(): void {
    if (this.left !== 0) throw malformed("a message that is longer than what it says");
  }
}

export function malformed(what: string): Fault {
  return new Fault("gateway.protocol", `PostgreSQL: ${what}`);
}

/** Cuts a stream into messages. A message beyond `limitOf` its type is a fault. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #limitOf: (type: number) => number;

  constructor(limitOf: (type: number) => number) {
    this.#limitOf = limitOf;
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#buffer.length - this.#at;
  }

  push(chunk: Buffer): void {
    this.#buffer =
      this.#at >= this.#buffer.length
        ? chunk
        : Buffer.concat([this.#buffer.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** The next message, header included; `undefined` where it is not there yet. */
  next(): Buffer | undefined {
    const left = this.#buffer.length - this.#at;
    if (left < HEADER_BYTES) return undefined;
    const type = this.#buffer[this.#at] ?? 0;
    const length = this.#buffer.readUInt32BE(this.#at + 1);
    if (length < 4) throw malformed("a length below itself");
    if (length > this.#limitOf(type)) {
      throw malformed(
        `a message of type ${JSON.stringify(String.fromCharCode(type))} of ${length} bytes`,
      );
    }
    if (left < length + 1) return undefined;
    const frame = this.#buffer.subarray(this.#at, this.#at + length + 1);
    this.#at += length + 1;
    return frame;
  }
}
