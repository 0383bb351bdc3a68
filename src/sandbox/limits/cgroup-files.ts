/**
 * The files of control groups: what they say, read and written with what was written verified.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../base/index.ts";

/** The text of a file without its line feed; `undefined` where it cannot be read. */
export function readCgroup(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch {
    return undefined; // Absent on this kernel, or the group is gone: both are "not known".
  }
}

/** Writes an order to a file that shows nothing. @throws {Fault} `sandbox.cgroup` */
export function orderCgroup(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (cause) {
    throw new Fault("sandbox.cgroup", `cannot write ${value} to ${path}`, { cause });
  }
}

/**
 * Puts a process, with its threads and all that it will start, into the group `folder`, and looks whether
 * it is there. Awaited: the kernel lets other processors catch up first, which takes 5 to 20 ms.
 *
 * @throws {Fault} `sandbox.cgroup` where the kernel refuses it or does not hold it there.
 */
export async function joinCgroup(folder: string, pid: number): Promise<void> {
  const path = join(folder, "cgroup.procs");
  try {
    await writeFile(path, `${pid}`);
  } catch (cause) {
    throw new Fault("sandbox.cgroup", `cannot put process ${pid} into ${folder}`, { cause });
  }
  if (processesIn(folder).includes(pid)) return;
  throw new Fault("sandbox.cgroup", `process ${pid} is not in ${folder}, where it was put`);
}

/** The processes of a group; none where it cannot be read. */
export function processesIn(folder: string): readonly number[] {
  const text = readCgroup(join(folder, "cgroup.procs")) ?? "";
  return text === "" ? [] : text.split("\n").map(Number);
}

/**
 * Writes `value`, and reads it back.
 *
 * @throws {Fault} `sandbox.cgroup` where the kernel refuses it or holds something else.
 */
export function writeCgroup(
  path: string,
  value: string,
  holds = (found: string) => found === value,
): void {
  orderCgroup(path, value);
  const found = readCgroup(path);
  if (found === undefined || !holds(found)) {
    throw new Fault("sandbox.cgroup", `${path} holds ${found ?? "nothing"}, not ${value}`);
  }
}

/** The value of `key` in a file of `key value` lines, such as memory.events. */
export function readCgroupKey(path: string, key: string): number | undefined {
  const lines = readCgroup(path)?.split("\n") ?? [];
  const value = lines.map((line) => line.split(" ")).find(([name]) => name === key)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** A file with one number. */
export function readCgroupNumber(path: string): number | undefined {
  const text = readCgroup(path);
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}
