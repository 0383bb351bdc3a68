/**
 * Writing a run's changes back to the host.
 *
 * Everything is planned first ({@link planApply}); a conflict refuses the whole, unless the caller takes
 * what is left. Then: room is made, folders, files, deletions, modes of folders. Every folder is opened
 * beneath the pinned root anew, so a link that another process puts in its place is met by the kernel's
 * refusal, not followed. What goes wrong with one path is reported for that path; what would go wrong
 * with all (no space, a failing disk) ends it, with what was done so far recorded.
 *
 * @module
 */
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync } from "node:fs";
import { Fault } from "../base/index.ts";
import { changeOwner, entryPath, errorCode, syncFileSystem, tryLock } from "../sys/index.ts";
import { ancestors, planApply, type ApplyPlan, type Remark, type Selection } from "./apply-plan.ts";
import { openBaseline, type Baseline } from "./baseline.ts";
import { allowedMode, type Change } from "./change.ts";
import { digestIn, requireShown } from "./changes-digest.ts";
import { takeTexts, type TextsWanted } from "./changed-texts.ts";
import { CHANGES_MAX, walkTrees } from "./diff.ts";
import type { Ids, Layer } from "./layer.ts";
import { takeCommits } from "./apply-commits.ts";
import { listCommits, type Commits } from "./git-commits.ts";
import { createPace, type Pace } from "./pace.ts";
import { bytesOf, parsePathText, pathText, splitRaw, type RawPath } from "./path-text.ts";
import { MEANWHILE, Obstacle, remove } from "./place.ts";
import { placeFiles } from "./place-files.ts";
import { groupFor } from "./stage.ts";
import { lookOf, type Tree } from "./tree.ts";
import { withTrees, type Trees } from "./trees.ts";
import { clearLeftovers, unplacedNames, type Leftover, type UnplacedNames } from "./unplaced.ts";

