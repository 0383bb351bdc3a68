/**
 * Maps that a run cannot make large: the oldest goes where there is no room.
 *
 * @module
 */

/** Keys that are remembered of one kind: ids of flows, actions and calls, and pids. */
const REMEMBERED_MAX = 65_536;

export class Remembered<Key, Value> {
  readonly #map = new Map<Key, Value>();
  readonly #max: number;

  constructor(max = REMEMBERED_MAX) {
    this.#max = max;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  set(key: Key, value: Value): void {
    this.#map.delete(key); // Whatever is set anew is the newest.
    this.#map.set(key, value);
    if (this.#map.size <= this.#max) return;
    for (const oldest of this.#map.keys()) {
      this.#map.delete(oldest);
      return;
    }
  }

  delete(key: Key): void {
    this.#map.delete(key);
  }
}
