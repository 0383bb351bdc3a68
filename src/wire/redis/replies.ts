/**
 * Redis replies as servers send them, RESP2 and RESP3 (https://github.com/redis/redis-specifications): where each
 * begins and ends, without holding it: a reply may be of any size, and is passed on while it comes.
 *
 *     + - : _ # , (      one line
 *     $ ! =  <bytes>     that many bytes and CR LF; `$-1` is null
 *     * ~ >  <count>     that many values; `*-1` is null; `>` is pushed, asked for by nobody
 *     %  <count>         twice as many; `|` too, and the value that it describes follows
 *
 * @module
 */
import { Fault } from "../../base/index.ts";

const DEPTH_MAX = 128;
const LINE_BYTES_MAX = 1 << 20;
const WORD_BYTES_MAX = 32;
const [CR, LF] = [13, 10];
const LINES = new Set("+-:_#,(");
const BULKS = new Set("$!=");
const AGGREGATES = new Set("*~>%|");

/** What {@link RedisReplyScanner.scan} came to. */
export interface RedisScanned {
  /** The first byte that was not looked at. */
  readonly end: number;
  /** Whether a reply ends there; else the bytes are at their end. */
  readonly isWhole: boolean;
}

interface Level {
  left: number;
  /** It describes the value after it, and is none itself. */
  readonly isAttribute: boolean;
}

/** Finds the ends of one server's replies. */
export class RedisReplyScanner {
  /** Type of the reply that is being read, or was read last: `+`, `-`, `*`, `>`, ... */
  type = "";
  /** Its first text, where it is an aggregate that begins with a short one: `message`. */
  word = "";
  readonly #levels: Level[] = [];
  /** The value's type, where its line is being read. */
  #value = "";
  #line = "";
  #lineBytes = 0;
  #sawReturn = false;
  /** Bytes of a bulk string and its CR LF that are to come. */
  #left = 0;
  #keepsWord = false;
  /** Whether the next value is the first of the outermost aggregate. */
  #atFirst = false;
  #isInside = false;
  /** The line that was just read ends the reply. */
  #isWhole = false;

  /** Whether a reply has begun and not ended. */
  get isInside(): boolean {
    return this.#isInside;
  }

  /**
   * Reads `bytes` from `from` to the end of a reply, or to their own.
   *
   * @throws {Fault} `redis.reply`: these are no replies.
   */
  scan(bytes: Buffer, from: number): RedisScanned {
    let at = from;
    while (at < bytes.length) {
      if (this.#left > 0) {
        at = this.#bulk(bytes, at);
        if (this.#left === 0 && this.#close()) return { end: at, isWhole: true };
      } else if (this.#value === "") {
        this.#open(String.fromCharCode(bytes[at] ?? 0));
        at += 1;
      } else {
        at = this.#text(bytes, at);
        if (this.#isWhole) {
          this.#isWhole = false;
          return { end: at, isWhole: true };
        }
      }
    }
    return { end: at, isWhole: false };
  }

  #open(type: string): void {
    if (!LINES.has(type) && !BULKS.has(type) && !AGGREGATES.has(type)) {
      throw refused("a value of no known type");
    }
    if (this.#levels.length === 0) {
      this.type = type;
      this.word = "";
      this.#isInside = true;
    }
    this.#value = type;
    this.#line = "";
    this.#lineBytes = 0;
    this.#sawReturn = false;
  }

  /** Reads a value's line; where it ends, what follows from it. */
  #text(bytes: Buffer, from: number): number {
    const keeps = !LINES.has(this.#value);
    let at = from;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (this.#sawReturn) {
        if (byte !== LF) throw refused("a line with a bare CR");
        this.#lineEnds();
        return at + 1;
      }
      if (byte === LF) throw refused("a line with a bare LF");
      this.#sawReturn = byte === CR;
      this.#lineBytes += 1;
      if (keeps && byte !== CR) this.#line += String.fromCharCode(byte);
      if (this.#lineBytes > (keeps ? WORD_BYTES_MAX : LINE_BYTES_MAX)) {
        throw refused("a line that is too long");
      }
    }
    return at;
  }

  #lineEnds(): void {
    const type = this.#value;
    this.#value = "";
    if (LINES.has(type)) {
      this.#isWhole = this.#close();
      return;
    }
    const isNull = this.#line === "-1" && (type === "$" || type === "*");
    if (!isNull && !/^(0|[1-9]\d{0,11})$/.test(this.#line)) throw refused("a length of no number");
    const count = isNull ? 0 : Number(this.#line);
    if (BULKS.has(type)) {
      const [outer] = this.#levels;
      this.#keepsWord =
        this.#levels.length === 1 && outer !== undefined && !outer.isAttribute && this.#atFirst;
      this.#atFirst = false;
      if (isNull) this.#isWhole = this.#close();
      else this.#left = count + 2;
      this.#keepsWord &&= count <= WORD_BYTES_MAX;
      return;
    }
    const isAttribute = type === "|";
    const values = type === "%" || isAttribute ? 2 * count : count;
    if (values === 0) {
      if (!isAttribute) this.#isWhole = this.#close();
      return;
    }
    if (this.#levels.length >= DEPTH_MAX) throw refused("values within values, too deep");
    this.#atFirst = this.#levels.length === 0;
    this.#levels.push({ left: values, isAttribute });
  }

  #bulk(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#left);
    for (let at = Math.max(from, from + this.#left - 2); at < end; at += 1) {
      const expected = this.#left - (at - from) === 2 ? CR : LF;
      if (bytes[at] !== expected) throw refused("a text that is longer than its length says");
    }
    if (this.#keepsWord) {
      const text = Math.min(end, from + this.#left - 2);
      this.word += bytes.toString("latin1", from, Math.max(from, text));
    }
    this.#left -= end - from;
    return end;
  }

  /** A value has ended; whether the whole reply has. */
  #close(): boolean {
    this.#atFirst = false;
    for (;;) {
      const level = this.#levels.at(-1);
      if (level === undefined) {
        this.#isInside = false;
        return true;
      }
      level.left -= 1;
      if (level.left > 0) return false;
      this.#levels.pop();
      if (level.isAttribute) return false; // What it describes is to come.
    }
  }
}

function refused(reason: string): Fault {
  return new Fault("redis.reply", `the server's bytes are no Redis reply: ${reason}`);
}