/** How to apply; paths are texts as `diff` prints them. */
export interface ApplyOptions {
  /** The run's name: its commits become `refs/cofferdam/RUN/...`. */
  readonly run: string;
  /** The caller states that no process of the run can write: it has ended, or is frozen. */
  readonly frozen: boolean;
  /** What other programs execute, named: own paths or the folder of a tree. */
  readonly confirm: ReadonlySet<string>;
  /** Only these, with all below. */
  readonly only?: readonly string[];
  /** Apply what has no conflict, although something has. */
  readonly partial?: boolean;
  /** What was shown of the changes ({@link digestChanges}): others are not applied. */
  readonly digest?: string;
  /** Of which files to tell what they say, before the first is written. */
  readonly texts?: TextsWanted;
  /** Told now and then how many steps of how many are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What became of every change; `held` and `refused` name units, the others paths. */
export interface ApplyResult {
  readonly applied: readonly string[];
  readonly held: readonly Remark[];
  readonly conflicts: readonly Remark[];
  readonly refused: readonly Remark[];
  /** Applied, but not in full: mode bits left out. */
  readonly notes: readonly Remark[];
  /** What came by fetch, in repositories that the host has too. */
  readonly commits: readonly Commits[];
}

/** One apply under way. */
export interface Applying extends Trees {
  /** Who gets the files, where we are root. */
  readonly owner: Ids | undefined;
  readonly baseline: Baseline;
  readonly unplaced: UnplacedNames;
  readonly pace: Pace;
  /** Sync each file by itself: cheaper than the file system while they are few. */
  readonly few: boolean;
  readonly done: (change: Change) => void;
  readonly wasDone: (raw: RawPath) => boolean;
  readonly failed: (change: Change, error: unknown) => void;
  /** Call it with a folder opened for writing, before its first change; `isOurs` where we made it. */
  readonly touch: (raw: RawPath, folder: number, isOurs?: boolean) => void;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FEW = 16; // Changes up to which each file is synced by itself.

/**
 * Applies the run's changes to the host's folder.
 *
 * @throws {Fault} `workspace.running` where the caller does not state `frozen`; `workspace.busy` while
 *   another apply writes there; `workspace.changed` where it is not what was shown; `workspace.path` for a name that is none; `workspace.apply_failed` where
 *   it broke off (applying again goes on); and those of `diffWorkspace`.
 */
export async function applyWorkspace(layer: Layer, options: ApplyOptions): Promise<ApplyResult> {
  if (!options.frozen) {
    throw new Fault("workspace.running", "the run can still write to its workspace", {
      hint: "pause it, or wait until it has ended",
    });
  }
  const selection = {
    confirm: new Set([...options.confirm].map(parsePathText)),
    ...(options.only && { only: new Set(options.only.map(parsePathText)) }),
  };
  return withTrees(layer, async (trees) => {
    if (!tryLock(trees.host.root)) {
      throw new Fault("workspace.busy", "another apply is writing to this workspace", {
        hint: "try again when it is done",
      });
    }
    const baseline = await openBaseline(layer);
    const leftovers: Leftover[] = [];
    const over = { ...trees, baseline, changesMax: CHANGES_MAX, leftovers };
    const changes = await walkTrees(layer, over);
    if (options.digest !== undefined) {
      const commits = listCommits(options.run, changes, trees);
      requireShown(options.digest, await digestIn(trees, changes, commits));
    }
    if (options.texts !== undefined) takeTexts(trees, changes, options.texts);
    const kept = await clearLeftovers(layer, trees, leftovers);
    const plan = planApply(changes, selection);
    if (plan.conflicts.length > 0 && options.partial !== true) {
      const { held, conflicts, refused, notes } = plan;
      return { applied: [], held, conflicts, refused, notes: [...notes, ...kept], commits: [] };
    }
    const done = await perform(layer, plan, { ...trees, baseline }, options.onProgress);
    const files = { ...done, notes: [...done.notes, ...kept] };
    const wanted = listCommits(options.run, changes, trees).filter(({ raw }) =>
      isSelected(raw, selection),
    );
    return { ...files, ...(await takeCommits(layer, { files, changes, wanted, trees })) };
  });
}

function isSelected(raw: RawPath, { only }: Selection): boolean {
  return only === undefined || ["", raw, ...ancestors(raw)].some((one) => only.has(one));
}

async function perform(
  layer: Layer,
  plan: ApplyPlan,
  trees: Trees & { readonly baseline: Baseline },
  onProgress: ApplyOptions["onProgress"],
): Promise<Omit<ApplyResult, "commits">> {
  const { host, baseline } = trees;
  const applied = new Set<RawPath>();
  const notes = [...plan.notes];
  const conflicts = new Map(plan.conflicts.map(({ path, why }) => [path, why]));
  const refused = new Map(plan.refused.map(({ path, why }) => [path, why]));
  const total =
    plan.makeRoom.length + plan.folders.length + plan.files.length + plan.deletions.length;
  const touched = new Set<RawPath>();
  const seen = new Set<RawPath>();
  const applying: Applying = {
    ...trees,
    unplaced: unplacedNames(layer),
    owner: process.geteuid?.() === 0 ? layer.owner : undefined,
    pace: createPace(),
    few: total <= FEW,
    done({ raw, path, note }) {
      if (note !== undefined && !applied.has(raw)) notes.push({ path, why: note });
      applied.add(raw);
      if (applied.size % 256 === 0) onProgress?.(applied.size, total);
    },
    wasDone: (raw) => applied.has(raw),
    failed({ path }, error) {
      const { kind, why } = obstacleOf(error, applied.size);
      const list = kind === "conflict" ? conflicts : refused;
      if (!list.has(path)) list.set(path, why); // The first step that failed says most.
    },
    touch(raw, folder, isOurs = false) {
      if (isOurs) touched.add(raw);
      if (seen.has(raw)) return;
      seen.add(raw);
      // Our own writes move its ctime: if it was as at the start, it shall count so afterwards too.
      if (!baseline.hasChanged(raw, fstatSync(folder, { bigint: true }))) touched.add(raw);
    },
  };
  try {
    await steps(applying, plan);
    if (total > 0) await syncFileSystem(host.root);
  } finally {
    await recordFolders(host, baseline, touched);
    await baseline.save();
  }
  return {
    applied: [...applied].map(pathText),
    held: plan.held,
    conflicts: remarksOf(conflicts),
    refused: remarksOf(refused),
    notes,
  };
}

function remarksOf(list: ReadonlyMap<string, string>): readonly Remark[] {
  return [...list].map(([path, why]) => ({ path, why }));
}

async function steps(applying: Applying, plan: ApplyPlan): Promise<void> {
  for (const change of plan.makeRoom) await removeOne(applying, change);
  // A folder that its owner could not write to is opened up first, if that is what the run did.
  const opening = plan.modes.filter(
    ({ kind, from, to }) => kind === "mode" && opensUp(from?.mode, to?.mode),
  );
  for (const change of opening.toReversed()) await setFolderMode(applying, change);
  for (const change of plan.folders) await makeFolder(applying, change);
  await placeFiles(applying, plan.files);
  for (const change of plan.deletions) await removeOne(applying, change);
  const opened = new Set(opening);
  for (const change of plan.modes) if (!opened.has(change)) await setFolderMode(applying, change);
}

function opensUp(from: number | undefined, to: number | undefined): boolean {
  return ((from ?? 0) & 0o300) !== 0o300 && ((to ?? 0) & 0o300) === 0o300;
}

/** Runs one step in the folder that holds `change`; a failure is that change's own. */
async function inFolder(
  applying: Applying,
  change: Change,
  step: (folder: number, name: RawPath) => void,
): Promise<void> {
  await applying.pace();
  const [above, name] = splitRaw(change.raw);
  try {
    const folder = applying.host.open(above, FOLDER);
    try {
      applying.touch(above, folder);
      step(folder, name);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    applying.failed(change, error);
  }
}

async function removeOne(applying: Applying, change: Change): Promise<void> {
  await inFolder(applying, change, (folder, name) => {
    if (change.from !== undefined) remove(folder, name, change.from, applying.unplaced);
    if (change.kind === "deleted") applying.done(change);
  });
}

async function makeFolder(applying: Applying, change: Change): Promise<void> {
  await inFolder(applying, change, (folder, name) => {
    mkdirSync(entryPath(folder, bytesOf(name)), 0o700);
    const made = applying.host.open(change.raw, FOLDER);
    try {
      const { uid, gid, mode, links } = lookOf(fstatSync(made, { bigint: true }), false);
      // Whoever may write to the folder above can put another in its place: give away only our own.
      if (uid !== process.geteuid?.() || (mode & 0o777) !== 0o700 || links > 2) {
        throw new Obstacle("conflict", MEANWHILE);
      }
      if (applying.owner !== undefined) {
        changeOwner(made, applying.owner.uid, groupFor(gid, applying.owner));
      }
      applying.touch(change.raw, made, true);
    } finally {
      closeSync(made);
    }
    applying.done(change);
  });
}

/** The mode of a folder: of a new one when all is in it, so that it may be closed to writing. */
async function setFolderMode(applying: Applying, change: Change): Promise<void> {
  const { to, from, kind } = change;
  if (to === undefined) return;
  await applying.pace();
  try {
    const folder = applying.host.open(change.raw, FOLDER);
    try {
      const now = lookOf(fstatSync(folder, { bigint: true }), false);
      const expected = kind === "mode" ? from : undefined;
      if (expected !== undefined && (now.ino !== expected.ino || now.mode !== expected.mode)) {
        throw new Obstacle("conflict", MEANWHILE);
      }
      applying.touch(change.raw, folder);
      // What a new folder got from the one above it (set-group-id) stays.
      fchmodSync(folder, allowedMode(to.mode, expected) | (now.mode & 0o2000));
    } finally {
      closeSync(folder);
    }
    applying.done(change);
  } catch (error) {
    // A new folder that could not be made was reported when it was not.
    if (kind === "mode" || errorCode(error) !== "ENOENT") applying.failed(change, error);
  }
}

async function recordFolders(
  host: Tree,
  baseline: Baseline,
  touched: ReadonlySet<RawPath>,
): Promise<void> {
  const pace = createPace();
  for (const raw of touched) {
    await pace();
    try {
      baseline.record(raw, host.look(raw));
    } catch (error) {
      if (errorCode(error) === undefined) throw error; // Deleted or replaced since: nothing to record.
    }
  }
}

/** What an errno of the host means for one path. */
const OBSTACLES: Readonly<Record<string, readonly [kind: "conflict" | "refused", why: string]>> = {
  EACCES: ["refused", "the host does not allow it"],
  EPERM: ["refused", "the host does not allow it"],
  EROFS: ["refused", "the host's file system is read-only"],
  EXDEV: ["refused", "another file system is mounted on the way"],
  ENAMETOOLONG: ["refused", "the name is too long for the host"],
  EINVAL: ["refused", "the host's file system does not take it"],
  ELOOP: ["conflict", "a folder on the way is a link on the host by now"],
  ENOTDIR: ["conflict", "a folder on the way is none on the host by now"],
  ENOENT: ["conflict", "a folder on the way is gone on the host by now"],
  EEXIST: ["conflict", "the host has one of that name by now"],
  ENOTEMPTY: ["conflict", "the host's folder holds something new"],
  EBUSY: ["refused", "the host is using it as a mount"],
};

function obstacleOf(error: unknown, done: number): { kind: "conflict" | "refused"; why: string } {
  if (error instanceof Obstacle) return { kind: error.kind, why: error.message };
  const known = OBSTACLES[errorCode(error) ?? ""];
  if (known !== undefined) return { kind: known[0], why: known[1] };
  throw new Fault("workspace.apply_failed", `apply broke off after ${done} changes`, {
    hint: "mend the cause (space, quota, disk) and apply again: it goes on where it stopped",
    cause: error,
  });
}
