/**
 * The systems that a command line knows: ours and the user's own.
 *
 * @module
 */
import { allEntries, type Entry } from "../catalog/index.ts";
import { systemsIn, type HomeSystems } from "../systems/index.ts";
import type { Context } from "./command.ts";

export interface KnownSystem {
  readonly entry: Entry;
  /** A user's own. */
  readonly isOwn: boolean;
}

/** Every system, by name. @throws {Fault} as `OwnSystems.read`. */
export function knownSystems(context: Context): readonly KnownSystem[] {
  return [
    ...[...allEntries().values()].map((entry) => ({ entry, isOwn: false })),
    ...systemsOf(context).own.map((entry) => ({ entry, isOwn: true })),
  ].sort((a, b) => (a.entry.system < b.entry.system ? -1 : 1));
}

/** The entry of a kind, and what task files may name. @throws {Fault} as `OwnSystems.read`. */
export function systemsOf({ home }: Context): HomeSystems {
  return systemsIn(home.catalog);
}
