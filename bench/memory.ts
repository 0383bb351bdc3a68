/**
 * What processes hold of memory: proportional set size, which counts a shared page once.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { Fault } from "../src/base/index.ts";

/** A process and everything below it. */
export interface Tree {
  /** The processes' names. */
  readonly names: readonly string[];
  readonly megabytes: number;
}

/** The tree below process `root`, as it is now. */
export function memoryOf(root: number): Tree {
  const tree = pidsBelow(root);
  const bytes = tree.map(pssOf).reduce((sum, one) => sum + one, 0);
  return { names: tree.map((pid) => statOf(pid)?.name ?? ""), megabytes: bytes / 1e6 };
}

/** Process `root` and everything below it. */
export function pidsBelow(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    const parent = statOf(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  // The list grows while it is walked: a tree has no circles.
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** What process `pid` alone holds, without what it started. */
export function megabytesOf(pid: number): number {
  return pssOf(pid) / 1e6;
}

/** What the kernel itself holds and cannot give back: its objects, stacks, page tables. */
export function kernelMegabytes(): number {
  const held = ["SUnreclaim", "KernelStack", "PageTables", "Percpu"];
  return held.reduce((sum, name) => sum + meminfo(name), 0);
}

/** What programs could still be given, by the kernel's own reckoning. */
export function availableMegabytes(): number {
  return meminfo("MemAvailable");
}

/** Seconds of processor time of process `root` and everything below it, by process, whose names come with it. */
export function cpuOf(
  root: number,
): ReadonlyMap<number, { readonly name: string; readonly seconds: number }> {
  const cpu = (pid: number) => {
    const fields = statFields(pid);
    // utime and stime, in hundredths (USER_HZ).
    return {
      name: statOf(pid)?.name ?? "",
      seconds: (Number(fields[11]) + Number(fields[12])) / 100 || 0,
    };
  };
  return new Map(pidsBelow(root).map((pid) => [pid, cpu(pid)]));
}

function meminfo(name: string): number {
  const text = readFileSync("/proc/meminfo", "utf8");
  return (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024) / 1e6;
}

function statFields(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return []; // It ended meanwhile.
  }
}

/** `PID (NAME) STATE PARENT ...`, where the name may hold anything. */
function statOf(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const end = text.lastIndexOf(")");
    const parent = Number(text.slice(end + 2).split(" ")[1]);
    return { name: text.slice(text.indexOf("(") + 1, end), parent };
  } catch {
    return undefined; // It ended meanwhile.
  }
}

function pssOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ESRCH" || code === "ENOENT") return 0; // It has ended and holds nothing.
    throw new Fault("bench.memory", `the memory of process ${pid} cannot be read`, {
      cause,
      hint: "run the bench as root: another user's processes do not show it",
    });
  }
}
