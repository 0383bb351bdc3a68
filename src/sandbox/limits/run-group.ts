/**
 * The control groups of one run: its limits, its processes, its use.
 *
 * One run has a group of one name in every hierarchy that is used. Whatever was put in stays in: a
 * process of the run sees no control groups, and could not leave one if it did.
 *
 * @module
 */
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../base/index.ts";
import {
  joinCgroup,
  orderCgroup,
  processesIn,
  readCgroup,
  readCgroupKey,
  readCgroupNumber,
  writeCgroup,
} from "./cgroup-files.ts";
import { groupNames, type CgroupHost, type V1Hierarchy } from "./cgroup-host.ts";
import type { LimitPlan } from "./limits.ts";
import { isRunning } from "./proc.ts";

const PERIOD_US = 100_000; // The kernel's default; shorter ones cost, longer ones stutter.
/** How long a freeze may take before it is said to have failed, in milliseconds. */
const FREEZE_WAIT_MS = 1000;
/** How long a kill may take, in milliseconds. */
const KILL_WAIT_MS = 10_000; // A busy host needs seconds for some hundred processes.
const REMOVE_WAIT_MS = 1000;
const RETRY_MS = 2;
const PAGE_BYTES_MAX = 65_536; // arm64 may have such pages; a limit is held in whole ones.

/** What a run has used; `undefined` where nothing counts it here. */
export interface Usage {
  readonly cpuMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly memoryPeakBytes: number | undefined;
  /** Processes and threads, our own few among them. */
  readonly pids: number | undefined;
  readonly readBytes: number | undefined;
  readonly writtenBytes: number | undefined;
  /** Processes that the kernel ended at the memory limit. */
  readonly oomKills: number | undefined;
}

export class RunGroup {
  readonly #host: CgroupHost;
  readonly #run: string;

  /** Makes the groups of `run`, or takes those that are there. */
  constructor(host: CgroupHost, run: string) {
    this.#host = host;
    this.#run = run;
    try {
      for (const folder of this.#folders) mkdirSync(folder, { recursive: true });
    } catch (cause) {
      throw new Fault("sandbox.cgroup", `cannot make a control group for ${run}`, { cause });
    }
  }

  get #v2(): string | undefined {
    return this.#host.v2 === undefined ? undefined : join(this.#host.v2, this.#run);
  }

  #v1(hierarchy: V1Hierarchy): string | undefined {
    const folder = this.#host.v1.get(hierarchy);
    return folder === undefined ? undefined : join(folder, this.#run);
  }

