/**
 * The bytes of a connection that have come and are not read yet, and the lines in them.
 *
 * Each byte is looked at once, whatever the chunks; what is copied is only the line that is not whole.
 *
 * @module
 */
import { isLineByte } from "./syntax.ts";

const EMPTY = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

/** Why there is no line. */
export type LineFlaw =
  | { readonly flaw: "size"; readonly why: string }
  | { readonly flaw: "syntax"; readonly why: string };

const TOO_LONG: LineFlaw = { flaw: "size", why: "longer than it may be" };
const BARE: LineFlaw = { flaw: "syntax", why: "a line that ends in a bare line feed" };
const CONTROL: LineFlaw = { flaw: "syntax", why: "a control character in a line" };

export class Lines {
  #bytes: Buffer = EMPTY;
  /** Behind `#bytes`, with room for more; only where a line came in pieces. */
  #store: Buffer = EMPTY;
  #at = 0;
  /** No line ends between `#at` and here. */
  #scanned = 0;

  /** Takes the next bytes; they are kept until they are read, so nobody may write to them again. */
  push(chunk: Buffer): void {
    const left = this.length;
    const end = this.#bytes.length;
    if (left === 0) {
      this.#bytes = chunk;
      this.#store = EMPTY;
      this.#at = this.#scanned = 0;
    } else if (this.#store.length - end >= chunk.length) {
      chunk.copy(this.#store, end);
      this.#bytes = this.#store.subarray(0, end + chunk.length);
    } else {
      this.#store = Buffer.allocUnsafe(2 * (left + chunk.length));
      this.#bytes.copy(this.#store, 0, this.#at);
      chunk.copy(this.#store, left);
      this.#scanned = Math.max(0, this.#scanned - this.#at);
      this.#at = 0;
      this.#bytes = this.#store.subarray(0, left + chunk.length);
    }
  }

  /** How many bytes are there. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** The byte at `offset` from the next one. */
  peek(offset: number): number | undefined {
    return this.#bytes[this.#at + offset];
  }

  /** The first `chars` bytes, as text. */
  prefix(chars: number): string {
    return this.#bytes.toString("latin1", this.#at, this.#at + chars);
  }

  /** Takes the next `length` bytes, of which so many must be there. */
  take(length: number): Buffer {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  /** What is there, and `back` bytes that have been taken last. */
  rest(back = 0): Buffer {
    return this.#bytes.subarray(Math.max(0, this.#at - back));
  }

  /** Takes the next line, without its end; nothing where it is not whole yet. `bytesMax` counts its end. */
  line(bytesMax: number): string | LineFlaw | undefined {
    this.#scanned = Math.max(this.#scanned, this.#at);
    const end = this.#bytes.indexOf(LF, this.#scanned);
    if ((end < 0 ? this.#bytes.length : end + 1) - this.#at > bytesMax) return TOO_LONG;
    if (end < 0) return this.#lookAhead();
    if (end === this.#at || this.#bytes[end - 1] !== CR) return BARE;
    const line = this.#bytes.toString("latin1", this.#at, end - 1);
    this.#at = this.#scanned = end + 1;
    return line;
  }

  /** Half a line: what may never stand in one is refused before its end comes. */
  #lookAhead(): LineFlaw | undefined {
    const last = this.#bytes.length - 1;
    for (let n = this.#scanned; n <= last; n += 1) {
      const code = this.#bytes[n] ?? 0;
      if (!isLineByte(code) && (code !== CR || n !== last)) return CONTROL;
    }
    // A last CR is looked at again, with what follows it.
    this.#scanned = this.#bytes[last] === CR ? Math.max(last, this.#at) : last + 1;
    return undefined;
  }
}
