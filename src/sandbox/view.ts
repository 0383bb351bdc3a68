/**
 * What a run sees of the host's file system, found out on this host.
 *
 * @module
 */
import { lstatSync, readlinkSync } from "node:fs";
import type { Bind, Scratch, View } from "./launch-plan.ts";
import { PUBLIC_INSIDE } from "./launch-plan.ts";
import { AGENT } from "./etc.ts";
import type { Masked } from "./secrets.ts";
import type { Tools } from "./tools.ts";

/** Sizes of the run's scratch file systems, in bytes; each is memory of the run. */
export interface ScratchBytes {
  readonly tmp: number;
  readonly run: number;
  readonly shm: number;
  readonly varTmp: number;
}

export interface ViewInput {
  /** The run's /etc, from `writeEtc`. */
  readonly etc: string;
  readonly home: string;
  readonly publicDir: string;
  readonly scratch: ScratchBytes;
  /** The command's toolchain, read-only at its own paths. */
  readonly tools: Tools | undefined;
  readonly binds: readonly Bind[];
}

/** On a merged /usr these are symbolic links, elsewhere folders. */
const TOP = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] as const;

/** What a container's runtime masks: kernel memory, keys, timers and other tenants' activity. */
const PROC_MASKED = [
  "/proc/kcore",
  "/proc/keys",
  "/proc/key-users",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/timer_list",
  "/proc/interrupts",
  "/proc/kallsyms",
] as const;

/** Looks at the host and returns the view. */
export function surveyView(input: ViewInput): View {
  const links: (readonly [string, string])[] = [
    ["/var/run", "/run"],
    ["/var/lock", "/run/lock"],
  ];
  const binds: Bind[] = [directory("/usr", "/usr", false)];
  for (const place of TOP) {
    const about = lstatSync(place, { throwIfNoEntry: false });
    if (about?.isSymbolicLink()) links.push([place, readlinkSync(place)]);
    else if (about?.isDirectory()) binds.push(directory(place, place, false));
  }
  binds.push(
    directory(input.etc, "/etc", false),
    directory(input.home, AGENT.home, true),
    directory(input.publicDir, PUBLIC_INSIDE, false),
    ...(input.tools?.binds ?? []),
    ...input.binds,
  );
  const masked: Masked[] = [...(input.tools?.masked ?? [])];
  for (const path of PROC_MASKED) {
    const about = lstatSync(path, { throwIfNoEntry: false });
    if (about !== undefined) masked.push({ path, kind: "file" });
  }
  return {
    links: [...links, ...(input.tools?.links ?? [])],
    folders: ["/var", "/var/cache", "/var/lib", "/var/log", "/opt", "/srv", "/mnt", "/home"],
    binds,
    scratch: scratch(input.scratch),
    masked,
  };
}

function scratch(bytes: ScratchBytes): readonly Scratch[] {
  return [
    { target: "/tmp", bytes: bytes.tmp, mode: "1777" },
    { target: "/var/tmp", bytes: bytes.varTmp, mode: "1777" },
    { target: "/run", bytes: bytes.run, mode: "0755" },
    { target: "/dev/shm", bytes: bytes.shm, mode: "1777" },
  ];
}

function directory(source: string, target: string, write: boolean): Bind {
  return { source, target, kind: "directory", write };
}
