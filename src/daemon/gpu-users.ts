/**
 * Processes that use a run's GPUs, and what each of them is: described once, when a look first shows it, and remembered
 * until it is gone. A number that another process has at the very next look is taken for the one before.
 *
 * @module
 */
import type { Process } from "../action/index.ts";

/** A process that uses a GPU. */
export interface GpuUser {
  readonly pid: number;
  /** Absent where it is not known, or not yet. */
  readonly process: Process | undefined;
  /** It is being asked what it is. */
  readonly isPending: boolean;
  /** Nothing is charged to it any more. */
  readonly isGone: boolean;
}

type Described = { -readonly [Name in keyof GpuUser]: GpuUser[Name] };

/** Those of one attempt of a run's command. */
export class GpuUsers {
  readonly #byPid = new Map<number, Described>();
  readonly #describe: ((pid: number) => Promise<Process | undefined>) | undefined;
  readonly #described: () => void;

  /**
   * `describe` says what a process is; one that fails, or gives nothing, leaves it unknown. `described` is told whenever it
   * has.
   */
  constructor(
    describe: ((pid: number) => Promise<Process | undefined>) | undefined,
    described: () => void,
  ) {
    this.#describe = describe;
    this.#described = described;
  }

  of(pid: number): GpuUser | undefined {
    return this.#byPid.get(pid);
  }

  /** The processes of the run are `alive`, and `users` of them use a GPU. */
  look(alive: readonly number[], users: readonly number[]): void {
    if (this.#byPid.size > 0) {
      const living = new Set(alive);
      for (const [pid, user] of this.#byPid) {
        if (living.has(pid)) continue;
        user.isGone = true;
        this.#byPid.delete(pid);
      }
    }
    for (const pid of users) {
      if (this.#byPid.has(pid)) continue;
      const user = {
        pid,
        process: undefined,
        isPending: this.#describe !== undefined,
        isGone: false,
      };
      this.#byPid.set(pid, user);
      if (this.#describe !== undefined) void this.#ask(user, this.#describe);
    }
  }

  async #ask(user: Described, describe: (pid: number) => Promise<Process | undefined>) {
    try {
      user.process = await describe(user.pid);
    } catch {
      // Then it is not known whose time it is, and told so.
    }
    user.isPending = false;
    this.#described();
  }
}
