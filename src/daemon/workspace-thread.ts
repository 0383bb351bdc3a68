/**
 * The thread that does one piece of work on a workspace; see workspace-jobs.ts.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Gives } from "../api/index.ts";
import { assert, describeError, isFault } from "../base/index.ts";
import {
  applyWorkspace,
  changeDetail,
  copyHost,
  createLayer,
  diffCommits,
  diffWorkspace,
  digestChanges,
  discardLayer,
  openLayer,
  readChangedTexts,
  renderChanges,
  writeStartNames,
  type ApplyResult,
  type ChangedText,
  type Commits,
  type TextsWanted,
} from "../workspace/index.ts";
import type { RadiusChange } from "./blast-changes.ts";
import type { JobDone, JobReport, WorkspaceJob } from "./workspace-jobs.ts";

type Shown = Gives<"workspace.diff">["commits"];
/** Most paths of one kind that an entry of the record names. */
const PATHS_NOTED_MAX = 100;

async function diff(job: WorkspaceJob & { kind: "diff" }): Promise<JobDone> {
  const layer = await openLayer(job.layer);
  const changes = await diffWorkspace(layer);
  const answer: Gives<"workspace.diff"> = {
    radius: await radiusOf(job, (wanted) => readChangedTexts(layer, changes, wanted)),
    changes: changes.map((change) => ({
      path: change.path,
      kind: change.kind,
      detail: changeDetail(change),
      ...(change.confirm === undefined ? {} : { executes: change.confirm }),
    })),
    commits: shown(await diffCommits(layer, job.run, changes)),
    text: await renderChanges(layer, changes),
    ...(job.frozen ? { digest: await digestChanges(layer, job.run, changes) } : {}),
  };
  return { body: encode(answer), noted: {} };
}

async function apply(job: WorkspaceJob & { kind: "apply" }): Promise<JobDone> {
  const { run, frozen, confirm, only, partial, digest } = job;
  const layer = await openLayer(job.layer);
  const doing: { result?: ApplyResult } = {};
  const radius = await radiusOf(job, async (texts) => {
    doing.result = await applyWorkspace(layer, {
      ...{ run, frozen, partial, texts },
      confirm: new Set(confirm),
      ...(only === undefined ? {} : { only }),
      ...(digest === undefined ? {} : { digest }),
    });
  });
  const { result } = doing;
  assert(result !== undefined, "an apply that threw has ended this");
  const { applied, held, conflicts, refused, notes, commits } = result;
  const answer: Gives<"workspace.apply"> = {
    radius: radius.filter(({ path }) => applied.includes(path)),
    applied: [...applied],
    held: [...held],
    conflicts: [...conflicts],
    refused: [...refused],
    notes: [...notes],
    commits: shown(commits),
  };
  const refs = commits.flatMap(({ repository, refs }) =>
    refs.map(({ name, commit }) => `${repository} ${name} ${commit}`),
  );
  const noted = {
    applied: applied.length,
    paths: applied.slice(0, PATHS_NOTED_MAX),
    confirmed: confirm.slice(0, PATHS_NOTED_MAX),
    held: held.length,
    conflicts: conflicts.length,
    refused: refused.length,
    refs: refs.length,
    commits: refs.slice(0, PATHS_NOTED_MAX),
  };
  return { body: encode(answer), noted };
}

/** What the texts that `give` has read would make possible at worst. */
async function radiusOf(
  { known, nowMs }: Pick<WorkspaceJob & { kind: "diff" | "apply" }, "known" | "nowMs">,
  give: (wanted: TextsWanted) => Promise<void>,
): Promise<RadiusChange[]> {
  const found: ChangedText[] = [];
  const isWanted = (path: string) => /\.ya?ml$/i.test(path);
  await give({ isWanted, take: (texts) => found.push(...texts) });
  if (found.length === 0) return [];
  const { radiusChanges } = await import("./blast-changes.ts"); // Seldom needed, and it loads much.
  return [...(await radiusChanges(found, known, nowMs))];
}

async function discard(job: WorkspaceJob & { kind: "discard" }): Promise<JobDone> {
  await discardLayer(job.layer);
  return { body: encode({}), noted: {} };
}

async function copy(job: WorkspaceJob & { kind: "copy" }): Promise<JobDone> {
  const layer = await createLayer(job.layer, { host: job.host, copied: true, ...job.ids });
  await writeStartNames(layer);
  const { bytes, names, onDisk, leftOut } = await copyHost(layer);
  const left = leftOut.slice(0, PATHS_NOTED_MAX).map(({ path, why }) => `${path}: ${why}`);
  return { body: encode({}), noted: { bytes, names, onDisk, leftOut: left } };
}

function shown(commits: readonly Commits[]): Shown {
  return commits.map(({ repository, refs, skipped }) => ({
    repository,
    refs: [...refs],
    skipped: [...skipped],
  }));
}

function encode(answer: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(answer));
}

async function report(job: WorkspaceJob): Promise<JobReport> {
  try {
    if (job.kind === "diff") return { done: await diff(job) };
    if (job.kind === "apply") return { done: await apply(job) };
    if (job.kind === "copy") return { done: await copy(job) };
    return { done: await discard(job) };
  } catch (error) {
    if (!isFault(error)) return { bug: describeError(error) };
    const { code, message, hint } = error;
    return { fault: { code, message, ...(hint !== undefined && { hint }) } };
  }
}

// Whoever starts this thread gives it a job; nothing else does.
const said = await report(workerData as WorkspaceJob);
parentPort?.postMessage(said, "done" in said ? [said.done.body.buffer as ArrayBuffer] : []);
