/**
 * How busy a run keeps a GPU by what its own open files say (Documentation/gpu/drm-usage-stats.rst of the kernel):
 * AMD's, Intel's and other GPUs with a render node.
 *
 *   drm-client-id: 42                      one for each opening; duplicated descriptors show the same
 *   drm-engine-gfx: 123456 ns              busy so long in all (amdgpu, i915, ...)
 *   drm-cycles-rcs: 12, drm-total-cycles-rcs: 345      busy so many ticks of so many (xe)
 *   drm-engine-capacity-vcs: 2             engines of that name, where more than one
 *   drm-resident-vram0: 23992 KiB          drm-memory-* is its old name; drm-total-* the least exact
 *
 * Counters are of a client's whole life: two looks give how busy. One may fall back for a while.
 *
 * @module
 */
import { readdirSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { readSmall } from "./proc.ts";

const DESCRIPTORS_MAX = 16_384; // Of a run, at one look: some 50 ms.
const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 2 ** 20, GiB: 2 ** 30 };

/** One engine's counters. */
interface Engine {
  readonly busy: number;
  /** Ticks that `busy` is out of; absent where `busy` is nanoseconds. */
  readonly of?: number;
  readonly capacity: number;
}

/** What a descriptor of a GPU says. */
export interface DrmClient {
  readonly id: string;
  readonly engines: ReadonlyMap<string, Engine>;
  readonly memory: number;
}

/** How a run uses the GPU of one render node. */
export interface DrmUse {
  /** Of its busiest engine, 0 to 1; absent at the first look. */
  readonly busy?: number;
  readonly memory: number;
  readonly pids: readonly number[];
}

