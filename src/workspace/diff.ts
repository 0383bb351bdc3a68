/**
 * What a run changed: `upper/` laid over the host's folder, name by name.
 *
 * `upper/` holds only what was touched, so the walk follows it and looks at the host beside it:
 *
 * | in `upper/`            | on the host | means                                              |
 * |------------------------|-------------|----------------------------------------------------|
 * | whiteout (device 0:0)  | anything    | deleted, with all below                            |
 * | folder                 | folder      | both, unless opaque: then the host's is replaced   |
 * | anything else          | same type   | compared by content, mode, target                  |
 * | anything               | another     | a change of type                                   |
 * | anything               | nothing     | added                                              |
 *
 * Renames come as a deletion and an addition. A file that was copied up but is the same is no change,
 * and so is what an earlier `apply` has brought over.
 *
 * @module
 */
import { closeSync, constants, fstatSync } from "node:fs";
import { Fault } from "../base/index.ts";
import { errorCode, readAttribute } from "../sys/index.ts";
import { hasSameAttributes } from "./attributes.ts";
import { ancestors } from "./apply-plan.ts";
import { openBaseline, type Baseline, type Stamp } from "./baseline.ts";
import { markRepositories } from "./bare-repository.ts";
import { describeChange, type Change, type ChangeKind } from "./change.ts";
import { isMadeAnew, isUntouched, type Copied } from "./copied.ts";
import type { Layer } from "./layer.ts";
import { createPace, type Pace } from "./pace.ts";
import { joinRaw, rawOf, splitRaw, type RawPath } from "./path-text.ts";
import { isSameContent } from "./same-content.ts";
import { withTrees, type Trees } from "./trees.ts";
import { readStartNames, type StartNames } from "./start-names.ts";
import type { Listing, Look } from "./tree.ts";
import { unplacedNames, type Leftover, type UnplacedNames } from "./unplaced.ts";

/** Most changes that are listed; a run beyond it is told to be discarded or split. */
export const CHANGES_MAX = 500_000;

const CHANGED = "the host's copy changed since the run started";
const MOVED = "another folder has come to stand there on the host since the run started";
const APPEARED = "the host has something there that the run never saw";
const OPEN_FILE =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** How a folder of `upper/` lies over the host's of the same path. */
type Cover = "merge" | "replace" | "alone";

interface Walk extends Trees {
  readonly layer: Layer;
  readonly baseline: Baseline;
  readonly changes: Change[];
  readonly pace: Pace;
  readonly changesMax: number;
  readonly unplaced: UnplacedNames;
  readonly startNames: StartNames;
  /** Host folders that are others than at the start. */
  readonly moved: Set<RawPath>;
  /** Gets what an apply that was killed left on the host; it is no change of anybody's. */
  readonly leftovers: Leftover[];
}

/** What holds for all entries of a folder. */
interface Here {
  readonly cover: Cover;
  readonly refused?: string | undefined;
  /** The host's folder itself was changed since the start: an entry may have been taken out of it. */
  readonly hostTouched: boolean;
  /** In a copy: the run deleted the folder and made it anew, so what it lacks is meant to be gone. */
  readonly isAnew: boolean;
}

/**
 * Lists what the run changed, each folder before what it holds, names in byte order.
 *
 * @throws {Fault} `workspace.moved`, `workspace.layer`; `workspace.too_many` beyond `changesMax`.
 */
export async function diffWorkspace(
  layer: Layer,
  changesMax: number = CHANGES_MAX,
): Promise<readonly Change[]> {
  const baseline = await openBaseline(layer);
  return withTrees(layer, (trees) => walkTrees(layer, { ...trees, baseline, changesMax }));
}

/** {@link diffWorkspace} over trees that the caller holds open. */
export async function walkTrees(
  layer: Layer,
  over: Trees & Pick<Walk, "baseline" | "changesMax"> & Partial<Pick<Walk, "leftovers">>,
): Promise<readonly Change[]> {
  const unplaced = unplacedNames(layer);
  const walk: Walk = {
    layer,
    leftovers: [],
    ...over,
    changes: [],
    pace: createPace(),
    unplaced,
    startNames: await readStartNames(layer),
    moved: new Set(),
  };
  await visitFolder(walk, "", { cover: walk.copied === undefined ? "merge" : "replace" });
  return markRepositories(walk.changes, walk.host);
}

