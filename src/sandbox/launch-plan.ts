/**
 * What the launcher shall do, worked out from what a run shall see. Pure: paths in, words out.
 *
 * @module
 */
import { AGENT } from "./etc.ts";
import type { Masked } from "./secrets.ts";

/**
 * What every run becomes when root starts it. No range that anyone hands out holds it: useradd
 * (1000-60000), systemd (60001-65535, 524288-1879048191, 2147352576-2147418111), subuid (from 100000,
 * 65536 each), SSSD's identity maps (up to 2000200000), and ids with the sign bit set.
 * See docs/decisions/0051.
 */
export const RUN_UID = 2_081_423_066; // 0x7c0ffeda

/** Where the launcher itself stands inside. */
const LAUNCHER_INSIDE = "/run/cofferdam-init";
/** Files of the daemon for the run to read: denials, CA, notes. */
export const PUBLIC_INSIDE = "/run/cofferdam";

/** One thing of the host that the run sees. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly kind: "directory" | "file" | "device";
  readonly write: boolean;
  /** Ids on disk that shall look like the run's own; only as root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** A tmpfs of the run. */
export interface Scratch {
  readonly target: string;
  readonly bytes: number;
  /** Octal, as bubblewrap takes it. */
  readonly mode: string;
}

/** The view of the file system: all that exists in the run. */
export interface View {
  /** Targets of symbolic links by their place, such as `/bin` to `usr/bin`. */
  readonly links: readonly (readonly [place: string, target: string])[];
  readonly folders: readonly string[];
  readonly binds: readonly Bind[];
  readonly scratch: readonly Scratch[];
  /** Hidden although what is above them is shown. */
  readonly masked: readonly Masked[];
}

/**
 * The workspace, always through an overlay or as a copy: its inodes are of its own, so a socket or FIFO that a program
 * of the host has in that folder leads nowhere from inside (INV-4). `layer` holds `upper/` and `work/`,
 * both empty or of an earlier run.
 */
export interface Overlay {
  readonly lower: string;
  readonly layer: string;
  readonly target: string;
  /** No overlay can be mounted here: `upper/` holds a copy of the whole, and is bound as it is. */
  readonly copied: boolean;
  /** Whether the run may write to it: then into `layer`. */
  readonly write: boolean;
  /** An empty folder that the mount may cover, reachable by the run's user. */
  readonly mountPoint: string;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Everything that decides how a run is launched. */
export interface PlanInput {
  readonly bwrap: string;
  readonly launcher: string;
  readonly view: View;
  readonly overlay?: Overlay;
  /** Where root's staging tmpfs goes; absent where an ordinary user launches. */
  readonly stageOn?: string;
  readonly hostName: string;
}

/** The plan: fields of the outer frame. */
export interface LaunchPlan {
  readonly outer: readonly (string | number)[];
}

/** Works out the launcher's orders; nothing here touches the host. */
export function planLaunch(input: PlanInput): LaunchPlan {
  const stage = input.stageOn === undefined ? undefined : createStage(input.stageOn);
  const place = (bind: Bind) => (stage === undefined ? bind.source : stage.add(bind));
  const mounts: string[] = [];
  for (const folder of input.view.folders) mounts.push("--dir", folder);
  for (const { target, bytes, mode } of input.view.scratch) {
    mounts.push("--perms", mode, "--size", String(bytes), "--tmpfs", target);
  }
  // After the scratch: a link may lie on it, and would be hidden if it were made before.
  for (const [at, target] of input.view.links) mounts.push("--symlink", target, at);
  for (const bind of sortByTarget(input.view.binds)) {
    mounts.push(bindOption(bind), place(bind), bind.target);
  }
  for (const { path, kind } of input.view.masked) mounts.push(...mask(path, kind));
  const overlay = planOverlay(input.overlay, stage);
  mounts.push(...overlay.mounts);
  const launcher: Bind = {
    source: input.launcher,
    target: LAUNCHER_INSIDE,
    kind: "file",
    write: false,
  };
  mounts.push("--ro-bind", place(launcher), launcher.target);
  return {
    outer: [
      ...(stage === undefined ? [] : ["drop", RUN_UID, RUN_UID, ...stage.fields()]),
      ...overlay.fields,
      "bwrap",
      input.bwrap,
      ...NAMESPACES,
      "--hostname",
      input.hostName,
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      ...mounts,
      // Bubblewrap's root and /dev are tmpfs of the run's own: without this it could write there.
      "--remount-ro",
      "/dev",
      "--remount-ro",
      "/",
      "--chdir",
      "/",
      "--",
      LAUNCHER_INSIDE,
      "inner",
    ],
  };
}

const NAMESPACES: readonly string[] = [
  "--unshare-all",
  "--share-net", // Prepared by the launcher, outside of what bubblewrap's namespaces may change.
  "--uid",
  String(AGENT.uid),
  "--gid",
  String(AGENT.gid),
  "--as-pid-1",
  "--die-with-parent",
  "--info-fd",
  "5",
  "--clearenv",
];

/** On all but granted devices, device nodes cannot be opened (nodev). */
function bindOption({ kind, write }: Bind): string {
  if (kind === "device") return "--dev-bind";
  return write ? "--bind" : "--ro-bind";
}

/** A device on a mount without devices cannot even be opened: nothing is read, nothing is written. */
function mask(path: string, kind: Masked["kind"]): readonly string[] {
  if (kind === "file") return ["--ro-bind", "/dev/null", path];
  return ["--perms", "0555", "--size", "4096", "--tmpfs", path];
}

/** Mounts go from the root down, or a later one would hide an earlier one. */
function sortByTarget(binds: readonly Bind[]): readonly Bind[] {
  return binds.toSorted((a, b) => depth(a.target) - depth(b.target));
}

function depth(path: string): number {
  return path.split("/").length;
}

interface Stage {
  add(bind: Omit<Bind, "target" | "write">): string;
  fields(): readonly (string | number)[];
}

/** Collects what root must clone before it drops; `add` returns where the clone will be. */
function createStage(on: string): Stage {
  const staged: (string | number)[] = [];
  let count = 0;
  return {
    add({ source, kind, owner }) {
      const name = `s${count}`;
      count += 1;
      staged.push(source, name, kind, owner?.uid ?? -1, owner?.gid ?? -1);
      return `${on}/${name}`;
    },
    fields: () => ["stage-on", on, RUN_UID, RUN_UID, count, ...staged],
  };
}

function planOverlay(overlay: Overlay | undefined, stage: Stage | undefined) {
  if (overlay === undefined) return { fields: [], mounts: [] };
  const { lower, layer, target, owner } = overlay;
  const bind = overlay.write ? "--bind" : "--ro-bind";
  if (overlay.copied) {
    const upper = `${layer}/upper`;
    const source = stage?.add({ source: upper, kind: "directory" }) ?? upper;
    return { fields: [], mounts: [bind, source, target] };
  }
  const lowerAt =
    stage?.add({ source: lower, kind: "directory", ...(owner && { owner }) }) ?? lower;
  const layerAt = stage?.add({ source: layer, kind: "directory" }) ?? layer;
  const mountPoint =
    stage?.add({ source: overlay.mountPoint, kind: "directory" }) ?? overlay.mountPoint;
  return {
    fields: ["overlay", lowerAt, `${layerAt}/upper`, `${layerAt}/work`, mountPoint],
    mounts: [bind, mountPoint, target],
  };
}
