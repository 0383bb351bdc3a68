/**
 * The systems that a home knows: ours and the user's own.
 *
 * @module
 */
import { findEntry, type Entry } from "../catalog/index.ts";
import type { Systems } from "../policy/index.ts";
import { OwnSystems } from "./own-systems.ts";
import { taskSystems } from "./task-systems.ts";

export interface HomeSystems {
  /** The entry of a kind, of the catalog or of the user's own. */
  entryOf(kind: string): Entry | undefined;
  /** What task files may name. */
  readonly systems: Systems;
  /** The user's own, by name. */
  readonly own: readonly Entry[];
}

/** Of the home whose own systems lie in `folder`. @throws {Fault} as {@link OwnSystems.read}. */
export function systemsIn(folder: string): HomeSystems {
  const files = new OwnSystems(folder).read();
  const own = [...files.values()].map(({ entry }) => entry);
  return {
    entryOf: (kind) => findEntry(kind) ?? files.get(kind)?.entry,
    systems: taskSystems(own),
    own,
  };
}
