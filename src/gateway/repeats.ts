/**
 * Operations that are the same again: a statement in a loop, a key that is polled. The first is judged, recorded
 * and remembered; those after it go at once for as long as the policy is the one that allowed it, and are
 * counted. Only what reads is remembered, so what is not on record one by one changed nothing
 * (docs/decisions/0270).
 *
 * @module
 */
import type { Action, Effect } from "../action/index.ts";
import type { Policy } from "../policy/index.ts";
import type { GatewayRun, Verdict } from "./ports.ts";

/** Of one session. */
export const REPEATING_MAX = 1024;
const NAMED_MAX = 32; // Actions that an entry names.
const COUNTED_MS = 1000; // Counts are on record within this time.
const READS: ReadonlySet<Effect> = new Set(["read", "read-private"]);

interface Known {
  readonly action: Action;
  readonly policy: Policy;
  count: number;
}

export class Repeats {
  readonly #run: GatewayRun;
  readonly #flow: string;
  readonly #known = new Map<string, Known>();
  #timer: NodeJS.Timeout | undefined;

  constructor(run: GatewayRun, flow: string) {
    this.#run = run;
    this.#flow = flow;
  }

  /** Whether `key` may go at once; counts it then. */
  has(key: string): boolean {
    const known = this.#known.get(key);
    if (known === undefined) return false;
    if (known.policy !== this.#run.policy) {
      this.#drop(key, known);
      return false;
    }
    known.count += 1;
    this.#timer ??= setTimeout(() => this.#tellAll(), COUNTED_MS);
    return true;
  }

  /** Remembers what was allowed, if it only reads. */
  add(key: string, action: Action, verdict: Verdict): void {
    if (!mayRepeat(verdict, action) || this.#known.has(key)) return;
    for (const [oldest, known] of this.#known) {
      if (this.#known.size < REPEATING_MAX) break;
      this.#drop(oldest, known);
    }
    this.#known.set(key, { action, policy: this.#run.policy, count: 0 });
    this.#run.repeats?.(this.#flow, action.id, true);
  }

  /** Tells what is counted; nothing repeats any more. */
  close(): void {
    this.#tellAll();
    this.#known.clear();
  }

  #drop(key: string, known: Known): void {
    this.#tell([known]);
    this.#known.delete(key);
    this.#run.repeats?.(this.#flow, known.action.id, false);
  }

  #tellAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell([...this.#known.values()]);
  }

  /** One entry for all of them: those that repeated most by name, of the others how many there were. */
  #tell(known: readonly Known[]): void {
    const repeated = known.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
    const [first] = repeated;
    if (first === undefined) return;
    const count = repeated.reduce((sum, one) => sum + one.count, 0);
    const named = repeated.slice(0, NAMED_MAX).map((one) => [one.action.id, one.count] as const);
    for (const one of repeated) one.count = 0;
    const { id, system, target } = first.action;
    const data = { count, of: Object.fromEntries(named), actions: repeated.length };
    // What cannot be recorded ends the run, where it is recorded.
    void this.#run
      .record({ type: "repeat", system, target, flow: this.#flow, action: id, data })
      .catch(() => {});
  }
}

/** Whether what is the same again may pass unasked. A rule may say that something else only reads: that is told each time. */
export function mayRepeat({ verdict, effects, once }: Verdict, action: Action): boolean {
  const isMild = [...effects, ...action.effects].every((effect) => READS.has(effect));
  return verdict === "allow" && once !== true && isMild;
}
