/**
 * The second half of a worker's seal, from inside: root's ids given up, a system-call filter over every
 * thread, and then everything tried that must fail. Landlock and the limits stand already (native/worker.c).
 *
 * @module
 */
import { randomFill } from "node:crypto";
import { openSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { promisify } from "node:util";
import { createSecureContext } from "node:tls";
import { isFault } from "../base/index.ts";
import { architecture } from "../sandbox/index.ts";
import { dieWithParent, filterAllThreads, tryCall } from "../sys/index.ts";
import { encodeWorkerFilter } from "./filter.ts";

/** What was tried, and what came of it: "ok" or an errno. */
export type Tried = Readonly<Record<string, string>>;

/** Seals this process for good. `canary` is a file that the daemon can read and a worker must not. */
export async function seal(canary: string, id: number): Promise<Tried> {
  await startThreads();
  const byLandlock = await tryLandlock(canary);
  if (process.geteuid?.() === 0) {
    // Through the C library, which takes every thread along.
    process.setgroups?.([]);
    process.setgid?.(id);
    process.setuid?.(id);
  }
  dieWithParent(); // Again: a change of ids undoes it.
  filterAllThreads(encodeWorkerFilter(architecture()));
  return { ...byLandlock, ...tryCalls() };
}

/** Threads cannot be made later: those that Node makes on first use are made now. */
async function startThreads(): Promise<void> {
  await promisify(randomFill)(Buffer.alloc(1));
  createSecureContext({});
  process.stderr.write("");
}

async function tryLandlock(canary: string): Promise<Tried> {
  const forbidden = `/tmp/.cofferdam-probe-${process.pid}`;
  return {
    "landlock.read": trying(() => openSync(canary, "r")),
    "landlock.write": trying(() => {
      openSync(forbidden, "wx");
      rmSync(forbidden);
    }),
    "landlock.signal": trying(() => process.kill(process.ppid, 0)),
    "landlock.connect": await settled((done) => {
      const socket = connect({ port: 9, host: "127.0.0.1" });
      socket.once("error", done).once("connect", () => done());
      return () => socket.destroy();
    }),
    "landlock.bind": await settled((done) => {
      const server = createServer().once("error", done);
      server.listen(0, "127.0.0.1", () => done());
      return () => server.close();
    }),
  };
}

const isArm = process.arch === "arm64";
const AT_FDCWD = -100;
const CLONE_SIGHAND = 0x800; // Without CLONE_VM it is refused, so that no child comes of this.

/** Calls with arguments that do nothing where they are let through; the errno then is another. */
function tryCalls(): Tried {
  const call = (x64: number, arm64: number, ...rest: readonly number[]) =>
    tryCall(isArm ? arm64 : x64, ...rest);
  return {
    "seccomp.socket.inet": call(41, 198, 2, 1, 0),
    "seccomp.socket.unix": call(41, 198, 1, 1, 0),
    "seccomp.socketpair": call(53, 199, 1, 1, 0, 0),
    "seccomp.connect": call(42, 203, -1, 0, 0),
    "seccomp.bind": call(49, 200, -1, 0, 0),
    "seccomp.openat": call(257, 56, AT_FDCWD, 0, 0),
    "seccomp.openat2": call(437, 437, AT_FDCWD, 0, 0, 0),
    "seccomp.execve": call(59, 221, 0, 0, 0),
    "seccomp.clone": call(56, 220, CLONE_SIGHAND, 0, 0, 0, 0),
    "seccomp.clone3": call(435, 435, 0, 0),
    "seccomp.kill": call(62, 129, process.pid, 0),
    "seccomp.pidfd_open": call(434, 434, process.pid, 0),
    "seccomp.ptrace": call(101, 117, -1, 0, 0, 0),
    "seccomp.process_vm_readv": call(310, 270, process.pid, 0, 0, 0, 0),
    "seccomp.io_uring_setup": call(425, 425, 1, 0),
    "seccomp.fcntl.setown": call(72, 25, 2, 8, process.pid),
    "seccomp.unshare": call(272, 97, 0),
    "seccomp.open": trying(() => openSync(process.execPath, "r")),
  };
}

function trying(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    return codeOf(error);
  }
}

/** Waits for `begin` to be done, with or without an error, and cleans up. */
function settled(begin: (done: (error?: Error) => void) => () => void): Promise<string> {
  return new Promise((resolve) => {
    const clean = begin((error) => {
      resolve(error === undefined ? "ok" : codeOf(error));
      clean();
    });
  });
}

function codeOf(error: unknown): string {
  if (isFault(error)) return error.message;
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
