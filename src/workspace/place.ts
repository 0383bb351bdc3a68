/**
 * One change on the host's side, so that a reader sees the old or the new and nothing is lost unseen.
 *
 * A file is written under a name of ours beside its place, then put there by one rename: of a new file
 * that fails if something is there, of a changed one that swaps the two, so that what was swapped out
 * can be looked at once more, and swapped back if it is not what the plan saw.
 *
 * All goes through the open descriptor of the folder, which was resolved beneath the root.
 *
 * @module
 */
import { renameSync, rmdirSync, unlinkSync } from "node:fs";
import { entryPath, errorCode, renameEntry } from "../sys/index.ts";
import { bytesOf, type RawPath } from "./path-text.ts";
import { lookAt, type Look } from "./tree.ts";
import type { UnplacedNames } from "./unplaced.ts";

/** Why one change could not be made, found while making it. */
export class Obstacle extends Error {
  readonly kind: "conflict" | "refused";

  constructor(kind: "conflict" | "refused", why: string) {
    super(why);
    this.kind = kind;
  }
}

/** What a conflict says that is found only when it comes to it. */
export const MEANWHILE = "the host's copy changed while this was applied";

const APPEARED = "the host has one of that name by now";

/** Equal in all that a rename leaves alone. */
export function isSameLook(a: Look, b: Look): boolean {
  return (
    a.type === b.type &&
    a.device === b.device &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.mode === b.mode &&
    a.uid === b.uid
  );
}

/** Puts what was staged as `staged` in its place, where the plan saw `expected`; else takes it away. */
export function commit(
  folder: number,
  staged: RawPath,
  name: RawPath,
  expected: Look | undefined,
): void {
  const now = lookAt(folder, name, false);
  const isExpected = expected === undefined ? now === undefined : isUntouched(now, expected);
  if (!isExpected) {
    forget(folder, staged);
    throw new Obstacle("conflict", expected === undefined ? APPEARED : MEANWHILE);
  }
  if (expected !== undefined) {
    swapIn(folder, staged, name, expected);
    return;
  }
  try {
    renameUnlessThere(folder, staged, name);
  } catch (error) {
    forget(folder, staged);
    throw errorCode(error) === "EEXIST" ? new Obstacle("conflict", APPEARED) : error;
  }
}

/** Where a file has other names, an earlier step may have moved its ctime by taking one of them away. */
function isUntouched(now: Look | undefined, expected: Look): boolean {
  if (now === undefined || !isSameLook(now, expected)) return false;
  return now.ctimeNs === expected.ctimeNs || expected.links > 1;
}

function renameUnlessThere(folder: number, staged: RawPath, name: RawPath): void {
  const [old, fresh] = [bytesOf(staged), bytesOf(name)];
  try {
    renameEntry(folder, old, fresh, "keep");
  } catch (error) {
    if (errorCode(error) !== "EINVAL") throw error;
    renameSync(entryPath(folder, old), entryPath(folder, fresh)); // No such flag on this file system.
  }
}

function swapIn(folder: number, staged: RawPath, name: RawPath, expected: Look): void {
  const [old, fresh] = [bytesOf(staged), bytesOf(name)];
  try {
    renameEntry(folder, old, fresh, "exchange");
  } catch (error) {
    if (errorCode(error) === "EINVAL") {
      renameSync(entryPath(folder, old), entryPath(folder, fresh));
      return;
    }
    forget(folder, staged);
    throw errorCode(error) === "ENOENT" ? new Obstacle("conflict", MEANWHILE) : error;
  }
  // From here on the name of ours may hold a file of the host: it is deleted only if the plan saw it.
  const out = lookAt(folder, staged, false);
  if (out !== undefined && isSameLook(out, expected)) {
    unlinkSync(entryPath(folder, old));
    return;
  }
  putBack(() => renameEntry(folder, old, fresh, "exchange"), staged);
  forget(folder, staged);
  throw new Obstacle("conflict", MEANWHILE);
}

/** A host file that cannot have its name back keeps the one that we gave it, and that is told. */
function putBack(rename: () => void, kept: RawPath): void {
  try {
    rename();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new Obstacle("conflict", `${MEANWHILE}; it is kept as ${kept}`);
  }
}

/** Deletes `name` if it is what the plan saw; a folder must be empty by now. */
export function remove(
  folder: number,
  name: RawPath,
  expected: Look,
  unplaced: UnplacedNames,
): void {
  const path = entryPath(folder, bytesOf(name));
  const now = lookAt(folder, name, false);
  if (now === undefined) return; // Gone already.
  if (expected.type === "folder") {
    const isOurs = now.type === "folder" && now.ino === expected.ino;
    if (!isOurs) throw new Obstacle("conflict", MEANWHILE);
    rmdirSync(path);
    return;
  }
  if (!isUntouched(now, expected)) throw new Obstacle("conflict", MEANWHILE);
  const aside = unplaced.make(name);
  renameUnlessThere(folder, name, aside);
  const out = lookAt(folder, aside, false);
  if (out === undefined || !isSameLook(out, expected)) {
    putBack(() => renameEntry(folder, bytesOf(aside), bytesOf(name), "keep"), aside);
    throw new Obstacle("conflict", MEANWHILE);
  }
  unlinkSync(entryPath(folder, bytesOf(aside)));
}

/** Takes away a name of ours; one that somebody else took away is no matter. */
export function forget(folder: number, name: RawPath): void {
  try {
    unlinkSync(entryPath(folder, bytesOf(name)));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
