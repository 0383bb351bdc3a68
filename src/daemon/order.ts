/**
 * What a run shall be, settled before it has anything: its task, its workspace, its limits, its tools,
 * and the key of the sandbox that it needs.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { homedir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { LineageKey } from "../action/index.ts";
import type { RunStart } from "../api/index.ts";
import { withoutLeave } from "../autonomy/index.ts";
import { describeError, Fault, readTextFile } from "../base/index.ts";
import { compileRunPolicy, type Policy, type Task } from "../policy/index.ts";
import type { OwnSystem } from "../systems/index.ts";
import { findGpus, planLimits, resolveTools, type LimitPlan } from "../sandbox/index.ts";
import { requireBudget } from "./blast-jobs.ts";
import { checkDialPaths } from "./dial-paths.ts";
import { inheritedOf } from "./lineage-of.ts";
import { settleCredentials } from "./lending.ts";
import type { Service } from "./mcp-servers.ts";
import { bringsServers, settleMcp } from "./mcp-settle.ts";
import { keyOf, type Recipe } from "./prepared.ts";
import { openFork, type Fork } from "./snapshots.ts";
import { checkWorkspace } from "./workspace-place.ts";
import type { World } from "./world.ts";

/** Everything about a run that is settled before it has anything. */
export interface Order {
  readonly request: RunStart;
  readonly task: Task;
  readonly policy: Policy;
  readonly own: ReadonlyMap<string, OwnSystem>;
  readonly authorities: ReadonlyMap<string, string>;
  readonly recipe: Recipe;
  readonly key: string;
  /** The lineages of the run that it is for, and the job of the one that it starts from. */
  readonly inherited: readonly LineageKey[];
  readonly fork?: Fork;
}

/** Works out what `request` asks for. @throws {Fault} where it may not be, or not be held. */
export async function planRun(world: World, request: RunStart, service?: Service): Promise<Order> {
  const { source, fileName } = request.task;
  const parsed = world.tasks.parse(source, fileName, world.clock.now().wallMs);
  const { own } = parsed;
  const lent = settleCredentials(world.credentials, parsed.task, request.environment);
  const settled = settleMcp(lent, fileName);
  const isTaken = world.unattended.takenFrom(settled.task) !== undefined;
  const task = isTaken ? withoutLeave(settled) : settled;
  if (service !== undefined && bringsServers(task)) {
    throw new Fault("daemon.mcp_server", `${fileName}: a server brings no servers of its own`);
  }
  await requireBudget(world, task, fileName);
  const policy = task === parsed.task ? parsed.policy : compileRunPolicy(task);
  const workspace = checkWorkspace(request.cwd, world.home.root);
  checkDialPaths(policy, [workspace, world.home.root]);
  const plan = planRunLimits(world, task);
  const authorities = readAuthorities(policy, request);
  const found = await resolveTools({
    commands: [...request.command.slice(0, 1), ...(service?.commands ?? [])],
    path: request.path,
    home: homedir(),
    workspace,
  });
  const tools = { ...found, binds: [...found.binds, ...(service?.binds ?? [])] };
  const home = keptHome(world, task, request, workspace);
  const recipe = { workspace, mode: task.workspace, plan, tools, ...(home && { home }) };
  const fork = request.from === undefined ? undefined : openFork(world, request.from, recipe);
  const inherited = inheritedOf(world.lineages, service?.owner, fork?.info.run);
  return {
    ...{ request, task, policy, own, authorities, recipe, key: keyOf(world, recipe), inherited },
    ...(fork && { fork }),
  };
}

/** @throws {Fault} `sandbox.limit` where the task names a limit that this host cannot hold (INV-17). */
function planRunLimits(world: World, task: Task): LimitPlan {
  const gpus = task.compute.gpu === "none" ? [] : findGpus();
  const { controllers } = world.cgroups;
  return planLimits({ controllers, gpus, memoryBytes: hostMemory() }, task.compute);
}

/** This host's memory in bytes, or what the daemon's own control group leaves of it. */
function hostMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** The authorities that grants name by file, by the grant's name; read once, before anything runs. */
function readAuthorities(policy: Policy, request: RunStart): ReadonlyMap<string, string> {
  const folder = dirname(request.task.fileName);
  return new Map(
    policy.grants.flatMap(({ name, ca }) =>
      ca === undefined ? [] : [[name, readAuthority(resolve(folder, ca))] as const],
    ),
  );
}

function readAuthority(path: string): string {
  try {
    return readTextFile(path, { mayWait: false });
  } catch (cause) {
    const why = describeError(cause);
    throw new Fault("daemon.authority", `cannot read the grant's authority ${path}: ${why}`, {
      cause,
      hint: "`ca:` names a PEM file, relative to the task file",
    });
  }
}

/** A kept HOME, per workspace and profile; a fresh one lies with the run and goes with it. */
function keptHome(
  world: World,
  task: Task,
  request: RunStart,
  workspace: string,
): string | undefined {
  if (task.home === "fresh") return undefined;
  // A task that calls itself as a profile does must not get the HOME that the profile's agent logged in from.
  const name = request.profile === undefined ? `task ${task.task}` : `profile ${request.profile}`;
  const of = `${workspace}\n${name}`;
  return join(world.home.homes, createHash("sha256").update(of).digest("hex").slice(0, 32));
}
