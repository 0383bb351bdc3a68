/**
 * Everything that a run could leave behind, counted.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Fault } from "../../src/base/index.ts";

const TOLD_MS_MAX = 20_000;
const TOLD_LOOK_MS = 10;
const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] as const;
const CGROUPS = "/sys/fs/cgroup";

const toldSchema = z.object({
  heapBytes: z.number(),
  externalBytes: z.number(),
  resources: z.number(),
});

/** Figures by name; megabytes where the name says so, else counts. */
export type Sample = Readonly<Record<string, number>>;

/** Where the daemon is, and what it tells of itself. */
export interface Sampled {
  readonly pid: number;
  readonly home: string;
  /** Where teller.ts writes. */
  readonly told: string;
}

/** Counts, while nothing runs. */
export async function takeSample({ pid, home, told }: Sampled): Promise<Sample> {
  const { heapBytes, externalBytes, resources } = await ask(pid, told);
  const tree = treeOf(pid);
  const own = tree.filter(({ name }) => name === "node" || name === "MainThread");
  const { files, bytes } = filesBelow(home);
  return {
    processes: tree.length,
    threads: sumOf(tree, ({ pid: one }) => entries(`/proc/${one}/task`)),
    namespaces: namespacesOf(tree.map((one) => one.pid)),
    "namespaces-of-host": namespacesOf(entriesOf("/proc").map(Number).filter(Number.isInteger)),
    cgroups: groupsBelow(CGROUPS, new Set(entriesOf(join(home, "runs")))),
    mounts: readFileSync("/proc/self/mountinfo", "utf8").split("\n").length - 1,
    "descriptors-of-daemon": entries(`/proc/${pid}/fd`),
    "descriptors-of-workers": sumOf(own, (one) =>
      one.pid === pid ? 0 : entries(`/proc/${one.pid}/fd`),
    ),
    "event-loop-resources": resources,
    "heap-MB": heapBytes / 1e6,
    "external-MB": externalBytes / 1e6,
    "memory-MB": sumOf(tree, (one) => pssOf(one.pid)) / 1e6,
    "files-of-home": files,
    "bytes-of-home-MB": bytes / 1e6,
    "kernel-MB": kernelBytes() / 1e6,
  };
}

async function ask(pid: number, told: string): Promise<z.infer<typeof toldSchema>> {
  rmSync(told, { force: true });
  process.kill(pid, "SIGUSR2");
  for (
    const deadline = Date.now() + TOLD_MS_MAX;
    Date.now() < deadline;
    await sleep(TOLD_LOOK_MS)
  ) {
    if (existsSync(told)) return toldSchema.parse(JSON.parse(readFileSync(told, "utf8")));
  }
  throw new Fault("bench.soak", "the daemon does not tell what it holds");
}

interface Process {
  readonly pid: number;
  readonly name: string;
}

function treeOf(root: number): readonly Process[] {
  const found = new Map<number, Process & { readonly parent: number }>();
  for (const pid of entriesOf("/proc").map(Number).filter(Number.isInteger)) {
    const text = textOf(`/proc/${pid}/stat`);
    const end = text.lastIndexOf(")");
    if (end < 0) continue;
    const parent = Number(text.slice(end + 2).split(" ")[1]);
    found.set(pid, { pid, name: text.slice(text.indexOf("(") + 1, end), parent });
  }
  const children = Map.groupBy(found.values(), ({ parent }) => parent);
  const tree = [...found.values()].filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...(children.get(pid) ?? [])); // It grows while it is walked.
  return tree;
}

/** Namespaces that these processes are in, each once. */
function namespacesOf(pids: readonly number[]): number {
  const seen = new Set<string>();
  for (const pid of pids) {
    for (const kind of NAMESPACES) {
      try {
        seen.add(readlinkSync(`/proc/${pid}/ns/${kind}`));
      } catch {
        break; // It has ended, or is the kernel's.
      }
    }
  }
  return seen.size;
}

/** Control groups of runs of this home, in every hierarchy: each is named for its run. */
function groupsBelow(folder: string, runs: ReadonlySet<string>): number {
  return sumOf(entriesOf(folder, true), (name) => {
    return (runs.has(name) ? 1 : 0) + groupsBelow(join(folder, name), runs);
  });
}

function filesBelow(folder: string): { readonly files: number; readonly bytes: number } {
  let [files, bytes] = [0, 0];
  for (const name of entriesOf(folder)) {
    const path = join(folder, name);
    const about = statSync(path, { throwIfNoEntry: false });
    if (about === undefined) continue;
    files += 1;
    bytes += about.blocks * 512;
    if (!about.isDirectory()) continue;
    const below = filesBelow(path);
    files += below.files;
    bytes += below.bytes;
  }
  return { files, bytes };
}

/** What the kernel holds that it cannot give back: objects, stacks, page tables. */
function kernelBytes(): number {
  const text = textOf("/proc/meminfo");
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return (of("SUnreclaim") + of("KernelStack") + of("PageTables") + of("Percpu")) * 1024;
}

function pssOf(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // It ended meanwhile.
  }
}

function entriesOf(folder: string, foldersOnly = false): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((one) => !foldersOnly || one.isDirectory())
      .map(({ name }) => name);
  } catch {
    return []; // Gone meanwhile.
  }
}

const entries = (folder: string) => entriesOf(folder).length;

function sumOf<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}
