/**
 * Long work in short turns: the daemon that walks 100,000 files also keeps every run's gateway going.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";

const TURN_MS = 6; // Longest that a walk keeps other work of the process waiting, in milliseconds.

/** Lets other work go first where this turn is used up; call it once an entry. */
export type Pace = () => Promise<void> | undefined;

/** A fresh turn. Awaiting `undefined` would cost a microtask an entry: test the result first. */
export function createPace(): Pace {
  let since = performance.now();
  return () => {
    if (performance.now() - since < TURN_MS) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}
