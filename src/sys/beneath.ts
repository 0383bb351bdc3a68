/**
 * Files beneath a pinned folder: opened so that no link, no `..` and no mount can lead elsewhere, and
 * the calls around them that Node does not offer.
 *
 * Paths are bytes, since names need not be UTF-8. Once a folder is open, its entries are reached with
 * {@link entryPath}: one component below the open descriptor, which Node's own calls take.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { allocate, checked, errnoName, lastErrno, native, type Native } from "./libc.ts";

// asm/unistd_64.h (x64) and asm-generic/unistd.h (arm64).
const NUMBERS = {
  x64: {
    openat2: 437,
    renameat2: 316,
    fchownat: 260,
    fgetxattr: 193,
    fsetxattr: 190,
    flistxattr: 196,
    utimensat: 280,
    lseek: 8,
    syncfs: 306,
  },
  arm64: {
    openat2: 437,
    renameat2: 276,
    fchownat: 54,
    fgetxattr: 10,
    fsetxattr: 7,
    flistxattr: 13,
    utimensat: 88,
    lseek: 62,
    syncfs: 267,
  },
} as const;

const UTIME_OMIT = (1n << 30n) - 2n;
const NS = 1_000_000_000n;
const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const HOW_BYTES = 24; // struct open_how: flags 8, mode 8, resolve 8.
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const AT_EMPTY_PATH = 0x1000;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;
const EAGAIN = 11;
const EINTR = 4;
const ENODATA = 61;
const OPEN_TRIES_MAX = 16;

/** Longest path that the kernel takes, in bytes without the final zero (PATH_MAX). */
export const PATH_BYTES_MAX = 4095;
/** Longest extended attribute that is read or written here, in bytes (XATTR_SIZE_MAX). */
export const ATTRIBUTE_BYTES_MAX = 65_536;

function numbers(): (typeof NUMBERS)["x64" | "arm64"] {
  if (process.arch === "x64" || process.arch === "arm64") return NUMBERS[process.arch];
  throw new Fault("sys.call", `no system call numbers for ${process.arch}`);
}

function once(size: number): () => Native {
  let made: Native | undefined;
  return () => (made ??= allocate(size));
}
const firstName = once(PATH_BYTES_MAX + 1);
const secondName = once(PATH_BYTES_MAX + 1);
const how = once(HOW_BYTES);
const value = once(ATTRIBUTE_BYTES_MAX);

function put(memory: Native, bytes: Buffer, call: string): bigint {
  if (bytes.length > PATH_BYTES_MAX || bytes.includes(0)) {
    throw new Fault("sys.call", `${call}: ENAMETOOLONG`, { cause: { code: "ENAMETOOLONG" } });
  }
  memory.bytes.set(bytes);
  memory.bytes[bytes.length] = 0;
  return memory.address;
}

/** Arguments are sign-extended by nobody: every one is passed as 64 bits. */
function call(name: keyof (typeof NUMBERS)["x64"], ...given: readonly (number | bigint)[]): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = given;
  return Number(native.syscall(numbers()[name], a, b, c, d, e, f));
}

/** The errno name behind a failed call of Node or of this folder: `ENOENT`; `undefined` for others. */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof Fault) return codeIn(error.cause);
  return codeIn(error);
}

function codeIn(thing: unknown): string | undefined {
  if (typeof thing !== "object" || thing === null) return undefined;
  if ("code" in thing && typeof thing.code === "string") return thing.code;
  return "errno" in thing && typeof thing.errno === "number" ? errnoName(thing.errno) : undefined;
}

/**
 * Opens `path`, relative and without `..`, beneath the folder `root` (openat2(2)): no component may be
 * a link or on another mount. `flags` are open(2)'s; close-on-exec is added.
 *
 * @throws {Fault} `sys.call`; {@link errorCode} is `ELOOP` for a link, `EXDEV` for a mount or an escape.
 */
export function openBeneath(root: number, path: Buffer, flags: number, mode: number = 0): number {
  const at = put(firstName(), path, "openat2");
  const { bytes, address } = how();
  const O_CLOEXEC = 0x80000;
  bytes.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  bytes.writeBigUInt64LE(BigInt(mode), 8);
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  bytes.writeBigUInt64LE(BigInt(resolve), 16);
  for (let tries = 1; ; tries += 1) {
    const result = call("openat2", root, at, address, HOW_BYTES);
    const again = result < 0 && (lastErrno() === EAGAIN || lastErrno() === EINTR);
    if (!again || tries === OPEN_TRIES_MAX) return checked("openat2", result);
  }
}

