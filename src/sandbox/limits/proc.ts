/**
 * What /proc says about a process's threads and memory (proc(5)). A process that has ended has none.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";

const KIB = 1024;
const buffer = Buffer.alloc(4096);

/** The beginning of a file; nothing where it cannot be read. */
export function readSmall(path: string): string | undefined {
  try {
    const descriptor = openSync(path, "r");
    try {
      return buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

export function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Fields of a stat file from the third, the state, on. */
export function statOf(place: string): readonly string[] | undefined {
  const text = readSmall(`${place}/stat`);
  return text === undefined ? undefined : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

const stateOf = (pid: number, tid: string) => statOf(`/proc/${pid}/task/${tid}`)?.[0] ?? "X";

/** States of a process's threads: one may run on although the first, the process's own, has ended. */
export function statesOf(pid: number): readonly string[] {
  return threadsOf(pid).map((tid) => stateOf(pid, tid));
}

/** Whether a process has a thread that executes, or would if it had a processor. */
export function isRunning(pid: number): boolean {
  return statesOf(pid).includes("R");
}

/** A thread that has not ended: its process's memory and descriptors are seen through it. */
export function livingThread(pid: number): string | undefined {
  return threadsOf(pid).find((tid) => !"ZX".includes(stateOf(pid, tid)));
}

/**
 * Memory that only this process keeps, in bytes: its own and its share of what it shares, without
 * files, which the kernel can drop. Where that is hidden, everything resident.
 */
export function memoryOf(pid: number): number {
  const thread = livingThread(pid);
  if (thread === undefined) return 0;
  const text = readSmall(`/proc/${pid}/task/${thread}/smaps_rollup`);
  if (text !== undefined && text !== "") {
    const field = (name: string) =>
      Number(new RegExp(`\\n${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0);
    return (field("Pss_Anon") + field("Pss_Shmem") + field("SwapPss")) * KIB;
  }
  const status = readSmall(`/proc/${pid}/task/${thread}/status`) ?? "";
  return Number(/\nVmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * KIB;
}
