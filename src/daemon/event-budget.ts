/**
 * Keeps one run from filling the disk and from starving the others: over its budget equal events merge
 * into one with a count, and the run is slowed; what cannot merge has to wait for its turn. Pure.
 *
 * @module
 */

/** Entries of one kind that a run may write in a window before equal ones merge. */
export const EVENTS_PER_WINDOW = 600;
export const WINDOW_MS = 10_000;
/** Distinct kinds of merged events that are kept apart; beyond that they count as one. */
export const MERGED_KEYS_MAX = 256;
/** Each so many merged events double the time between two held calls of the run. */
export const MERGED_PER_STEP = 100;
/** The longest time between two held calls, in milliseconds: 5 a second. */
export const HOLD_MS_MAX = 200;
const STEPS_MAX = Math.ceil(Math.log2(HOLD_MS_MAX)) + 1;

/** What to do with one event: write it now, or count it with its equals. */
export type Admission = "write" | "merge";

/** Merged events of one key, with how many there were. */
export interface Merged<T> {
  readonly first: T;
  readonly count: number;
}

/** Admits events of one run and holds what was merged until it is drained. */
export class EventBudget<T> {
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #written = 0;
  #mergedNow = 0;
  /** How hard the run is slowed: up with what merges, down by one with each window. */
  #steps = 0;
  readonly #merged = new Map<string, { first: T; count: number }>();

  /** Decides on one event that stands for `count`: `key` names what makes two of them equal. */
  admit(key: string, event: T, nowMs: number, count = 1): Admission {
    this.#turn(nowMs);
    if (this.#written < EVENTS_PER_WINDOW) {
      this.#written += 1;
      return "write";
    }
    this.#mergedNow += 1;
    if (this.#mergedNow % MERGED_PER_STEP === 0) this.#steps = Math.min(this.#steps + 1, STEPS_MAX);
    const slot = this.#merged.has(key) || this.#merged.size < MERGED_KEYS_MAX ? key : "";
    const held = this.#merged.get(slot);
    if (held === undefined) this.#merged.set(slot, { first: event, count });
    else held.count += count;
    return "merge";
  }

  /** How long each held call of the run waits for the one before, in milliseconds: 0 within its budget. */
  holdMs(nowMs: number): number {
    this.#turn(nowMs);
    return this.#steps === 0 ? 0 : Math.min(2 ** (this.#steps - 1), HOLD_MS_MAX);
  }

  get hasMerged(): boolean {
    return this.#merged.size > 0;
  }

  /** Takes out what was merged: each with its exact count. */
  drain(): readonly Merged<T>[] {
    const all = [...this.#merged.values()];
    this.#merged.clear();
    return all;
  }

  #turn(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#windowStartMs) / WINDOW_MS);
    if (windows < 1) return;
    this.#windowStartMs = nowMs;
    this.#written = 0;
    this.#mergedNow = 0;
    this.#steps = Math.max(0, this.#steps - windows);
  }
}

/** Intents (a flow, an action) that a run may write at once, about 200 MB with what follows them. */
export const INTENTS_AT_ONCE = 50_000;
/** Time that earns one more, in milliseconds: 100 a second. */
export const INTENT_EVERY_MS = 10;

/** When the next intent of a run may be written: none of them can merge, since each stands before its act. */
export class IntentPace {
  /** The time up to which intents are spent: behind now by what is left. */
  #spentMs = Number.NEGATIVE_INFINITY;

  /** Takes one, and says how many milliseconds to wait before it is written. */
  take(nowMs: number): number {
    const earliest = nowMs - INTENTS_AT_ONCE * INTENT_EVERY_MS;
    this.#spentMs = Math.max(this.#spentMs, earliest) + INTENT_EVERY_MS;
    return Math.max(0, this.#spentMs - nowMs);
  }
}
