/**
 * One sandbox, from the host's facts to a sealed process tree that is proved and then started.
 *
 * @module
 */
import { constants } from "node:os";
import { assert } from "../base/index.ts";
import * as sys from "../sys/index.ts";
import type { Field } from "./control.ts";
import { LANDLOCK_ABI_MIN } from "./doctor.ts";
import { AGENT } from "./etc.ts";
import { findFromHost, ownNamespaces } from "./host-proofs.ts";
import { RUN_UID } from "./launch-plan.ts";
import { prepareExecution, type Execution } from "./execution.ts";
import {
  commandFields,
  launch,
  openStreams,
  type AgentStreams,
  type Exit,
  type Launcher,
  type SandboxDescriptors,
  type StartOrder,
} from "./launch.ts";
import { architecture, HOST_NAME, launcherPath, prepareLaunch } from "./prepare.ts";
import { expectProofs, judgeProofs, requireProofs, type Proof } from "./proofs.ts";
import { encodeFilter } from "./seccomp.ts";
import type { ResourceLimits, SandboxSpec } from "./spec.ts";

const SEAL_WAIT_MS = 10_000; // Ordinary is 20 ms; a loaded machine may take a second.
const PROVE_WAIT_MS = 10_000;
const START_WAIT_MS = 10_000;
const SOCKETS_WAIT_MS = 5000; // Process 1 answers in a millisecond, and a frozen one not at all.
/** TEST-NET-1 (RFC 5737), discard: nobody grants it, so the gateway must refuse it. */
export const CANARY_ADDRESS = { address: "192.0.2.1", port: 9 } as const;
/** Files of every host that no run may see. */
const CANARY_FILES = ["/etc/shadow", "/boot", "/sys/kernel"] as const;
/**
 * RLIMIT_CORE of 1 byte, soft and hard: no core file is that short, and it is the one value at which the
 * kernel does not call a core handler either (fs/coredump.c); 0 does call it, as root, on the host.
 */
const CORE_LIMIT = [4, [1, 1]] as const;

/** A sealed process tree. Order of use: answer `notify`, `prove`, `start`, wait for `exited`. */
export interface Sandbox {
  /** The process that the daemon spawned (bubblewrap), by its number on the host. */
  readonly launcherPid: number;
  /** Process 1 of the run, by its number on the host. */
  readonly initPid: number;
  readonly descriptors: SandboxDescriptors;
  /** Resolves when no process of the run is left. */
  readonly exited: Promise<Exit>;
  /** Whether process 1 lives at this moment, by the kernel's word. */
  isAlive(): boolean;
  /**
   * Proves every control from inside. Someone must answer `descriptors.notify` by then, and refuse
   * the canary connect to 192.0.2.1:9 as it refuses whatever is not granted.
   *
   * @throws {Fault} `sandbox.unproved`; the run is then killed already.
   */
  prove(): Promise<readonly Proof[]>;
  /** Starts the agent; only once, and only after `prove`. */
  start(order: StartOrder): Promise<AgentStreams>;
  /** Instead of `start`: the run lives without an agent, and holds still until commands come. */
  idle(): AgentStreams;
  /** Makes a command ready in the run that lives. @throws {Fault} `sandbox.exec` */
  exec(order: StartOrder): Promise<Execution>;
  /**
   * Sockets inside the run's network that are not connected yet, IPv4 first; the caller owns them.
   * None where the run is ending, or stands still.
   */
  sockets(): Promise<readonly number[]>;
  /** Sends a signal to the agent's process group. */
  signal(name: NodeJS.Signals): void;
  /** Ends every process of the run; resolves when none is left. */
  kill(): Promise<void>;
  /** Closes `descriptors`, for whoever launched a sandbox and hands them to nobody. */
  close(): void;
}

/** Launches a sandbox up to its seal: nothing of the agent runs yet. */
export async function launchSandbox(spec: SandboxSpec): Promise<Sandbox> {
  const plan = await prepareLaunch(spec);
  const limits = new Map([...(spec.limits ?? []), CORE_LIMIT]);
  const launcher = launch(launcherPath());
  try {
    const pid = await launcher.born();
    await spec.admit?.(pid);
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

function sealOrder(spec: SandboxSpec, limits: ResourceLimits): readonly Field[] {
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
    "landlock",
    LANDLOCK_ABI_MIN,
    writable.length,
    ...writable,
    "seccomp",
    encodeFilter(architecture()),
  ];
}

function holdSandbox(launcher: Launcher, spec: SandboxSpec, limits: ResourceLimits): Sandbox {
  const given = [...launcher.take("notify"), ...launcher.take("network")];
  const [notify = -1, tcp4 = -1, dns4 = -1, sockDiag = -1, netfilter = -1, tcp6, dns6] = given;
  let state: "sealed" | "proved" | "started" = "sealed";
  const kill = async () => {
    launcher.kill();
    await launcher.gone;
  };
  return {
    launcherPid: launcher.pid,
    initPid: launcher.initPid,
    descriptors: { tcp4, dns4, sockDiag, netfilter, tcp6, dns6, notify },
    exited: launcher.gone,
    isAlive: () => launcher.isAlive(),
    kill,
    close: () => given.forEach(sys.closeDescriptor),
    sockets: () => launcher.sockets(SOCKETS_WAIT_MS),
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
    idle() {
      assert(state === "proved", "a run starts once, after every control is proved");
      state = "started";
      return { kind: "none" };
    },
    async exec(order) {
      assert(state === "started", "a command comes into a run that has started");
      return prepareExecution(launcher, order);
    },
  };
}

async function prove(
  launcher: Launcher,
  spec: SandboxSpec,
  limits: ResourceLimits,
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
  launcher.order(["start", ...commandFields(order)]);
  await launcher.until("descriptors", START_WAIT_MS);
  const label = order.terminal === undefined ? "pipes" : "terminal";
  return openStreams(label, launcher.take(label));
}
