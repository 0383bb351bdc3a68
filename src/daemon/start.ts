/**
 * How a run comes to life: each step undone if a later one fails, the agent's first instruction last.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { constants, homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Process } from "../action/index.ts";
import type { RunInfo, RunStart } from "../api/index.ts";
import { createId, describeError, Fault } from "../base/index.ts";
import { clientTrust, createGateway, type ConnectErrno, type Gateway } from "../gateway/index.ts";
import {
  compilePolicy,
  parseTaskFile,
  printPublished,
  type Policy,
  type Task,
} from "../policy/index.ts";
import {
  AGENT,
  BUNDLE_INSIDE,
  createLimits,
  launchSandbox,
  planLimits,
  resolveTools,
  RUN_UID,
  type LimitPlan,
  type Sandbox,
  type Tools,
} from "../sandbox/index.ts";
import { createLayer } from "../workspace/index.ts";
import { checkDialPaths } from "./dial-paths.ts";
import { holdRun } from "./hold.ts";
import { openPublished, type PublishedPorts } from "./publish.ts";
import { briefProcess, Recorder, type RunEvent } from "./recorder.ts";
import { resolveHost } from "./resolve.ts";
import { createRunFiles, filesOf } from "./run-files.ts";
import { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import { checkWorkspace } from "./workspace-place.ts";
import type { World } from "./world.ts";

/** Starts what `request` asks for; resolves when the agent runs. */
export async function startRun(world: World, runs: Runs, request: RunStart): Promise<Run> {
  const { source, fileName } = request.task;
  const task = parseTaskFile(source, fileName, world.clock.now().wallMs);
  const policy = compilePolicy(task);
  const workspace = checkWorkspace(request.cwd, world.home.root);
  checkDialPaths(policy, [workspace, world.home.root]);
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
    const published = await publishPorts(world, runs, run);
    await bringUp(world, run, request, { workspace, plan, published });
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
    publish: task.publish.map(printPublished),
  };
}

/** Takes the ports of this machine that the task publishes; nothing leads in before the agent runs. */
async function publishPorts(world: World, runs: Runs, run: Run): Promise<PublishedPorts> {
  return openPublished(run.task.publish, {
    clock: world.clock,
    uid: process.geteuid?.() ?? 0,
    record: (event) => run.record(event),
    note: (event) => run.recorder.note(event),
    holderOf(port) {
      const takes = (other: Run) => other.task.publish.some(({ host }) => host === port);
      const holder = runs.live.find((other) => other !== run && takes(other));
      return holder === undefined ? undefined : `the run ${holder.id} (${holder.task.task})`;
    },
  });
}

async function recordStart(
  run: Run,
  request: RunStart,
  { workspace, plan }: Omit<Plans, "published">,
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
        publish: task.publish.map(printPublished),
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
  readonly published: PublishedPorts;
}

/** @throws {Fault} `sandbox.limit` where the task names a limit that this host cannot hold (INV-17). */
function planRunLimits(world: World, task: Task): LimitPlan {
  if (task.compute.gpu !== "none") {
    throw new Fault("daemon.gpu", "GPU devices cannot be passed into a run yet", {
      hint: "leave `gpu:` out, or set it to none",
    });
  }
  return planLimits({ controllers: world.cgroups.controllers, gpus: [] }, task.compute);
}

async function bringUp(
  world: World,
  run: Run,
  request: RunStart,
  { workspace, plan, published }: Plans,
): Promise<void> {
  const undo: (() => unknown)[] = [() => published.close()];
  try {
    const home = homeFolder(world, run, request, workspace);
    if (run.task.workspace === "overlay") {
      const ids = process.geteuid?.() === 0 ? { run: { uid: RUN_UID, gid: RUN_UID } } : {};
      await createLayer(run.files.layer, { host: workspace, ...ids });
    }
    const folders = [join(run.files.layer, "upper"), home];
    const limits = createLimits(world.cgroups, plan, { id: run.id, folders });
    undo.push(() => limits.close());
    const tools = await resolveTools({
      commands: request.command.slice(0, 1),
      path: request.path,
      home: homedir(),
      workspace,
    });
    const sandbox = await launchSandbox({
      workspace: { path: workspace, mode: run.task.workspace },
      layer: run.files.layer,
      home,
      publicDir: run.files.public,
      etc: world.etc,
      tools,
      limits: plan.rlimits,
      admit: (pid) => limits.admit(pid),
      canaries: [world.home.socket, world.home.keys],
    });
    undo.push(() => sandbox.kill());
    limits.place(sandbox.initPid);
    const gateway = connect(world, run, request, sandbox);
    undo.push(() => gateway.close());
    undo.push(() => world.watcher.unwatch(run.id));
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
    published.begin(() => sandbox.sockets());
    holdRun(world, run, { sandbox, gateway, limits, streams, published });
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
      onConnect: ({ address, port, protocol, process }) =>
        errnoOf(gateway.judgeConnect({ address, port }, protocol, briefProcess(process)).errno),
      onExec: ({ process }) => run.recorder.note(execEvent(process)),
      onOdd: ({ what, detail, process }) => {
        // A socket family or call that no ordinary program uses; the rest is trouble of our own.
        if (what === "family" || what === "call") {
          run.finding("escape", detail, { process: briefProcess(process) });
        } else world.log.warn("provenance.odd", { run: run.id, what, detail });
      },
    },
  );
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
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Fault("daemon.authority", `cannot read the grant's authority ${path}`, {
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
