/**
 * The workspace as a copy, where an overlay cannot be: on NFS, on another overlay, on a kernel without.
 *
 * The copy is the layer's `upper/`, complete: files, folders and links, with their modes, times and `user.*`
 * attributes, by reflink where the file system can. Sockets, pipes and devices are left out, so none of
 * the host's is reached from inside (INV-4), and so is what is mounted below or closed to us; all of it is
 * told. Host files may change meanwhile: the start mark was taken before, so such a file is in conflict if
 * the run changes it too.
 *
 * @module
 */
import { chmodSync, closeSync, constants, copyFileSync, fchmodSync, fstatSync } from "node:fs";
import { lchownSync, mkdirSync, openSync, symlinkSync } from "node:fs";
import { Fault } from "../base/index.ts";
import { changeOwner, entryPath, errorCode, setModified } from "../sys/index.ts";
import type { Remark } from "./apply-plan.ts";
import { carryAttributes } from "./attributes.ts";
import { copyData } from "./copy-data.ts";
import { writeCopied, type CopiedName } from "./copied.ts";
import { openHost, openUpper, type Ids, type Layer } from "./layer.ts";
import { createPace, type Pace } from "./pace.ts";
import { bytesOf, joinRaw, pathText, splitRaw, type RawPath } from "./path-text.ts";
import { lookAt, lookOf, Tree, type Look } from "./tree.ts";

/** The largest workspace that is copied: bytes on disk, and names. */
export const COPY_BYTES_MAX = 8 * 2 ** 30;
export const COPY_NAMES_MAX = 250_000;
/** Most names that are told to have been left out. */
const LEFT_OUT_MAX = 100;

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** What was copied, and what was not. */
export interface CopyDone {
  readonly bytes: number;
  readonly names: number;
  /** What the copy takes by itself: not what the run wrote. */
  readonly onDisk: number;
  readonly leftOut: readonly Remark[];
}

export interface CopyLimits {
  readonly bytesMax: number;
  readonly namesMax: number;
}

interface Copying {
  readonly layer: Layer;
  readonly host: Tree;
  readonly copy: Tree;
  readonly limits: CopyLimits;
  readonly pace: Pace;
  readonly made: Map<RawPath, CopiedName>;
  readonly leftOut: Remark[];
  /** New files get owners only where we are root. */
  readonly isRoot: boolean;
  bytes: number;
  names: number;
  onDisk: number;
}

/**
 * Fills the empty `upper/` of a layer, and records what it then holds.
 *
 * @throws {Fault} `workspace.copy_limit` where the workspace is too large for that; `workspace.copy`
 *   where there is no room, or the copy is not empty.
 */
export async function copyHost(
  layer: Layer,
  limits: CopyLimits = { bytesMax: COPY_BYTES_MAX, namesMax: COPY_NAMES_MAX },
): Promise<CopyDone> {
  const host = openHost(layer);
  const upper = openUpper(layer);
  const copying: Copying = {
    layer,
    host: new Tree(host, false),
    copy: new Tree(upper, false),
    limits,
    pace: createPace(),
    made: new Map(),
    leftOut: [],
    isRoot: process.geteuid?.() === 0,
    bytes: 0,
    names: 0,
    onDisk: 0,
  };
  try {
    const folders: (readonly [RawPath, Look])[] = [];
    const waiting: RawPath[] = [""];
    for (let raw = waiting.pop(); raw !== undefined; raw = waiting.pop()) {
      const inside = await copyFolder(copying, raw);
      folders.push(...inside);
      waiting.push(...inside.map(([one]) => one));
    }
    // From the deepest up: what is in a folder moves its times.
    for (const [raw, look] of folders.toReversed()) finishFolder(copying, raw, look);
  } catch (error) {
    if (error instanceof Fault && error.code !== "sys.call") throw error;
    throw new Fault("workspace.copy", "the workspace could not be copied", {
      hint: "free some space where COFFERDAM_HOME lies, or use a workspace on a local disk",
      cause: error,
    });
  } finally {
    closeSync(host);
    closeSync(upper);
  }
  await writeCopied(layer.folder, copying.made);
  const { bytes, onDisk, leftOut } = copying;
  return { bytes, names: copying.made.size, onDisk, leftOut };
}

