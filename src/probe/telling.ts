/**
 * Facts as probes write them down: each with who said so.
 *
 * @module
 */
import type { Constant, Fact } from "../blast/index.ts";

export type Tell = (predicate: string, ...terms: readonly Constant[]) => Fact;

/** What `from` said: `asked 2026-11-27T10:00:00Z: sudo -n -ll`. */
export function telling(from: string): Tell {
  return (predicate, ...terms) => ({ predicate, terms, persons: 0, from, isAssumed: false });
}

/** What nobody said, at its worst; `from` is why. */
export function assuming(from: string): Tell {
  return (predicate, ...terms) => ({ predicate, terms, persons: 0, from, isAssumed: true });
}
