/**
 * Packet lines (gitprotocol-common, "pkt-line Format"): four hexadecimal digits of length, those included,
 * then the content. 0000 is a flush, 0001 a delimiter, 0002 a response's end; 0003 and lengths above 65520
 * are none.
 *
 * @module
 */
import { Unreadable } from "./unreadable.ts";

/** Content of one line is at most this long. */
export const PKT_CONTENT_MAX = 65_516;

/** One packet: its content, or one of the three that have none. */
export type Packet = Buffer | "flush" | "delimiter" | "end";

const SPECIAL: Readonly<Record<number, "flush" | "delimiter" | "end">> = {
  0: "flush",
  1: "delimiter",
  2: "end",
};

/** Reads packets one after another from bytes that are all there. */
export class PacketReader {
  readonly #bytes: Buffer;
  /** Where the next packet begins. */
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.#bytes.length;
  }

  /** The next packet, or `undefined` where its end is not here. @throws {Unreadable} where it is none. */
  next(): Packet | undefined {
    const { offset } = this;
    if (offset + 4 > this.#bytes.length) return undefined;
    const digits = this.#bytes.toString("latin1", offset, offset + 4);
    // git itself takes both cases.
    if (!/^[0-9a-fA-F]{4}$/.test(digits))
      throw new Unreadable("the length of a packet is no number");
    const length = Number.parseInt(digits, 16);
    const special = SPECIAL[length];
    if (special !== undefined) {
      this.offset += 4;
      return special;
    }
    if (length < 4 || length > PKT_CONTENT_MAX + 4) {
      throw new Unreadable(`a packet cannot be ${length} bytes long`);
    }
    if (offset + length > this.#bytes.length) return undefined;
    this.offset += length;
    return this.#bytes.subarray(offset + 4, offset + length);
  }

  /** The next packet, which must be here. */
  take(): Packet {
    const packet = this.next();
    if (packet === undefined) throw new Unreadable("it ends within a packet");
    return packet;
  }
}

/** `content` as one packet. */
export function packet(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  if (bytes.length > PKT_CONTENT_MAX) throw new RangeError("too long for a packet");
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

export const FLUSH = Buffer.from("0000");
export const DELIMITER = Buffer.from("0001");