async function visitFolder(
  walk: Walk,
  raw: RawPath,
  above: { readonly cover: Cover; readonly refused?: string | undefined },
): Promise<void> {
  let [isOpaque, isAnew] = [false, false];
  const upper = walk.upper.list(raw, (folder) => {
    isAnew = walk.copied !== undefined && isMadeAnew(walk.copied, raw, folder);
    isOpaque = walk.copied === undefined && readOpaque(folder, raw);
  });
  if ("unreadable" in upper) {
    const folder = walk.upper.look(raw);
    emit(walk, raw, "modified", { to: folder }, { refused: upper.unreadable });
    return;
  }
  let hostTouched = false;
  const host: Listing =
    above.cover === "alone"
      ? { entries: new Map() }
      : walk.host.list(raw, (folder) => {
          const about = fstatSync(folder, { bigint: true });
          hostTouched = walk.baseline.hasChanged(raw, about);
          noteMoved(walk, raw, about);
        });
  const isReadable = "entries" in host;
  const beside = isReadable ? placed(walk, raw, host.entries) : new Map<RawPath, Look>();
  const refused = above.refused ?? (isReadable ? undefined : host.unreadable);
  const cover: Cover = above.cover === "merge" && isOpaque ? "replace" : above.cover;
  const names = new Set(upper.entries.keys());
  if (cover === "replace") for (const name of beside.keys()) names.add(name);
  const here: Here = { cover, refused, hostTouched, isAnew };
  for (const name of [...names].sort()) {
    await walk.pace();
    await visitName(walk, joinRaw(raw, name), upper.entries.get(name), beside.get(name), here);
  }
}

/**
 * Remembers a host folder that is not the one of the start, whose files may have times of long ago. Where
 * it was not listed then, a move shows in a ctime that no entry of the folder explains.
 */
function noteMoved(walk: Walk, raw: RawPath, about: Stamp & Pick<Look, "mtimeNs">): void {
  if (raw === "" || walk.baseline.hasApplied(raw, about)) return;
  const known = walk.startNames.get(raw);
  const isMoved = known
    ? known.ino !== about.ino
    : walk.baseline.hasChanged(raw, about) && about.ctimeNs !== about.mtimeNs;
  if (isMoved) walk.moved.add(raw);
}

/** The entries of a host folder but for what an apply of ours left there, which is taken down. */
function placed(
  { unplaced, leftovers }: Walk,
  folder: RawPath,
  entries: ReadonlyMap<RawPath, Look>,
): ReadonlyMap<RawPath, Look> {
  const left = [...entries.keys()].filter((name) => unplaced.isOurs(name));
  if (left.length === 0) return entries;
  leftovers.push(...left.map((name) => ({ folder, name })));
  return new Map([...entries].filter(([name]) => !left.includes(name)));
}

/** The kernel writes `y`; `x` would mean whiteouts by attribute, which nothing makes here. */
function readOpaque(folder: number, raw: RawPath): boolean {
  const value = readAttribute(folder, "user.overlay.opaque")?.toString();
  if (value !== undefined && value !== "y") {
    throw new Fault("workspace.layer", `unknown overlay mark on folder ${JSON.stringify(raw)}`, {
      hint: "the layer was not made by this kernel's overlay; discard it",
    });
  }
  return value === "y";
}

async function visitName(
  walk: Walk,
  raw: RawPath,
  to: Look | undefined,
  from: Look | undefined,
  here: Here,
): Promise<void> {
  const { refused } = here;
  if (walk.copied !== undefined && isOutOfCopy(walk, walk.copied, raw, { to, from }, here)) return;
  if (to === undefined || to.type === "hidden") {
    if (from !== undefined) await emitDeleted(walk, raw, from, refused);
    return;
  }
  const isFolderTo = to.type === "folder";
  if (from === undefined) {
    const isGone = here.hostTouched
      ? (wasThere(walk, raw) ?? wasTakenOut(walk, raw, to, here))
      : walk.copied === undefined && wasTakenOut(walk, raw, to, here);
    const conflict = isGone ? "the host's copy is gone since the run started" : undefined;
    emit(walk, raw, isFolderTo ? "added" : kindOf(to), { to }, { refused, conflict });
  } else if (from.type !== to.type) {
    emit(
      walk,
      raw,
      "typechange",
      { from, to },
      { refused, conflict: changedSince(walk, raw, from) },
    );
    if (from.type === "folder") {
      noteMoved(walk, raw, from);
      await emitBelow(walk, raw, refused);
    }
  } else if (isFolderTo) {
    // A folder's ctime moves with every entry, so its mode alone is not judged by it.
    const was = walk.copied?.get(raw)?.mode ?? from.mode;
    if (from.mode !== to.mode && was !== to.mode)
      emit(walk, raw, "mode", { from, to }, { refused });
  } else {
    await compare(walk, raw, to, from, refused);
  }
  if (!isFolderTo) return;
  const isOver = from?.type === "folder" && here.cover !== "alone";
  await visitFolder(walk, raw, { cover: isOver ? here.cover : "alone", refused });
}

/** Whether the run did nothing to a name of a copied workspace; a folder is looked into all the same. */
function isOutOfCopy(
  { baseline }: Walk,
  copied: Copied,
  raw: RawPath,
  { to, from }: { readonly to: Look | undefined; readonly from: Look | undefined },
  { isAnew }: Here,
): boolean {
  if (to !== undefined) return isUntouched(copied, raw, to);
  const isOurs = from !== undefined && baseline.hasApplied(raw, from);
  return !isAnew && !isOurs && !copied.has(raw);
}

function kindOf(to: Look): ChangeKind {
  if (to.type === "link") return "symlink";
  return to.type === "device" || to.type === "fifo" || to.type === "socket" ? to.type : "added";
}

