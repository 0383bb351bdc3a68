/**
 * Throwing a layer away, whatever a hostile run left in it: any depth, any mode, any name.
 *
 * A tree may be deeper than a path may be long. So each folder is first moved to the top of a trash
 * folder under a number, and only then emptied: no path gets longer than two names, no link is
 * followed, nothing is recursive, and a crash leaves a trash folder that the next try empties.
 *
 * @module
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";
import { createPace } from "./pace.ts";

const TREES = ["upper", "work"];
const FILES = [
  "layer.json",
  "layer.json.new",
  "applied",
  "applied.new",
  "names",
  "names.new",
  "copied",
  "copied.new",
  "stamp",
];

/**
 * Deletes `upper/`, `work/`, the mount point `merged/` and our files of the layer in `folder`, and the
 * folder itself if nothing else is in it. The run must have ended. Safe to repeat.
 *
 * @throws {Fault} `workspace.discard` where something could not be deleted.
 */
export async function discardLayer(folder: string): Promise<void> {
  try {
    if (!isFolder(folder)) return;
    const trash = join(folder, "discarded");
    mkdirSync(trash, { recursive: true, mode: 0o700 });
    await emptyTrash(folder, trash);
    rmdirSync(trash);
    if (isFolder(join(folder, "merged"))) rmdirSync(join(folder, "merged"));
    for (const name of FILES) rmSync(join(folder, name), { force: true });
    if (readdirSync(folder).length === 0) rmdirSync(folder);
  } catch (error) {
    throw new Fault("workspace.discard", `could not delete all of ${JSON.stringify(folder)}`, {
      hint: "check that the run has ended and that the folder is yours, then discard again",
      cause: error,
    });
  }
}

async function emptyTrash(folder: string, trash: string): Promise<void> {
  const pace = createPace();
  let number = Math.max(0, ...readdirSync(trash).map(Number));
  const waiting = readdirSync(trash);
  const moveIn = (path: Buffer): void => {
    number += 1;
    chmodSync(path, 0o700); // To move a folder is to write to it: its `..` changes.
    renameSync(path, join(trash, String(number)));
    waiting.push(String(number));
  };
  for (const tree of TREES) {
    const path = join(folder, tree);
    if (isFolder(path)) moveIn(Buffer.from(path));
  }
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const path = join(trash, name);
    for (const entry of readdirSync(path, { encoding: "buffer" })) {
      const inside = Buffer.concat([Buffer.from(`${path}/`), entry]);
      if (lstatSync(inside).isDirectory()) moveIn(inside);
      else unlinkSync(inside);
      await pace();
    }
    rmdirSync(path);
  }
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
