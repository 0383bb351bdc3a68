/**
 * Repositories without a worktree: any folder with the right entries is one to Git, whatever its name.
 *
 * Entering such a folder with a prompt or an editor that asks Git is enough to run what its `config`
 * names. So a change in one needs its folder named, as one unit.
 *
 * @module
 */
import type { Change } from "./change.ts";
import { foldName } from "./executed-paths.ts";
import { splitRaw, type RawPath } from "./path-text.ts";
import type { Tree } from "./tree.ts";

const REASON = "inside a Git repository: its configuration and hooks run commands";
const PARTS = new Set(["head", "objects", "refs", "config", "commondir"]);

/** Marks every change inside a folder that is, in the run's view, a repository by what it holds. */
export function markRepositories(changes: readonly Change[], host: Tree): readonly Change[] {
  const touched = new Map<RawPath, Map<string, boolean>>();
  for (const { raw, kind } of changes) {
    const [folder, name] = splitRaw(raw);
    const part = foldName(name);
    if (!PARTS.has(part)) continue;
    const parts = touched.get(folder) ?? new Map<string, boolean>();
    touched.set(folder, parts.set(part, kind !== "deleted" || parts.get(part) === true));
  }
  const repositories = new Set<RawPath>();
  for (const [folder, parts] of touched)
    if (isRepository(folder, parts, host)) repositories.add(folder);
  if (repositories.size === 0) return changes;
  return changes.map((change) => {
    const unit = change.refused === undefined ? outermost(change.raw, repositories) : undefined;
    if (unit === undefined) return change;
    return { ...change, executes: REASON, confirm: REASON, unit };
  });
}

function isRepository(folder: RawPath, touched: ReadonlyMap<string, boolean>, host: Tree): boolean {
  const listing = host.list(folder);
  const there = "entries" in listing ? [...listing.entries.keys()].map(foldName) : [];
  const has = (part: string): boolean => touched.get(part) ?? there.includes(part);
  return has("head") && ((has("objects") && has("refs")) || has("commondir"));
}

function outermost(raw: RawPath, repositories: ReadonlySet<RawPath>): RawPath | undefined {
  if (repositories.has("")) return "";
  for (let at = raw.indexOf("/"); at >= 0; at = raw.indexOf("/", at + 1)) {
    const folder = raw.slice(0, at);
    if (repositories.has(folder)) return folder;
  }
  return undefined;
}
