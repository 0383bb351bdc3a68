/**
 * A stream of JSON lines in both directions. Messages of one turn of the event loop travel as one line:
 * a busy worker writes once for many requests.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { describeError } from "../base/index.ts";

export interface LinesOptions {
  readonly lineBytesMax: number;
  /** Takes one parsed line; a throw ends the stream as bad. */
  hear(line: unknown): void;
  /** Told once, when the other side is gone or what it says cannot be taken. */
  ended(why: string): void;
}

/** Why it ended, where the other side just left. */
export const CLOSED = "closed";

/** Speaks lines over `stream`, which it then owns. */
export class Lines {
  readonly #stream: Duplex;
  readonly #options: LinesOptions;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #pending: object[] = [];
  #over = false;

  constructor(stream: Duplex, options: LinesOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    // A reset is how the end of a killed process can look.
    for (const event of ["error", "end", "close"]) stream.on(event, () => this.#end(CLOSED));
  }

  /** Sends `message` at the end of this turn, with all others of it. */
  send(message: object): void {
    if (this.#over) return;
    if (this.#pending.push(message) > 1) return;
    // Behind all promises of this turn: what they bring forth still goes along.
    queueMicrotask(() => process.nextTick(() => this.flush()));
  }

  /** Sends what waits for the end of this turn now. */
  flush(): void {
    if (this.#pending.length > 0) this.#flush();
  }

  /** Bytes that the other side has not taken yet. */
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  /** Stops reading: what the other side says stays with it. */
  hold(): void {
    this.#stream.pause();
  }

  release(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#over = true;
    this.#stream.destroy();
  }

  #flush(): void {
    const messages = this.#pending;
    this.#pending = [];
    if (!this.#over) this.#stream.write(`${JSON.stringify(messages)}\n`);
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(10, from);
      const piece = chunk.subarray(from, end < 0 ? chunk.length : end);
      this.#restBytes += piece.length;
      if (this.#restBytes > this.#options.lineBytesMax) {
        this.#end("said a line without end");
        return;
      }
      if (end < 0) {
        if (piece.length > 0) this.#rest.push(piece);
        return;
      }
      const line = this.#rest.length === 0 ? piece : Buffer.concat([...this.#rest, piece]);
      this.#rest = [];
      this.#restBytes = 0;
      from = end + 1;
      if (!this.#hear(line)) return;
    }
  }

  #hear(line: Buffer): boolean {
    try {
      if (!this.#over) this.#options.hear(JSON.parse(line.toString()));
    } catch (error) {
      this.#end(`said what it never says: ${describeError(error)}`.slice(0, 500));
    }
    return !this.#over;
  }

  #end(why: string): void {
    if (this.#over) return;
    this.close();
    this.#options.ended(why);
  }
}
