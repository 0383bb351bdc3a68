/**
 * One sandbox, from the host's facts to a sealed process tree that waits to be proved and started.
 *
 * @module
 */
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { existsSync } from "node:fs";
import { Fault } from "../base/index.ts";
import {
  Launcher,
  openStreams,
  type AgentStreams,
  type Exit,
  type SandboxDescriptors,
  type StartOrder,
} from "./launch.ts";
import { planLaunch, RUN_UID, type Bind, type LaunchPlan } from "./launch-plan.ts";
import { encodeFilter } from "./seccomp.ts";
import { surveyView } from "./view.ts";
import { AGENT } from "./etc.ts";

/** Where root stages what a run shall see; an empty folder on the host itself. */
const STAGE = "/run/cofferdam-stage";
const MIB = 1024 * 1024;

/** What a run is made of. All paths are absolute, on the host. */
export interface SandboxSpec {
  readonly workspace: {
    readonly path: string;
    readonly mode: "overlay" | "read-only";
  };
  /** A folder of this run for the overlay's `upper`, `work` and `merged`; made where absent. */
  readonly layer: string;
  /** The agent's home; made where absent. */
  readonly home: string;
  /** What the run reads at /run/cofferdam. */
  readonly publicDir: string;
  /** The run's /etc, from `writeEtc`. */
  readonly etc: string;
  readonly tools: readonly Bind[];
}

/** A sealed process tree. */
export interface Sandbox {
  readonly initPid: number;
  readonly descriptors: SandboxDescriptors;
  readonly exited: Promise<Exit>;
  start(order: StartOrder): Promise<AgentStreams>;
  /** Sends a signal to the agent's process group. */
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
}

/** The launcher that fits this machine: the package's own, or the checkout's build. */
export function launcherPath(architecture: string = process.arch): string {
  for (const place of ["../../native/prebuilt/", "../../build/"]) {
    const path = fileURLToPath(new URL(`${place}launcher-${architecture}`, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new Fault("sandbox.launcher", `no launcher for ${architecture}`, {
    hint: "run `npm run setup`",
  });
}

/** Launches a sandbox up to its seal: nothing of the agent runs yet. */
export async function launchSandbox(spec: SandboxSpec): Promise<Sandbox> {
  const plan = await planFor(spec);
  const filter = encodeFilter(process.arch === "arm64" ? "arm64" : "x64");
  const writable = [
    ...(spec.workspace.mode === "overlay" ? [spec.workspace.path] : []),
    AGENT.home,
    "/tmp",
    "/var/tmp",
    "/run",
    "/dev",
  ];
  const launcher = new Launcher(launcherPath(), plan, [
    "landlock",
    2,
    writable.length,
    ...writable,
    "seccomp",
    filter,
  ]);
  await launcher.until("sealed");
  const [tcp4 = -1, dns4 = -1, sockDiag = -1, tcp6, dns6] = launcher.take("network");
  const [notify = -1] = launcher.take("notify");
  return {
    initPid: launcher.initPid,
    descriptors: { tcp4, dns4, sockDiag, tcp6, dns6, notify },
    exited: launcher.gone,
    start: (order) => startAgent(launcher, order),
    signal: (name) => launcher.order(["signal", signalNumber(name)]),
    async kill() {
      launcher.kill();
      await launcher.gone;
    },
  };
}

async function startAgent(launcher: Launcher, order: StartOrder): Promise<AgentStreams> {
  const { argv, environment, cwd, terminal } = order;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const given = launcher.until("descriptors");
  launcher.order([
    "start",
    terminal === undefined ? 0 : 1,
    terminal?.columns ?? 0,
    terminal?.rows ?? 0,
    cwd,
    variables.length,
    ...variables,
    ...argv,
  ]);
  await given;
  const label = terminal === undefined ? "pipes" : "terminal";
  return openStreams(label, launcher.take(label));
}

import { constants } from "node:os";
function signalNumber(name: NodeJS.Signals): number {
  return constants.signals[name];
}

async function planFor(spec: SandboxSpec): Promise<LaunchPlan> {
  const isRoot = process.geteuid?.() === 0;
  const { path, mode } = spec.workspace;
  const about = await stat(path);
  const owner = isRoot ? { owner: { uid: about.uid, gid: about.gid } } : {};
  const merged = `${spec.layer}/merged`;
  await makeRunFolder(spec.home);
  await makeRunFolder(spec.layer);
  await makeRunFolder(merged);
  await makeRunFolder(`${spec.layer}/work`);
  await makeRunFolder(`${spec.layer}/upper`, about.mode & 0o777);
  if (isRoot) await mkdir(STAGE, { recursive: true, mode: 0o755 });
  const view = await surveyView({
    etc: spec.etc,
    home: spec.home,
    publicDir: spec.publicDir,
    scratch: { tmp: 512 * MIB, run: 16 * MIB, shm: 64 * MIB, varTmp: 64 * MIB },
    tools:
      mode === "overlay"
        ? spec.tools
        : [...spec.tools, { source: path, target: path, kind: "directory", write: false, ...owner }],
  });
  return planLaunch({
    bwrap: "/usr/bin/bwrap",
    launcher: launcherPath(),
    view,
    hostName: "cofferdam",
    ...(mode === "overlay" && {
      overlay: { lower: path, layer: spec.layer, target: path, mountPoint: merged, ...owner },
    }),
    ...(isRoot && { stageOn: STAGE }),
  });
}

/** Makes a folder that the run's user owns; its mode is set also where it was there. */
export async function makeRunFolder(path: string, mode: number = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (process.geteuid?.() === 0) await chown(path, RUN_UID, RUN_UID);
  await chmod(path, mode);
}
