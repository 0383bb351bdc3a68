/**
 * How much a run has written: the blocks of its folders, and of what it deleted but keeps open.
 *
 * @module
 */
import { lstat, opendir, readdir, readlink, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { livingThread } from "./proc.ts";

const BLOCK_BYTES = 512; // Of `st_blocks`, whatever the file system's own.
/** Most files counted; a run with more has written more than any limit in inodes alone. */
export const FILES_MAX = 10_000_000;
/** Files asked about at once, so that the rest of the daemon is served in between. */
const BATCH = 64;
const DESCRIPTORS_MAX = 65_536;

/** A file counts once, however many names it has. */
type Counted = Set<string>;

/**
 * Bytes on disk below `folders`, and of deleted files that processes `pids` still have open.
 * A folder that is not there counts nothing. Links are not followed.
 */
export async function countDisk(
  folders: readonly string[],
  pids: readonly number[],
): Promise<number> {
  const counted: Counted = new Set();
  let bytes = 0;
  let files = 0;
  const queue = [...folders];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    const names: string[] = [];
    bytes += await sizeOf(folder, counted, undefined);
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.isDirectory()) queue.push(join(folder, entry.name));
        else names.push(join(folder, entry.name));
        files += 1;
        if (files > FILES_MAX) return Number.POSITIVE_INFINITY;
        if (names.length === BATCH) bytes += await sizeOfAll(names.splice(0), counted);
      }
    } catch {
      continue; // Removed meanwhile.
    }
    bytes += await sizeOfAll(names, counted);
  }
  return bytes + (await countDeleted(pids, counted));
}

async function sizeOfAll(paths: readonly string[], counted: Counted): Promise<number> {
  const sizes = await Promise.all(paths.map((path) => sizeOf(path, counted, 1)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sizeOf(
  path: string,
  counted: Counted,
  ordinaryLinks: number | undefined,
): Promise<number> {
  try {
    const about = await lstat(path);
    if (ordinaryLinks !== undefined && about.nlink > ordinaryLinks) {
      const identity = `${about.dev}:${about.ino}`;
      if (counted.has(identity)) return 0;
      counted.add(identity);
    }
    return about.blocks * BLOCK_BYTES;
  } catch {
    return 0; // Removed meanwhile.
  }
}

/** Deleted files on a disk that a process of the run has open; files in memory are no disk. */
async function countDeleted(pids: readonly number[], counted: Counted): Promise<number> {
  let bytes = 0;
  for (const pid of pids) {
    const place = `/proc/${pid}/task/${livingThread(pid) ?? pid}/fd`;
    const descriptors = await readdir(place).catch((): string[] => []);
    for (const descriptor of descriptors.slice(0, DESCRIPTORS_MAX)) {
      bytes += await sizeOfDeleted(join(place, descriptor), counted);
    }
  }
  return bytes;
}

const TMPFS = 0x0102_1994; // linux/magic.h

async function sizeOfDeleted(path: string, counted: Counted): Promise<number> {
  try {
    // Nothing of this opens the file; a name ending so is only a reason to look.
    if (!(await readlink(path)).endsWith(" (deleted)")) return 0;
    const about = await stat(path);
    const identity = `${about.dev}:${about.ino}`;
    if (about.nlink > 0 || !about.isFile() || counted.has(identity)) return 0;
    if ((await statfs(path)).type === TMPFS) return 0;
    counted.add(identity);
    return about.blocks * BLOCK_BYTES;
  } catch {
    return 0; // Closed meanwhile.
  }
}

/** Bytes that the file system of `folder` has left; `undefined` where it cannot say. */
export async function spaceLeft(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Bytes in use in the file systems in memory at `paths`, as process `pid` sees them. */
export async function memoryFilesOf(pid: number, paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    paths.map(async (path) => {
      try {
        const { type, blocks, bfree, bsize } = await statfs(`/proc/${pid}/root${path}`);
        return type === TMPFS ? (blocks - bfree) * bsize : 0;
      } catch {
        return 0; // The run has ended, or has no such folder.
      }
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
