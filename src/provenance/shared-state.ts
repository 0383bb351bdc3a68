/**
 * What both threads know of one watch without telling each other: shared memory.
 *
 *     int32   backlog, hold, written, then by slot: serial
 *     uint64  by slot: cookie
 *
 * The connects that the watching thread let go on by itself stand in a ring, so that they cost the main
 * thread nothing until it asks who made a connection.
 *
 * @module
 */

/** Most connections remembered of one run until they are asked for; beyond, the oldest is forgotten. */
export const COOKIES_MAX = 2048;
const [BACKLOG, HOLD, WRITTEN, SERIALS] = [0, 1, 2, 4];
const COOKIES_AT = 4 * (SERIALS + COOKIES_MAX);
const SHARED_BYTES = COOKIES_AT + 8 * COOKIES_MAX;
/** A slot without a connection: processes are numbered from 1. */
const NOBODY = 0;

/** One side's view; `memory` is what the other side makes its own of. */
export class SharedState {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #cookies: BigUint64Array;

  constructor(memory = new SharedArrayBuffer(SHARED_BYTES)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, SERIALS + COOKIES_MAX);
    this.#cookies = new BigUint64Array(memory, COOKIES_AT, COOKIES_MAX);
  }

  /** Reports that the main thread has not dealt with yet. */
  get backlog(): number {
    return Atomics.load(this.#words, BACKLOG);
  }

  told(): void {
    Atomics.add(this.#words, BACKLOG, 1);
  }

  dealtWith(): void {
    Atomics.sub(this.#words, BACKLOG, 1);
  }

  /** Milliseconds between two calls of the run: not 0 while it floods. */
  get holdMs(): number {
    return Atomics.load(this.#words, HOLD);
  }

  set holdMs(value: number) {
    Atomics.store(this.#words, HOLD, value);
  }

  /** The watching thread: process `serial` connects the socket `cookie`. */
  connected(cookie: bigint, serial: number): void {
    const slot = Atomics.load(this.#words, WRITTEN) % COOKIES_MAX;
    // Whoever reads meanwhile finds nobody, never one connection with another's process.
    Atomics.store(this.#words, SERIALS + slot, NOBODY);
    Atomics.store(this.#cookies, slot, cookie);
    Atomics.store(this.#words, SERIALS + slot, serial);
    Atomics.store(this.#words, WRITTEN, slot + 1);
  }

  /** The main thread: which process connected the socket `cookie`, latest first. */
  whoConnected(cookie: bigint): number | undefined {
    const written = Atomics.load(this.#words, WRITTEN);
    for (let n = 1; n <= COOKIES_MAX; n += 1) {
      const slot = (written - n + COOKIES_MAX) % COOKIES_MAX;
      const serial = Atomics.load(this.#words, SERIALS + slot);
      if (serial === NOBODY || Atomics.load(this.#cookies, slot) !== cookie) continue;
      if (Atomics.load(this.#words, SERIALS + slot) === serial) return serial;
    }
    return undefined;
  }

  /** The main thread: what the ring says of `cookie` holds no more. */
  forget(cookie: bigint): void {
    this.#cookies.forEach((one, slot) => {
      if (one === cookie) Atomics.store(this.#words, SERIALS + slot, NOBODY);
    });
  }
}
