/**
 * How a run comes to life: each step undone if a later one fails, the agent's first instruction last.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { constants, homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Process } from "../action/index.ts";
import type { RunInfo, RunStart } from "../api/index.ts";
import { createId, describeError, Fault, isFault, readTextFile } from "../base/index.ts";
import { clientTrust, createGateway, type ConnectErrno, type Gateway } from "../gateway/index.ts";
import { compilePolicy, parseTaskFile, type Policy, type Task } from "../policy/index.ts";
import {
  AGENT,
  BUNDLE_INSIDE,
  createLimits,
  findGpus,
  hiddenGpus,
  launchSandbox,
  planLimits,
  resolveTools,
  type LimitPlan,
  type Sandbox,
  type Tools,
} from "../sandbox/index.ts";
import { holdRun } from "./hold.ts";
import { briefProcess, Recorder, type RunEvent } from "./recorder.ts";
import { followPackets } from "./refused-packets.ts";
import { resolveHost } from "./resolve.ts";
import { createRunFiles, filesOf } from "./run-files.ts";
import { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import { checkWorkspace } from "./workspace-place.ts";
import { layOut } from "./workspaces.ts";
import type { World } from "./world.ts";

/** Starts what `request` asks for; resolves when the agent runs. */
export async function startRun(world: World, runs: Runs, request: RunStart): Promise<Run> {
  const { source, fileName } = request.task;
  const task = parseTaskFile(source, fileName, world.clock.now().wallMs);
  const policy = compilePolicy(task);
  const workspace = checkWorkspace(request.cwd, world.home.root);
  const plan = planRunLimits(world, task);
  const id = createId("r", world.clock.now().wallMs);
  const files = filesOf(world.home.runs, id);
  createRunFiles(files, request.task.source);
  const recorder = new Recorder(id, world.ledger, world.clock, (error) =>
    run.stop("ledger", `the record cannot be written: ${describeError(error)}`),
  );
  const run = new Run({
    info: describeRun(id, task, request, workspace, world),
    task,
    policy,
    files,
    recorder,
    clock: world.clock,
    log: world.log,
    authorities: readAuthorities(policy, request),
    held: !request.detach,
  });
  try {
    await recordStart(run, request, { workspace, plan });
    runs.add(run);
    await bringUpSomehow(world, run, request, { workspace, plan });
    return run;
  } catch (error) {
    const detail = describeError(error);
    world.log.warn("run.start.failed", { run: id, error: detail });
    await run.finish({ reason: "sandbox", detail });
    throw error;
  }
}

function describeRun(
  id: string,
  task: Task,
  request: RunStart,
  workspace: string,
  world: World,
): RunInfo {
  return {
    run: id,
    task: task.task,
    purpose: task.purpose,
    state: "starting",
    command: request.command,
    workspace,
    workspaceMode: task.workspace,
    startedAt: new Date(world.clock.now().wallMs).toISOString(),
    entries: { first: 0, last: 0 },
    counts: { flows: 0, actions: 0, denials: 0, findings: 0 },
  };
}

async function recordStart(
  run: Run,
  request: RunStart,
  { workspace, plan }: Omit<Plans, "isCopied">,
): Promise<void> {
  const { task, policy, recorder } = run;
  await recorder.record({
    type: "policy",
    data: { digest: policy.digest, source: request.task.source, file: request.task.fileName },
  });
  const { compute, lifetimeMs, purpose } = task;
  await recorder.record(
    {
      type: "run.start",
      data: {
        task: task.task,
        purpose,
        policy: policy.digest,
        command: request.command,
        workspace,
        workspaceMode: task.workspace,
        lifetimeMs,
        limits: plan.held.map((held) => ({ ...held })),
        compute: { ...compute, gpu: [compute.gpu].flat() },
        environment: Object.keys(request.environment),
        ...(request.profile === undefined ? {} : { profile: request.profile }),
      },
    },
    { sync: true },
  );
}

/** What was settled before the run has anything. */
interface Plans {
  readonly workspace: string;
  readonly plan: LimitPlan;
  readonly isCopied: boolean;
  /** What lay in the layer at the start; absent where it is not laid out yet. */
  readonly laidBytes?: number;
}

/** @throws {Fault} `sandbox.limit` where the task names a limit that this host cannot hold (INV-17). */
function planRunLimits(world: World, task: Task): LimitPlan {
  const gpus = task.compute.gpu === "none" ? [] : findGpus();
  return planLimits({ controllers: world.cgroups.controllers, gpus }, task.compute);
}

/** Over an overlay, or on a copy where none can be mounted: that is known once it was tried. */
async function bringUpSomehow(
  world: World,
  run: Run,
  request: RunStart,
  plans: Pick<Plans, "workspace" | "plan">,
): Promise<void> {
  try {
    await bringUp(world, run, request, { ...plans, isCopied: false });
  } catch (error) {
    if (!isFault(error, "sandbox.overlay")) throw error;
    world.log.warn("run.copied", { run: run.id, error: describeError(error) });
    await bringUp(world, run, request, { ...plans, isCopied: true });
  }
}