/** Whether a name was there at the start, where that was listed. */
function wasThere({ copied, startNames }: Walk, raw: RawPath): boolean | undefined {
  if (copied !== undefined) return copied.has(raw);
  const [above, name] = splitRaw(raw);
  return startNames.get(above)?.names.has(name);
}

function changedSince(walk: Walk, raw: RawPath, from: Look): string | undefined {
  const isMoved = walk.moved.size > 0 && ancestors(raw).some((one) => walk.moved.has(one));
  if (isMoved && !walk.baseline.hasApplied(raw, from)) return MOVED;
  if (walk.copied?.has(raw) === false && !walk.baseline.hasApplied(raw, from)) return APPEARED;
  return walk.baseline.hasChanged(raw, from) ? CHANGED : undefined;
}

async function compare(
  walk: Walk,
  raw: RawPath,
  to: Look,
  from: Look,
  refused: string | undefined,
): Promise<void> {
  const conflict = changedSince(walk, raw, from);
  if (to.type === "link") {
    if (to.target !== from.target) emit(walk, raw, "symlink", { from, to }, { refused, conflict });
    return;
  }
  if (to.type !== "file") return; // The host's own pipe or socket, copied up.
  const same = await hasSameContent(walk, raw, to, from);
  if (same === true && to.mode === from.mode) return;
  const kind = same === true ? "mode" : "modified";
  const unreadable = same === undefined ? "the file cannot be read" : undefined;
  emit(walk, raw, kind, { from, to }, { refused: refused ?? unreadable, conflict });
}

/** `undefined` where one of the two cannot be read. */
async function hasSameContent(
  walk: Walk,
  raw: RawPath,
  to: Look,
  from: Look,
): Promise<boolean | undefined> {
  if (to.size !== from.size) return false;
  const opened: number[] = [];
  try {
    const upper = walk.upper.open(raw, OPEN_FILE);
    opened.push(upper);
    const host = walk.host.open(raw, OPEN_FILE);
    opened.push(host);
    return hasSameAttributes(upper, host) && (await isSameContent(upper, host, to.size, walk.pace));
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (["EACCES", "EPERM"].includes(code)) return undefined;
    if (["ENOENT", "ELOOP", "ENOTDIR", "ENXIO", "EXDEV"].includes(code)) return false; // Swapped meanwhile.
    throw error;
  } finally {
    for (const one of opened) closeSync(one);
  }
}

/**
 * Whether a name that the host lacks was there at the start. The kernel marks what it copied up
 * (`user.overlay.origin`). A folder keeps the mark only in its place; a file also when it is renamed, so
 * there the host's folder must have changed as well: then it cannot be told, and counts as gone.
 */
function wasTakenOut(walk: Walk, raw: RawPath, to: Look, here: Here): boolean {
  if (here.cover !== "merge" || (to.type === "file" && !here.hostTouched)) return false;
  if (to.type !== "folder" && to.type !== "file") return false;
  try {
    const file = walk.upper.open(
      raw,
      to.type === "file" ? OPEN_FILE : OPEN_FILE | constants.O_DIRECTORY,
    );
    try {
      return readAttribute(file, "user.overlay.origin") !== undefined;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (code === "EACCES") return true; // Unreadable: not applied either.
    if (["ENOENT", "ELOOP", "ENOTDIR", "ENXIO"].includes(code)) return false; // The run goes on.
    throw error;
  }
}

async function emitDeleted(
  walk: Walk,
  raw: RawPath,
  from: Look,
  refused: string | undefined,
): Promise<void> {
  if (from.type === "folder") noteMoved(walk, raw, from);
  emit(walk, raw, "deleted", { from }, { refused, conflict: changedSince(walk, raw, from) });
  if (from.type === "folder") await emitBelow(walk, raw, refused);
}

/** Lists all that the host's folder `raw` holds as deleted. */
async function emitBelow(walk: Walk, raw: RawPath, refused: string | undefined): Promise<void> {
  const listing = walk.host.list(raw);
  if ("unreadable" in listing) {
    const at = walk.changes.length - 1;
    const folder = walk.changes[at];
    if (folder?.raw === raw) walk.changes[at] = { ...folder, refused: listing.unreadable };
    return;
  }
  for (const [name, from] of placed(walk, raw, listing.entries)) {
    await walk.pace();
    await emitDeleted(walk, joinRaw(raw, name), from, refused);
  }
}

function emit(
  walk: Walk,
  raw: RawPath,
  kind: ChangeKind,
  looks: { readonly from?: Look | undefined; readonly to?: Look | undefined },
  why: { readonly refused?: string | undefined; readonly conflict?: string | undefined },
): void {
  if (walk.changes.length >= walk.changesMax) {
    throw new Fault("workspace.too_many", `the run changed more than ${walk.changesMax} paths`, {
      hint: "discard them, or let the run clean up first",
    });
  }
  const { layer } = walk;
  const about = { ...why, runUid: layer.run.uid, host: rawOf(Buffer.from(layer.host)) };
  walk.changes.push(describeChange(raw, kind, looks, about));
}
