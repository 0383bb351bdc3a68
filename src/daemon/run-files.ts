/**
 * What a run leaves on disk, so that a daemon started later still knows it.
 *
 * @module
 */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describeError, Fault, type Log } from "../base/index.ts";
import { runInfoSchema, type RunInfo } from "../api/index.ts";
import { discardLayer } from "../workspace/index.ts";

/** Paths of one run. */
export interface RunFiles {
  readonly root: string;
  readonly info: string;
  readonly task: string;
  /** Bound read-only at /run/cofferdam in the run. */
  readonly public: string;
  readonly denials: string;
  readonly layer: string;
}

/** The paths of run `id` below `runs`. */
export function filesOf(runs: string, id: string): RunFiles {
  const root = join(runs, id);
  const open = join(root, "public");
  return {
    root,
    info: join(root, "run.json"),
    task: join(root, "task.yaml"),
    public: open,
    denials: join(open, "denials.jsonl"),
    layer: join(root, "layer"),
  };
}

/**
 * Makes the folders of a run to come; the agent reads what is public, and nothing else. Until there is a
 * description too ({@link saveInfo}) they belong to no run.
 */
export function createRunFiles(files: RunFiles): void {
  mkdirSync(files.root, { recursive: true, mode: 0o700 });
  mkdirSync(files.public, { recursive: true, mode: 0o755 });
  writeFileSync(files.denials, "", { mode: 0o644 });
}

/** Tells the SSH clients of the run which host key is its servers'; see /etc/ssh/ssh_config inside. */
export function saveKnownHosts(files: RunFiles, line: string): void {
  writeFileSync(join(files.public, "known_hosts"), line, { mode: 0o644 });
}

/** Keeps the task that the run was started with. */
export function saveTask(files: RunFiles, source: string): void {
  writeFileSync(files.task, source, { mode: 0o600 });
}

/**
 * Removes what is no run: folders that a daemon left which died with sandboxes waiting, and what was to go with a run
 * that was forgotten. What cannot be removed keeps no daemon from starting.
 */
export async function removeUnclaimed(runs: string, log: Log): Promise<void> {
  if (!existsSync(runs)) return;
  for (const id of readdirSync(runs)) {
    const files = filesOf(runs, id);
    if (existsSync(files.info)) continue;
    await removeRunFiles(files).catch((error: unknown) =>
      log.warn("run.unclaimed", { run: id, error: describeError(error) }),
    );
  }
}

/** Its layer first: an overlay leaves folders that nobody but root may list as they are. */
export async function removeRunFiles(files: RunFiles): Promise<void> {
  await discardLayer(files.layer);
  await discardHome(files.root);
  rmSync(files.root, { recursive: true, force: true });
}

/** What a run made in a HOME of its own may be of any depth, and not to be written to: it is thrown away as a layer is. */
export async function discardHome(folder: string): Promise<void> {
  const home = join(folder, "home");
  const place = join(folder, "thrown");
  if (existsSync(home)) {
    mkdirSync(place, { recursive: true });
    chmodSync(home, 0o700); // To move a folder is to write to it: its `..` changes.
    renameSync(home, join(place, "upper"));
  }
  await discardLayer(place);
}

/** Adds one line (with its line feed) to the file of denials that the run can read. */
export function appendDenial(files: RunFiles, line: string): void {
  appendFileSync(files.denials, line);
}

/** Replaces the run's description at once: a reader sees the old one or the new one. */
export function saveInfo(files: RunFiles, info: RunInfo): void {
  const next = `${files.info}.new`;
  writeFileSync(next, JSON.stringify(info), { mode: 0o600 });
  renameSync(next, files.info);
}

/**
 * Every run that this home knows, in the order in which they started: an id is older than its run.
 *
 * @throws {Fault} `daemon.run_file` where a description cannot be read: nothing is guessed about it.
 */
export function loadInfos(runs: string): readonly RunInfo[] {
  if (!existsSync(runs)) return [];
  return readdirSync(runs)
    .sort()
    .filter((id) => existsSync(filesOf(runs, id).info))
    .flatMap((id) => loadInfo(filesOf(runs, id)) ?? [])
    .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}

/** The description of one run; `undefined` where there is none. @throws {Fault} `daemon.run_file` */
export function loadInfo({ info }: RunFiles): RunInfo | undefined {
  if (!existsSync(info)) return undefined;
  const parsed = runInfoSchema.safeParse(parseJson(readFileSync(info, "utf8")));
  if (parsed.success) return parsed.data;
  throw new Fault("daemon.run_file", `${info} is not a run's description`, {
    hint: "move that folder away; the ledger still holds what the run did",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // The schema then refuses it by name.
  }
}
