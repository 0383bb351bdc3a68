/**
 * What two trees differ in, path by path. What is not here to compare counts as changed.
 *
 * @module
 */
import { GIT_LIMITS } from "./limits.ts";
import type { ObjectId } from "./object-format.ts";
import { MODES, type Mode, type TreeEntry } from "./objects.ts";
import type { ObjectStore } from "./store.ts";
import { require } from "./unreadable.ts";

/** One path that differs. Components are bytes, one character each. */
export interface Change {
  readonly path: readonly string[];
  readonly old: Side | undefined;
  readonly now: Side | undefined;
  /** The old side is not here: it may be no change at all. */
  readonly isGuess: boolean;
}

export interface Side {
  readonly mode: Mode;
  readonly id: ObjectId;
}

/** A tree, none at all, or one that is not here. */
export type TreeRef = ObjectId; // Or NO_TREE, UNKNOWN_TREE: neither is a name of an object.
export const NO_TREE = "none";
export const UNKNOWN_TREE = "unknown";

/** The paths in which `now` differs from `old`. @throws {Unreadable} beyond what may be compared. */
export function diffTrees(store: ObjectStore, old: TreeRef, now: TreeRef): readonly Change[] {
  const changes: Change[] = [];
  compare(store, { old, now, path: [] }, changes);
  return changes;
}

interface Pair {
  readonly old: TreeRef;
  readonly now: TreeRef;
  readonly path: readonly string[];
}

function compare(store: ObjectStore, { old, now, path }: Pair, changes: Change[]): void {
  if (old === now && old !== UNKNOWN_TREE) return;
  require(path.length <= GIT_LIMITS.depth, "its folders are too deep");
  const before = entriesOf(store, old);
  const after = entriesOf(store, now);
  const push = (change: Change) => {
    require(changes.push(change) <= GIT_LIMITS.changes, "it changes too many paths");
    const bytes = change.path.reduce((sum, name) => sum + name.length + 1, 0);
    require(bytes <= GIT_LIMITS.pathBytes, "a path is too long");
  };
  const isGone = now === NO_TREE && before === undefined;
  if (after === undefined || isGone) {
    const side =
      now === UNKNOWN_TREE || now === NO_TREE ? undefined : { mode: MODES.tree, id: now };
    const was = old === UNKNOWN_TREE || old === NO_TREE ? undefined : { mode: MODES.tree, id: old };
    push({ path, old: was, now: side, isGuess: before === undefined });
    return;
  }
  const known = new Map((before ?? []).map((entry) => [entry.name, entry]));
  for (const entry of after) {
    const was = known.get(entry.name);
    known.delete(entry.name);
    if (was !== undefined && was.id === entry.id && was.mode === entry.mode) continue;
    const own = [...path, entry.name];
    if (entry.mode === MODES.tree) {
      const from =
        before === undefined ? UNKNOWN_TREE : was?.mode === MODES.tree ? was.id : NO_TREE;
      if (was !== undefined && was.mode !== MODES.tree) {
        push({ path: own, old: was, now: undefined, isGuess: false });
      }
      compare(store, { old: from, now: entry.id, path: own }, changes);
      continue;
    }
    if (was?.mode === MODES.tree) compare(store, { old: was.id, now: NO_TREE, path: own }, changes);
    const file = was?.mode === MODES.tree ? undefined : was;
    push({ path: own, old: sideOf(file), now: sideOf(entry), isGuess: before === undefined });
  }
  for (const gone of known.values()) {
    const own = [...path, gone.name];
    if (gone.mode === MODES.tree) {
      compare(store, { old: gone.id, now: NO_TREE, path: own }, changes);
    } else push({ path: own, old: sideOf(gone), now: undefined, isGuess: false });
  }
}

function sideOf(entry: TreeEntry | undefined): Side | undefined {
  return entry && { mode: entry.mode, id: entry.id };
}

function entriesOf(store: ObjectStore, tree: TreeRef): readonly TreeEntry[] | undefined {
  if (tree === NO_TREE) return [];
  return tree === UNKNOWN_TREE ? undefined : store.tree(tree);
}
