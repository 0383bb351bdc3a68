/**
 * Repositories of a workspace that a run changed, and which of its changes no fetch can bring.
 *
 * A submodule's objects lie in `.git/modules/NAME` of the repository around it, which is laid out as any
 * other `.git`; its name may hold slashes, and it may hold submodules of its own.
 *
 * @module
 */
import type { Change } from "./change.ts";
import type { RawPath } from "./path-text.ts";

/** Most repositories of one workspace that commits are fetched for. */
export const REPOSITORIES_MAX = 100;

// Where a Git folder keeps what a fetch brings: what lies before it is the folder.
const MODULE =
  /^((?:.*\/)?\.git\/modules\/.+?)\/(?:objects|refs|logs|HEAD|packed-refs|index)(?:\/|$)/;
/** Objects, refs, and what only the run's own work in progress needs: nothing of it runs anything. */
const HARMLESS = new RegExp(
  "^(?:modules/.+?/)?(?:(?:objects|refs|logs|rebase-merge|rebase-apply|sequencer|rr-cache)(?:/|$)|" +
    "(?:index|packed-refs|shallow|[A-Z]+_HEAD|HEAD|[A-Z]+_MSG|MERGE_MODE|COMMIT_EDITMSG|AUTO_MERGE|gc\\.log)" +
    "(?:\\.lock)?$|info/refs$|worktrees(?:/|$))",
);

/** Raw paths of Git folders that the run changed something in, the submodules' among them. */
export function changedRepositories(changes: readonly Change[]): readonly RawPath[] {
  const found = new Set<RawPath>();
  for (const { unit, raw } of changes) {
    if (!isGitFolder(unit) || !raw.startsWith(`${unit}/`)) continue;
    found.add(unit);
    const [, module] = MODULE.exec(raw) ?? [];
    if (module !== undefined) found.add(module);
  }
  return [...found].slice(0, REPOSITORIES_MAX);
}

/** What the run changed in Git folder `unit` beside commits and its own work in progress. */
export function otherChanges(changes: readonly Change[], unit: RawPath): readonly Change[] {
  return changes.filter(({ raw, to }) => {
    if (!raw.startsWith(`${unit}/`)) return raw === unit && to?.type !== "folder";
    const isFolder = to?.type === "folder";
    return !isFolder && !HARMLESS.test(raw.slice(unit.length + 1));
  });
}

/** Reports whether a change's unit is the `.git` of a repository. */
export function isGitFolder(unit: RawPath): boolean {
  return unit === ".git" || unit.endsWith("/.git");
}
