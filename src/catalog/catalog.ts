/**
 * The systems that Cofferdam knows.
 *
 * @module
 */
import { entrySchema, verbsOf, type Entry } from "./entry.ts";
import { wordpress } from "./entries/wordpress.ts";

/** Every entry of ours, by its name. */
export const CATALOG: ReadonlyMap<string, Entry> = new Map(
  [
    wordpress, //
  ].map((source) => {
    const entry = entrySchema.parse(source);
    return [entry.system, entry];
  }),
);

/** What task files need to know of the systems of ours, and of `more`. */
export function catalogSystems(
  more: readonly Entry[] = [],
): ReadonlyMap<string, { readonly verbs: readonly string[]; readonly hosts?: readonly string[] }> {
  return new Map(
    [...CATALOG.values(), ...more].map((entry) => [
      entry.system,
      { verbs: verbsOf(entry), ...(entry.hosts === undefined ? {} : { hosts: entry.hosts }) },
    ]),
  );
}

/** The entry for grants of `system: kind`. */
export function findEntry(kind: string): Entry | undefined {
  return CATALOG.get(kind);
}
