/**
 * What must be on the host before a sandbox is launched: binaries, folders, and the plan made of them.
 *
 * @module
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  statSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Fault } from "../base/index.ts";
import { writeAttribute } from "../sys/index.ts";
import { planLaunch, RUN_UID, type LaunchPlan } from "./launch-plan.ts";
import type { SandboxSpec } from "./spec.ts";
import type { Architecture } from "./syscalls.ts";
import { surveyView, type ScratchBytes } from "./view.ts";

/** Where root stages what a run shall see: a folder of the host that stays empty there. */
const STAGE = "/run/cofferdam-stage";
/** The run's host name, the same in every run. */
export const HOST_NAME = "cofferdam";
const BWRAP_PLACES = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"] as const;
const MIB = 1024 * 1024;
/** Sizes of /tmp and its kin where the task says nothing; memory that counts as the run's. */
export const DEFAULT_SCRATCH: ScratchBytes = {
  tmp: 1024 * MIB,
  run: 16 * MIB,
  shm: 256 * MIB,
  varTmp: 256 * MIB,
};

/**
 * The launcher that fits this machine: the checkout's build, or the package's own.
 *
 * @throws {Fault} `sandbox.launcher` where there is none.
 */
export function launcherPath(architecture: string = process.arch): string {
  for (const place of ["../../build/", "../../../build/"]) {
    const path = fileURLToPath(new URL(`${place}launcher-${architecture}`, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new Fault("sandbox.launcher", `no launcher for ${architecture}`, {
    hint: "run `npm run setup`",
  });
}

/** This machine's architecture. @throws {Fault} `sandbox.architecture` for one that has no filter. */
export function architecture(arch: string = process.arch): Architecture {
  if (arch === "x64" || arch === "arm64") return arch;
  throw new Fault("sandbox.architecture", `no system-call filter for ${arch}`, {
    hint: "x64 and arm64 are supported",
  });
}

/** Makes the run's folders, looks at the host, and plans. */
export async function prepareLaunch(spec: SandboxSpec): Promise<LaunchPlan> {
  const mountPoint = `${spec.layer}/merged`;
  makeRunFolder(spec.home);
  makeRunFolder(spec.layer);
  for (const folder of [mountPoint, `${spec.layer}/work`]) makeRunFolder(folder);
  // The merged root takes its mode from here; later changes of the run stay.
  if (!existsSync(`${spec.layer}/upper`)) {
    makeRunFolder(`${spec.layer}/upper`, statSync(spec.workspace.path).mode & 0o777);
  }
  if (spec.workspace.copied !== true) requireAttributes(`${spec.layer}/work`);
  if (process.geteuid?.() === 0) await makeStage(STAGE);
  return survey(spec).plan;
}

/**
 * Everything that shapes a launch of `spec`, as text: the plan itself, and which file or folder of the
 * host each source is at this moment. Two launches of one text give sandboxes that differ in nothing but
 * the folders of their own, which the caller leaves empty in `spec`.
 *
 * @throws where a source is not there.
 */
export function describeLaunch(spec: SandboxSpec): string {
  const { plan, sources } = survey(spec);
  const { limits, canaries } = spec;
  const identities = sources.filter((source) => source !== "").map(identify);
  return JSON.stringify([plan.outer, [...(limits ?? [])], canaries, identities]);
}

/** A folder's content may change, it is shown live; another folder, owner or mode is another launch. */
function identify(path: string): string {
  const about = statSync(path, { bigint: true });
  const { dev, ino, uid, gid, mode } = about;
  const content = about.isFile() ? `${about.size} ${about.ctimeNs}` : "";
  return `${path} ${dev} ${ino} ${uid} ${gid} ${mode} ${content}`;
}

/** Looks at the host, and plans; changes nothing. */
function survey(spec: SandboxSpec): { plan: LaunchPlan; sources: readonly string[] } {
  const isRoot = process.geteuid?.() === 0;
  const { path, mode } = spec.workspace;
  const about = statSync(path);
  const owner = isRoot ? { owner: { uid: about.uid, gid: about.gid } } : {};
  const view = surveyView({
    etc: spec.etc,
    home: spec.home,
    publicDir: spec.publicDir,
    scratch: spec.scratch ?? DEFAULT_SCRATCH,
    tools: spec.tools,
    binds: spec.binds ?? [],
  });
  const [bwrap, launcher] = [bwrapPath(), launcherPath()];
  const plan = planLaunch({
    bwrap,
    launcher,
    view,
    hostName: HOST_NAME,
    overlay: {
      lower: path,
      layer: spec.layer,
      target: path,
      write: mode === "overlay",
      copied: spec.workspace.copied === true,
      mountPoint: `${spec.layer}/merged`,
      ...owner,
    },
    ...(isRoot && { stageOn: STAGE }),
  });
  const sources = [path, bwrap, launcher, ...view.binds.map((bind) => bind.source)];
  return { plan, sources };
}

/**
 * An overlay that cannot keep its marks as attributes mounts all the same, and then fails the first time
 * that a folder is made where one was deleted.
 *
 * @throws {Fault} `sandbox.overlay` where the file system of `folder` has no `user.*` attributes.
 */
function requireAttributes(folder: string): void {
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    writeAttribute(opened, "user.cofferdam", Buffer.from("work"));
  } catch (cause) {
    throw new Fault("sandbox.overlay", "the file system of Cofferdam's state has no attributes", {
      hint: "set COFFERDAM_HOME to a local disk",
      cause,
    });
  } finally {
    closeSync(opened);
  }
}

/** Makes the folder that staging covers. @throws {Fault} `sandbox.stage` where it cannot be made. */
export async function makeStage(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new Fault("sandbox.stage", `${path} cannot be made`, {
      hint: "make /run writable, or start Cofferdam as an ordinary user",
      cause,
    });
  }
}

/** Where bubblewrap is installed. @throws {Fault} `sandbox.bwrap` where it is not. */
export function bwrapPath(places: readonly string[] = BWRAP_PLACES): string {
  const path = places.find((place) => existsSync(place));
  if (path !== undefined) return path;
  throw new Fault("sandbox.bwrap", "bubblewrap is not installed", {
    hint: "apt-get install bubblewrap, dnf install bubblewrap, or `npm run setup` as root",
  });
}

/** Makes a folder that the run's user owns; its mode is set also where it was there. */
export function makeRunFolder(path: string, mode: number = 0o700): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (process.geteuid?.() === 0) chownSync(path, RUN_UID, RUN_UID);
  chmodSync(path, mode);
}
