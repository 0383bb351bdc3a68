/**
 * How a run comes to life: each step undone if a later one fails, the agent's first instruction last.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createGateway, clientTrust, trustBundle, type Gateway } from "../gateway/index.ts";
import { digestOf } from "../action/index.ts";
import { createId, describeError, Fault } from "../base/index.ts";
import type { Frame, RunInfo, RunStart } from "../api/index.ts";
import { compilePolicy, parseTaskFile, type Policy, type Task } from "../policy/index.ts";
import {
  AGENT,
  BUNDLE_INSIDE,
  launchSandbox,
  type AgentStreams,
  type Sandbox,
} from "../sandbox/index.ts";
import { createRunFiles, filesOf, type RunFiles } from "./run-files.ts";
import { Recorder } from "./recorder.ts";
import { resolveHost } from "./resolve.ts";
import { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import { checkWorkspace } from "./workspace-place.ts";
import type { World } from "./world.ts";

const LAST_OUTPUT_MS = 2_000; // How long the end of a run waits for the rest of its output.

/** Starts what `request` asks for; resolves when the agent runs. */
export async function startRun(world: World, runs: Runs, request: RunStart): Promise<Run> {
  const task = parseTaskFile(request.task.source, request.task.fileName);
  const policy = compilePolicy(task);
  const workspace = checkWorkspace(request.cwd, world.home.root);
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
    held: !request.detach,
  });
  try {
    await recordStart(run, request, workspace);
    runs.add(run);
    await bringUp(world, run, request, workspace);
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

async function recordStart(run: Run, request: RunStart, workspace: string): Promise<void> {
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
        compute,
        environment: Object.keys(request.environment),
        ...(request.profile === undefined ? {} : { profile: request.profile }),
      },
    },
    { sync: true },
  );
}

async function bringUp(world: World, run: Run, request: RunStart, workspace: string): Promise<void> {
  const undo: (() => unknown)[] = [];
  try {
    const sandbox = await launchSandbox(sandboxSpec(world, run, request, workspace));
    undo.push(() => sandbox.kill());
    const gateway = openGateway(world, run, request, sandbox);
    undo.push(() => gateway.close());
    watch(world, run, gateway, sandbox);
    undo.push(() => world.watcher.unwatch(run.id));
    const proofs = await sandbox.prove();
    await run.recorder.record({ type: "run.proved", data: { proofs } }, { sync: true });
    const streams = await sandbox.start(startOrder(run, request, workspace));
    hold(world, run, { sandbox, gateway, streams });
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}
