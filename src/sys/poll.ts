/**
 * Waiting for several descriptors at once (poll(2)), and waking such a wait from another thread.
 *
 * @module
 */
import { constants } from "node:os";
import { systemCallNumber } from "./call-number.ts";
import { checked, lastErrno, native } from "./libc.ts";

const { EAGAIN, EINTR } = constants.errno;
const POLLIN = 1;
const POLLERR = 8;
const POLLHUP = 16;
const POLLNVAL = 32;
const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x8_0000;

// struct pollfd: fd 4, events 2, revents 2.
const ENTRY_BYTES = 8;

/** What became of one descriptor of a {@link PollSet}. */
export type Readiness = "quiet" | "readable" | "ended";

/** A fixed list of descriptors to wait for input on. */
export class PollSet {
  readonly #entries: Buffer;
  readonly size: number;

  constructor(descriptors: readonly number[]) {
    this.size = descriptors.length;
    this.#entries = Buffer.alloc(ENTRY_BYTES * this.size);
    descriptors.forEach((descriptor, n) => {
      this.#entries.writeInt32LE(descriptor, ENTRY_BYTES * n);
      this.#entries.writeInt16LE(POLLIN, ENTRY_BYTES * n + 4);
    });
  }

  /** Blocks this thread until one is ready or `timeoutMs` passed (-1: for ever). */
  wait(timeoutMs: number): void {
    const count = native.poll(this.#entries, this.size, timeoutMs);
    if (count < 0 && lastErrno() !== EINTR) checked("poll", count);
    if (count > 0) return;
    for (let n = 0; n < this.size; n += 1) this.#entries.writeInt16LE(0, ENTRY_BYTES * n + 6);
  }

  /** How the descriptor at `index` stood after the last wait. */
  readiness(index: number): Readiness {
    const events = this.#entries.readInt16LE(ENTRY_BYTES * index + 6);
    if ((events & POLLIN) !== 0) return "readable";
    return (events & (POLLHUP | POLLERR | POLLNVAL)) === 0 ? "quiet" : "ended";
  }
}

const count = Buffer.alloc(8);

/** A counter that becomes readable when {@link signalEvent} is called (eventfd(2)). */
export function createEvent(): number {
  const flags = BigInt(EFD_NONBLOCK | EFD_CLOEXEC);
  const number = BigInt(systemCallNumber("eventfd2"));
  return checked("eventfd2", native.syscall(number, 0n, flags, 0n, 0n, 0n, 0n));
}

/** Makes `event` readable. */
export function signalEvent(event: number): void {
  count.writeBigUInt64LE(1n, 0);
  const written = Number(native.write(event, count, 8));
  if (written < 0 && lastErrno() === EAGAIN) return; // Full, so it is readable already.
  checked("write to an eventfd", written);
}

/** Makes `event` unreadable again. */
export function clearEvent(event: number): void {
  const read = Number(native.read(event, count, 8));
  if (read < 0 && lastErrno() === EAGAIN) return;
  checked("read from an eventfd", read);
}
