/**
 * Plain files as one file: the ustar form of POSIX.1-1988 (pax(1), "ustar Interchange Format"), which tar(1) reads.
 *
 *   name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, link 100, "ustar" NUL "00",
 *   uname 32, gname 32, device 8 and 8, prefix 155, 12 bytes of zeroes; numbers in octal digits, then NUL
 *
 * What is read must be what is written here, byte for byte: plain files, each once, by a relative path without `.` or
 * `..`. Links, devices, folders, extensions, sparse files and another spelling of the same are no backup of ours
 * (docs/decisions/0440). Nothing is compressed, so an archive holds no more than its own length.
 *
 * @module
 */
import { read } from "node:fs";
import { promisify } from "node:util";
import { Fault } from "../base/index.ts";

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const PREFIX_AT = 345;
const SIZE_MAX = 8 ** 11 - 1;
const ENTRIES_MAX = 4_000_000;
const readAt = promisify(read);

/** @throws {Fault} `backup.path` where the form cannot name it: too long, or no path of a plain file. */
export function tarHead(path: string, size: number): Buffer {
  const [prefix, name] = splitPath(path);
  if (!isSafe(path) || name === undefined || size > SIZE_MAX) {
    throw new Fault(
      "backup.path",
      `an archive cannot hold ${JSON.stringify(path)} (${size} bytes)`,
      {
        hint: "move it out of Cofferdam's home: its name or its size is out of the ordinary",
      },
    );
  }
  const head = Buffer.alloc(BLOCK);
  head.write(name, 0);
  head.write("0000600\0", 100);
  head.write("0000000\0", 108);
  head.write("0000000\0", 116);
  head.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  head.write("00000000000\0", 136);
  head.write(" ".repeat(8), 148);
  head.write("0", 156);
  head.write("ustar\u000000", 257);
  head.write(prefix, PREFIX_AT);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return head;
}

/** Zeroes behind `size` bytes, up to where the next head begins. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

/** A file of an archive, and where its bytes begin. */
export interface ArchiveEntry {
  readonly path: string;
  readonly bytes: number;
  readonly at: number;
}

/**
 * Lists the archive in the open file `descriptor` of `length` bytes, and reads none of the files.
 *
 * @throws {Fault} `backup.archive` at the first thing that is not as {@link tarHead} writes it.
 */
export async function readArchive(
  descriptor: number,
  length: number,
): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const paths = new Set<string>();
  const block = Buffer.alloc(BLOCK);
  for (let at = 0; ;) {
    await readWhole(descriptor, block, at);
    if (block.every((byte) => byte === 0)) {
      await readWhole(descriptor, block, at + BLOCK);
      const isEnd = block.every((byte) => byte === 0) && at + 2 * BLOCK === length;
      if (!isEnd) throw refused("something follows its end");
      return entries;
    }
    const path = pathIn(block);
    const bytes = Number.parseInt(block.toString("latin1", 124, 135), 8);
    if (!isSafe(path))
      throw refused(`it holds ${JSON.stringify(path.slice(0, 200))}, which is no path`);
    if (!Number.isSafeInteger(bytes) || !tarHead(path, bytes).equals(block)) {
      throw refused(`${JSON.stringify(path)} is no plain file in it`);
    }
    if (paths.has(path)) throw refused(`${path} is in it twice`);
    if (paths.size >= ENTRIES_MAX) throw refused("it holds too many files");
    const end = at + BLOCK + bytes + tarPadding(bytes).length;
    if (end > length) throw refused(`${path} is cut short`);
    const padding = tarPadding(bytes);
    await readWhole(descriptor, padding, at + BLOCK + bytes);
    if (padding.some((byte) => byte !== 0)) throw refused(`something stands behind ${path}`);
    paths.add(path);
    entries.push({ path, bytes, at: at + BLOCK });
    at = end;
  }
}

/** Fills `into` from the place `at`. @throws {Fault} `backup.archive` where the file ends before. */
export async function readWhole(descriptor: number, into: Buffer, at: number): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await readAt(descriptor, into, done, into.length - done, at + done);
    if (bytesRead === 0) throw refused("it is cut short");
    done += bytesRead;
  }
}

export function refused(why: string): Fault {
  return new Fault("backup.archive", `this is no backup that Cofferdam made: ${why}`, {
    hint: "nothing was put in place; take another copy of it",
  });
}

function isSafe(path: string): boolean {
  if (path.includes("\0") || path.includes("\uFFFD")) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** As ustar has it: a name, and what stands before it where it is too long. */
function splitPath(path: string): readonly [prefix: string, name: string | undefined] {
  if (Buffer.byteLength(path) <= NAME_BYTES) return ["", path];
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) > PREFIX_BYTES) break;
    if (Buffer.byteLength(name) <= NAME_BYTES) return [prefix, name];
  }
  return ["", undefined];
}

function pathIn(head: Buffer): string {
  const text = (at: number, length: number) => {
    const field = head.subarray(at, at + length);
    const end = field.indexOf(0);
    return field.toString("utf8", 0, end < 0 ? length : end);
  };
  const prefix = text(PREFIX_AT, PREFIX_BYTES);
  const name = text(0, NAME_BYTES);
  return prefix === "" ? name : `${prefix}/${name}`;
}
