/**
 * The instant at which a run started, on the clock that stamps files: what changed on the host since?
 *
 * A full list of the host's files at start would cost a second per 100,000 files. Instead one instant is
 * kept, and a host file whose change time (ctime) is later has changed: no ordinary call sets a ctime
 * back, and rename and link move it too. The instant is read from a file that has no name, made on the
 * workspace's own file system, and then waited out until a second stamp is later, so that whatever
 * changes after {@link markStart} returns is later as well, however coarse the clock (a kernel tick;
 * one second on some old ext4). What changes in between counts as changed: safe.
 *
 * A wall clock that was set back would hide changes; the distance between wall clock and time since
 * boot moves only when someone sets the clock, so the instant is taken earlier by that much.
 *
 * Not seen: files inside a folder that was moved in as a whole keep their old ctime (start-names.ts tells
 * such folders), and file systems that keep no ctime of their own.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";

const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** How long file times may stand still before the start is refused, in milliseconds. */
export const TICK_WAIT_MAX_MS = 3000;
/** Steps of the wall clock below this are measuring error: /proc/uptime counts in 10 ms. */
const STEP_MIN_MS = 50;

const nanoseconds = z.string().regex(/^\d{1,20}$/);
export const startMarkSchema = z.strictObject({
  /** Nanoseconds since the epoch, on the clock of the workspace's file system. */
  instantNs: nanoseconds,
  boot: z.string(),
  /** Wall clock minus time since boot, in milliseconds. */
  offsetMs: z.number(),
});

/** The instant of a start, as a manifest keeps it. */
export type StartMark = z.infer<typeof startMarkSchema>;

/** Takes the mark; `spare` is a folder to stamp where the host's file system has no nameless files. */
export async function markStart(host: string, spare: string): Promise<StartMark> {
  const file = openNameless(host, spare);
  try {
    return { instantNs: String(await waitForTick(() => stamp(file))), ...clockState() };
  } finally {
    closeSync(file);
  }
}

/**
 * The first of the times that `read` gives, once a later one has been given too.
 *
 * @throws {Fault} `workspace.clock` where none is within `limitMs`.
 */
export async function waitForTick(
  read: () => bigint,
  limitMs: number = TICK_WAIT_MAX_MS,
): Promise<bigint> {
  const first = read();
  for (const from = performance.now(); read() <= first; await sleep(1)) {
    if (performance.now() - from > limitMs) {
      throw new Fault("workspace.clock", "file times do not move on the workspace's file system", {
        hint: "use a workspace on a local disk, or `workspace: read-only`",
      });
    }
  }
  return first;
}

function openNameless(host: string, spare: string): number {
  try {
    return openSync(host, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    // Another user's or a read-only folder, or a file system without (NFS, 9p, FUSE).
    const known = [
      "EACCES",
      "EPERM",
      "EROFS",
      "EOPNOTSUPP",
      "ENOTSUP",
      "EISDIR",
      "EINVAL",
      "ENOSPC",
      "EDQUOT",
    ];
    if (!known.includes(errorCode(error) ?? "")) throw error;
  }
  const path = join(spare, "stamp");
  const file = openSync(path, "w+", 0o600);
  unlinkSync(path);
  return file;
}

function stamp(file: number): bigint {
  writeSync(file, "x", 0);
  return fstatSync(file, { bigint: true }).ctimeNs;
}

function clockState(): { boot: string; offsetMs: number } {
  const upMs = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return { boot, offsetMs: Math.round(Date.now() - upMs) };
}

/** The change time after which a host file counts as changed, clock steps since the mark included. */
export function changedAfterNs(
  mark: StartMark,
  now: { boot: string; offsetMs: number } = clockState(),
): bigint {
  const instant = BigInt(mark.instantNs);
  const backMs = mark.boot === now.boot ? mark.offsetMs - now.offsetMs : 0;
  return backMs < STEP_MIN_MS ? instant : instant - BigInt(backMs) * 1_000_000n;
}
