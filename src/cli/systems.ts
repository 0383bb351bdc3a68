/**
 * The systems that a command line knows: ours and the user's own.
 *
 * @module
 */
import { allEntries, findEntry, type Entry } from "../catalog/index.ts";
import { OwnSystems, taskSystems } from "../systems/index.ts";
import type { Context } from "./command.ts";

export interface KnownSystem {
  readonly entry: Entry;
  /** A user's own. */
  readonly isOwn: boolean;
}

/** Every system, by name. @throws {Fault} as `OwnSystems.read`. */
export function knownSystems({ home }: Context): readonly KnownSystem[] {
  const own = [...new OwnSystems(home.catalog).read().values()];
  return [
    ...[...allEntries().values()].map((entry) => ({ entry, isOwn: false })),
    ...own.map(({ entry }) => ({ entry, isOwn: true })),
  ].sort((a, b) => (a.entry.system < b.entry.system ? -1 : 1));
}

/** The entry of `kind`, and what task files may name. @throws {Fault} as `OwnSystems.read`. */
export function systemsOf({ home }: Context) {
  const own = new OwnSystems(home.catalog).read();
  return {
    entryOf: (kind: string): Entry | undefined => findEntry(kind) ?? own.get(kind)?.entry,
    systems: taskSystems([...own.values()].map(({ entry }) => entry)),
  };
}