/** Copies the entries of one folder, which is there already; returns its folders. */
async function copyFolder(
  copying: Copying,
  raw: RawPath,
): Promise<readonly (readonly [RawPath, Look])[]> {
  const listing = copying.host.list(raw);
  if ("unreadable" in listing) {
    leaveOut(copying, raw, listing.unreadable);
    return [];
  }
  const folders: (readonly [RawPath, Look])[] = [];
  const into = copying.copy.open(raw, FOLDER);
  try {
    for (const [name, look] of listing.entries) {
      await copying.pace();
      const path = joinRaw(raw, name);
      count(copying, look);
      if (look.type === "folder") {
        mkdirSync(entryPath(into, bytesOf(name)), 0o700);
        folders.push([path, look]);
      } else if (look.type === "link") {
        copyLink(copying, into, path, look);
      } else if (look.type === "file") {
        await copyFile(copying, into, path, look);
      } else {
        leaveOut(copying, path, `a ${look.type} of the host leads nowhere in a run`);
      }
    }
  } finally {
    closeSync(into);
  }
  return folders;
}

function leaveOut({ leftOut }: Copying, raw: RawPath, why: string): void {
  if (leftOut.length < LEFT_OUT_MAX) leftOut.push({ path: pathText(raw), why });
}

function count(copying: Copying, { type, allocated, size }: Look): void {
  const { bytesMax, namesMax } = copying.limits;
  // Some file systems tell of no blocks at all.
  if (type === "file") copying.bytes += allocated === 0 ? size : Math.min(allocated, size);
  copying.names += 1;
  if (copying.bytes <= bytesMax && copying.names <= namesMax) return;
  throw new Fault(
    "workspace.copy_limit",
    `no overlay can be mounted here, and the workspace is too large to copy (${bytesMax} bytes, ${namesMax} names)`,
    {
      hint: "use a smaller folder, or put it and COFFERDAM_HOME on a local disk without an overlay",
    },
  );
}

function copyLink(copying: Copying, into: number, raw: RawPath, look: Look): void {
  const name = splitRaw(raw)[1];
  const path = entryPath(into, bytesOf(name));
  symlinkSync(bytesOf(look.target ?? ""), path);
  const { uid, gid } = idsFor(copying, look);
  if (copying.isRoot) lchownSync(path, uid, gid);
  record(copying, raw, lookAt(into, name, false));
}

async function copyFile(copying: Copying, into: number, raw: RawPath, look: Look): Promise<void> {
  let source: number;
  try {
    source = copying.host.open(raw, READ);
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(code)) return; // Gone meanwhile.
    if (!["EACCES", "EPERM", "EXDEV"].includes(code)) throw error;
    leaveOut(copying, raw, "the file cannot be read");
    return;
  }
  try {
    if (!fstatSync(source).isFile()) return; // Swapped meanwhile: as if it had come later.
    const name = splitRaw(raw)[1];
    const path = entryPath(into, bytesOf(name));
    const isSparse = look.allocated < look.size;
    if (!isSparse) {
      copyFileSync(`/proc/self/fd/${source}`, path, CLONE);
      chmodSync(path, 0o600); // It has the mode of the source, which may let us write no more.
    }
    const file = openSync(path, isSparse ? MAKE : constants.O_WRONLY | constants.O_NOFOLLOW, 0o600);
    try {
      if (isSparse) await copyData(source, file, look.size, copying.pace);
      const lost = carryAttributes(source, file);
      if (lost !== undefined) leaveOut(copying, raw, lost);
      giveRights(copying, file, look);
    } finally {
      closeSync(file);
    }
    record(copying, raw, lookAt(into, name, false));
  } finally {
    closeSync(source);
  }
}

const CLONE = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;

function giveRights(copying: Copying, descriptor: number, look: Look): void {
  const { uid, gid, isOwn } = idsFor(copying, look);
  if (copying.isRoot) changeOwner(descriptor, uid, gid);
  // Another user's set-id bits are nothing for a file of ours to have.
  fchmodSync(descriptor, isOwn ? look.mode : look.mode & 0o1777);
  setModified(descriptor, look.mtimeNs);
}

/** As an idmapped mount shows them: the owner's are the run's, others stay who they are. */
function idsFor({ layer }: Copying, look: Look): Ids & { readonly isOwn: boolean } {
  const isOwn = look.uid === layer.owner.uid;
  const gid = isOwn || look.gid === layer.owner.gid ? layer.run.gid : look.gid;
  return { uid: isOwn ? layer.run.uid : look.uid, gid, isOwn };
}

function finishFolder(copying: Copying, raw: RawPath, look: Look): void {
  const folder = copying.copy.open(raw, FOLDER);
  try {
    giveRights(copying, folder, look);
    const made = fstatSync(folder, { bigint: true });
    record(copying, raw, lookOf(made, false), made.birthtimeNs);
  } finally {
    closeSync(folder);
  }
}

function record(
  copying: Copying,
  raw: RawPath,
  look: Look | undefined,
  stampNs: bigint | undefined = look?.ctimeNs,
): void {
  if (look === undefined || stampNs === undefined) return;
  copying.made.set(raw, { ino: look.ino, stampNs, mode: look.mode });
  copying.onDisk += look.allocated;
}
