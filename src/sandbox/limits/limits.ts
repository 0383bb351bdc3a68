/**
 * The limits table: what holds each limit of a task on this host, and how well. Pure.
 *
 * INV-17: a limit that a task names is held from outside the run, or the run does not start. `hard`
 * means that the kernel refuses what goes beyond; otherwise the run is ended when it has gone beyond,
 * and the note says by how much it can.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import type { TaskCompute } from "../../policy/index.ts";
import type { DeviceNode, Gpu } from "./gpus.ts";

/** Which generation of control groups offers a controller to this daemon. */
export type CgroupVersion = "v2" | "v1" | "none";

/** What a daemon may use of control groups. `freezer` and `kill` are files of v2, not controllers. */
export const CONTROLLERS = ["cpu", "memory", "pids", "freezer", "kill"] as const;
export type Controller = (typeof CONTROLLERS)[number];
export type Controllers = Readonly<Record<Controller, CgroupVersion>>;

/** What matters of a host for limits. */
export interface LimitsHost {
  readonly controllers: Controllers;
  readonly gpus: readonly Gpu[];
  /** All of its memory, of which a run may use a half by default; absent where nobody looked. */
  readonly memoryBytes?: number;
}

export type LimitName =
  | "cpus"
  | "memory"
  | "pids"
  | "disk"
  | "gpu"
  | "gpu_seconds"
  | "pause"
  | "kill";

/** What holds a limit. */
export type How =
  | "cgroup2"
  | "cgroup1"
  | "rlimit"
  | "poll"
  | "signals"
  | "namespace" // The pid namespace: its first process takes all others along.
  | "devices" // There is nothing else to reach.
  | "nothing"; // The task names no limit.

/** How one limit is held. */
export interface Held {
  readonly limit: LimitName;
  /** As the task names it, or why it is there without. */
  readonly wanted: string;
  readonly how: How;
  readonly hard: boolean;
  readonly note: string;
}

/** Everything that a run's limits need, decided before it starts. */
export interface LimitPlan {
  readonly held: readonly Held[];
  /** Soft and hard values by resource number (getrlimit(2)), for the launcher. */
  readonly rlimits: ReadonlyMap<number, readonly [soft: number, hard: number]>;
  /** What is written into the run's control groups. */
  readonly cgroup: {
    readonly cpus?: number;
    readonly memoryBytes?: number;
    readonly pids?: number;
  };
  /** What is looked at again and again; beyond it, the run is ended. */
  readonly polled: { readonly memoryBytes?: number; readonly diskBytes?: number };
  readonly pause: "v2" | "v1" | "signals";
  readonly gpus: readonly Gpu[];
  /** Device files that the run may have. */
  readonly devices: readonly DeviceNode[];
}

/** Processes and threads of a run whose task names no number: enough for any build, and a bomb ends. */
export const PIDS_DEFAULT = 4096;
/** Our own in the run's groups: launcher, bubblewrap twice, process 1, the prover. */
const PIDS_OURS = 8;
/** How often a run's memory is looked at where no controller holds it. */
export const MEMORY_POLL_MS = 200;
/** How often what a run wrote is counted; longer where counting itself takes long. */
export const DISK_POLL_MS = 500;

const RLIMIT_FSIZE = 1; // asm-generic/resource.h: the same on x64 and arm64.
const RLIMIT_NPROC = 6;

/** A limit that cannot be held, with what would make it possible. */
interface Refusal {
  readonly limit: LimitName;
  readonly fix: string;
}

const CGROUP_FIX =
  "start the daemon as root, or under systemd with `systemd-run --user --scope -p Delegate=yes`";

/**
 * Plans what `compute` asks for.
 *
 * @throws {Fault} `sandbox.limit` naming every limit that this host cannot hold, and the fix.
 */
