/**
 * What is one item though it happened often: equal things that follow one another, and the rest of a sweep.
 *
 * @module
 */
import { Remembered } from "./bounded.ts";
import type { Told } from "./item.ts";

/** Equal things within so many milliseconds of each other are one item. */
const REPEAT_MS = 10_000;
/** Of things that differ in their target alone, those that have an item of their own. */
const APART_MAX = 20;
const GROUPS_MAX = 4_096;

interface Group {
  readonly told: Told;
  lastMs: number;
}

export class Groups {
  readonly #groups = new Remembered<string, Group>(GROUPS_MAX);
  /** How many that differ in their target were told apart. */
  readonly #apart = new Remembered<string, number>(GROUPS_MAX);

  /** The item that `key` stands for, if its last was a short time ago; else what `begin` makes. */
  one(key: string, nowMs: number, begin: () => Told): Told {
    const group = this.#groups.get(key);
    if (group !== undefined && nowMs - group.lastMs <= REPEAT_MS) {
      group.lastMs = nowMs;
      return group.told;
    }
    const told = begin();
    this.#groups.set(key, { told, lastMs: nowMs });
    return told;
  }

  /** A key with its target, or without where many differ in that alone. */
  keyOf(common: string, target: string): string {
    const key = `${common} ${target}`;
    if (this.#groups.get(key) !== undefined) return key;
    const apart = (this.#apart.get(common) ?? 0) + 1;
    this.#apart.set(common, apart);
    return apart <= APART_MAX ? key : common;
  }
}
