/**
 * What /proc says about one process (proc(5)): who it is, what it executes.
 *
 * Every reader returns `undefined` where the process is gone, and throws on nothing else that a
 * process can cause.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
  type BigIntStats,
} from "node:fs";

/** Longest list of arguments that is kept, in items and in characters over all items. */
export const ARGV_ITEMS_MAX = 64;
export const ARGV_CHARS_MAX = 4096;

const FILE_BYTES_MAX = 16_384; // Longest of the files read here; a longer command line is cut.
const buffer = Buffer.alloc(FILE_BYTES_MAX);
const DELETED = " (deleted)"; // What the kernel appends to the path of an unlinked file.

function readFile(path: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return undefined; // Gone, or not ours to read: unknown either way.
  }
  try {
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch {
    return undefined; // ESRCH: gone between open and read.
  } finally {
    closeSync(descriptor);
  }
}

/** The process that thread `tid` belongs to. */
export function processOfThread(tid: number): number | undefined {
  // The kernel escapes line feeds in the name above, so a line's start is a line's start.
  const text = readFile(`/proc/${tid}/status`)?.toString("latin1");
  const match = text === undefined ? null : /\nTgid:\t(\d+)\n/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** One process's place and age. */
export interface ProcessStat {
  readonly parent: number;
  /** Ticks since boot: with the pid, the process's identity. */
  readonly startTicks: string;
  /**
   * Changes with every successful exec, since addresses are drawn anew. Holds a zero where hidden, and
   * until the new image has its arguments: the end of the environment is the last that exec(2) sets.
   */
  readonly imageMark: string;
  /** Ended, and only waited for. */
  readonly zombie: boolean;
}

/** Reads /proc/PID/stat. Fields are counted as in proc(5), from 1. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readFile(`/proc/${pid}/stat`)?.toString("latin1");
  if (text === undefined) return undefined;
  // Field 2 is the name in parentheses, which may hold anything but is the last to close one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (n: number) => fields[n - 3] ?? "";
  return {
    parent: Number(field(4)),
    startTicks: field(22),
    imageMark: `${field(28)} ${field(48)} ${field(51)}`,
    zombie: "ZX".includes(field(3)),
  };
}

/** What a process executes. */
export interface Image {
  /** As the run sees it. */
  readonly exe: string;
  readonly argv: readonly string[];
  /** Identity of the executable's bytes: device, inode, times, size. */
  readonly file: string | undefined;
}

/** Reads what `pid` executes now; `undefined` where it has ended. */
export function readImage(pid: number): Image | undefined {
  const place = livingPlace(pid);
  if (place === undefined) return undefined;
  const argv = limitArgv((readFile(`${place.path}/cmdline`)?.toString("utf8") ?? "").split("\0"));
  const { exe } = place;
  return {
    exe: exe.endsWith(DELETED) ? exe.slice(0, -DELETED.length) : exe,
    argv,
    file: fileOf(place.path),
  };
}

/**
 * Where a process shows what it executes. The first thread shows nothing once it has ended, though
 * the process goes on in the others: nobody may hide by that.
 */
function livingPlace(pid: number): { readonly path: string; readonly exe: string } | undefined {
  const look = (path: string) => {
    try {
      return { path, exe: readlinkSync(`${path}/exe`) };
    } catch {
      return undefined;
    }
  };
  const first = look(`/proc/${pid}`);
  if (first !== undefined) return first;
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const place = look(`/proc/${pid}/task/${tid}`);
      if (place !== undefined) return place;
    }
  } catch {
    return undefined;
  }
  return undefined;
}

function fileOf(place: string): string | undefined {
  try {
    return identityOf(statSync(`${place}/exe`, { bigint: true }));
  } catch {
    return undefined;
  }
}

function identityOf({ dev, ino, mtimeNs, ctimeNs, size }: BigIntStats): string {
  // A writer can set back the time of modification, but not that of change.
  return [dev, ino, mtimeNs, ctimeNs, size].join(":");
}

/**
 * Opens what `pid` executes, whatever its path leads to now; `undefined` where it may not be read, or
 * is no longer `file`.
 */
export function openExecutable(pid: number, file: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(
      `${livingPlace(pid)?.path ?? ""}/exe`,
      constants.O_RDONLY | constants.O_NONBLOCK,
    );
  } catch {
    return undefined;
  }
  if (identityOfDescriptor(descriptor) === file) return descriptor;
  closeSync(descriptor);
  return undefined;
}

/** The identity of the file that `descriptor` is open on. */
export function identityOfDescriptor(descriptor: number): string {
  return identityOf(fstatSync(descriptor, { bigint: true }));
}

/** Keeps what fits the limits; where something was cut, the last item says so with an ellipsis. */
export function limitArgv(argv: readonly string[], charsMax = ARGV_CHARS_MAX): readonly string[] {
  const kept: string[] = [];
  let left = charsMax;
  // A command line ends with a NUL, so its split ends with an empty string that is no argument.
  const items = argv.at(-1) === "" ? argv.slice(0, -1) : argv;
  for (const item of items) {
    if (kept.length === ARGV_ITEMS_MAX || left <= 0) {
      kept[kept.length - 1] = `${kept.at(-1) ?? ""}…`;
      break;
    }
    kept.push(item.length > left ? `${item.slice(0, left).toWellFormed()}…` : item);
    if (item.length > left) break;
    left -= item.length + 1;
  }
  return kept;
}