export function planLimits(host: LimitsHost, compute: TaskCompute): LimitPlan {
  const { controllers } = host;
  const { cpus, diskBytes } = compute;
  const memoryBytes = compute.memoryBytes ?? defaultMemory(host);
  const pids = compute.pids ?? PIDS_DEFAULT;
  const rows = [
    holdCpus(controllers.cpu, cpus),
    holdMemory(controllers.memory, compute.memoryBytes, memoryBytes),
    holdPids(controllers.pids, compute.pids),
    holdDisk(diskBytes),
    holdGpu(host.gpus, compute.gpu),
    ...(compute.gpuSeconds === undefined ? [] : [holdGpuTime(compute, compute.gpuSeconds)]),
    holdPause(controllers.freezer),
    holdKill(controllers),
  ];
  refuse(rows.filter((row) => "fix" in row));
  const held = rows.filter((row) => "how" in row);
  const byRlimit = controllers.pids === "none";
  const polledMemory = controllers.memory === "none" ? memoryBytes : undefined;
  return {
    held,
    rlimits: new Map([
      ...(byRlimit ? [both(RLIMIT_NPROC, pids + PIDS_OURS)] : []),
      ...(diskBytes === undefined ? [] : [both(RLIMIT_FSIZE, diskBytes)]),
    ]),
    cgroup: {
      ...(cpus !== undefined && { cpus }),
      ...(memoryBytes !== undefined && polledMemory === undefined && { memoryBytes }),
      ...(!byRlimit && { pids: pids + PIDS_OURS }),
    },
    polled: {
      ...(polledMemory !== undefined && { memoryBytes: polledMemory }),
      ...(diskBytes !== undefined && { diskBytes }),
    },
    pause: controllers.freezer === "none" ? "signals" : controllers.freezer,
    gpus: chosenGpus(host.gpus, compute.gpu),
    devices: devicesOf(host.gpus, compute.gpu),
  };
}

/** Half of the host's memory, where a control group holds it: polled, each run would cost the daemon. */
function defaultMemory({ controllers, memoryBytes }: LimitsHost): number | undefined {
  if (controllers.memory === "none" || memoryBytes === undefined) return undefined;
  return Math.floor(memoryBytes / 2);
}

const both = (resource: number, value: number) => [resource, [value, value] as const] as const;

function refuse(refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  const names = refusals.map(({ limit }) => `compute.${limit}`).join(", ");
  throw new Fault("sandbox.limit", `this host cannot hold ${names}`, {
    hint: [...new Set(refusals.map(({ fix }) => fix))].join("; "),
  });
}

const cgroup = (version: "v1" | "v2") => (version === "v2" ? "cgroup2" : "cgroup1");

function unlimited(limit: LimitName): Held {
  return { limit, wanted: "not named", how: "nothing", hard: false, note: "the host's own limit" };
}

function holdCpus(version: CgroupVersion, cpus: number | undefined): Held | Refusal {
  if (cpus === undefined) return unlimited("cpus");
  // Priorities only order, and a process may widen its own affinity: neither is a limit.
  if (version === "none") return { limit: "cpus", fix: CGROUP_FIX };
  const note = "processor time in each 100 ms, over all processors";
  return { limit: "cpus", wanted: `${cpus}`, how: cgroup(version), hard: true, note };
}

function holdMemory(
  version: CgroupVersion,
  named: number | undefined,
  bytes: number | undefined,
): Held {
  if (bytes === undefined) return unlimited("memory");
  const wanted = named === undefined ? `${bytes} bytes, the default` : `${bytes} bytes`;
  if (version !== "none") {
    const note =
      "with its file systems in memory; no swap; beyond, the kernel ends the largest process";
    return { limit: "memory", wanted, how: cgroup(version), hard: true, note };
  }
  const note = `looked at every ${MEMORY_POLL_MS} ms, so beyond by what is touched meanwhile; then the run is ended`;
  return { limit: "memory", wanted, how: "poll", hard: false, note };
}

function holdPids(version: CgroupVersion, pids: number | undefined): Held {
  const wanted = pids === undefined ? `${PIDS_DEFAULT}, the default` : `${pids}`;
  const note = "processes and threads; beyond, a fork fails";
  const how = version === "none" ? "rlimit" : cgroup(version);
  return { limit: "pids", wanted, how, hard: true, note };
}

