/**
 * A message's body as it comes off a connection: held while nobody has asked for it, then passed on as it
 * comes, or a stream.
 *
 * Most bodies are there with their head, and for those nothing else is ever made. A long one goes from
 * socket to socket: a stream in between would be one more queue, and one more pause at each of its ends.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import type { RawHeaders } from "./http-headers.ts";
import type { ByteSource } from "./http-sides.ts";

/** Bytes that are held for somebody who may still ask: one read of a socket. */
const HELD_BYTES_MAX = 65_536;
const EMPTY = Buffer.alloc(0);

/** Emits "data" and "end" from its first {@link resume} on, where no {@link stream} was asked for. */
export class IncomingBody extends EventEmitter implements ByteSource {
  isComplete = false;
  /** Why it ended before its end, if it did. */
  broken: Error | undefined;
  trailers: RawHeaders = [];
  readableEnded = false;
  readonly destroyed = false;
  readonly #want: () => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #stream: Readable | undefined;
  #isFlowing = false;
  #isFull = false;

  /** `want` is called where more may come after {@link isFull} was true. */
  constructor(want: () => void) {
    super();
    this.#want = want;
  }

  /** Nobody takes what comes: the connection is not read on. */
  get isFull(): boolean {
    const isTaken = this.#isFlowing || this.#stream !== undefined;
    return isTaken ? this.#isFull : this.#heldBytes >= HELD_BYTES_MAX;
  }

  push(bytes: Buffer): void {
    if (this.#stream !== undefined) this.#isFull = !this.#stream.push(bytes);
    else if (this.#isFlowing && !this.#isFull) this.emit("data", bytes);
    else {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
    }
  }

  finish(trailers: RawHeaders): void {
    this.isComplete = true;
    this.trailers = trailers;
    this.#end();
  }

  /** It breaks off here: it ends behind what came, and {@link broken} says so. */
  fail(error: Error): void {
    if (this.isComplete || this.broken !== undefined) return;
    this.broken = error;
    this.#end();
  }

  /** All of it, where all of it is here and nobody has asked for it otherwise. */
  whole(): Buffer | undefined {
    if (!this.isComplete || this.#isFlowing || this.#stream !== undefined) return undefined;
    const [first = EMPTY] = this.#held;
    return this.#held.length <= 1 ? first : Buffer.concat(this.#held);
  }

  pause(): void {
    this.#isFull = true;
  }

  resume(): void {
    this.#isFlowing = true;
    this.#isFull = false;
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) {
      this.emit("data", next);
      if (this.isFull) return;
    }
    if (this.isComplete || this.broken !== undefined) this.#end();
    else this.#want();
  }

  /** What still comes stays where it is. */
  destroy(): void {
    this.#isFlowing = true;
    this.#isFull = true;
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

  #end(): void {
    if (this.#stream !== undefined) this.#stream.push(null);
    else if (this.#isFlowing && !this.#isFull && this.#held.length === 0 && !this.readableEnded) {
      this.readableEnded = true;
      this.emit("end");
    }
  }
}
