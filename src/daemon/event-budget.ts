/**
 * Keeps one run from filling the disk: over its budget, equal events merge into one with a count.
 *
 * @module
 */

/** Entries of one kind that a run may write in a window before equal ones merge. */
export const EVENTS_PER_WINDOW = 600;
export const WINDOW_MS = 10_000;
/** Distinct kinds of merged events that are kept apart; beyond that they count as one. */
export const MERGED_KEYS_MAX = 256;

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
  readonly #merged = new Map<string, { first: T; count: number }>();

  /** Decides on one event that stands for `count`: `key` names what makes two of them equal. */
  admit(key: string, event: T, nowMs: number, count = 1): Admission {
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#written = 0;
    }
    if (this.#written < EVENTS_PER_WINDOW) {
      this.#written += 1;
      return "write";
    }
    const slot = this.#merged.has(key) || this.#merged.size < MERGED_KEYS_MAX ? key : "";
    const held = this.#merged.get(slot);
    if (held === undefined) this.#merged.set(slot, { first: event, count });
    else held.count += count;
    return "merge";
  }

  /** Takes out what was merged: each with its exact count. */
  drain(): readonly Merged<T>[] {
    const all = [...this.#merged.values()];
    this.#merged.clear();
    return all;
  }
}
