/**
 * What there is to drill: the ROME case in a world of its own, and the drills of the field.
 *
 * @module
 */
import { DRILLS } from "./registry.ts";
import { ROME_STORY } from "./rome/story.ts";
import type { Story } from "./story.ts";

/** A drill as a person names it. */
export interface Listed {
  /** `d09`; of the ROME case all that it covers. */
  readonly ids: readonly string[];
  readonly name: string;
  readonly incidents: string;
  readonly story: Story;
}

const ROME: Listed = {
  ids: ["d01", "d02", "d03"],
  name: "rome",
  incidents: "A9, A10",
  story: ROME_STORY,
};

/** Everything, in the catalogue's order. */
export const CATALOGUE: readonly Listed[] = [
  ROME,
  ...DRILLS.map(({ id, name, incidents, story }) => ({ ids: [id], name, incidents, story })),
];

/** The drills that `word` means: a number in any letter case, a folder's name, `rome`, or `all`. */
export function findDrills(word: string): readonly Listed[] {
  const wanted = word.toLowerCase();
  if (wanted === "all") return CATALOGUE;
  return CATALOGUE.filter(({ ids, name }) => ids.includes(wanted) || name === wanted);
}
