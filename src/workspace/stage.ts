/**
 * Files, links and second names made on the host beside their place, complete but not yet in it.
 *
 * @module
 */
import { closeSync, constants, fchmodSync, fstatSync, fsync, linkSync } from "node:fs";
import { openSync, symlinkSync } from "node:fs";
import { promisify } from "node:util";
import { changeOwner, entryPath, errorCode, openBeneath } from "../sys/index.ts";
import { readAttribute, setModified, writeAttribute } from "../sys/index.ts";
import { carryAttributes } from "./attributes.ts";
import { allowedMode, type Change } from "./change.ts";
import { copyData } from "./copy-data.ts";
import type { Ids } from "./layer.ts";
import type { Pace } from "./pace.ts";
import { bytesOf, splitRaw, type RawPath } from "./path-text.ts";
import { forget, isSameLook, MEANWHILE, Obstacle } from "./place.ts";
import { lookAt, lookOf, type Look, type Tree } from "./tree.ts";
import type { UnplacedNames } from "./unplaced.ts";

const O_PATH = 0o10000000;
const ACCESS_LIST = "system.posix_acl_access";
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const syncFile = promisify(fsync);

/** What placing needs beside the change. */
export interface Placing {
  readonly upper: Tree;
  /** Who gets the files: given where we are root, and may say so. */
  readonly owner: Ids | undefined;
  readonly pace: Pace;
  readonly unplaced: UnplacedNames;
  /** Write each file to disk as it is made; otherwise the caller syncs the file system. */
  readonly sync: boolean;
}

/** Writes the file of `change` under a name of ours in the open folder, complete but not in place. */
export async function stageFile(
  folder: number,
  change: Change,
  placing: Placing,
): Promise<RawPath> {
  const { to, from } = change;
  if (to === undefined) throw new Obstacle("refused", "there is no file");
  const name = placing.unplaced.make(splitRaw(change.raw)[1]);
  const source = placing.upper.open(change.raw, READ);
  try {
    const seen = lookOf(fstatSync(source, { bigint: true }), true);
    if (!isSameLook(seen, to)) throw new Obstacle("refused", "it changed in the run meanwhile");
    const file = openSync(entryPath(folder, bytesOf(name)), CREATE, 0o600);
    try {
      if (!(await copyData(source, file, to.size, placing.pace))) {
        throw new Obstacle("refused", "it changed in the run meanwhile");
      }
      const lost = carryAttributes(source, file);
      if (lost !== undefined) throw new Obstacle("refused", lost);
      const list = from?.type === "file" ? accessList(folder, splitRaw(change.raw)[1]) : undefined;
      giveRights(file, { to, from, owner: placing.owner, list });
      setModified(file, to.mtimeNs);
      if (placing.sync) await syncFile(file);
    } catch (error) {
      forget(folder, name);
      throw error;
    } finally {
      closeSync(file);
    }
  } finally {
    closeSync(source);
  }
  return name;
}

/** Owner, access list and mode of a file: its host's where it had one, and never more than allowed. */
function giveRights(
  file: number,
  rights: {
    readonly to: Look;
    readonly from: Look | undefined;
    readonly owner: Ids | undefined;
    readonly list: Buffer | undefined;
  },
): void {
  const { to, from, owner, list } = rights;
  let mode = allowedMode(to.mode, from);
  const made = lookOf(fstatSync(file, { bigint: true }), false);
  const { uid } = owner ?? made;
  const group = from?.type === "file" && from.uid === uid ? from.gid : groupFor(made.gid, owner);
  if (owner !== undefined) {
    changeOwner(file, uid, group);
  } else if (group !== made.gid) {
    try {
      changeOwner(file, uid, group);
    } catch (error) {
      if (errorCode(error) !== "EPERM") throw error;
      // Not our group to give: what all others could not, the group that it has now may not.
      mode = (mode & ~0o070) | (mode & ((mode & 0o007) << 3));
    }
  }
  if (list !== undefined) writeAttribute(file, ACCESS_LIST, list);
  fchmodSync(file, mode); // After the list, whose mask this sets.
}

/** The group of a new file: what its folder lent it (set-group-id), else the owner's. */
export function groupFor(made: number, owner: Ids | undefined): number {
  return owner === undefined || made !== process.getegid?.() ? made : owner.gid;
}

function accessList(folder: number, name: RawPath): Buffer | undefined {
  let file: number;
  try {
    file = openBeneath(folder, bytesOf(name), READ);
  } catch (error) {
    if (["EACCES", "ENOENT", "ELOOP", "ENXIO"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
  try {
    return readAttribute(file, ACCESS_LIST);
  } finally {
    closeSync(file);
  }
}

/** Makes a second name, `fresh`, for the file `name` of folder `at`, if that is still inode `ino`. */
export function stageLink(
  at: number,
  name: RawPath,
  folder: number,
  { ino, fresh }: { readonly ino: bigint; readonly fresh: RawPath },
): RawPath | undefined {
  try {
    linkSync(entryPath(at, bytesOf(name)), entryPath(folder, bytesOf(fresh)));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined; // Not linkable here, or gone: a copy does as well.
  }
  if (lookAt(folder, fresh, false)?.ino === ino) return fresh;
  forget(folder, fresh);
  return undefined;
}

/** Makes the link that `to` is under the name of ours `name`. */
export function stageSymlink(
  folder: number,
  to: Look,
  owner: Ids | undefined,
  name: RawPath,
): RawPath {
  symlinkSync(bytesOf(to.target ?? ""), entryPath(folder, bytesOf(name)));
  if (owner === undefined) return name;
  const link = openBeneath(folder, bytesOf(name), O_PATH | constants.O_NOFOLLOW);
  try {
    // The folder may be another's: only a link that is ours is given away.
    const { type, uid, gid, links } = lookOf(fstatSync(link, { bigint: true }), false);
    if (type !== "link" || uid !== process.geteuid?.() || links !== 1) {
      throw new Obstacle("conflict", MEANWHILE);
    }
    changeOwner(link, owner.uid, groupFor(gid, owner));
  } finally {
    closeSync(link);
  }
  return name;
}
