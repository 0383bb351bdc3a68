/**
 * Snapshots: the changes that a run made to its workspace, and its HOME, kept to start others from.
 *
 * ```
 * snapshots/ID/
 *   snapshot.json   what it is of, and what its data was exposed to
 *   layer/          as of a run (src/workspace/layer.ts)
 *   home/           where the run had one of its own
 * ```
 *
 * Copied by cp(1): what a run made is hostile, and a copy of it opens and follows nothing.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { snapshotInfoSchema, type RunInfo, type SnapshotInfo } from "../api/index.ts";
import { createId, describeError, Fault, isFault, type Log } from "../base/index.ts";
import type { PolicyState } from "../policy/index.ts";
import {
  discardLayer,
  layOutLayer,
  measureLayer,
  openLayer,
  type Layer,
} from "../workspace/index.ts";
import { layerOptions, type Recipe } from "./prepared.ts";
import { discardHome, filesOf, type RunFiles } from "./run-files.ts";
import type { Run } from "./run.ts";
import { requireFree } from "./workspaces.ts";
import type { World } from "./world.ts";

/** What stays true of whoever goes on with a run's files: what was in its reach is in theirs. */
export type Inherited = Pick<PolicyState, "readPrivately" | "confirmAll">;

const keptSchema = z.strictObject({
  version: z.literal(1),
  info: snapshotInfoSchema,
  inherited: z.strictObject({
    readPrivately: z.array(z.string()),
    confirmAll: z.strictObject({ why: z.string(), except: z.array(z.string()) }).optional(),
  }),
});

/**
 * Whiteouts and opaque folders among it: an attribute that is lost would bring back what the run deleted, so that it
 * is no detail that may fail.
 */
const COPY = ["-dR", "--preserve=mode,ownership,timestamps,links,xattr", "--sparse=auto"];
const LAYER_PARTS = ["upper", "layer.json", "names", "applied"];

const WRITTEN_MS_MAX = 5000;
const WRITTEN_POLL_MS = 10;

const run = promisify(execFile);

/** Takes a snapshot of a run, which stands still meanwhile. @throws {Fault} `daemon.snapshot`, `daemon.state` */
export async function takeSnapshot(
  world: World,
  info: RunInfo,
  known: Run | undefined,
  name: string | undefined,
): Promise<SnapshotInfo> {
  requireFree(world, info.run);
  world.inUse.add(info.run); // At once: two that pass together would each let the run go on under the other.
  try {
    return await take(world, info, known, name);
  } finally {
    world.inUse.delete(info.run);
  }
}

async function take(
  world: World,
  info: RunInfo,
  known: Run | undefined,
  name: string | undefined,
): Promise<SnapshotInfo> {
  const files = filesOf(world.home.runs, info.run);
  const layer = await openSnapshotable(info, files, known);
  const { wallMs } = world.clock.now();
  const snapshot = createId("s", wallMs);
  const part = join(world.home.snapshots, `.${snapshot}`);
  const copy = async () => {
    mkdirSync(join(part, "layer", "work"), { recursive: true, mode: 0o700 });
    const parts = LAYER_PARTS.filter((one) => existsSync(join(files.layer, one)));
    await copyInto(
      parts.map((one) => join(files.layer, one)),
      join(part, "layer"),
    );
    const home = join(files.root, "home");
    if (existsSync(home)) await copyInto([home], part);
  };
  try {
    await note(world, info, { doing: "snapshot", snapshot });
    await (known?.alive === true ? known.still("a snapshot of it is taken", copy) : copy());
    const { bytes, files: names } = await measureLayer(await openLayer(join(part, "layer")));
    const taken: SnapshotInfo = {
      snapshot,
      run: info.run,
      task: info.task,
      workspace: layer.host,
      ...(name === undefined ? {} : { name }),
      takenAt: new Date(wallMs).toISOString(),
      bytes,
      names,
    };
    const kept = JSON.stringify({ version: 1, info: taken, inherited: inheritedFrom(info, known) });
    await writeFile(join(part, "snapshot.json"), kept, { mode: 0o600 });
    renameSync(part, join(world.home.snapshots, snapshot));
    await note(world, info, { done: "snapshot", snapshot, bytes, names });
    return taken;
  } catch (error) {
    await discard(part).catch(() => {}); // The next daemon tries again.
    await note(world, info, { failed: "snapshot", snapshot });
    throw error;
  }
}

/** The layer of a run that may have started this moment: what is written of it then is not waited for by its start. */
async function openWritten(folder: string, known: Run | undefined): Promise<Layer> {
  const deadline = performance.now() + WRITTEN_MS_MAX;
  for (;;) {
    try {
      return await openLayer(folder);
    } catch (error) {
      const isYoung = known?.alive === true && performance.now() < deadline;
      if (!isYoung || !isFault(error, "workspace.layer")) throw error;
      await sleep(WRITTEN_POLL_MS);
    }
  }
}

/** Of a run that ended long ago nobody knows what it read, nor what was found of it: all that it may have. */
function inheritedFrom({ run: id }: RunInfo, known: Run | undefined): Inherited {
  if (known === undefined) {
    const why = `nobody knows any more what was found of ${id}`;
    return { readPrivately: [`the run ${id}`], confirmAll: { why, except: [] } };
  }
  const { readPrivately, confirmAll } = known.policyState;
  return { readPrivately, ...(confirmAll === undefined ? {} : { confirmAll }) };
}

