/**
 * Which control groups this daemon may use: found by trying, on v2, v1 or both at once.
 *
 * Groups are made beneath the daemon's own, so that limits above it still hold: on v1 in each
 * controller's hierarchy, on v2 in the nearest group that is the daemon's to divide (delegated to its
 * user, or any for root). Nothing outside `cofferdam/<install>` is written, but for switching
 * controllers on for it.
 *
 * @module
 */
import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { readCgroup } from "./cgroup-files.ts";
import type { Controller, Controllers } from "./limits.ts";

/** v2 controllers that are switched on where they can be. */
const V2_CONTROLLERS = ["cpu", "memory", "pids"] as const;
/** v1 hierarchies: those that hold limits, and those that only count. */
const V1_HIERARCHIES = ["cpu", "cpuacct", "memory", "pids", "freezer", "blkio"] as const;
export type V1Hierarchy = (typeof V1_HIERARCHIES)[number];

/** Where runs of one install have their groups. */
export interface CgroupHost {
  readonly controllers: Controllers;
  /** The folder `cofferdam/<install>` in the v2 hierarchy; absent where none may be made. */
  readonly v2: string | undefined;
  /** The same on v1, for each hierarchy. Some may be one. */
  readonly v1: ReadonlyMap<V1Hierarchy, string>;
}

/** No control groups at all. */
export const NO_CGROUPS: CgroupHost = {
  controllers: { cpu: "none", memory: "none", pids: "none", freezer: "none", kill: "none" },
  v2: undefined,
  v1: new Map(),
};

export interface Mount {
  readonly point: string;
  /** Which group of the hierarchy is mounted there. */
  readonly root: string;
  readonly options: readonly string[];
}

/** One hierarchy as this process sees it. */
export interface Hierarchy extends Mount {
  /** This process's own group in it. */
  readonly own: string;
}

/** Reads /proc/self/mountinfo and /proc/self/cgroup (proc(5), cgroups(7)). Pure. */
export function parseHierarchies(
  mountinfo: string,
  membership: string,
): { readonly v2: Hierarchy | undefined; readonly v1: ReadonlyMap<V1Hierarchy, Hierarchy> } {
  const mounts = mountinfo.split("\n").flatMap((line): (Mount & { type: string })[] => {
    const [front = "", back = ""] = line.split(" - ");
    const [type = "", , options = ""] = back.split(" ");
    const [, , , root, point] = front.split(" ");
    if (!type.startsWith("cgroup") || root === undefined || point === undefined) return [];
    return [{ type, root, point: unescape(point), options: options.split(",") }];
  });
  const groups = membership.split("\n").map((line) => {
    const [, controllers = "", ...path] = line.split(":");
    return { controllers: controllers.split(","), path: path.join(":") };
  });
  const own = (controller: string) =>
    groups.find(({ controllers }) => controllers.includes(controller))?.path;
  const unified = mounts.find(({ type }) => type === "cgroup2");
  const v2Group = own("");
  const v1 = new Map<V1Hierarchy, Hierarchy>();
  for (const name of V1_HIERARCHIES) {
    const mount = mounts.find(({ type, options }) => type === "cgroup" && options.includes(name));
    const group = own(name);
    if (mount !== undefined && group !== undefined) v1.set(name, { ...mount, own: group });
  }
  const v2 = unified && v2Group !== undefined ? { ...unified, own: v2Group } : undefined;
  return { v2, v1 };
}

// mountinfo writes space, tab, line feed and backslash as octal.
const unescape = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );

/** Where a group of a hierarchy is in the file system; `undefined` where the mount does not show it. */
export function groupFolder({ point, root, own }: Hierarchy): string | undefined {
  if (root === "/") return own === "/" ? point : join(point, own);
  if (own === root) return point;
  return own.startsWith(`${root}/`) ? join(point, own.slice(root.length)) : undefined;
}

/**
 * Moves this process into `daemon/` beneath its own v2 group, where a service manager gave that to it whole: a group that
 * has processes itself cannot divide its memory. Must come before {@link openCgroups}; where it cannot be, nothing changes.
 */
export function leaveDelegatedGroup(): void {
  const read = (path: string) => readFileSync(path, "utf8");
  const { v2 } = parseHierarchies(read("/proc/self/mountinfo"), read("/proc/self/cgroup"));
  const own = v2 && groupFolder(v2);
  if (own === undefined || own === v2?.point || !isWritable(own)) return;
  const group = makeFolder(join(own, "daemon"));
  if (group === undefined) return;
  try {
    writeFileSync(join(group, "cgroup.procs"), String(process.pid));
  } catch {
    rmdirSync(group); // Not the whole of it is ours: limits are held as without a service.
  }
}

