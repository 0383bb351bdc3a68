/**
 * The part of an apply that Git does: commits come by fetch, and what is told of each `.git` after that.
 *
 * @module
 */
import type { ApplyResult } from "./apply.ts";
import type { Remark } from "./apply-plan.ts";
import type { Change } from "./change.ts";
import { fetchCommits, hasNews, type Commits } from "./git-commits.ts";
import { isGitFolder, otherChanges } from "./git-repositories.ts";
import type { Layer } from "./layer.ts";
import { pathText, type RawPath } from "./path-text.ts";
import type { Trees } from "./trees.ts";

/** Most paths inside one `.git` that are named as not applied. */
const OTHERS_NAMED_MAX = 20;

/**
 * Fetches `wanted`, and says what became of each Git folder: one whose commits came is no longer refused
 * as a whole; what else the run changed in it is, by name (hooks and configuration are).
 */
export async function takeCommits(
  layer: Layer,
  about: {
    readonly files: Pick<ApplyResult, "refused" | "notes">;
    readonly changes: readonly Change[];
    readonly wanted: readonly Commits[];
    readonly trees: Trees;
  },
): Promise<Pick<ApplyResult, "refused" | "notes" | "commits">> {
  const { files, changes, trees } = about;
  const { commits, refused: failed } = await fetchCommits(layer, about.wanted, trees);
  const notes = [...files.notes];
  const refused: Remark[] = [];
  const units = gitFolders(changes);
  for (const remark of files.refused) {
    const unit = units.get(remark.path);
    if (unit === undefined) {
      refused.push(remark);
      continue;
    }
    if (failed.some(({ path }) => path === remark.path)) continue; // Told with Git's own words.
    const others = otherChanges(changes, unit).map(({ path }) => path);
    const came = commits.find(({ raw }) => raw === unit);
    const isFetched = came?.skipped.every(({ path }) => path !== remark.path) === true;
    if (isFetched && others.length === 0) {
      notes.push({
        path: remark.path,
        why: "commits come by fetch; index and logs stay in the run",
      });
    } else {
      const named = others.slice(0, OTHERS_NAMED_MAX).join(", ");
      refused.push(named === "" ? remark : { ...remark, why: `${remark.why}: ${named}` });
    }
  }
  return { refused: [...refused, ...failed], notes, commits: commits.filter(hasNews) };
}

function gitFolders(changes: readonly Change[]): ReadonlyMap<string, RawPath> {
  return new Map(
    changes.flatMap(({ unit }) => (isGitFolder(unit) ? [[pathText(unit), unit] as const] : [])),
  );
}
