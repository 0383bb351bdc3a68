/**
 * Packets of the MySQL protocol (https://mariadb.com/kb/en/0-packet/), and the values in them.
 *
 *     length: 3 bytes, little endian     sequence: 1 byte     payload
 *
 * @module
 */
import { Fault } from "../../base/index.ts";

export const MYSQL_HEADER_BYTES = 4;
const SPLIT_BYTES = 0xffffff; // A payload of that length goes on in the next packet.

export interface MysqlPacket {
  readonly sequence: number;
  readonly payload: Buffer;
}

export function mysqlRefused(reason: string): Fault {
  return new Fault("mysql.packet", `not the MySQL protocol: ${reason}`);
}

/** Reads whole packets; one that is split over several is longer than anything that is taken here. */
export class MysqlPacketReader {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = Math.min(bytesMax, SPLIT_BYTES - 1);
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Bytes that came and were not read. */
  get waiting(): number {
    return this.#bytes;
  }

  /** Gives back what came and was not read; nothing is read after it. */
  rest(): Buffer {
    const rest = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    return rest;
  }

  /** The next packet, or `undefined` where more must come. @throws {Fault} `mysql.packet` */
  next(): MysqlPacket | undefined {
    if (this.#bytes < MYSQL_HEADER_BYTES) return undefined;
    const head = this.#first(MYSQL_HEADER_BYTES);
    const length = head.readUIntLE(0, 3);
    if (length > this.#bytesMax)
      throw mysqlRefused(`a packet holds at most ${this.#bytesMax} bytes here`);
    if (this.#bytes < MYSQL_HEADER_BYTES + length) return undefined;
    const whole = this.#first(MYSQL_HEADER_BYTES + length);
    const rest = this.#chunks[0]?.subarray(whole.length);
    this.#chunks =
      rest === undefined || rest.length === 0
        ? this.#chunks.slice(1)
        : [rest, ...this.#chunks.slice(1)];
    this.#bytes -= whole.length;
    return { sequence: whole[3] ?? 0, payload: whole.subarray(MYSQL_HEADER_BYTES) };
  }

  /** The first `length` bytes, in one piece. */
  #first(length: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= length) return first.subarray(0, length);
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole.subarray(0, length);
  }
}

/** One packet. */
export function mysqlPacket(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(MYSQL_HEADER_BYTES);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence & 0xff;
  return Buffer.concat([head, payload]);
}

/** Values of one payload, one after the other. */
export class MysqlValues {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws {Fault} `mysql.packet` where it ends before that. */
  bytes(length: number): Buffer {
    if (length > this.left) throw mysqlRefused("a packet ends within a value");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(bytes: 1 | 2 | 3 | 4): number {
    return this.bytes(bytes).readUIntLE(0, bytes);
  }

  /** Up to a NUL, which is skipped. */
  text(): Buffer {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw mysqlRefused("a text without an end");
    const text = this.bytes(end - this.#at);
    this.#at += 1;
    return text;
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  /** A number of one to nine bytes. */
  length(): number {
    const first = this.number(1);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.number(2);
    if (first === 0xfd) return this.number(3);
    if (first === 0xfe) {
      const value = this.bytes(8).readBigUInt64LE();
      if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    }
    throw mysqlRefused("a length that is none");
  }
}

/** `OK`; `status` is the session's. */
export function mysqlOk(sequence: number, status: number): Buffer {
  return mysqlPacket(sequence, Buffer.from([0, 0, 0, status & 0xff, status >> 8, 0, 0]));
}

/** `ERR` with the server's number for it. `text` becomes one line. */
export function mysqlError(sequence: number, code: number, state: string, text: string): Buffer {
  const said = text.replaceAll(/[\r\n\0]+/g, " ").slice(0, 2000);
  const payload = Buffer.from(`\xff\0\0#${state}`, "latin1");
  payload.writeUInt16LE(code, 1);
  return mysqlPacket(sequence, Buffer.concat([payload, Buffer.from(said)]));
}
