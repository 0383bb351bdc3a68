/**
 * Whether a worker is sealed: what it tried from inside, and what the kernel says about each of its
 * threads from outside. Only a worker that passes both is handed anything.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Fault } from "../base/index.ts";
import { landlockAbi } from "../sys/index.ts";
import type { Tried } from "./seal.ts";

const CALLS = [
  "socket.inet",
  "socket.unix",
  "socketpair",
  "connect",
  "bind",
  "openat",
  "openat2",
  "execve",
  "clone",
  "clone3",
  "kill",
  "pidfd_open",
  "ptrace",
  "process_vm_readv",
  "io_uring_setup",
  "fcntl.setown",
  "unshare",
  "open",
].map((name) => [`seccomp.${name}`, "EPERM"] as const);

/** What each thing that a worker tries must come to. */
export function expectedTries(abi: number = landlockAbi()): ReadonlyMap<string, string> {
  return new Map([
    ["landlock.read", "EACCES"],
    ["landlock.write", "EACCES"],
    ...(abi >= 4
      ? ([
          ["landlock.connect", "EACCES"],
          ["landlock.bind", "EACCES"],
        ] as const)
      : []),
    ...(abi >= 6 ? ([["landlock.signal", "EPERM"]] as const) : []),
    ...CALLS,
  ]);
}

/** @throws {Fault} `worker.unproved` naming the first thing that did not fail as it must. */
export function requireTries(tried: Tried, expected = expectedTries()): void {
  for (const [what, wanted] of expected) {
    if (tried[what] !== wanted)
      throw unproved(`${what} gave ${tried[what] ?? "nothing"}, not ${wanted}`);
  }
}

/** Looks at process `pid` from outside. @throws {Fault} `worker.unproved` */
export function requireConfined(pid: number, id: number): void {
  const wanted: Readonly<Record<string, string>> = {
    Uid: `${id} ${id} ${id} ${id}`,
    Gid: `${id} ${id} ${id} ${id}`,
    Groups: "",
    NoNewPrivs: "1",
    Seccomp: "2",
    Seccomp_filters: `${ownFilters() + FILTERS}`,
    CapInh: NONE,
    CapPrm: NONE,
    CapEff: NONE,
    CapAmb: NONE,
  };
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    const file = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    if (/io_uring|^\/(?!dev\/null$)/.test(file)) throw unproved(`it has ${file} open`);
  }
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    for (const [key, value] of Object.entries(wanted)) {
      // Groups are looked at where they had to change: an ordinary user keeps its own.
      if ((key === "Gid" || key === "Groups") && process.geteuid?.() !== 0) continue;
      const line = new RegExp(`^${key}:(.*)$`, "m").exec(status)?.[1];
      const found = line?.trim().replaceAll(/\s+/g, " ");
      if (found !== value) throw unproved(`${key} of thread ${thread} is ${found}, not ${value}`);
    }
  }
}

/** The launcher's, which a Node is loaded under, and the worker's own. */
const FILTERS = 2;

/** This process may stand under filters itself, which what it starts inherits. */
function ownFilters(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^Seccomp_filters:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
}

const NONE = "0".repeat(16);

function unproved(why: string): Fault {
  return new Fault("worker.unproved", `a worker is not sealed: ${why}`, {
    hint: "`cofferdam doctor` tells what this host lacks",
  });
}
