/**
 * GPU time of one run: what samples say, added up, by process, between two entries of the record. Every entry carries the
 * step of then, so the time of a step is the sum of what its entries say.
 *
 * INV-238: time of which it cannot be read how busy a GPU was counts as if it had been busy throughout: a run gains nothing
 * by not being told of.
 *
 * @module
 */
import type { GpuUse } from "../sandbox/index.ts";

const PROCESSES_MAX = 8; // In an entry; the rest is in the sum.

/** Since the entry before; seconds, to hundredths. A type, and mutable, as an entry is. */
export type GpuSpent = {
  gpuSeconds: number;
  /** How much of it is not known to have been used, and counts. */
  gpuSecondsUnread?: number;
  gpuProcesses?: { pid: number; seconds: number }[];
};

export class GpuTime {
  /** Milliseconds in all, over all attempts of its command. */
  #totalMs = 0;
  #ms = 0;
  #unreadMs = 0;
  readonly #byPid = new Map<number, number>();

  get seconds(): number {
    return this.#totalMs / 1000;
  }

  /** `spanMs` passed in which the GPUs were used so; gives the milliseconds that this is, over all of them. */
  charge(uses: readonly GpuUse[], spanMs: number): number {
    const before = this.#totalMs;
    for (const { busy, shares = [] } of uses) {
      const ms = spanMs * (busy ?? 1);
      this.#totalMs += ms;
      this.#ms += ms;
      if (busy === undefined) this.#unreadMs += ms;
      for (const { pid, busy: share } of shares) {
        this.#byPid.set(pid, (this.#byPid.get(pid) ?? 0) + spanMs * share);
      }
    }
    return this.#totalMs - before;
  }

  /** Whether there is anything to say. */
  get isSpent(): boolean {
    return this.#ms >= 10;
  }

  /** What was spent since it was last taken. */
  take(): GpuSpent {
    const processes = [...this.#byPid]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, PROCESSES_MAX)
      .map(([pid, ms]) => ({ pid, seconds: hundredths(ms) }))
      .filter(({ seconds }) => seconds > 0);
    const unread = hundredths(this.#unreadMs);
    const spent = {
      gpuSeconds: hundredths(this.#ms),
      ...(unread === 0 ? {} : { gpuSecondsUnread: unread }),
      ...(processes.length === 0 ? {} : { gpuProcesses: processes }),
    };
    this.#ms = 0;
    this.#unreadMs = 0;
    this.#byPid.clear();
    return spent;
  }
}

const hundredths = (ms: number) => Math.round(ms / 10) / 100;
