/**
 * `formats.json`: of which form the parts of a home are that have no place of their own for a number. Databases, the vault
 * and passkeys say theirs themselves.
 *
 * A form is changed by a step here, from each number to the next, done before anything is opened; the number is raised
 * last. Homes of before there were numbers are of format 0, which is 1 in all but that file.
 *
 * @module
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault, requireFormat } from "../base/index.ts";

const FORMATS_FILE = "formats.json";
/** The newest of each: `home` is which files there are and where, `runs` is run.json and what is beside it. */
export const FORMATS = { home: 1, ledger: 1, runs: 1 } as const;

const fileSchema = z.record(z.string(), z.int());

/**
 * Passes where this Cofferdam knows the forms of the home at `root`.
 *
 * @throws {Fault} `base.format` where one is newer, or of a part that is not known; `daemon.formats` where the file is damaged.
 */
export function requireFormats(root: string): void {
  for (const [part, format] of Object.entries(readFormats(root))) {
    const newest = Object.entries(FORMATS).find(([name]) => name === part)?.[1] ?? 0;
    requireFormat(`${part} in ${join(root, FORMATS_FILE)}`, format, newest);
  }
}

/** Says that the home at `root`, which the caller holds, is of the newest forms. */
export function settleFormats(root: string): void {
  const there = readFormats(root);
  if (Object.entries(FORMATS).every(([part, format]) => there[part] === format)) return;
  const path = join(root, FORMATS_FILE);
  const file = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(file, `${JSON.stringify(FORMATS)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

function readFormats(root: string): Readonly<Record<string, number>> {
  const path = join(root, FORMATS_FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Fault("daemon.formats", `${path} is not what Cofferdam wrote`, {
      hint: `it says ${JSON.stringify(FORMATS)} in homes of this Cofferdam; nothing is opened until it is mended`,
      cause,
    });
  }
}
