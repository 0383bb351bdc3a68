/**
 * The version of this Cofferdam, as its package says.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const manifest = z.object({ version: z.string() });

/** Read once: a package that is replaced or removed below a daemon makes it no other. */
const VERSION = versionAbove(import.meta.dirname);

/** The package's version. */
export function version(): string {
  return VERSION;
}

function versionAbove(folder: string): string {
  const file = join(folder, "package.json");
  // At the root there is nothing above: then this says which file is missing.
  if (existsSync(file) || dirname(folder) === folder) {
    return manifest.parse(JSON.parse(readFileSync(file, "utf8"))).version;
  }
  return versionAbove(dirname(folder));
}
