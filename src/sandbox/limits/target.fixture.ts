/**
 * Process trees to limit: process 1 of a pid and user namespace of their own, held back until `go`.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const WAIT_MS = 60_000; // For what should happen at once: reached only where it does not.
const ROOT = process.getuid?.() === 0;
/** The account without rights that the ordinary user's side is tried with, where root runs the tests. */
const NOBODY = ROOT ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];

export interface LimitedTarget {
  /** What a launcher would be: outside of the namespace. */
  readonly launcherPid: number;
  readonly initPid: number;
  /** Lets the command begin. */
  go(): void;
  output(): string;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  end(): Promise<void>;
}

/** Those that live: a test that fails before it ends its own would have its file wait for them. */
const children = new Set<ChildProcess>();
after(() => children.forEach((child) => child.kill("SIGKILL")));

/**
 * Starts `script` (of /bin/sh) as a child of process 1. `user`: by an ordinary user; `nproc`: with
 * that RLIMIT_NPROC, as the launcher sets it.
 */
export async function startLimited(
  script: string,
  options: { readonly user?: boolean; readonly nproc?: number } = {},
): Promise<LimitedTarget> {
  const limit = options.nproc === undefined ? [] : ["prlimit", `--nproc=${options.nproc}`];
  const user = options.user ? NOBODY : [];
  const namespaces = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child=KILL"];
  // The shell is process 1; the script is its child, whose end is the run's.
  const quoted = `'${script.replaceAll("'", String.raw`'\''`)}'`;
  const shell = ["/bin/sh", "-c", `read line; /bin/sh -c ${quoted}; exit $?`];
  const [program = "", ...args] = [...user, "unshare", ...namespaces, ...limit, ...shell];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"], cwd: "/" });
  children.add(child);
  child.once("exit", () => children.delete(child));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "exit").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const launcherPid = child.pid ?? -1;
  let initPid = 0;
  await until(() => (initPid = onlyChild(launcherPid)) > 0 && isShell(initPid));
  return {
    launcherPid,
    initPid,
    go: () => void child.stdin.write("\n"),
    output: () => output,
    ended,
    end: () => endOf(child, ended),
  };
}

function onlyChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}

const isShell = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8") === "sh\n";

async function endOf(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill("SIGKILL");
  await ended;
}

/** Waits for `condition`, and fails where it does not come. */
export async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; !condition();) {
    if (Date.now() > deadline) throw new Error("waited in vain");
    await sleep(2);
  }
}

/** Forks until it may not or has 300, tells how many it got, and ends or waits with them. */
export const bomb = (last: "end" | "wait") => `python3 -c "
import os, signal, sys
n = 0
try:
    while n < 300:
        if os.fork() == 0:
            signal.pause()
        n += 1
except OSError as error:
    pass
print(n, flush=True)
${last === "end" ? "" : "signal.pause()"}"`;

/** Takes and touches so many MiB, says so, and goes. */
export const hog = (mib: number) =>
  `python3 -c "b = bytearray(${mib} << 20); b[::4096] = b'x' * len(b[::4096]); print('took', flush=True)"`;
