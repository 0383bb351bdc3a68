import type { Keys } from "../../parts/index.ts";

/** Keys that are held down are none. */
export function quiet(keys: Keys): Keys {
  const entries = Object.entries(keys).map(([key, act]) => [
    key,
    (event: KeyboardEvent) => (event.repeat ? false : act(event)),
  ]);
  return Object.fromEntries(entries) as Keys;
}
