/**
 * A run's changes to its workspace: shown, taken over, thrown away; and put on record.
 *
 * @module
 */
import { z } from "zod";
import type { RunInfo, Takes } from "../api/index.ts";
import { Fault, isFault } from "../base/index.ts";
import { RUN_UID } from "../sandbox/index.ts";
import { filesOf } from "./run-files.ts";
import type { Run } from "./run.ts";
import { ReadyAnswer } from "./server.ts";
import { doJob, type JobDone } from "./workspace-jobs.ts";
import type { World } from "./world.ts";

/** What `run` changed, as a list and as text. */
export async function diffRun(
  world: World,
  run: RunInfo,
  known?: Run,
): Promise<ReadyAnswer<"workspace.diff">> {
  const job = diffJob(world, run);
  const { body } = await inPeace(run, known, "its changes are shown", () => doJob(job));
  return new ReadyAnswer([body]);
}

/** A run that stands still goes on doing so while `work` is done, whoever lets it go on meanwhile (INV-193). */
async function inPeace<T>(
  run: RunInfo,
  known: Run | undefined,
  why: string,
  work: () => Promise<T>,
): Promise<T> {
  return run.state === "paused" && known?.alive === true ? known.still(why, work) : work();
}

function isFrozen({ state }: RunInfo): boolean {
  return state === "paused" || state === "ended";
}

/** The first of what `run` changed, for whoever looks at it later. */
export async function changesOf(world: World, run: RunInfo): Promise<unknown> {
  const { body } = await doJob(diffJob(world, run));
  const { changes } = diffSchema.parse(JSON.parse(Buffer.from(body).toString("utf8")));
  return { first: changes.slice(0, CHANGES_KEPT_MAX), count: changes.length };
}

function diffJob(world: World, info: RunInfo) {
  const { run } = info;
  const layer = layerOf(world, info);
  return { kind: "diff", run, layer, frozen: isFrozen(info), ...judgedBy(world) } as const;
}

/** By what task files among the changes are judged. */
function judgedBy({ home, clock }: World) {
  const { rules, facts, catalog } = home;
  return { known: { rules, facts, catalog }, nowMs: clock.now().wallMs };
}

const CHANGES_KEPT_MAX = 1000;
const diffSchema = z.looseObject({ changes: z.array(z.json()) });

/** Writes changes back to the host; the run must not be able to write meanwhile. */
export async function applyRun(
  world: World,
  run: RunInfo,
  options: Omit<Takes<"workspace.apply">, "run">,
  known?: Run,
): Promise<ReadyAnswer<"workspace.apply">> {
  requireFree(world, run.run);
  const job = {
    kind: "apply",
    run: run.run,
    layer: layerOf(world, run),
    frozen: isFrozen(run),
    ...judgedBy(world),
    ...options,
  } as const;
  // Before the first byte is written, and after: an apply that broke off is on record too.
  const confirmed = options.confirm.slice(0, PATHS_NOTED_MAX);
  const { body } = await recorded(world, run, "apply", async () => {
    await note(world, run, { doing: "apply", confirmed });
    return inPeace(run, known, "its changes are applied", () => doJob(job));
  });
  return new ReadyAnswer([body]);
}

/**
 * Makes the layer of a run that starts now, with a copy of the host's folder in it. Returns how many bytes
 * on disk it takes before the run has written anything.
 */
export async function copyWorkspace(world: World, run: Run): Promise<number> {
  const isRoot = process.geteuid?.() === 0;
  const ids = isRoot ? { run: { uid: RUN_UID, gid: RUN_UID } } : {};
  const { workspace: host } = run.info;
  const { noted } = await recorded(world, run.info, "copy", () =>
    doJob({ kind: "copy", layer: run.files.layer, host, ids }),
  );
  const left = Array.isArray(noted["leftOut"]) ? noted["leftOut"] : [];
  const told = left.slice(0, LEFT_OUT_TOLD_MAX).join(", ");
  const rest = left.length > LEFT_OUT_TOLD_MAX ? ", and more: see the record" : "";
  const more = left.length === 0 ? "" : `; left out: ${told}${rest}`;
  run.console.notice(
    `no overlay can be mounted here, so the run works on a copy (${Number(noted["names"])} names, ` +
      `${Number(noted["bytes"])} bytes)${more}`,
  );
  return Number(noted["onDisk"]);
}

/** Throws changes away; only those of a run that has ended, or it would go on in a hole. */
export async function discardRun(
  world: World,
  run: RunInfo,
): Promise<ReadyAnswer<"workspace.discard">> {
  if (run.state !== "ended") {
    throw new Fault("daemon.state", `${run.run} is ${run.state}; its changes are in use`, {
      hint: `end it first: cofferdam kill ${run.run}`,
    });
  }
  requireFree(world, run.run);
  const job = { kind: "discard", layer: layerOf(world, run) } as const;
  const { body } = await recorded(world, run, "discard", () => doJob(job));
  return new ReadyAnswer([body]);
}

const PATHS_NOTED_MAX = 100;
const LEFT_OUT_TOLD_MAX = 5;

function layerOf(world: World, run: RunInfo): string {
  if (run.workspaceMode !== "overlay") {
    throw new Fault("daemon.read_only", `${run.run} could not change its workspace`);
  }
  return filesOf(world.home.runs, run.run).layer;
}

async function recorded(
  world: World,
  run: RunInfo,
  what: string,
  work: () => Promise<JobDone>,
): Promise<JobDone> {
  world.inUse.add(run.run);
  try {
    const done = await work();
    await note(world, run, { done: what, ...done.noted });
    return done;
  } catch (error) {
    await note(world, run, { failed: what, code: isFault(error) ? error.code : "daemon.internal" });
    throw error;
  } finally {
    world.inUse.delete(run.run);
  }
}

/** @throws {Fault} `daemon.state` while the run's changes are being applied, discarded or taken. */
export function requireFree(world: World, run: string): void {
  if (!world.inUse.has(run)) return;
  throw new Fault("daemon.state", `the changes of ${run} are being applied, discarded or taken`, {
    hint: "try again when that is done",
  });
}

async function note(world: World, run: RunInfo, data: JobDone["noted"]): Promise<void> {
  const { wallMs, monoMs } = world.clock.now();
  const at = new Date(wallMs).toISOString();
  await world.ledger.append(
    { type: "workspace", at, monoMs, run: run.run, target: run.workspace, data },
    { sync: true },
  );
}
