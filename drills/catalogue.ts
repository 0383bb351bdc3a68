/**
 * What there is to drill: the ROME case in a world of its own, and the drills of the field.
 *
 * @module
 */
import { Fault } from "../src/base/index.ts";
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

/**
 * The drills that `words` mean, in the catalogue's order: a number in any letter case, a folder's name, `rome`, or
 * `all`. D28, the twins of every drill, is all of them.
 *
 * @throws {Fault} `drill.unknown` for a word that means none.
 */
export function findDrills(words: readonly string[]): readonly Listed[] {
  const wanted = words.map((word) => word.toLowerCase());
  const isMeant = ({ ids, name }: Listed, word: string) =>
    word === "all" || word === "d28" || ids.includes(word) || name === word;
  for (const word of wanted) {
    if (CATALOGUE.some((drill) => isMeant(drill, word))) continue;
    const names = CATALOGUE.map(({ name }) => name).join(", ");
    throw new Fault("drill.unknown", `no drill ${JSON.stringify(word)}`, {
      hint: `there is: ${names}, all`,
    });
  }
  return CATALOGUE.filter((drill) => wanted.some((word) => isMeant(drill, word)));
}
