/**
 * The systems that a task file may name.
 *
 * @module
 */
import { catalogSystems, type Entry } from "../catalog/index.ts";
import type { Systems } from "../policy/index.ts";
import { protocolSystems } from "../protocols/index.ts";

type System = Systems extends ReadonlyMap<string, infer One> ? One : never;

/** Those of the catalog, of `own` (a user's), and the session protocols. */
export function taskSystems(own: readonly Entry[] = []): Systems {
  const systems: [string, System][] = [...catalogSystems(own), ...protocolSystems()];
  return new Map(systems);
}