/** Reads a file of /proc/PID/fdinfo; nothing where it is no GPU's. */
export function parseFdinfo(text: string): DrmClient | undefined {
  const values = new Map<string, readonly [number, string]>();
  const { id } = /^drm-client-id:[ \t]*(?<id>\d{1,20})$/m.exec(text)?.groups ?? {};
  if (id === undefined) return undefined;
  // The last line may be cut.
  for (const line of text.slice(0, text.lastIndexOf("\n")).split("\n")) {
    const [, key = "", number = "", unit = ""] =
      /^(drm-[\w.-]{1,64}):[ \t]*(\d{1,20})(?: +([A-Za-z]{1,4}))?[ \t]*$/.exec(line) ?? [];
    if (key !== "") values.set(key, [Number(number), unit]);
  }
  const memory = new Map<string, number>();
  // The most exact name of a region last, so that it is the one that counts.
  for (const kind of ["total", "memory", "resident"]) {
    for (const [key, [number, unit]] of values) {
      const region = suffix(key, `drm-${kind}-`);
      const bytes = UNITS[unit];
      if (region === undefined || bytes === undefined || region.startsWith("cycles-")) continue;
      memory.set(region, number * bytes);
    }
  }
  return {
    id,
    engines: enginesOf(values),
    memory: [...memory.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}

function enginesOf(values: ReadonlyMap<string, readonly [number, string]>): Map<string, Engine> {
  const engines = new Map<string, Engine>();
  for (const [key, [busy, unit]] of values) {
    const [cycles, nanos] = [suffix(key, "drm-cycles-"), suffix(key, "drm-engine-")];
    const [capacity = 1] = values.get(`drm-engine-capacity-${cycles ?? nanos}`) ?? [];
    const [of] = values.get(`drm-total-cycles-${cycles}`) ?? [];
    if (cycles !== undefined && of !== undefined) engines.set(cycles, { busy, of, capacity });
    // The specification has the unit; old drivers left it out.
    else if (nanos !== undefined && !nanos.startsWith("capacity-") && ["ns", ""].includes(unit))
      engines.set(nanos, { busy, capacity });
  }
  return engines;
}

function suffix(key: string, prefix: string): string | undefined {
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

interface Look {
  readonly atMs: number;
  readonly clients: ReadonlyMap<string, DrmClient>;
}

/** What one look at a run's processes gave. */
export interface DrmLook {
  /** By the node's name, those of the meter. */
  readonly nodes: ReadonlyMap<string, DrmUse>;
  /** Who has opened /dev/kfd: what AMD's GPUs compute for it is in none of the counters. */
  readonly kfd: readonly number[];
  /** Whether not all descriptors were looked at: what was counted is the least. */
  readonly isCut: boolean;
}

/** Watches what one run does on GPUs, each by the name of its node (`renderD128`). */
export class DrmMeter {
  readonly #nodes: readonly string[];
  readonly #proc: string;
  readonly #before = new Map<string, Look>();

  constructor(nodes: readonly string[], proc = "/proc") {
    this.#nodes = nodes;
    this.#proc = proc;
  }

  /** What processes `pids` did since the last look. */
  look(pids: readonly number[], atMs: number): DrmLook {
    const found = new Map(
      this.#nodes.map((node): [string, Found] => [node, { clients: new Map(), pids: [] }]),
    );
    const kfd: number[] = [];
    let left = DESCRIPTORS_MAX;
    for (const pid of pids) {
      const links = linksOf(this.#proc, pid, left);
      left -= links.length;
      if (links.some(([, path]) => path === "/dev/kfd")) kfd.push(pid);
      for (const [fd, path] of links) this.#note(found, pid, fd, path);
    }
    const nodes = new Map(
      [...found].map(([node, one]) => [node, this.#useOf(node, one, atMs)] as const),
    );
    return { nodes, kfd, isCut: left <= 0 };
  }

  #note(found: ReadonlyMap<string, Found>, pid: number, fd: string, path: string): void {
    const one = path.startsWith("/dev/dri/") ? found.get(basename(path)) : undefined;
    const client = one && parseFdinfo(readSmall(join(this.#proc, `${pid}`, "fdinfo", fd)) ?? "");
    if (one === undefined || client === undefined) return;
    one.clients.set(client.id, client);
    if (one.pids.at(-1) !== pid) one.pids.push(pid);
  }

  #useOf(node: string, { clients, pids }: Found, atMs: number): DrmUse {
    const before = this.#before.get(node);
    this.#before.set(node, { atMs, clients: withLarger(clients, before?.clients) });
    const memory = [...clients.values()].reduce((sum, client) => sum + client.memory, 0);
    const busy = before === undefined ? {} : { busy: busyOf(clients, before, atMs) };
    return { ...busy, memory, pids };
  }
}

interface Found {
  readonly clients: Map<string, DrmClient>;
  readonly pids: number[];
}

/** How busy an AMD GPU is as a whole (amdgpu's `gpu_busy_percent`), 0 to 1; nothing where that is not told. */
export function deviceBusy(node: string, sys = "/sys/class/drm"): number | undefined {
  const text = readSmall(join(sys, node, "device/gpu_busy_percent"))?.trim() ?? "";
  return /^\d{1,3}$/.test(text) ? Math.min(1, Number(text) / 100) : undefined;
}

/** Where the first `max` descriptors of a process lead. The file itself is not asked: its file system may be the run's. */
function linksOf(proc: string, pid: number, max: number): readonly (readonly [string, string])[] {
  const folder = join(proc, `${pid}`, "fd");
  try {
    return readdirSync(folder)
      .slice(0, max)
      .map((fd) => [fd, linkOf(join(folder, fd))] as const);
  } catch {
    return []; // Ended.
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // Closed meanwhile.
  }
}

/** A counter that fell back is taken as it was, until it has caught up. */
function withLarger(
  clients: ReadonlyMap<string, DrmClient>,
  before: Look["clients"] | undefined,
): Look["clients"] {
  return new Map(
    [...clients].map(([id, client]) => {
      const engines = [...client.engines].map(([name, engine]): [string, Engine] => {
        const had = before?.get(id)?.engines.get(name);
        return [name, had !== undefined && had.busy > engine.busy ? had : engine];
      });
      return [id, { ...client, engines: new Map(engines) }];
    }),
  );
}

/** All clients together, of the engine that they keep busiest. One that was not there before began since then. */
function busyOf(clients: ReadonlyMap<string, DrmClient>, before: Look, atMs: number): number {
  const shares = new Map<string, number>();
  const elapsedNs = (atMs - before.atMs) * 1e6;
  for (const [id, { engines }] of clients) {
    for (const [name, { busy, of, capacity }] of engines) {
      const had = before.clients.get(id)?.engines.get(name);
      // Ticks run on without a client: one that is new has no time to be compared with.
      if (of !== undefined && had?.of === undefined) continue;
      const whole = of === undefined ? elapsedNs : of - (had?.of ?? 0);
      const used = Math.max(0, busy - (had?.busy ?? 0));
      if (whole <= 0 || capacity <= 0) continue;
      shares.set(name, (shares.get(name) ?? 0) + used / (whole * capacity));
    }
  }
  return Math.min(1, Math.max(0, ...shares.values()));
}
