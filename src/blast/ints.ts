/**
 * Lists of small whole numbers, and chains through them: half a million atoms and steps are a few megabytes, and no work for
 * the garbage collector.
 *
 * @module
 */

/** A list that grows; each item a 32-bit integer. */
export class Ints {
  #items = new Int32Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds `value`; returns its place. */
  push(value: number): number {
    if (this.#length === this.#items.length) {
      const larger = new Int32Array(this.#items.length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length] = value;
    this.#length += 1;
    return this.#length - 1;
  }

  at(place: number): number {
    return this.#items[place] ?? NONE;
  }

  set(place: number, value: number): void {
    this.#items[place] = value;
  }

  slice(from: number, to: number): readonly number[] {
    return [...this.#items.subarray(from, to)];
  }
}

/** No item. */
export const NONE = -1;

/**
 * Items by a hash of something that they have: an item is found by walking the chain of its hash, on which others may stand,
 * too. Whoever looks compares.
 */
export class Chains {
  #heads = new Int32Array(64).fill(NONE);
  readonly #hashes = new Ints();
  readonly #items = new Ints();
  readonly #next = new Ints();

  add(hash: number, item: number): void {
    if (this.#items.length === this.#heads.length) this.#widen();
    const place = this.#items.push(item);
    this.#hashes.push(hash);
    const bucket = hash & (this.#heads.length - 1);
    this.#next.push(this.#heads[bucket] ?? NONE);
    this.#heads[bucket] = place;
  }

  /** The place of the last that was added under `hash`, or another on its chain; `NONE` where there is none. */
  first(hash: number): number {
    return this.#heads[hash & (this.#heads.length - 1)] ?? NONE;
  }

  next(place: number): number {
    return this.#next.at(place);
  }

  item(place: number): number {
    return this.#items.at(place);
  }

  #widen(): void {
    const heads = new Int32Array(this.#heads.length * 2).fill(NONE);
    for (let place = 0; place < this.#items.length; place += 1) {
      const bucket = this.#hashes.at(place) & (heads.length - 1);
      this.#next.set(place, heads[bucket] ?? NONE);
      heads[bucket] = place;
    }
    this.#heads = heads;
  }
}

/** Mixes `value` into `hash`, from {@link HASH_START} on: FNV-1a by whole numbers, with a last shift for the low bits. */
export function mixed(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, 0x0100_0193);
  return product ^ (product >>> 15);
}
export const HASH_START = 0x811c_9dc5 | 0;