/** The path of entry `name` (one component) of the open folder `folder`, for Node's own calls. */
export function entryPath(folder: number, name: Buffer): Buffer {
  if (name.length === 0 || name.includes(0x2f) || name.includes(0)) {
    throw new Fault("sys.call", "not one component of a path");
  }
  if (name.equals(Buffer.from(".")) || name.equals(Buffer.from(".."))) {
    throw new Fault("sys.call", "not an entry of the folder");
  }
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), name]);
}

/** How {@link renameEntry} treats a target that exists: fails with `EEXIST`, or swaps the two. */
export type RenameMode = "keep" | "exchange";

/** Renames entry `from` of the open folder `folder` to `to` in the same folder (renameat2(2)). */
export function renameEntry(folder: number, from: Buffer, to: Buffer, mode: RenameMode): void {
  const old = put(firstName(), from, "renameat2");
  const fresh = put(secondName(), to, "renameat2");
  const flags = mode === "keep" ? RENAME_NOREPLACE : RENAME_EXCHANGE;
  checked("renameat2", call("renameat2", folder, old, folder, fresh, flags));
}

/** Gives the open file, folder or link `descriptor` (`O_PATH` will do) an owner (fchownat(2)). */
export function changeOwner(descriptor: number, uid: number, gid: number): void {
  const empty = put(firstName(), Buffer.alloc(0), "fchownat");
  checked("fchownat", call("fchownat", descriptor, empty, uid, gid, AT_EMPTY_PATH));
}

/** Extended attribute `name` of an open file, or `undefined` where it has none of that name. */
export function readAttribute(descriptor: number, name: string): Buffer | undefined {
  const key = put(firstName(), Buffer.from(name, "latin1"), "fgetxattr");
  const { bytes, address } = value();
  const result = call("fgetxattr", descriptor, key, address, ATTRIBUTE_BYTES_MAX);
  const none = lastErrno() === ENODATA || errnoName(lastErrno()) === "EOPNOTSUPP";
  if (result < 0 && (none || errnoName(lastErrno()) === "ENOTSUP")) return undefined;
  return Buffer.from(bytes.subarray(0, checked("fgetxattr", result)));
}

/** Names of the extended attributes of an open file that this user may see; none where it can have none. */
export function listAttributes(descriptor: number): readonly string[] {
  const { bytes, address } = value();
  const result = call("flistxattr", descriptor, address, ATTRIBUTE_BYTES_MAX);
  if (result < 0 && ["EOPNOTSUPP", "ENOTSUP"].includes(errnoName(lastErrno()))) return [];
  const text = bytes.toString("latin1", 0, checked("flistxattr", result));
  return text.split("\0").filter((name) => name !== "");
}

/** Sets the modification time of an open file to the nanosecond; the access time is left as it is. */
export function setModified(descriptor: number, mtimeNs: bigint): void {
  const { bytes, address } = value();
  bytes.writeBigInt64LE(0n, 0); // struct timespec[2]: access, then modification; seconds, nanoseconds.
  bytes.writeBigInt64LE(UTIME_OMIT, 8);
  const nanoseconds = ((mtimeNs % NS) + NS) % NS;
  bytes.writeBigInt64LE((mtimeNs - nanoseconds) / NS, 16);
  bytes.writeBigInt64LE(nanoseconds, 24);
  checked("utimensat", call("utimensat", descriptor, 0, address, 0));
}

/** Sets extended attribute `name` of an open file. */
export function writeAttribute(descriptor: number, name: string, content: Buffer): void {
  if (content.length > ATTRIBUTE_BYTES_MAX) throw new Fault("sys.call", "fsetxattr: E2BIG");
  const key = put(firstName(), Buffer.from(name, "latin1"), "fsetxattr");
  const { bytes, address } = value();
  bytes.set(content);
  checked("fsetxattr", call("fsetxattr", descriptor, key, address, content.length, 0));
}

/** The next run of data at or after `offset` as `[start, end)`, or `undefined` where only a hole is left. */
export function nextData(
  descriptor: number,
  offset: number,
): readonly [number, number] | undefined {
  const start = call("lseek", descriptor, offset, SEEK_DATA);
  if (start < 0 && lastErrno() === ENXIO) return undefined;
  checked("lseek", start);
  return [start, checked("lseek", call("lseek", descriptor, start, SEEK_HOLE))];
}

/** Writes everything of the file system that holds `descriptor` to disk (syncfs(2)), off this thread. */
export async function syncFileSystem(descriptor: number): Promise<void> {
  const done = Promise.withResolvers<void>();
  native.syscall.async(
    numbers().syncfs,
    descriptor,
    0,
    0,
    0,
    0,
    0,
    (error: unknown, result: unknown) =>
      error === null && Number(result) === 0
        ? done.resolve()
        : done.reject(new Fault("sys.call", "syncfs failed", { cause: error })),
  );
  await done.promise;
}
