/**
 * A message's body as it comes off a connection: held while nobody has asked for it, then a stream.
 *
 * Most bodies are there with their head; for those no stream is ever made.
 *
 * @module
 */
import { Readable } from "node:stream";
import type { RawHeaders } from "./http-headers.ts";

/** Bytes that are held for somebody who may still ask: one read of a socket. */
const HELD_BYTES_MAX = 65_536;
const EMPTY = Buffer.alloc(0);

export class IncomingBody {
  isComplete = false;
  /** Why it ended before its end, if it did. */
  broken: Error | undefined;
  trailers: RawHeaders = [];
  readonly #want: () => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #stream: Readable | undefined;
  #isFull = false;

  /** `want` is called where more may come after {@link isFull} was true. */
  constructor(want: () => void) {
    this.#want = want;
  }

  /** Nobody takes what comes: the connection is not read on. */
  get isFull(): boolean {
    return this.#stream === undefined ? this.#heldBytes >= HELD_BYTES_MAX : this.#isFull;
  }

  push(bytes: Buffer): void {
    if (this.#stream !== undefined) {
      this.#isFull = !this.#stream.push(bytes);
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  finish(trailers: RawHeaders): void {
    this.isComplete = true;
    this.trailers = trailers;
    this.#stream?.push(null);
  }

  /** It breaks off here: its stream ends behind what came, and {@link broken} says so. */
  fail(error: Error): void {
    if (this.isComplete || this.broken !== undefined) return;
    this.broken = error;
    this.#stream?.push(null);
  }

  /** All of it, where all of it is here and no stream was made. */
  whole(): Buffer | undefined {
    if (!this.isComplete || this.#stream !== undefined) return undefined;
    const [first = EMPTY] = this.#held;
    return this.#held.length <= 1 ? first : Buffer.concat(this.#held);
  }

  get stream(): Readable {
    if (this.#stream !== undefined) return this.#stream;
    const stream = new Readable({
      highWaterMark: HELD_BYTES_MAX,
      read: () => {
        if (!this.#isFull) return;
        this.#isFull = false;
        this.#want();
      },
    });
    stream.on("error", () => {}); // Each reader is told as well; without one, nobody.
    this.#stream = stream;
    for (const bytes of this.#held) this.#isFull = !stream.push(bytes);
    this.#held = [];
    if (this.isComplete || this.broken !== undefined) stream.push(null);
    else if (this.#heldBytes >= HELD_BYTES_MAX && !this.#isFull) queueMicrotask(this.#want);
    return stream;
  }
}
