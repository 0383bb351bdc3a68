/**
 * Commits that a run made, brought into the host's repository as refs of their own.
 *
 * The run's `.git/` is never copied and Git never runs in it: its configuration and hooks are the run's.
 * Instead a bare repository of ours is put together beside: the run's new objects (regular files with
 * an object's name, indexes made anew), the host's objects as alternates, the run's refs read as data
 * ({@link readRefs}). From it `git fetch` takes what is reachable, checks every object, and writes
 * `refs/cofferdam/RUN/...`, which nothing checks out and no push sends by itself.
 *
 * Git runs as the owner of the workspace also where we are root, without system and user configuration,
 * hooks, helpers, maintenance or any transport but the local one.
 *
 * @module
 */
import { assert, describeError, isFault } from "../base/index.ts";
import type { Remark } from "./apply-plan.ts";
import type { Change } from "./change.ts";
import { readRefs, readRefsBelow, readShallow, type Refs } from "./git-refs.ts";
import { changedRepositories } from "./git-repositories.ts";
import { runGit } from "./git-run.ts";
import { makeDonor } from "./git-donor.ts";
import type { Layer } from "./layer.ts";
import { bytesOf, pathText, rawOf, type RawPath } from "./path-text.ts";
import { withTrees, type Trees } from "./trees.ts";

/** What one repository of the host gets, or got. */
export interface Commits {
  /** The folder that holds `.git`, or the Git folder of a submodule, as `diff` prints it. */
  readonly repository: string;
  /** The Git folder itself. */
  readonly raw: RawPath;
  /** Refs to write: where they point, and what they are in the run. */
  readonly refs: readonly {
    readonly name: string;
    readonly commit: string;
    readonly was: string;
  }[];
  /** Refs of the run that are left out. */
  readonly skipped: readonly Remark[];
}

const RUN_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** What `apply` would bring of the run's commits; `changes` are those that `diffWorkspace` listed. */
export async function diffCommits(
  layer: Layer,
  run: string,
  changes: readonly Change[],
): Promise<readonly Commits[]> {
  const listed = await withTrees(layer, (trees) => listCommits(run, changes, trees));
  return listed.filter(hasNews);
}

/** Reports whether there is anything to say of a repository. */
export function hasNews({ refs, skipped }: Commits): boolean {
  return refs.length + skipped.length > 0;
}

/**
 * Lists the repositories that the run changed, each with the refs that it made or moved, but for those
 * that an earlier apply has brought. All is read as data: nothing runs, nothing is written.
 */
export function listCommits(
  run: string,
  changes: readonly Change[],
  trees: Trees,
): readonly Commits[] {
  assert(RUN_NAME.test(run), "a run's name is part of a ref's name");
  return changedRepositories(changes).map((raw) => listOne(run, raw, trees));
}

function listOne(run: string, raw: RawPath, trees: Trees): Commits {
  const repository = raw === ".git" ? "." : pathText(raw.replace(/\/\.git$/, ""));
  const none = (why: string): Commits => {
    return { repository, raw, refs: [], skipped: [{ path: pathText(raw), why }] };
  };
  const there = trees.host.list(raw);
  if ("unreadable" in there) return none(there.unreadable);
  if (!there.entries.has("objects")) return none("the host has no repository here");
  if (there.entries.has("reftable"))
    return none("refs are kept in a reftable, which is not read yet");
  if (!isUtf8(raw)) return none("its path is not UTF-8");
  const host = { tree: trees.host, repository: raw };
  const ours = readRefs(host).refs;
  const mine = { tree: trees.upper, repository: raw };
  // A copy is whole: what it lacks is not there.
  const { refs, skipped } = trees.copied ? readRefs(mine) : readRefs(host, mine);
  const taken = readRefsBelow(host, `refs/cofferdam/${run}`);
  const fresh = [...refs]
    .filter(([ref, commit]) => ours.get(ref) !== commit)
    .map(([was, commit]) => ({ name: targetRef(run, was), commit, was }))
    .filter(({ name, commit }) => taken.get(name) !== commit);
  return { repository, raw, refs: fresh, skipped };
}

function isUtf8(raw: RawPath): boolean {
  return rawOf(Buffer.from(bytesOf(raw).toString())) === raw;
}

/**
 * Fetches what {@link listCommits} listed. The caller holds the workspace's lock, and no process of the
 * run can write. What Git refuses, such as a damaged object, is told for its repository, which then is as
 * it was but for objects that nothing refers to.
 */
export async function fetchCommits(
  layer: Layer,
  listed: readonly Commits[],
  trees: Trees,
): Promise<{ readonly commits: readonly Commits[]; readonly refused: readonly Remark[] }> {
  const commits: Commits[] = [];
  const refused: Remark[] = [];
  for (const one of listed) {
    try {
      if (one.refs.length > 0) await fetchOne(layer, one, trees);
      commits.push(one);
    } catch (error) {
      if (!isFault(error, "workspace.fetch")) throw error;
      refused.push({ path: pathText(one.raw), why: describeError(error) });
      commits.push({ ...one, refs: [] });
    }
  }
  return { commits, refused };
}

async function fetchOne(layer: Layer, { raw, refs }: Commits, trees: Trees): Promise<void> {
  const path = `${layer.host}/${bytesOf(raw).toString()}`;
  const donor = await makeDonor(layer, {
    upper: trees.upper,
    copied: trees.copied,
    repository: raw,
    hostPath: path,
    refs: new Map(refs.map(({ was, commit }) => [was, commit])) satisfies Refs,
    shallow: readShallow({ tree: trees.host, repository: raw }),
  });
  try {
    // In the donor `HEAD` stands under a name of its own, since a fetch of HEAD would follow it.
    const specs = refs.map(
      ({ was, name }) => `+${was === "HEAD" ? "refs/detached/HEAD" : was}:${name}`,
    );
    await runGit(donor.ids, [`--git-dir=${path}`, ...FETCH, donor.folder, ...specs]);
  } finally {
    await donor.remove();
  }
}

const FETCH = [
  "fetch",
  "--quiet",
  "--no-tags",
  "--no-write-fetch-head",
  "--no-auto-maintenance",
  "--no-recurse-submodules",
  "--no-show-forced-updates",
  "--end-of-options",
];

function targetRef(run: string, ref: string): string {
  return `refs/cofferdam/${run}/${ref.replace(/^refs\//, "")}`;
}
