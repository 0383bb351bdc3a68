/**
 * Whether files that something was read from are still the same.
 *
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Names, sizes and times of all files in `folders`; of a folder that is not there, nothing. */
export function signatureOf(folders: readonly string[]): string {
  return folders
    .flatMap((folder) => {
      if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
      return readdirSync(folder).map((name) => {
        const about = statSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
        return `${folder}/${name} ${about?.ino} ${about?.size} ${about?.mtimeNs} ${about?.ctimeNs}`;
      });
    })
    .sort()
    .join("\n");
}
