/**
 * What a run's server remembers of what is over, up to a bound.
 *
 * @module
 */
/** Flows that are over and actions that have no outcome yet: what is on the way about them is no lie. */
const REMEMBERED_MAX = 4096;

/** Adds `item`; the one that is longest in makes room. */
export function remember(set: Set<string>, item: string): void {
  set.add(item);
  forget(set);
}

export function forget(all: Set<string> | Map<string, unknown>): void {
  for (const oldest of all.keys()) {
    if (all.size <= REMEMBERED_MAX) break;
    all.delete(oldest);
  }
}
