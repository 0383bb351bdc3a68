/**
 * A sandbox that is launched, sealed and proved, and waits for a command: what a run is made of before
 * anything is known of the run itself. A run that finds none waiting has one made.
 *
 * While it waits, whatever it asks for is refused: no gateway, no policy, no judge but "no" (INV-40).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Task } from "../policy/index.ts";
import type { WatchHandlers } from "../provenance/index.ts";
import {
  createLimits,
  describeLaunch,
  hiddenGpus,
  launchSandbox,
  makeRunFolder,
  RUN_UID,
  type LimitPlan,
  type Limits,
  type Proof,
  type Sandbox,
  type SandboxSpec,
  type Tools,
} from "../sandbox/index.ts";
import { closeDescriptor } from "../sys/index.ts";
import { layOutLayer, type LayerOptions } from "../workspace/index.ts";
import { createRunFiles, filesOf, removeRunFiles, type RunFiles } from "./run-files.ts";
import type { World } from "./world.ts";

/** What shapes a sandbox before its run is known. */
export interface Recipe {
  /** The real path of the workspace. */
  readonly workspace: string;
  readonly mode: Task["workspace"];
  /** The folder of a HOME that is kept; absent where each run has its own. */
  readonly home?: string;
  readonly plan: LimitPlan;
  readonly tools: Tools;
  /** Whether the layer holds a copy of the workspace, since no overlay can be mounted. */
  readonly isCopied?: boolean;
}

/** A layer that is there already. */
export interface Laid {
  /** What it took on disk at the run's start. */
  readonly startBytes: number;
}

/** A proved sandbox without a run. */
export interface Prepared {
  /** The run's id, once it has one. */
  readonly id: string;
  readonly files: RunFiles;
  readonly sandbox: Sandbox;
  readonly limits: Limits;
  readonly proofs: readonly Proof[];
  /** When it was proved. */
  readonly proved: { readonly wallMs: number; readonly monoMs: number };
  /** From here on the run answers for what the sandbox does, and owns its listeners. */
  adopt(handlers: WatchHandlers): Listeners;
  /** Ends it, whoever has it; its folders stay. */
  close(): Promise<void>;
}

/** Where what the sandbox sends arrives. */
export interface Listeners {
  readonly tcp: readonly number[];
  readonly dns: readonly number[];
  /** Where the counters of refused packets are read. */
  readonly netfilter: number;
}

/** Nobody answers for it yet, so nobody says yes. What the prover provokes is on record as proofs. */
const REFUSE_ALL: WatchHandlers = {
  onConnect: () => constants.errno.EACCES,
  onExec: () => {},
  onOdd: () => {},
};

/**
 * Launches and proves the sandbox `id`; its layer is made anew but where it is `laid`.
 *
 * @throws {Fault} where a step or a proof fails; nothing stays.
 */
export async function prepareSandbox(
  world: World,
  recipe: Recipe,
  id: string,
  laid?: Laid,
): Promise<Prepared> {
  const files = filesOf(world.home.runs, id);
  const undo: (() => unknown)[] = [];
  try {
    if (laid === undefined) {
      createRunFiles(files);
      if (recipe.mode === "overlay") await layOutLayer(files.layer, layerOptions(recipe));
    }
    const spec = specOf(world, recipe, files);
    const limits = createLimits(world.cgroups, recipe.plan, {
      id,
      folders: [join(files.layer, "upper"), spec.home],
      ...laid,
    });
    undo.push(() => limits.close());
    const sandbox = await launchSandbox({ ...spec, admit: (pid) => limits.admit(pid) });
    undo.push(() => sandbox.kill());
    const watch = watchSandbox(world, id, sandbox);
    undo.push(() => watch.end());
    const proofs = await sandbox.prove();
    const close = async () => {
      for (const step of undo.toReversed()) await step();
    };
    const proved = world.clock.now();
    return { id, files, sandbox, limits, proofs, proved, adopt: watch.adopt, close };
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error;
  }
}

/** Removes the folders of a sandbox that never had a run. */
export async function removePrepared(world: World, id: string): Promise<void> {
  await removeRunFiles(filesOf(world.home.runs, id));
}

/**
 * What a waiting sandbox must have been made from to serve a run of `recipe`: whatever shapes a launch,
 * as the host is at this moment.
 */
export function keyOf(world: World, recipe: Recipe): string {
  if (recipe.home !== undefined) makeRunFolder(recipe.home);
  const launch = describeLaunch(specOf(world, recipe, undefined));
  const { rlimits: _, ...plan } = recipe.plan;
  return createHash("sha256")
    .update(`${launch}\n${JSON.stringify(plan)}`)
    .digest("hex");
}

/** How the layer of a recipe is made. */
export function layerOptions(recipe: Recipe): LayerOptions {
  const ids = process.geteuid?.() === 0 ? { run: { uid: RUN_UID, gid: RUN_UID } } : {};
  return { host: recipe.workspace, ...ids };
}

/** The folders of its own are left empty where there is no sandbox yet. */
function specOf(
  world: World,
  { workspace, mode, home, plan, tools, isCopied }: Recipe,
  files: RunFiles | undefined,
): SandboxSpec & { readonly home: string } {
  return {
    workspace: { path: workspace, mode, copied: isCopied === true },
    layer: files?.layer ?? "",
    home: home ?? (files === undefined ? "" : join(files.root, "home")),
    publicDir: files?.public ?? "",
    etc: world.etc,
    tools,
    limits: plan.rlimits,
    binds: plan.devices.map(({ source, target }) => ({
      source,
      target,
      kind: "device",
      write: true,
    })),
    canaries: [
      world.home.socket,
      world.home.keys,
      realpathSync.native(world.home.keys), // Under another name the run could see them all the same.
      ...hiddenGpus(plan.devices),
    ],
  };
}

function watchSandbox(world: World, id: string, sandbox: Sandbox) {
  let current = REFUSE_ALL;
  const { notify, sockDiag, netfilter, tcp4, tcp6, dns4, dns6 } = sandbox.descriptors;
  const present = (fds: readonly (number | undefined)[]) => fds.filter((fd) => fd !== undefined);
  let waiting = present([netfilter, tcp4, tcp6, dns4, dns6]);
  world.watcher.watch(
    id,
    { notifyFd: notify, sockDiagFd: sockDiag, initPid: sandbox.initPid },
    {
      onConnect: (attempt) => current.onConnect(attempt),
      onExec: (exec) => current.onExec(exec),
      onOdd: (odd) => current.onOdd(odd),
    },
  );
  return {
    adopt(handlers: WatchHandlers): Listeners {
      current = handlers;
      waiting = [];
      return { tcp: present([tcp4, tcp6]), dns: present([dns4, dns6]), netfilter };
    },
    async end() {
      for (const descriptor of waiting.splice(0)) closeDescriptor(descriptor);
      await world.watcher.unwatch(id);
    },
  };
}
