/**
 * Writing a file so that a crash at any point leaves the old one or the new one, whole.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const UNFINISHED = ".unfinished-";

/** Replaces `path` by `text`, mode 0600: a new file, flushed, renamed over the old one, and the folder flushed. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const unfinished = `${path}${UNFINISHED}${randomBytes(6).toString("hex")}`;
  try {
    await using file = await open(unfinished, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}

/** Removes what a killed writer of `path` left: it was never acknowledged. */
export async function removeUnfinished(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${basename(path)}${UNFINISHED}`)) await rm(join(folder, name));
  }
}
