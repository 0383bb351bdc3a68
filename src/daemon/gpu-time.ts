/**
 * GPU time of one run: what samples say, added up between two entries of the record, by process where that is told.
 *
 * What a known process used is an entry of its own, which names it: so it is of that process's step, whatever is under
 * way. The rest has the step of then. Hence the time of a step is the sum of what its entries say, as far as it is known
 * whose time it is.
 *
 * INV-238: time of which it cannot be read how busy a GPU was counts as if it had been busy throughout: a run gains nothing
 * by not being told of.
 *
 * @module
 */
import type { Process } from "../action/index.ts";
import type { GpuUse } from "../sandbox/index.ts";
import type { GpuUser } from "./gpu-users.ts";

const PROCESSES_MAX = 8; // Of those that are not known, in an entry; the rest is in the sum.

/** Since the entry before; seconds, to hundredths. A type, and mutable, as an entry is. */
export type GpuSpent = {
  gpuSeconds: number;
  /** How much of it is not known to have been used, and counts. */
  gpuSecondsUnread?: number;
  gpuProcesses?: { pid: number; seconds: number }[];
};

/** What was spent, without any of it twice. */
export interface GpuTaken {
  /** By processes that are known, each by itself. */
  readonly known: readonly { readonly process: Process; readonly spent: GpuSpent }[];
  /** By nobody that is known; absent where there is nothing to say. */
  readonly rest: GpuSpent | undefined;
}

/** Milliseconds that belong together. Only whole hundredths of a second are told: what is left stays for the next entry. */
interface Account {
  ms: number;
}

export class GpuTime {
  /** Milliseconds in all, over all attempts of its command. */
  #totalMs = 0;
  readonly #rest: Account = { ms: 0 };
  readonly #unread: Account = { ms: 0 };
  readonly #byUser = new Map<GpuUser, Account>();
  #keeps = false;

  get seconds(): number {
    return this.#totalMs / 1000;
  }

  /** Whether what was taken last left something out, since it was not known yet whose it is. */
  get keeps(): boolean {
    return this.#keeps;
  }

  /** `spanMs` passed in which the GPUs were used so; gives the milliseconds that this is, over all of them. */
  charge(
    uses: readonly GpuUse[],
    spanMs: number,
    userOf: (pid: number) => GpuUser | undefined,
  ): number {
    const before = this.#totalMs;
    for (const { busy, shares = [] } of uses) {
      const ms = spanMs * (busy ?? 1);
      this.#totalMs += ms;
      if (busy === undefined) this.#unread.ms += ms;
      const users = shares.flatMap(({ pid, busy: share }) => {
        const user = userOf(pid);
        return user === undefined ? [] : [{ user, share }];
      });
      // A GPU is busy throughout at most, however its processes' shares add up.
      const whole = Math.max(
        busy ?? 1,
        shares.reduce((sum, one) => sum + one.busy, 0),
      );
      let restMs = ms;
      for (const { user, share } of users) {
        const part = whole === 0 ? 0 : ms * (share / whole);
        restMs -= part;
        const account = this.#byUser.get(user) ?? { ms: 0 };
        account.ms += part;
        this.#byUser.set(user, account);
      }
      this.#rest.ms += restMs;
    }
    return this.#totalMs - before;
  }

  /**
   * What was spent since it was last taken. Time of a process of which it is not known yet what it is stays for later, but
   * not where this is the last time.
   */
  take(isLast = false): GpuTaken {
    const known: { process: Process; spent: GpuSpent }[] = [];
    const others: { pid: number; ms: number }[] = [];
    this.#keeps = false;
    for (const [user, account] of this.#byUser) {
      const { pid, process } = user;
      if (process === undefined && user.isPending && !isLast) {
        this.#keeps = true;
        continue;
      }
      if (process === undefined) others.push({ pid, ms: account.ms });
      else {
        const seconds = told(account);
        const spent = { gpuSeconds: seconds, gpuProcesses: [{ pid, seconds }] };
        if (seconds > 0) known.push({ process, spent });
        if (!user.isGone && !isLast) continue;
      }
      this.#rest.ms += account.ms;
      this.#byUser.delete(user);
    }
    return { known, rest: this.#takeRest(others) };
  }

  #takeRest(
    others: readonly { readonly pid: number; readonly ms: number }[],
  ): GpuSpent | undefined {
    const gpuSeconds = told(this.#rest);
    if (gpuSeconds === 0) return undefined;
    const unread = Math.min(gpuSeconds, told(this.#unread));
    const processes = others
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, PROCESSES_MAX)
      .map(({ pid, ms }) => ({ pid, seconds: hundredths(ms) / 100 }))
      .filter(({ seconds }) => seconds > 0);
    return {
      gpuSeconds,
      ...(unread === 0 ? {} : { gpuSecondsUnread: unread }),
      ...(processes.length === 0 ? {} : { gpuProcesses: processes }),
    };
  }
}

/** The seconds that can be told of `account`, which are none of it from then on. */
function told(account: Account): number {
  const whole = hundredths(account.ms);
  account.ms -= whole * 10;
  return whole / 100;
}

/** Never more than there are; but a sum of fractions is short of what it stands for. */
function hundredths(ms: number): number {
  return Math.max(0, Math.floor(ms / 10 + 1e-6));
}
