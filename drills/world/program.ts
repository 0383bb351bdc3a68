/**
 * Where the drill's own programs are: beside each other, in TypeScript in a checkout and in
 * JavaScript in the built package.
 *
 * @module
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of the program `relative` (without its ending) as seen from `base`, an import.meta.url. */
export function programPath(base: string, relative: string): string {
  return fileURLToPath(new URL(relative + extname(base), base));
}
