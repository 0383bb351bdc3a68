/**
 * One sandbox, from the host's facts to a sealed process tree that is proved and then started.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { assert, Fault } from "../base/index.ts";
import * as sys from "../sys/index.ts";
import type { Field } from "./control.ts";
import { LANDLOCK_ABI_MIN } from "./doctor.ts";
import { AGENT } from "./etc.ts";
import { findFromHost, ownNamespaces } from "./host-proofs.ts";
import { planLaunch, RUN_UID, type Bind, type LaunchPlan } from "./launch-plan.ts";
import {
  Launcher,
  openStreams,
  type AgentStreams,
  type Exit,
  type SandboxDescriptors,
  type StartOrder,
} from "./launch.ts";
import { expectProofs, judgeProofs, requireProofs, type Proof } from "./proofs.ts";
import { encodeFilter } from "./seccomp.ts";
import type { Architecture } from "./syscalls.ts";
import type { Tools } from "./tools.ts";
import { surveyView, type ScratchBytes } from "./view.ts";

/** Where root stages what a run shall see: a folder of the host that stays empty there. */
const STAGE = "/run/cofferdam-stage";
const HOST_NAME = "cofferdam";
const MIB = 1024 * 1024;
/** Sizes of /tmp and its kin where the task says nothing; memory that counts as the run's. */
export const DEFAULT_SCRATCH: ScratchBytes = {
  tmp: 1024 * MIB,
  run: 16 * MIB,
  shm: 256 * MIB,
  varTmp: 256 * MIB,
};
const SEAL_WAIT_MS = 10_000; // Ordinary is 20 ms; a loaded machine may take a second.
const PROVE_WAIT_MS = 10_000;
const START_WAIT_MS = 10_000;
/** TEST-NET-1 (RFC 5737), discard: nobody grants it, so the gateway must refuse it. */
const CANARY_ADDRESS = { address: "192.0.2.1", port: 9 } as const;
/** Files of every host that no run may see. */
const CANARY_FILES = ["/etc/shadow", "/boot", "/sys/kernel"] as const;
/**
 * RLIMIT_CORE of 1 byte, soft and hard: no core file is that short, and it is the one value at which the
 * kernel does not call a core handler either (fs/coredump.c); 0 does call it, as root, on the host.
 */
const CORE_LIMIT = [4, [1, 1]] as const;

/** What a run is made of. All paths are absolute, real, and on the host. */
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
  /** From `resolveTools`. */
  readonly tools?: Tools;
  /** Further things of the host, such as granted devices. */
  readonly binds?: readonly Bind[];
  readonly scratch?: ScratchBytes;
  /** Resource limits (getrlimit(2)) by number: soft and hard, -1 for none. Core dumps are always off. */
  readonly limits?: Limits;
  /** Files of the host that exist and that the prover must not find. */
  readonly canaries?: readonly string[];
  /** Called with the launcher's pid before it gets any order: the moment to put it into a cgroup. */
  readonly admit?: (pid: number) => Promise<void> | void;
}

/** A sealed process tree. Order of use: answer `notify`, `prove`, `start`, wait for `exited`. */
export interface Sandbox {
  /** The process that the daemon spawned (bubblewrap), by its number on the host. */
  readonly launcherPid: number;
  /** Process 1 of the run, by its number on the host. */
  readonly initPid: number;
  readonly descriptors: SandboxDescriptors;
  /** Resolves when no process of the run is left. */
  readonly exited: Promise<Exit>;
  /**
   * Proves every control from inside. Someone must answer `descriptors.notify` by then, and refuse
   * the canary connect to 192.0.2.1:9 as it refuses whatever is not granted.
   *
   * @throws {Fault} `sandbox.unproved`; the run is then killed already.
   */
  prove(): Promise<readonly Proof[]>;
  /** Starts the agent; only once, and only after `prove`. */
  start(order: StartOrder): Promise<AgentStreams>;
  /** Sends a signal to the agent's process group. */
  signal(name: NodeJS.Signals): void;
  /** Ends every process of the run; resolves when none is left. */
  kill(): Promise<void>;
  /** Closes `descriptors`, for whoever launched a sandbox and hands them to nobody. */
  close(): void;
}

