/**
 * Results of searches, kept for those who leaf through them: entry numbers in ascending order, which grow with the record.
 *
 * @module
 */

/** Results that are kept. */
const SETS_MAX = 16;
/** Numbers that they hold together: 64 MiB. */
const NUMBERS_MAX = 16 * 2 ** 20;

/** A result so far. */
export class ResultSet {
  /** Entries that were looked through. */
  covered = 0;
  count = 0;
  #numbers = new Uint32Array(64);

  push(seq: number): void {
    if (this.count === this.#numbers.length) {
      const wider = new Uint32Array(this.count * 2);
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    this.#numbers[this.count] = seq;
    this.count += 1;
  }

  slice(from: number, to: number): readonly number[] {
    return [...this.#numbers.subarray(from, Math.min(to, this.count))];
  }

  /** The place of the first number that is not below `seq`. */
  locate(seq: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#numbers[middle] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  each(take: (seq: number) => void): void {
    for (const seq of this.#numbers.subarray(0, this.count)) take(seq);
  }
}

/** The results used last, by what they answer. */
export class ResultSets {
  readonly #sets = new Map<string, ResultSet>();

  take(key: string): ResultSet {
    const set = this.#sets.get(key) ?? new ResultSet();
    this.#sets.delete(key);
    this.#sets.set(key, set);
    return set;
  }

  /** Lets go of those that were not used for longest, down to the bounds; the last one stays. */
  trim(): void {
    const numbers = () => [...this.#sets.values()].reduce((sum, { count }) => sum + count, 0);
    for (const key of [...this.#sets.keys()].slice(0, -1)) {
      if (this.#sets.size <= SETS_MAX && numbers() <= NUMBERS_MAX) return;
      this.#sets.delete(key);
    }
  }

  clear(): void {
    this.#sets.clear();
  }
}
