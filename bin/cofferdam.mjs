/**
 * Starts the command line with a cache of what Node makes of its sources (types stripped, compiled): all
 * but that costs as much again as Node's own start. Plain JavaScript, since it runs before the cache.
 *
 * What is in the cache is executed, and Node checks no signature, so nobody but the caller may write to
 * it: it lies in Cofferdam's own state, which is in no run's view and may be no run's workspace, and is
 * used only where its folder is the caller's alone (docs/decisions/0093).
 */
import { existsSync, lstatSync, mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";

const { COFFERDAM_HOME, XDG_STATE_HOME, HOME } = process.env;
// As src/link/home.ts has it.
const state = COFFERDAM_HOME ?? `${XDG_STATE_HOME || `${HOME}/.local/state`}/cofferdam`;
const cache = `${state}/code`;

function isOurs() {
  const about = lstatSync(cache, { throwIfNoEntry: false });
  if (about === undefined) {
    if (!existsSync(state)) return false; // The first daemon makes it.
    mkdirSync(cache, { mode: 0o700 });
    return true;
  }
  return about.isDirectory() && about.uid === process.geteuid() && (about.mode & 0o077) === 0;
}

try {
  if (state.startsWith("/") && isOurs()) enableCompileCache(cache);
} catch {
  // A state folder that cannot be written: slower, and the command itself will say so where it matters.
}

// A checkout runs its sources; a package has only what was built from them.
const source = new URL("../src/cli/main.ts", import.meta.url);
const main = existsSync(source) ? source : new URL("../dist/src/cli/main.js", import.meta.url);
await import(main.href);