function holdDisk(bytes: number | undefined): Held {
  if (bytes === undefined) return unlimited("disk");
  const note = `looked at every ${DISK_POLL_MS} ms, so beyond by what is written meanwhile; then the run is ended; one file alone is held hard`;
  return { limit: "disk", wanted: `${bytes} bytes`, how: "poll", hard: false, note };
}

function holdGpu(existing: readonly Gpu[], wanted: TaskCompute["gpu"]): Held | Refusal {
  const text = typeof wanted === "string" ? wanted : wanted.join(", ");
  const names = existing.flatMap(({ number, parts }) => [number, ...withNodes(parts)]);
  const missing =
    wanted === "all"
      ? names.length === 0
      : wanted !== "none" && wanted.some((one) => !names.includes(one));
  if (missing) {
    const there = names.length === 0 ? "no GPU" : `GPU ${names.join(", ")}`;
    const fix = `there is ${there} on this host (/dev/nvidiaN or /dev/dri/renderD*): load its driver, or leave \`gpu\` out`;
    return { limit: "gpu", fix };
  }
  const closed = chosenGpus(existing, wanted).flatMap(({ needs }) =>
    needs.filter((one) => !one.open),
  );
  if (closed.length > 0) {
    const paths = [...new Set(closed.map(({ target }) => target))].join(" ");
    const fix = `a run may not open ${paths}: chmod 0666 by a udev rule, or start the daemon as an ordinary user of their group`;
    return { limit: "gpu", fix };
  }
  const note = "other devices do not exist in the run";
  return { limit: "gpu", wanted: text, how: "devices", hard: true, note };
}

function chosenGpus(existing: readonly Gpu[], wanted: TaskCompute["gpu"]): readonly Gpu[] {
  if (wanted === "none") return [];
  if (wanted === "all") return existing;
  return existing.flatMap((gpu) => {
    if (wanted.includes(gpu.number)) return [gpu];
    const named = [...(gpu.parts ?? [])].filter(([part]) => wanted.includes(part));
    if (named.length === 0) return [];
    return [{ number: gpu.number, needs: named.flatMap(([, needs]) => needs), likes: [] }];
  });
}

/** Parts whose two nodes are there. */
function withNodes(parts: Gpu["parts"]): readonly string[] {
  return [...(parts ?? [])].flatMap(([part, needs]) => {
    const caps = needs.filter(({ target }) => target.startsWith("/dev/nvidia-caps/"));
    return caps.length === 2 ? [part] : [];
  });
}

/** How often use of GPUs is looked at (src/daemon/usage-watch.ts). */
export const GPU_LOOK_MS = 10_000;

function holdGpuTime({ gpu }: TaskCompute, seconds: number): Held | Refusal {
  if (gpu === "none") {
    return {
      limit: "gpu_seconds",
      fix: "name the GPUs that its time is of by `gpu`, or leave it out",
    };
  }
  const note = `looked at every ${GPU_LOOK_MS / 1000} s, so beyond by what is used meanwhile; then the run is ended; what cannot be read counts in full`;
  return { limit: "gpu_seconds", wanted: `${seconds} s`, how: "poll", hard: false, note };
}

function holdPause(version: CgroupVersion): Held {
  const wanted = "always";
  if (version === "none") {
    const note = "SIGSTOP to every process, again until none runs; a parent inside can notice it";
    return { limit: "pause", wanted, how: "signals", hard: false, note };
  }
  const note = "no process of the run executes an instruction";
  return { limit: "pause", wanted, how: cgroup(version), hard: true, note };
}

function holdKill({ kill }: Controllers): Held {
  const note = "every process, also one that hid from its parent";
  const how = kill === "none" ? "namespace" : cgroup(kill);
  return { limit: "kill", wanted: "always", how, hard: true, note };
}

/** The device files of the GPUs that a task names, each once. */
function devicesOf(existing: readonly Gpu[], wanted: TaskCompute["gpu"]): readonly DeviceNode[] {
  const all = chosenGpus(existing, wanted).flatMap(({ needs, likes }) => [
    ...needs,
    ...likes.filter((one) => one.open),
  ]);
  return [...new Map(all.map((one) => [one.target, one])).values()];
}
