/**
 * The systems that Cofferdam knows.
 *
 * @module
 */
import { entrySchema, type Entry } from "./entry.ts";
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

/** The entry for grants of `system: kind`. */
export function findEntry(kind: string): Entry | undefined {
  return CATALOG.get(kind);
}