/** Finds what may be used, making the install's folders. `install` names this home among others. */
export function openCgroups(install: string): CgroupHost {
  let hierarchies: ReturnType<typeof parseHierarchies>;
  try {
    const read = (path: string) => readFileSync(path, "utf8");
    hierarchies = parseHierarchies(read("/proc/self/mountinfo"), read("/proc/self/cgroup"));
  } catch {
    return NO_CGROUPS; // No /proc of ours: then nothing here can be told.
  }
  const name = join("cofferdam", install);
  const v1 = new Map<V1Hierarchy, string>();
  for (const [controller, hierarchy] of hierarchies.v1) {
    const folder = makeV1(hierarchy, name);
    if (folder !== undefined) v1.set(controller, folder);
  }
  const v2 = hierarchies.v2 && makeV2(hierarchies.v2, name);
  return { controllers: controllersOf(v2, v1), v2, v1 };
}

function makeV1(hierarchy: Hierarchy, name: string): string | undefined {
  const base = groupFolder(hierarchy);
  return base !== undefined && isWritable(base) ? makeFolder(join(base, name)) : undefined;
}

/**
 * The nearest group, from the daemon's own upwards, beneath which most controllers can be had. A group
 * that has processes itself cannot divide its memory (cgroups(7), "no internal processes").
 */
function makeV2(hierarchy: Hierarchy, name: string): string | undefined {
  let best: { base: string; count: number } | undefined;
  const own = groupFolder(hierarchy);
  for (
    let base = own;
    base !== undefined && base.startsWith(hierarchy.point);
    base = dirname(base)
  ) {
    if (!isWritable(base)) break; // Not ours to divide, and nothing above will be.
    const count = switchOn(base);
    if (best === undefined || count > best.count) best = { base, count };
    if (count === V2_CONTROLLERS.length || base === hierarchy.point) break;
  }
  if (best === undefined) return undefined;
  const folder = makeFolder(join(best.base, name));
  for (const made of folder === undefined ? [] : [dirname(folder), folder]) switchOn(made);
  return folder;
}

/** Switches controllers on for the children of `group`; how many are on. */
function switchOn(group: string): number {
  const control = join(group, "cgroup.subtree_control");
  const before = readCgroup(control)?.split(" ") ?? [];
  for (const controller of V2_CONTROLLERS) {
    if (before.includes(controller)) continue;
    try {
      writeFileSync(control, `+${controller}`);
    } catch {
      continue; // Not there, or the group has processes: what is on is read below.
    }
  }
  const on = readCgroup(control)?.split(" ") ?? [];
  return V2_CONTROLLERS.filter((controller) => on.includes(controller)).length;
}

function controllersOf(v2: string | undefined, v1: ReadonlyMap<V1Hierarchy, string>): Controllers {
  const on = (v2 === undefined ? "" : (readCgroup(join(v2, "cgroup.subtree_control")) ?? "")).split(
    " ",
  );
  const pick = (controller: "cpu" | "memory" | "pids") =>
    on.includes(controller) ? "v2" : v1.has(controller) ? "v1" : "none";
  // Files of the core, not of a controller: there on a v2 that v1 took all controllers from, too.
  const has = (file: string) => v2 !== undefined && readCgroup(join(v2, file)) !== undefined;
  const killable = has("cgroup.events") && v2 !== undefined && isWritable(v2, "cgroup.kill");
  return {
    cpu: pick("cpu"),
    memory: pick("memory"),
    pids: pick("pids"),
    freezer: has("cgroup.freeze") ? "v2" : v1.has("freezer") ? "v1" : "none",
    kill: killable ? "v2" : v1.has("freezer") ? "v1" : "none",
  };
}

function isWritable(folder: string, file = "cgroup.procs"): boolean {
  try {
    accessSync(folder, constants.W_OK);
    accessSync(join(folder, file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function makeFolder(path: string): string | undefined {
  try {
    mkdirSync(path, { recursive: true });
    return path;
  } catch {
    return undefined; // A read-only mount, a limit on groups: then there are none.
  }
}

/** Names of the runs that have groups in any hierarchy, living or left behind. */
export function groupNames(host: CgroupHost): readonly string[] {
  const folders = [...new Set([host.v2, ...host.v1.values()])].filter((one) => one !== undefined);
  const names = folders.flatMap((folder) => {
    try {
      return readdirSync(folder, { withFileTypes: true });
    } catch {
      return []; // Removed meanwhile by who made it.
    }
  });
  return [...new Set(names.filter((entry) => entry.isDirectory()).map((entry) => entry.name))];
}

/** Removes the install's folders where no run has a group in them. */
export function closeCgroups(host: CgroupHost): void {
  for (const folder of new Set([host.v2, ...host.v1.values()])) {
    if (folder === undefined) continue;
    for (const path of [folder, dirname(folder)]) {
      try {
        rmdirSync(path);
      } catch {
        break; // Still in use, by a run or by another install.
      }
    }
  }
}

/** Which controllers a host would have, were some taken away: for tests of the fallbacks. */
export function withoutControllers(host: CgroupHost, taken: readonly Controller[]): CgroupHost {
  const controllers = { ...host.controllers };
  for (const one of taken) controllers[one] = "none";
  return { ...host, controllers };
}