  /** Every group once: two v1 controllers may share a hierarchy. */
  get #folders(): readonly string[] {
    const names = [...this.#host.v1.keys()].map((hierarchy) => this.#v1(hierarchy));
    return [...new Set([this.#v2, ...names])].filter((one) => one !== undefined);
  }

  /** A file of the group that holds `controller`. */
  #file(controller: "cpu" | "memory" | "pids", v2: string, v1: string): string {
    const version = this.#host.controllers[controller];
    const folder = version === "v2" ? this.#v2 : this.#v1(controller);
    if (folder === undefined) throw new Fault("sandbox.cgroup", `no group for ${controller}`);
    return join(folder, version === "v2" ? v2 : v1);
  }

  /** Writes the limits, each read back. @throws {Fault} `sandbox.cgroup` where one does not hold. */
  limit({ cpus, memoryBytes, pids }: LimitPlan["cgroup"]): void {
    if (pids !== undefined) writeCgroup(this.#file("pids", "pids.max", "pids.max"), `${pids}`);
    if (cpus !== undefined) this.#limitCpus(Math.round(cpus * PERIOD_US));
    if (memoryBytes !== undefined) this.#limitMemory(memoryBytes);
  }

  #limitCpus(quotaUs: number): void {
    if (this.#host.controllers.cpu === "v2") {
      writeCgroup(this.#file("cpu", "cpu.max", ""), `${quotaUs} ${PERIOD_US}`);
      return;
    }
    writeCgroup(this.#file("cpu", "", "cpu.cfs_period_us"), `${PERIOD_US}`);
    writeCgroup(this.#file("cpu", "", "cpu.cfs_quota_us"), `${quotaUs}`);
  }

  #limitMemory(bytes: number): void {
    const holds = (found: string) => {
      const held = Number(found);
      return held <= bytes && held > bytes - PAGE_BYTES_MAX;
    };
    writeCgroup(this.#file("memory", "memory.max", "memory.limit_in_bytes"), `${bytes}`, holds);
    if (this.#host.controllers.memory === "v2") {
      const swap = this.#file("memory", "memory.swap.max", "");
      if (readCgroup(swap) !== undefined) writeCgroup(swap, "0");
      return;
    }
    // Memory and swap together, where the kernel counts swap.
    const both = this.#file("memory", "", "memory.memsw.limit_in_bytes");
    if (readCgroup(both) !== undefined) writeCgroup(both, `${bytes}`, holds);
  }

  /** Puts a process, with its threads and all that it will start, into the groups. */
  async place(pid: number): Promise<void> {
    for (const folder of this.#folders) await joinCgroup(folder, pid);
  }

  /** Whether `pid` is in every group of the run. */
  holds(pid: number): boolean {
    return this.#folders.every((folder) => processesIn(folder).includes(pid));
  }

  /** The run's processes. */
  pids(): readonly number[] {
    return [...new Set(this.#folders.flatMap(processesIn))];
  }

  /**
   * Stops every process where it is. @throws {Fault} `sandbox.pause` where one still runs.
   */
  async freeze(): Promise<void> {
    const isFrozen =
      this.#host.controllers.freezer === "v2" ? this.#freezeV2() : this.#freezeV1("FROZEN");
    const deadline = Date.now() + FREEZE_WAIT_MS;
    while (!isFrozen()) {
      if (Date.now() > deadline) {
        // What waits in the kernel, as a held call does, stops when it comes back: it runs nothing.
        if (!this.pids().some(isRunning)) return;
        throw new Fault("sandbox.pause", "the run's processes do not stop", {
          hint: "`cofferdam kill` ends them",
        });
      }
      await sleep(RETRY_MS);
    }
  }

  /** Lets every process go on. */
  thaw(): void {
    if (this.#host.controllers.freezer === "v2") {
      if (this.#v2 !== undefined) writeCgroup(join(this.#v2, "cgroup.freeze"), "0");
    } else this.#freezeV1("THAWED");
  }

  #freezeV2(): () => boolean {
    const folder = this.#v2 ?? "";
    writeCgroup(join(folder, "cgroup.freeze"), "1");
    return () => readCgroupKey(join(folder, "cgroup.events"), "frozen") === 1;
  }

  #freezeV1(state: "FROZEN" | "THAWED"): () => boolean {
    const path = join(this.#v1("freezer") ?? "", "freezer.state");
    const write = () =>
      writeCgroup(path, state, (found) => found === state || found === "FREEZING");
    write();
    return () => {
      if (readCgroup(path) === state) return true;
      write(); // v1 does not try again by itself.
      return readCgroup(path) === state;
    };
  }

  /** Ends every process. @throws {Fault} `sandbox.kill` where one is left after ten seconds. */
  async kill(): Promise<void> {
    const deadline = Date.now() + KILL_WAIT_MS;
    while (this.pids().length > 0) {
      if (Date.now() > deadline) {
        throw new Fault("sandbox.kill", "processes of the run do not end", {
          hint: "they wait in the kernel, for a disk or a network file system",
        });
      }
      if (this.#host.controllers.kill === "v2") {
        orderCgroup(join(this.#v2 ?? "", "cgroup.kill"), "1");
      } else this.#signalAll();
      await sleep(RETRY_MS);
    }
  }

  /** Frozen while the list is read, nothing forks away and no number can come round. */
  #signalAll(): void {
    const freezes = this.#host.controllers.kill === "v1";
    if (freezes) this.#freezeV1("FROZEN");
    for (const pid of this.pids()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        continue; // Ended by itself; whether any is left is asked again.
      }
    }
    if (freezes) this.#freezeV1("THAWED"); // Who is frozen cannot die.
  }

  usage(): Usage {
    const v2 = this.#v2;
    const in2 = <T>(read: (folder: string) => T | undefined) =>
      v2 === undefined ? undefined : read(v2);
    const in1 = <T>(hierarchy: V1Hierarchy, read: (folder: string) => T | undefined) => {
      const folder = this.#v1(hierarchy);
      return folder === undefined ? undefined : read(folder);
    };
    const number = (file: string) => (folder: string) => readCgroupNumber(join(folder, file));
    const key = (file: string, name: string) => (folder: string) =>
      readCgroupKey(join(folder, file), name);
    const micros = in2(key("cpu.stat", "usage_usec"));
    const nanos = in1("cpuacct", number("cpuacct.usage"));
    const io = in2((folder) => ioOf(readCgroup(join(folder, "io.stat")), "rbytes", "wbytes"));
    const io1 = in1("blkio", (folder) =>
      ioOf(readCgroup(join(folder, "blkio.throttle.io_service_bytes")), "Read", "Write"),
    );
    return {
      cpuMs: nanos === undefined ? micros && Math.round(micros / 1e3) : Math.round(nanos / 1e6),
      memoryBytes: in2(number("memory.current")) ?? in1("memory", number("memory.usage_in_bytes")),
      memoryPeakBytes:
        in2(number("memory.peak")) ?? in1("memory", number("memory.max_usage_in_bytes")),
      pids: in2(number("pids.current")) ?? in1("pids", number("pids.current")),
      readBytes: (io ?? io1)?.[0],
      writtenBytes: (io ?? io1)?.[1],
      oomKills:
        in2(key("memory.events", "oom_kill")) ??
        in1("memory", key("memory.oom_control", "oom_kill")),
    };
  }

  /** Removes the groups, which must be empty. @throws {Fault} `sandbox.cgroup` where they are not. */
  async remove(): Promise<void> {
    const deadline = Date.now() + REMOVE_WAIT_MS;
    for (const folder of this.#folders) {
      for (let left = true; left;) {
        left = !removeFolder(folder);
        if (!left) break;
        if (Date.now() > deadline) throw new Fault("sandbox.cgroup", `${folder} is still in use`);
        await sleep(RETRY_MS);
      }
    }
  }
}

/** Whether it is gone. */
function removeFolder(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Sums of bytes read and written over all devices: `8:0 rbytes=1 wbytes=2` or `8:0 Read 1`. */
function ioOf(
  text: string | undefined,
  read: string,
  write: string,
): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const sum = (word: string) =>
    [...text.matchAll(new RegExp(`\\b${word}[= ](\\d+)`, "g"))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return [sum(read), sum(write)];
}

/** Ends and removes what runs of a dead daemon left behind. Returns their names. */
export async function reapGroups(
  host: CgroupHost,
  living: ReadonlySet<string>,
): Promise<readonly string[]> {
  const dead = groupNames(host).filter((name) => !living.has(name));
  for (const name of dead) {
    const group = new RunGroup(host, name);
    await group.kill();
    await group.remove();
  }
  return dead;
}
