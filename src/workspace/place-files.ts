/**
 * Files and links of one apply, in batches: all of a batch is staged, synced once, then put in place.
 *
 * One sync of the file system for a thousand files costs about as much as one for a few; a thousand
 * single ones take minutes on a disk that takes its promise seriously.
 *
 * @module
 */
import { closeSync, constants, fstatSync } from "node:fs";
import { errorCode, syncFileSystem } from "../sys/index.ts";
import type { Applying } from "./apply.ts";
import type { Change } from "./change.ts";
import { splitRaw, type RawPath } from "./path-text.ts";
import { commit, forget, MEANWHILE, Obstacle } from "./place.ts";
import { stageFile, stageLink, stageSymlink } from "./stage.ts";
import { lookAt } from "./tree.ts";

/** Most files that are staged, and most folders that are held open, before a batch is put in place. */
const BATCH_FILES_MAX = 1024;
const BATCH_FOLDERS_MAX = 64;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

interface Staged {
  readonly change: Change;
  readonly folder: number;
  readonly name: RawPath;
}

/** Where the first of several names of one file lies by now, so that the others can be linked to it. */
interface FirstName {
  folder: RawPath;
  name: RawPath;
  readonly ino: bigint;
}

interface Batch {
  readonly folders: Map<RawPath, number>;
  readonly staged: Staged[];
}

/** Writes files and links to the host; each failure is reported through `applying.failed`. */
export async function placeFiles(applying: Applying, changes: readonly Change[]): Promise<void> {
  const firstNames = new Map<bigint, FirstName>();
  let batch: Batch = { folders: new Map(), staged: [] };
  const flush = async (): Promise<void> => {
    const full = batch;
    batch = { folders: new Map(), staged: [] };
    await finish(applying, full, firstNames);
  };
  try {
    for (const change of inFolders(changes)) {
      await applying.pace();
      const isNew = !batch.folders.has(splitRaw(change.raw)[0]);
      const isFull = batch.staged.length >= BATCH_FILES_MAX;
      if (isFull || (isNew && batch.folders.size >= BATCH_FOLDERS_MAX)) await flush();
      try {
        await stage(applying, batch, change, firstNames);
      } catch (error) {
        applying.failed(change, error);
      }
    }
    await flush();
  } finally {
    abandon(batch);
  }
  // Each further name moved the ctime of the file.
  for (const { raw } of changes.filter(({ to }) => (to?.links ?? 1) > 1))
    recordAgain(applying, raw);
}

function recordAgain({ host, baseline, wasDone }: Applying, raw: RawPath): void {
  if (!wasDone(raw)) return;
  try {
    baseline.record(raw, host.look(raw));
  } catch (error) {
    if (errorCode(error) === undefined) throw error; // Gone again: nothing to record.
  }
}

/** Folder by folder, so that each is opened once. */
function inFolders(changes: readonly Change[]): readonly Change[] {
  const byFolder = Map.groupBy(changes, ({ raw }) => splitRaw(raw)[0]);
  return [...byFolder.values()].flat();
}

async function stage(
  applying: Applying,
  batch: Batch,
  change: Change,
  firstNames: Map<bigint, FirstName>,
): Promise<void> {
  const { to, raw } = change;
  if (to === undefined) return;
  const folder = openOnce(applying, batch, splitRaw(raw)[0]);
  const { owner, few } = applying;
  const first = to.links > 1 ? firstNames.get(to.ino) : undefined;
  const place = splitRaw(raw)[1];
  const linked = first && linkTo(applying, first, folder, place);
  const name =
    linked ??
    (to.type === "link"
      ? stageSymlink(folder, to, owner, applying.unplaced.make(place))
      : await stageFile(folder, change, { ...applying, sync: few }));
  batch.staged.push({ change, folder, name });
  if (to.type !== "file" || to.links < 2 || linked !== undefined) return;
  const made = lookAt(folder, name, false);
  if (made !== undefined) firstNames.set(to.ino, { folder: splitRaw(raw)[0], name, ino: made.ino });
}

function openOnce(applying: Applying, batch: Batch, raw: RawPath): number {
  const known = batch.folders.get(raw);
  if (known !== undefined) return known;
  const folder = applying.host.open(raw, FOLDER);
  batch.folders.set(raw, folder);
  applying.touch(raw, folder);
  return folder;
}

function linkTo(
  applying: Applying,
  first: FirstName,
  folder: number,
  place: RawPath,
): RawPath | undefined {
  const at = applying.host.open(first.folder, FOLDER);
  try {
    return stageLink(at, first.name, folder, {
      ino: first.ino,
      fresh: applying.unplaced.make(place),
    });
  } finally {
    closeSync(at);
  }
}

async function finish(
  applying: Applying,
  batch: Batch,
  firstNames: ReadonlyMap<bigint, FirstName>,
): Promise<void> {
  try {
    if (!applying.few && batch.staged.length > 0) await syncFileSystem(applying.host.root);
    for (const [raw, folder] of batch.folders) checkPlace(applying, batch, raw, folder);
    for (let staged = batch.staged.shift(); staged !== undefined; staged = batch.staged.shift()) {
      await applying.pace();
      putInPlace(applying, staged, firstNames);
    }
  } finally {
    abandon(batch);
  }
}

/** The open folder must still be the one at its path: it may have been moved away since. */
function checkPlace(applying: Applying, batch: Batch, raw: RawPath, folder: number): void {
  let error: unknown = new Obstacle("conflict", MEANWHILE);
  try {
    if (applying.host.look(raw).ino === fstatSync(folder, { bigint: true }).ino) return;
  } catch (cause) {
    error = cause;
  }
  const mine = batch.staged.filter((one) => one.folder === folder);
  const others = batch.staged.filter((one) => one.folder !== folder);
  batch.staged.splice(0, Infinity, ...others);
  for (const { change, name } of mine) {
    forget(folder, name);
    applying.failed(change, error);
  }
}

function putInPlace(
  applying: Applying,
  staged: Staged,
  firstNames: ReadonlyMap<bigint, FirstName>,
): void {
  const { change, folder, name } = staged;
  const { raw, to, from, kind } = change;
  const place = splitRaw(raw)[1];
  try {
    // Where a folder stood, room was made.
    const expected = kind === "typechange" && from?.type === "folder" ? undefined : from;
    commit(folder, name, place, expected);
  } catch (error) {
    applying.failed(change, error);
    return;
  }
  const first = to && firstNames.get(to.ino);
  if (first !== undefined && first.name === name) first.name = place;
  const now = lookAt(folder, place, false);
  if (now !== undefined) applying.baseline.record(raw, now);
  applying.done(change);
}

/** Takes away what was staged and not put in place, and closes the folders. */
function abandon(batch: Batch): void {
  for (const { folder, name } of batch.staged) forget(folder, name);
  batch.staged.length = 0;
  for (const folder of batch.folders.values()) closeSync(folder);
  batch.folders.clear();
}