/**
 * The launcher that fits this machine: the package's own, or the checkout's build.
 *
 * @throws {Fault} `sandbox.launcher` where there is none.
 */
export function launcherPath(architecture: string = process.arch): string {
  for (const place of ["../../native/prebuilt/", "../../build/"]) {
    const path = fileURLToPath(new URL(`${place}launcher-${architecture}`, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new Fault("sandbox.launcher", `no launcher for ${architecture}`, {
    hint: "run `npm run setup`",
  });
}

/** This machine's architecture. @throws {Fault} `sandbox.architecture` for one that has no filter. */
export function architecture(): Architecture {
  const { arch } = process;
  if (arch === "x64" || arch === "arm64") return arch;
  throw new Fault("sandbox.architecture", `no system-call filter for ${arch}`, {
    hint: "x64 and arm64 are supported",
  });
}

/** Launches a sandbox up to its seal: nothing of the agent runs yet. */
export async function launchSandbox(spec: SandboxSpec): Promise<Sandbox> {
  const plan = await planFor(spec);
  const limits = new Map([...(spec.limits ?? []), CORE_LIMIT]);
  const launcher = new Launcher(launcherPath());
  try {
    await spec.admit?.(launcher.pid);
    launcher.order(plan.outer);
    launcher.order(sealOrder(spec, limits));
    await launcher.sealed(SEAL_WAIT_MS);
    return holdSandbox(launcher, spec, limits);
  } catch (error) {
    launcher.kill();
    await launcher.gone;
    throw error;
  }
}

type Limits = ReadonlyMap<number, readonly [soft: number, hard: number]>;

function sealOrder(spec: SandboxSpec, limits: Limits): readonly Field[] {
  const writable = [
    ...(spec.workspace.mode === "overlay" ? [spec.workspace.path] : []),
    ...(spec.binds ?? []).filter((bind) => bind.write).map((bind) => bind.target),
    AGENT.home,
    "/tmp",
    "/var/tmp",
    "/run",
    "/dev",
  ];
  const rows = [...limits].flatMap(([resource, [soft, hard]]) => ["limit", resource, soft, hard]);
  return [
    ...rows,
    ...["landlock", LANDLOCK_ABI_MIN, writable.length, ...writable],
    ...["seccomp", encodeFilter(architecture())],
  ];
}

function holdSandbox(launcher: Launcher, spec: SandboxSpec, limits: Limits): Sandbox {
  const given = [...launcher.take("notify"), ...launcher.take("network")];
  const [notify = -1, tcp4 = -1, dns4 = -1, sockDiag = -1, tcp6, dns6] = given;
  let state: "sealed" | "proved" | "started" = "sealed";
  const kill = async () => {
    launcher.kill();
    await launcher.gone;
  };
  return {
    launcherPid: launcher.pid,
    initPid: launcher.initPid,
    descriptors: { tcp4, dns4, sockDiag, tcp6, dns6, notify },
    exited: launcher.gone,
    kill,
    close: () => given.forEach(sys.closeDescriptor),
    signal: (name) => launcher.order(["signal", constants.signals[name]]),
    async prove() {
      assert(state === "sealed", "a run is proved once, before it starts");
      try {
        const proofs = await prove(launcher, spec, limits);
        state = "proved";
        return proofs;
      } catch (error) {
        await kill();
        throw error;
      }
    },
    async start(order) {
      assert(state === "proved", "a run starts once, after every control is proved");
      state = "started";
      return startAgent(launcher, order);
    },
  };
}

async function prove(
  launcher: Launcher,
  spec: SandboxSpec,
  limits: Limits,
): Promise<readonly Proof[]> {
  const canaries = [...CANARY_FILES, spec.etc, spec.layer, ...(spec.canaries ?? [])];
  const { address, port } = CANARY_ADDRESS;
  launcher.order(["prove", address, port, ...canaries]);
  const [fromHost, namespaces] = await Promise.all([
    findFromHost(launcher.initPid),
    ownNamespaces(),
    launcher.until("proved", PROVE_WAIT_MS),
  ]);
  const dropped = process.geteuid?.() === 0;
  const expectations = expectProofs({
    architecture: architecture(),
    hostUid: dropped ? RUN_UID : (process.geteuid?.() ?? -1),
    hostGid: dropped ? RUN_UID : (process.getegid?.() ?? -1),
    dropped,
    uid: AGENT.uid,
    gid: AGENT.gid,
    hostName: HOST_NAME,
    namespaces,
    canaries: canaries.length,
    landlockAbiMin: LANDLOCK_ABI_MIN,
    limits,
  });
  const proofs = judgeProofs([...launcher.findings, ...fromHost], expectations);
  requireProofs(proofs, expectations);
  return proofs;
}

async function startAgent(launcher: Launcher, order: StartOrder): Promise<AgentStreams> {
  const { argv, environment, cwd, terminal } = order;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  launcher.order([
    "start",
    ...[terminal === undefined ? 0 : 1, terminal?.columns ?? 0, terminal?.rows ?? 0],
    cwd,
    variables.length,
    ...variables,
    ...argv,
  ]);
  await launcher.until("descriptors", START_WAIT_MS);
  const label = terminal === undefined ? "pipes" : "terminal";
  return openStreams(label, launcher.take(label));
}

async function planFor(spec: SandboxSpec): Promise<LaunchPlan> {
  const isRoot = process.geteuid?.() === 0;
  const { path, mode } = spec.workspace;
  const about = await stat(path);
  const owner = isRoot ? { owner: { uid: about.uid, gid: about.gid } } : {};
  const mountPoint = `${spec.layer}/merged`;
  await makeRunFolder(spec.home);
  await makeRunFolder(spec.layer);
  for (const folder of [mountPoint, `${spec.layer}/work`]) await makeRunFolder(folder);
  // The merged root takes its mode from here; later changes of the run stay.
  if (!existsSync(`${spec.layer}/upper`)) {
    await makeRunFolder(`${spec.layer}/upper`, about.mode & 0o777);
  }
  if (isRoot) await makeStage();
  const fixed: Bind = { source: path, target: path, kind: "directory", write: false, ...owner };
  const view = await surveyView({
    etc: spec.etc,
    home: spec.home,
    publicDir: spec.publicDir,
    scratch: spec.scratch ?? DEFAULT_SCRATCH,
    tools: spec.tools,
    binds: [...(spec.binds ?? []), ...(mode === "overlay" ? [] : [fixed])],
  });
  return planLaunch({
    bwrap: bwrapPath(),
    launcher: launcherPath(),
    view,
    hostName: HOST_NAME,
    ...(mode === "overlay" && {
      overlay: { lower: path, layer: spec.layer, target: path, mountPoint, ...owner },
    }),
    ...(isRoot && { stageOn: STAGE }),
  });
}

async function makeStage(): Promise<void> {
  try {
    await mkdir(STAGE, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new Fault("sandbox.stage", `${STAGE} cannot be made`, {
      hint: "make /run writable, or start Cofferdam as an ordinary user",
      cause,
    });
  }
}

/** Where bubblewrap is installed. @throws {Fault} `sandbox.bwrap` where it is not. */
export function bwrapPath(): string {
  const path = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"].find(existsSync);
  if (path !== undefined) return path;
  throw new Fault("sandbox.bwrap", "bubblewrap is not installed", {
    hint: "apt-get install bubblewrap, dnf install bubblewrap, or `npm run setup` as root",
  });
}

/** Makes a folder that the run's user owns; its mode is set also where it was there. */
export async function makeRunFolder(path: string, mode: number = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (process.geteuid?.() === 0) await chown(path, RUN_UID, RUN_UID);
  await chmod(path, mode);
}
