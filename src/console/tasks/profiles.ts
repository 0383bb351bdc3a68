/**
 * The task files that ship, to read.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readTextFile } from "../../base/index.ts";

export interface Profile {
  readonly name: string;
  readonly file: string;
  readonly source: string;
}

const ENDING = ".yaml";

/** Of the package at `packageRoot`. */
export function profilesIn(packageRoot: string): readonly Profile[] {
  const folder = join(packageRoot, "profiles");
  return readdirSync(folder)
    .filter((name) => name.endsWith(ENDING))
    .sort()
    .map((name) => {
      const file = join(folder, name);
      const source = readTextFile(file, { mayWait: false });
      return { name: name.slice(0, -ENDING.length), file, source };
    });
}
