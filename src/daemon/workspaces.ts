/**
 * A run's changes to its workspace: shown, taken over, thrown away; and put on record.
 *
 * @module
 */
import type { Gives, RunInfo, Takes } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import {
  applyWorkspace,
  changeDetail,
  diffWorkspace,
  discardLayer,
  openLayer,
  renderChanges,
  type Layer,
} from "../workspace/index.ts";
import { filesOf } from "./run-files.ts";
import type { World } from "./world.ts";

/** What `run` changed, as a list and as text. */
export async function diffRun(world: World, run: RunInfo): Promise<Gives<"workspace.diff">> {
  const layer = await layerOf(world, run);
  const changes = await diffWorkspace(layer);
  return {
    changes: changes.map((change) => ({
      path: change.path,
      kind: change.kind,
      detail: changeDetail(change),
      ...(change.confirm === undefined ? {} : { executes: change.confirm }),
    })),
    text: await renderChanges(layer, changes),
  };
}

/** Writes changes back to the host; the run must not be able to write meanwhile. */
export async function applyRun(
  world: World,
  run: RunInfo,
  options: Omit<Takes<"workspace.apply">, "run">,
): Promise<Gives<"workspace.apply">> {
  const layer = await layerOf(world, run);
  const { confirm, only, partial } = options;
  const result = await applyWorkspace(layer, {
    frozen: run.state === "paused" || run.state === "ended",
    confirm: new Set(confirm),
    partial,
    ...(only === undefined ? {} : { only }),
  });
  const { applied, held, conflicts, refused, notes } = result;
  await note(world, run, {
    done: "apply",
    applied: applied.length,
    paths: applied.slice(0, PATHS_NOTED_MAX),
    confirmed: confirm.slice(0, PATHS_NOTED_MAX),
    held: held.length,
    conflicts: conflicts.length,
    refused: refused.length,
  });
  return {
    applied: [...applied],
    held: [...held],
    conflicts: [...conflicts],
    refused: [...refused],
    notes: [...notes],
  };
}

/** Throws changes away; only those of a run that has ended, or it would go on in a hole. */
export async function discardRun(world: World, run: RunInfo): Promise<Record<string, never>> {
  if (run.state !== "ended") {
    throw new Fault("daemon.state", `${run.run} is ${run.state}; its changes are in use`, {
      hint: `end it first: cofferdam kill ${run.run}`,
    });
  }
  const { folder } = await layerOf(world, run);
  await discardLayer(folder);
  await note(world, run, { done: "discard" });
  return {};
}

const PATHS_NOTED_MAX = 100;

async function layerOf(world: World, run: RunInfo): Promise<Layer> {
  if (run.workspaceMode !== "overlay") {
    throw new Fault("daemon.read_only", `${run.run} could not change its workspace`);
  }
  return openLayer(filesOf(world.home.runs, run.run).layer);
}

async function note(world: World, run: RunInfo, data: Record<string, number | string | string[]>) {
  const { wallMs, monoMs } = world.clock.now();
  const at = new Date(wallMs).toISOString();
  await world.ledger.append(
    { type: "workspace", at, monoMs, run: run.run, target: run.workspace, data },
    { sync: true },
  );
}
