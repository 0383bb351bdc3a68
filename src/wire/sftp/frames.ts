/**
 * SFTP packets in a stream, and the fields that they are made of.
 *
 * ```
 * uint32 length of what follows | byte type | uint32 id (not of INIT and VERSION) | fields
 * string = uint32 length | bytes
 * ```
 *
 * @module
 */
import { Fault } from "../../base/index.ts";

/** What OpenSSH's client and server take at most (SFTP_MAX_MSG_LENGTH). */
export const SFTP_PACKET_BYTES_MAX = 256 * 1024;
const HEAD = 4;

/** Cuts a stream into packets: each from its type on, without the length. */
export class SftpFrames {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** @throws {Fault} `wire.sftp` where a packet announces more than anybody sends. */
  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const packets: Buffer[] = [];
    while (this.#bytes >= HEAD) {
      const first = this.#chunks[0] as Buffer;
      const head = first.length >= HEAD ? first : this.#join();
      const length = head.readUInt32BE(0);
      if (length < 1 || length > SFTP_PACKET_BYTES_MAX) {
        throw new Fault("wire.sftp", `an SFTP packet of ${length} bytes`);
      }
      if (this.#bytes < HEAD + length) break;
      const whole = this.#join();
      packets.push(whole.subarray(HEAD, HEAD + length));
      const rest = whole.subarray(HEAD + length);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
    }
    return packets;
  }

  /** Bytes of a packet that is not whole. */
  get pending(): number {
    return this.#bytes;
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }
}

/** Reads fields one after another; what is not there makes {@link isWhole} false. */
export class Fields {
  readonly #bytes: Buffer;
  #at: number;
  #isShort = false;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Everything that was asked for was there, and nothing is left. */
  get isWhole(): boolean {
    return !this.#isShort && this.#at === this.#bytes.length;
  }

  get isShort(): boolean {
    return this.#isShort;
  }

  byte(): number {
    return this.#take(1)?.readUInt8(0) ?? 0;
  }

  uint32(): number {
    return this.#take(4)?.readUInt32BE(0) ?? 0;
  }

  uint64(): bigint {
    return this.#take(8)?.readBigUInt64BE(0) ?? 0n;
  }

  bytes(): Buffer {
    return this.#take(this.uint32()) ?? Buffer.alloc(0);
  }

  rest(): Buffer {
    return this.#take(this.#bytes.length - this.#at) ?? Buffer.alloc(0);
  }

  /** Text in UTF-8; `undefined` where it is none, or has a NUL. */
  text(): string | undefined {
    return decodeName(this.bytes());
  }

  #take(length: number): Buffer | undefined {
    if (this.#isShort || length > this.#bytes.length - this.#at) {
      this.#isShort = true;
      return undefined;
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name as text; `undefined` where its bytes are no UTF-8, or hold a NUL. */
export function decodeName(bytes: Buffer): string | undefined {
  try {
    const text = utf8.decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A packet of `type` and these fields, with its length ahead. */
export function sftpPacket(type: number, ...fields: readonly Buffer[]): Buffer {
  const length = fields.reduce((sum, field) => sum + field.length, 1);
  const head = Buffer.alloc(HEAD + 1);
  head.writeUInt32BE(length, 0);
  head.writeUInt8(type, HEAD);
  return Buffer.concat([head, ...fields]);
}

export function uint32Field(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function uint64Field(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

export function stringField(value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([uint32Field(bytes.length), bytes]);
}
