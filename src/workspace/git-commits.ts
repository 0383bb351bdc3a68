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
import { closeSync } from "node:fs";
import { Fault } from "../base/index.ts";
import { tryLock } from "../sys/index.ts";
import type { Remark } from "./apply-plan.ts";
import { diffWorkspace } from "./diff.ts";
import { readRefs, readShallow, type Refs } from "./git-refs.ts";
import { runGit } from "./git-run.ts";
import { makeDonor } from "./git-donor.ts";
import { openHost, openUpper, type Layer } from "./layer.ts";
import { bytesOf, pathText, rawOf, type RawPath } from "./path-text.ts";
import { Tree } from "./tree.ts";

/** Most repositories of one workspace that commits are fetched for. */
export const REPOSITORIES_MAX = 100;

/** What one repository of the host got. */
export interface FetchedCommits {
  /** The folder that holds `.git`, as `diff` prints it. */
  readonly repository: string;
  /** Refs written: where they point, and what they are in the run. */
  readonly refs: readonly {
    readonly name: string;
    readonly commit: string;
    readonly was: string;
  }[];
  /** Refs of the run that were left out. */
  readonly skipped: readonly Remark[];
}

const RUN_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * Fetches the commits that the run made in repositories that the host has too.
 *
 * @throws {Fault} `workspace.running`, `workspace.busy` as `applyWorkspace`; `workspace.fetch` where Git
 *   refused, for instance a damaged object: the host's repository then is as it was, but for objects
 *   that nothing refers to.
 */
export async function fetchCommits(
  layer: Layer,
  run: string,
  options: { readonly frozen: boolean },
): Promise<readonly FetchedCommits[]> {
  if (!RUN_NAME.test(run)) throw new Fault("workspace.fetch", "the run's name is no ref's name");
  if (!options.frozen) {
    throw new Fault("workspace.running", "the run can still write to its workspace", {
      hint: "pause it, or wait until it has ended",
    });
  }
  const repositories = await changedRepositories(layer);
  const host = openHost(layer);
  try {
    if (!tryLock(host))
      throw new Fault("workspace.busy", "another apply is writing to this workspace");
    const upper = openUpper(layer);
    try {
      const trees = { host: new Tree(host, false), upper: new Tree(upper, true) };
      const fetched: FetchedCommits[] = [];
      for (const repository of repositories) {
        fetched.push(await fetchOne(layer, run, repository, trees));
      }
      return fetched.filter(({ refs, skipped }) => refs.length + skipped.length > 0);
    } finally {
      closeSync(upper);
    }
  } finally {
    closeSync(host);
  }
}

/** Raw paths of `.git` folders that the run changed and that the host has. */
async function changedRepositories(layer: Layer): Promise<readonly RawPath[]> {
  const units = new Set<RawPath>();
  for (const { unit, raw } of await diffWorkspace(layer)) {
    if (raw.startsWith(`${unit}/`) && (unit === ".git" || unit.endsWith("/.git"))) units.add(unit);
  }
  return [...units].slice(0, REPOSITORIES_MAX);
}

async function fetchOne(
  layer: Layer,
  run: string,
  repository: RawPath,
  trees: { readonly host: Tree; readonly upper: Tree },
): Promise<FetchedCommits> {
  const name = repository === ".git" ? "." : pathText(repository.slice(0, -"/.git".length));
  const none = (why: string): FetchedCommits => ({
    repository: name,
    refs: [],
    skipped: [{ path: pathText(repository), why }],
  });
  const there = trees.host.list(repository);
  if ("unreadable" in there) return none(there.unreadable);
  if (!there.entries.has("objects")) return none("the host has no repository here");
  if (there.entries.has("reftable"))
    return none("refs are kept in a reftable, which is not read yet");
  const host = { tree: trees.host, repository };
  const ours = readRefs(host).refs;
  const { refs, skipped } = readRefs(host, { tree: trees.upper, repository });
  const fresh = new Map([...refs].filter(([ref, commit]) => ours.get(ref) !== commit));
  if (fresh.size === 0) return { repository: name, refs: [], skipped };
  const path = `${layer.host}/${bytesOf(repository).toString()}`;
  if (!rawOf(Buffer.from(path)).endsWith(repository)) {
    return none("its path is not UTF-8");
  }
  const donor = await makeDonor(layer, {
    upper: trees.upper,
    repository,
    hostPath: path,
    refs: fresh,
    shallow: readShallow(host),
  });
  try {
    await runGit(donor.ids, [`--git-dir=${path}`, ...FETCH, donor.folder, ...refSpecs(run, fresh)]);
  } finally {
    await donor.remove();
  }
  const written = [...fresh].map(([ref, commit]) => ({
    name: targetRef(run, ref),
    commit,
    was: ref,
  }));
  return { repository: name, refs: written, skipped };
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

/** In the donor `HEAD` stands under a name of its own, since a fetch of HEAD would follow it. */
function refSpecs(run: string, refs: Refs): readonly string[] {
  return [...refs.keys()].map((ref) => {
    const from = ref === "HEAD" ? "refs/detached/HEAD" : ref;
    return `+${from}:${targetRef(run, ref)}`;
  });
}
