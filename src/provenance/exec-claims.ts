/**
 * Execs: what a held call claims, and what is found once it has happened.
 *
 * @module
 */
import { readlinkSync } from "node:fs";
import { constants } from "node:os";
import { readMemory, readMemoryText, type Notification } from "../sys/index.ts";
import { ARGV_CHARS_MAX, ARGV_ITEMS_MAX, limitArgv, readStat, type Image } from "./proc-files.ts";

const { EFAULT } = constants.errno;
const PATH_BYTES_MAX = 4096; // PATH_MAX
const POINTER_BYTES = 8;
/** When an exec is looked for, in milliseconds after it was let go on; the last is the latest. */
const LOOKS_MS = [1, 4, 16, 64, 250, 1000] as const;

/** What execve(2) or execveat(2) asks for; an errno where its memory cannot be read. */
export function readExecClaim(held: Notification, call: "execve" | "execveat"): Image | number {
  const [at, pathAt, argvAt] =
    call === "execve" ? [undefined, held.args[0], held.args[1]] : held.args;
  const path = readMemoryText(held.tid, pathAt, PATH_BYTES_MAX);
  if (path === undefined) return EFAULT;
  const argv = readArgv(held.tid, argvAt);
  if (argv === undefined) return EFAULT;
  return { exe: resolve(held.tid, at, path), argv, file: undefined };
}

/** The claimed path; for fexecve(3), what the descriptor is open on. */
function resolve(tid: number, at: bigint | undefined, path: string): string {
  if (at === undefined || path.startsWith("/")) return path;
  const directory = Number(BigInt.asIntN(32, at));
  try {
    const base = readlinkSync(`/proc/${tid}/${directory < 0 ? "cwd" : `fd/${directory}`}`);
    return path === "" ? base : `${base}/${path}`;
  } catch {
    return path; // No such descriptor: the kernel will say so to the caller.
  }
}

function readArgv(tid: number, address: bigint): readonly string[] | undefined {
  if (address === 0n) return []; // Linux allows it.
  const argv: string[] = [];
  for (let n = 0, chars = 0; n <= ARGV_ITEMS_MAX && chars <= ARGV_CHARS_MAX; n += 1) {
    const bytes = readMemory(tid, address + BigInt(n * POINTER_BYTES), POINTER_BYTES);
    if (bytes.length < POINTER_BYTES) return undefined;
    const pointer = bytes.readBigUInt64LE(0);
    if (pointer === 0n) break;
    const item = readMemoryText(tid, pointer, ARGV_CHARS_MAX + 1);
    if (item === undefined) return undefined;
    argv.push(item);
    chars += item.length;
  }
  return limitArgv([...argv, ""]);
}

/** An exec that was let go on. */
export interface Pending {
  readonly pid: number;
  readonly tid: number;
  readonly claim: Image;
  readonly startTicks: string;
  readonly imageMark: string;
  readonly sinceMs: number;
  looks: number;
}

/**
 * `happened`: what `pid` executes is new. `failed`: it still executes what it did. `gone`: it ended, or
 * hid, before one could look. `wait`: not known yet.
 */
export type ExecState = "happened" | "failed" | "gone" | "wait";

/** Looks at what became of an exec. `again`: the caller is held in a later call, so it is over. */
export function lookAtExec(pending: Pending, nowMs: number, again = false): ExecState {
  const stat = readStat(pending.pid);
  if (stat === undefined || stat.zombie || stat.startTicks !== pending.startTicks) return "gone";
  // While the new image is being put together its addresses are zeros.
  const hidden = /\b0\b/.test(stat.imageMark);
  if (!hidden && stat.imageMark !== pending.imageMark) return "happened";
  if (again) return "failed";
  pending.looks += 1;
  if (nowMs - pending.sinceMs < lastLookMs) return "wait";
  return hidden ? "gone" : "failed";
}
const lastLookMs = LOOKS_MS.at(-1) ?? 0;

/** When to look next, on the clock of `sinceMs`. */
export function nextLookMs(pending: Pending): number {
  return pending.sinceMs + (LOOKS_MS[pending.looks] ?? lastLookMs);
}
