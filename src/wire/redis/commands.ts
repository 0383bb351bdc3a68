/**
 * Redis commands as clients send them: an array of bulk strings (RESP, https://redis.io/docs/reference/protocol-spec/).
 *
 *     *<count>\r\n  and for each:  $<bytes>\r\n<bytes>\r\n
 *
 * Nothing else is a command here. Inline commands are refused: they are split by quoting rules of their own, and
 * a line of HTTP is one. Numbers have one spelling: no sign, no leading zero.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";

/** What one command may hold; MSET of 32,000 pairs is the longest that is seen. */
export const REDIS_ARGUMENTS_MAX = 65_536;
const LINE_BYTES_MAX = 12; // `$` or `*`, ten digits, CR.
const [CR, LF, ARRAY, BULK] = [13, 10, 42, 36];

/** Reads one client's bytes as commands; after a fault nothing more is read. */
export class RedisCommandFramer {
  readonly #bytesMax: number;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The header line read so far. */
  #line = "";
  /** Arguments that the current command still lacks; 0 between commands. */
  #missing = 0;
  #arguments: Buffer[] = [];
  #bytes = 0;
  /** Bytes that the current argument and its CR LF still lack; -1 where its header is to come. */
  #left = -1;
  #pieces: Buffer[] = [];

  /** @param bytesMax of one command, all its arguments together. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether nothing of a next command was read. */
  get isBetween(): boolean {
    return this.#missing === 0 && this.#line === "" && this.#at === this.#chunk.length;
  }

  /** Gives the framer what came; {@link next} must have returned `undefined` before. */
  push(chunk: Buffer): void {
    this.#chunk =
      this.#at < this.#chunk.length
        ? Buffer.concat([this.#chunk.subarray(this.#at), chunk])
        : chunk;
    this.#at = 0;
  }

  /**
   * The next whole command, or `undefined` where more must come.
   *
   * @throws {Fault} `redis.command`: not a command, or one that is too long.
   */
  next(): readonly Buffer[] | undefined {
    for (;;) {
      if (this.#missing === 0) {
        const count = this.#header(ARRAY);
        if (count === undefined) return undefined;
        if (count < 1 || count > REDIS_ARGUMENTS_MAX) {
          throw refused(`a command has 1 to ${REDIS_ARGUMENTS_MAX} arguments`);
        }
        this.#missing = count;
        this.#arguments = [];
        this.#bytes = 0;
      }
      if (!this.#argument()) return undefined;
      this.#missing -= 1;
      if (this.#missing === 0) return this.#arguments;
    }
  }

  /** Reads one argument; whether it is whole. */
  #argument(): boolean {
    if (this.#left < 0) {
      const length = this.#header(BULK);
      if (length === undefined) return false;
      this.#bytes += length;
      if (this.#bytes > this.#bytesMax) {
        throw refused(`a command holds at most ${this.#bytesMax} bytes here`);
      }
      this.#left = length + 2;
      this.#pieces = [];
    }
    const piece = this.#chunk.subarray(this.#at, this.#at + this.#left);
    this.#at += piece.length;
    this.#left -= piece.length;
    if (piece.length > 0) this.#pieces.push(piece);
    if (this.#left > 0) return false;
    const [first = piece] = this.#pieces;
    const whole = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    const length = whole.length - 2;
    if (whole[length] !== CR || whole[length + 1] !== LF) {
      throw refused("an argument is longer than its length says");
    }
    this.#arguments.push(whole.subarray(0, length));
    this.#left = -1;
    return true;
  }

  /** Reads `type`, a number and CR LF; `undefined` where more must come. */
  #header(type: number): number | undefined {
    while (this.#at < this.#chunk.length) {
      const byte = this.#chunk[this.#at++] ?? 0;
      if (byte === LF) {
        if (!this.#line.endsWith("\r")) throw refused("a line ends in CR LF");
        const digits = this.#line.slice(1, -1);
        this.#line = "";
        if (!/^(0|[1-9]\d{0,9})$/.test(digits)) throw refused("a length is a plain number");
        return Number(digits);
      }
      if (this.#line === "" && byte !== type) {
        throw refused("commands are arrays of bulk strings; inline commands are not taken");
      }
      this.#line += String.fromCharCode(byte);
      if (this.#line.length > LINE_BYTES_MAX) throw refused("a length is too long");
    }
    return undefined;
  }
}

/** `words` as a client sends them. */
export function encodeRedisCommand(words: readonly (Buffer | string)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === "string" ? Buffer.from(word) : word;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(pieces);
}

/** An error as a server sends it: one line, whatever `text` holds. */
export function encodeRedisError(word: string, text: string): Buffer {
  return Buffer.from(`-${word} ${text.replaceAll(/[\r\n\0]+/g, " ")}\r\n`);
}

function refused(reason: string): Fault {
  return new Fault("redis.command", `not a Redis command: ${reason}`);
}
