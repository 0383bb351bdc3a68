/**
 * One tree of files below a pinned folder, read without following a link or crossing a mount.
 *
 * Both trees are hostile: `upper/` is what the run made, and on the host another process may swap a
 * folder for a link while we look. So a path is resolved by the kernel beneath the root each time, and
 * entries are looked at through the open folder.
 *
 * @module
 */
import { closeSync, constants, fstatSync, lstatSync, readdirSync, readlinkSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { entryPath, errorCode, openBeneath } from "../sys/index.ts";
import { bytesOf, rawOf, type RawPath } from "./path-text.ts";

/** Longest path that is looked at, in bytes below the root: what is deeper, no host program reaches either. */
export const TREE_PATH_BYTES_MAX = 3500;

/** What a name can stand for; `hidden` is a whiteout: the name is deleted. */
export type FileType = "file" | "folder" | "link" | "device" | "fifo" | "socket" | "hidden";

/** What was seen of a file at one look; two that are equal in all but `ctimeNs` hold the same. */
export interface Look {
  readonly type: FileType;
  /** Permission, set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** On disk, in bytes. */
  readonly allocated: number;
  readonly links: number;
  readonly device: bigint;
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Where a link points. */
  readonly target?: RawPath;
}

/** The names of a folder, or why it cannot be read. */
export type Listing =
  | { readonly entries: ReadonlyMap<RawPath, Look> }
  | { readonly unreadable: string };

const O_PATH = 0o10000000; // Node does not name it.
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const S_IFMT = 0o170000n;
const TYPES = new Map<bigint, FileType>([
  [0o100000n, "file"],
  [0o040000n, "folder"],
  [0o120000n, "link"],
  [0o020000n, "device"],
  [0o060000n, "device"],
  [0o010000n, "fifo"],
  [0o140000n, "socket"],
]);

function typeOf(stat: BigIntStats, isUpper: boolean): FileType {
  const type = TYPES.get(stat.mode & S_IFMT) ?? "device";
  const isCharacter = (stat.mode & S_IFMT) === 0o020000n;
  return isUpper && isCharacter && stat.rdev === 0n ? "hidden" : type;
}

/** What `stat` says; in `upper/` a character device 0:0 is a whiteout. */
export function lookOf(stat: BigIntStats, isUpper: boolean): Look {
  return {
    type: typeOf(stat, isUpper),
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    allocated: Number(stat.blocks) * 512,
    links: Number(stat.nlink),
    device: stat.dev,
    ino: stat.ino,
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
  };
}

/** Why a folder that errno names cannot be entered; `undefined` where it simply is not there. */
const UNREADABLE: Readonly<Record<string, string>> = {
  EACCES: "the folder cannot be read",
  EPERM: "the folder cannot be read",
  EXDEV: "another file system is mounted here",
  ENAMETOOLONG: "the path is too long",
};
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** A tree whose root is the open folder `root`. */
export class Tree {
  readonly root: number;
  readonly isUpper: boolean;

  constructor(root: number, isUpper: boolean) {
    this.root = root;
    this.isUpper = isUpper;
  }

  /** Opens what lies at `raw` beneath the root; the caller closes it. Fails with the errno of openat2(2). */
  open(raw: RawPath, flags: number): number {
    return openBeneath(this.root, bytesOf(raw === "" ? "." : raw), flags);
  }

  /** The entries of folder `raw`: none where it is absent or no folder. `look` may read its descriptor. */
  list(raw: RawPath, look?: (folder: number) => void): Listing {
    if (raw.length > TREE_PATH_BYTES_MAX) return { unreadable: "the path is too long" };
    let folder: number;
    try {
      folder = this.open(raw, FOLDER);
    } catch (error) {
      const code = errorCode(error) ?? "";
      if (ABSENT.has(code)) return { entries: new Map() };
      const unreadable = UNREADABLE[code];
      if (unreadable === undefined) throw error;
      return { unreadable };
    }
    try {
      look?.(folder);
      return { entries: this.#entries(folder) };
    } catch (error) {
      // A folder that may be listed but not searched.
      if (errorCode(error) === "EACCES") return { unreadable: "the folder cannot be read" };
      throw error;
    } finally {
      closeSync(folder);
    }
  }

  /** What lies at `raw` beneath the root; fails as {@link Tree.open} does. */
  look(raw: RawPath): Look {
    const file = this.open(raw, O_PATH | constants.O_NOFOLLOW);
    try {
      return lookOf(fstatSync(file, { bigint: true }), this.isUpper);
    } finally {
      closeSync(file);
    }
  }

  #entries(folder: number): ReadonlyMap<RawPath, Look> {
    const entries = new Map<RawPath, Look>();
    const names = readdirSync(`/proc/self/fd/${folder}`, { encoding: "buffer" });
    for (const name of names.map(rawOf).sort()) {
      const look = lookAt(folder, name, this.isUpper);
      if (look !== undefined) entries.set(name, look);
    }
    return entries;
  }
}

/** Entry `name` of an open folder, a link not followed; `undefined` where it is gone. */
export function lookAt(folder: number, name: RawPath, isUpper: boolean): Look | undefined {
  const path = entryPath(folder, bytesOf(name));
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const look = lookOf(stat, isUpper);
  if (look.type !== "link") return look;
  try {
    return { ...look, target: rawOf(readlinkSync(path, { encoding: "buffer" })) };
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "EINVAL") return undefined; // Swapped.
    throw error;
  }
}