/** @throws {Fault} `daemon.snapshot` where the run has no changes that can be taken apart from the host. */
async function openSnapshotable(info: RunInfo, files: RunFiles, known: Run | undefined) {
  if (info.workspaceMode !== "overlay") {
    throw new Fault("daemon.snapshot", `${info.run} could not change its workspace`, {
      hint: "start others from the workspace itself",
    });
  }
  if (info.state === "starting") {
    throw new Fault("daemon.state", `${info.run} is starting`, { hint: "try again in a moment" });
  }
  const layer = await openWritten(files.layer, known);
  if (layer.copied !== true) return layer;
  throw new Fault("daemon.snapshot", `${info.run} works on a copy of its workspace`, {
    hint: "put the workspace, or COFFERDAM_HOME, on a local file system over which an overlay can be mounted",
  });
}

/** All that there are, the oldest first. @throws {Fault} `daemon.snapshot` where one cannot be read. */
export function listSnapshots(folder: string): SnapshotInfo[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .toSorted()
    .map((name) => read(folder, name).info);
}

/** @throws {Fault} `daemon.no_such_snapshot` */
export async function removeSnapshot(world: World, snapshot: string): Promise<void> {
  const { info } = read(world.home.snapshots, snapshot);
  const gone = join(world.home.snapshots, `.${snapshot}`);
  renameSync(join(world.home.snapshots, snapshot), gone); // From here on nothing starts from it.
  await discard(gone);
  const { wallMs, monoMs } = world.clock.now();
  const at = new Date(wallMs).toISOString();
  const data = { done: "snapshot removed", snapshot };
  await world.ledger.append({ type: "workspace", at, monoMs, run: info.run, data }, { sync: true });
}

/** Removes what a daemon left that died while it took or removed one; what cannot be removed keeps no daemon from starting. */
export async function tidySnapshots(folder: string, log: Log): Promise<void> {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(".")) continue;
    await discard(join(folder, name)).catch((error: unknown) =>
      log.warn("snapshot.discard", { name, error: describeError(error) }),
    );
  }
}

async function discard(snapshot: string): Promise<void> {
  await discardLayer(join(snapshot, "layer"));
  await discardHome(snapshot);
  rmSync(snapshot, { recursive: true, force: true });
}

/** What a run that starts from a snapshot has of it. */
export interface Fork {
  readonly info: SnapshotInfo;
  readonly inherited: Inherited;
  /** Lays it out as the layer and HOME of a run that has neither yet. @throws {Fault} `daemon.snapshot` */
  layOut(files: RunFiles): Promise<void>;
}

/**
 * The snapshot, for a run of `recipe`.
 *
 * @throws {Fault} `daemon.no_such_snapshot`; `daemon.snapshot` where it is of another workspace.
 */
export function openFork(world: World, snapshot: string, recipe: Recipe): Fork {
  const folder = join(world.home.snapshots, snapshot);
  const { info, inherited } = read(world.home.snapshots, snapshot);
  if (info.workspace !== recipe.workspace || recipe.mode !== "overlay") {
    throw new Fault("daemon.snapshot", `${snapshot} is of ${info.workspace}, to be written to`, {
      hint: "start from that folder, with a task that has `workspace: overlay`",
    });
  }
  return {
    info,
    inherited: {
      readPrivately: inherited.readPrivately,
      ...(inherited.confirmAll === undefined ? {} : { confirmAll: inherited.confirmAll }),
    },
    async layOut(files) {
      await layOutLayer(files.layer, layerOptions(recipe));
      const parts = LAYER_PARTS.map((one) => join(folder, "layer", one)).filter(existsSync);
      await copyInto(parts, files.layer);
      const home = join(folder, "home");
      if (recipe.home === undefined && existsSync(home)) await copyInto([home], files.root);
    },
  };
}

async function copyInto(from: readonly string[], to: string): Promise<void> {
  try {
    await run("/bin/cp", [...COPY, "--reflink=auto", "-t", to, "--", ...from], {
      env: { LC_ALL: "C.UTF-8" },
    });
  } catch (cause) {
    const words = /^.*$/m.exec(describeError(cause))?.[0] ?? "";
    const said =
      typeof cause === "object" && cause !== null && "stderr" in cause ? cause.stderr : "";
    const why = typeof said === "string" && said !== "" ? (said.split("\n")[0] ?? "") : words;
    throw new Fault("daemon.snapshot", `a copy could not be made: ${why}`, { cause });
  }
}

function read(folder: string, snapshot: string): z.infer<typeof keptSchema> {
  const file = join(folder, snapshot, "snapshot.json");
  if (!existsSync(file)) {
    throw new Fault("daemon.no_such_snapshot", `there is no snapshot ${snapshot}`, {
      hint: "`snapshot.list` has those that there are",
    });
  }
  try {
    return keptSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new Fault("daemon.snapshot", `${file} is not a snapshot's description`, {
      hint: "move that folder away",
      cause,
    });
  }
}

async function note(world: World, info: RunInfo, data: Readonly<Record<string, string | number>>) {
  const { wallMs, monoMs } = world.clock.now();
  const at = new Date(wallMs).toISOString();
  await world.ledger.append(
    { type: "workspace", at, monoMs, run: info.run, target: info.workspace, data },
    { sync: false },
  );
}
