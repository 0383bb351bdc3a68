/**
 * One reply of Redis as a value (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/):
 *
 * ```
 * +text\r\n   -ERR text\r\n   :1\r\n   $3\r\nabc\r\n   $-1\r\n   *2\r\n...   *-1\r\n
 * ```
 *
 * @module
 */

export type RedisValue = string | number | null | RedisError | readonly RedisValue[];

export class RedisError {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const DEPTH_MAX = 8;
const VALUES_MAX = 50_000;

/** Reads `bytes`, which must be one reply and nothing else; `undefined` where they are not. Never throws. */
export function parseReply(bytes: Buffer): RedisValue | undefined {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  return reader.isAtEnd ? value : undefined;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #count = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): RedisValue | undefined {
    const line = this.#line();
    this.#count += 1;
    if (line === undefined || depth > DEPTH_MAX || this.#count > VALUES_MAX) return undefined;
    const rest = line.slice(1);
    if (line.startsWith("+")) return rest;
    if (line.startsWith("-")) return new RedisError(rest);
    if (!/^-?\d{1,15}$/.test(rest)) return undefined;
    const number = Number(rest);
    if (line.startsWith(":")) return number;
    if (line.startsWith("$")) return number === -1 ? null : this.#bulk(number);
    if (line.startsWith("*")) return number === -1 ? null : this.#list(number, depth);
    return undefined;
  }

  #line(): string | undefined {
    const end = this.#bytes.indexOf("\r\n", this.#at);
    if (end < 0) return undefined;
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end + 2;
    return text;
  }

  #bulk(length: number): string | undefined {
    const end = this.#at + length;
    if (length < 0 || end + 2 > this.#bytes.length) return undefined;
    if (this.#bytes.toString("latin1", end, end + 2) !== "\r\n") return undefined;
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end + 2;
    return text;
  }

  #list(length: number, depth: number): readonly RedisValue[] | undefined {
    const values: RedisValue[] = [];
    for (let at = 0; at < length; at += 1) {
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return length < 0 ? undefined : values;
  }
}