async function bringUp(
  world: World,
  run: Run,
  request: RunStart,
  { workspace, plan, isCopied, laidBytes }: Plans,
): Promise<void> {
  const undo: (() => unknown)[] = [];
  try {
    const home = homeFolder(world, run, request, workspace);
    // A further attempt goes on in what the first one laid out.
    const startBytes = laidBytes ?? (await layOut(world, run, isCopied));
    const folders = [join(run.files.layer, "upper"), home];
    const limits = createLimits(world.cgroups, plan, { id: run.id, folders, startBytes });
    undo.push(() => limits.close());
    const tools = await resolveTools({
      commands: request.command.slice(0, 1),
      path: request.path,
      home: homedir(),
      workspace,
    });
    const sandbox = await launchSandbox({
      workspace: { path: workspace, mode: run.task.workspace, copied: isCopied },
      layer: run.files.layer,
      home,
      publicDir: run.files.public,
      etc: world.etc,
      tools,
      limits: plan.rlimits,
      admit: (pid) => limits.admit(pid),
      binds: plan.devices.map(({ source, target }) => ({
        source,
        target,
        kind: "device",
        write: true,
      })),
      canaries: [world.home.socket, world.home.keys, ...hiddenGpus(plan.devices)],
    });
    undo.push(() => sandbox.kill());
    limits.place(sandbox.initPid);
    const gateway = connect(world, run, request, sandbox);
    undo.push(() => gateway.close());
    undo.push(() => world.watcher.unwatch(run.id));
    const closePackets = followPackets(sandbox.descriptors.netfilter, gateway, (error) =>
      run.stop("sandbox", `refused packets cannot be counted: ${describeError(error)}`),
    );
    undo.push(closePackets);
    const proofs = await sandbox.prove();
    await run.recorder.record(
      { type: "run.proved", data: { proofs: proofs.map((proof) => ({ ...proof })) } },
      { sync: true },
    );
    run.release();
    const streams = await sandbox.start({
      argv: request.command,
      environment: agentEnvironment(run, request, tools),
      cwd: workspace,
      ...(request.terminal && { terminal: request.terminal }),
    });
    const plans: Plans = { workspace, plan, isCopied, laidBytes: startBytes };
    const again = () => bringUp(world, run, request, plans);
    holdRun(world, run, { sandbox, gateway, limits, streams, closePackets, again });
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** Everything that crosses the run's border: connections, questions to the resolver, held calls. */
function connect(world: World, run: Run, request: RunStart, sandbox: Sandbox): Gateway {
  const gateway = createGateway(run, {
    clock: world.clock,
    authority: world.authority,
    log: world.log,
    resolve: resolveHost,
    ownAddresses: () => [],
  });
  const { tcp4, tcp6, dns4, dns6, notify, sockDiag } = sandbox.descriptors;
  world.watcher.watch(
    run.id,
    { notifyFd: notify, sockDiagFd: sockDiag, initPid: sandbox.initPid },
    {
      // Who may knock does not change in a run, and the gateway judges every flow again.
      onConnect: ({ address, port, protocol, process }) =>
        errnoOf(gateway.judgeConnect({ address, port }, protocol, briefProcess(process)).errno) ||
        "from now on",
      onExec: ({ process }) => run.recorder.note(execEvent(process)),
      onOdd: ({ what, detail, process }) => {
        if (what === "icmp" || what === "other") {
          gateway.refusedUnheard({ transport: what, count: 1, process: briefProcess(process) });
          return;
        }
        // A socket family or call that no ordinary program uses; the rest is trouble of our own.
        if (what === "family" || what === "call") {
          run.finding("escape", detail, { process: briefProcess(process) });
        } else world.log.warn("provenance.odd", { run: run.id, what, detail });
      },
    },
  );
  run.recorder.onHold = (holdMs) => world.watcher.hold(run.id, holdMs);
  for (const fd of [tcp4, tcp6]) if (fd !== undefined) gateway.acceptTcp(fd);
  for (const fd of [dns4, dns6]) if (fd !== undefined) gateway.acceptDns(fd);
  return gateway;
}

function execEvent(process: Process): RunEvent {
  return { type: "process.start", target: process.exe, process: briefProcess(process) };
}

function errnoOf(name: ConnectErrno): number {
  return name === 0 ? 0 : constants.errno[name];
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

/** HOME per workspace and profile; a fresh one lies with the run and goes with it. */
function homeFolder(world: World, run: Run, request: RunStart, workspace: string): string {
  if (run.task.home === "fresh") return join(run.files.root, "home");
  const of = `${workspace}\n${request.profile ?? run.task.task}`;
  return join(world.home.homes, createHash("sha256").update(of).digest("hex").slice(0, 32));
}

/** All that the agent finds in its environment: what the task names, and what a program must have. */
function agentEnvironment(run: Run, request: RunStart, tools: Tools): Record<string, string> {
  return {
    LANG: "C.UTF-8",
    ...tools.environment,
    ...request.environment,
    ...clientTrust(BUNDLE_INSIDE),
    ...(request.terminal && { TERM: request.terminal.term }),
    HOME: AGENT.home,
    USER: AGENT.name,
    LOGNAME: AGENT.name,
    SHELL: "/bin/bash",
    PATH: tools.path,
    TMPDIR: "/tmp",
    COFFERDAM_RUN: run.id,
  };
}
