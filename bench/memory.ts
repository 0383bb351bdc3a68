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
  const children = new Map<number, number[]>();
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    const parent = statOf(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  // The list grows while it is walked: a tree has no circles.
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  const bytes = tree.map(pssOf).reduce((sum, one) => sum + one, 0);
  return { names: tree.map((pid) => statOf(pid)?.name ?? ""), megabytes: bytes / 1e6 };
}

/** What process `pid` alone holds, without what it started. */
export function megabytesOf(pid: number): number {
  return pssOf(pid) / 1e6;
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
