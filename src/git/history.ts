/**
 * The commits of a push: all that it brings, where they leave it, and whether a new tip has the old one
 * behind it. Every object of a pack must be reached: what a server keeps unseen, a later push could name.
 *
 * @module
 */
import { GIT_LIMITS } from "./limits.ts";
import type { ObjectId } from "./object-format.ts";
import { MODES } from "./objects.ts";
import type { ObjectStore } from "./store.ts";
import { require } from "./unreadable.ts";

/** Where a ref leads: through tags to a commit, or to something else. */
export interface Tip {
  /** `undefined` where it is not here. */
  readonly commit: ObjectId | undefined;
  /** The last name on the way; not here where `commit` is `undefined` and `other` is too. */
  readonly last: ObjectId;
  /** A tree or blob that a tag names. */
  readonly other: "tree" | "blob" | undefined;
  /** Tag objects on the way. */
  readonly tags: readonly ObjectId[];
}

const TAGS_MAX = 8;

/** Follows `id`. @throws {Unreadable} */
export function peel(store: ObjectStore, id: ObjectId): Tip {
  const tags: ObjectId[] = [];
  let last = id;
  for (;;) {
    const kind = store.find(last)?.kind;
    if (kind === undefined) return { commit: undefined, last, other: undefined, tags };
    if (kind === "commit") return { commit: last, last, other: undefined, tags };
    if (kind !== "tag") return { commit: undefined, last, other: kind, tags };
    tags.push(last);
    require(tags.length <= TAGS_MAX, "tags of tags without end");
    const tag = store.tag(last);
    require(tag !== undefined, "a tag that is not there");
    const named = store.find(tag.object)?.kind;
    require(named === undefined || named === tag.kind, "a tag names what is of another kind");
    last = tag.object;
  }
}

/** Commits that the push brings, newest first as far as parents tell. */
export function newCommits(store: ObjectStore, tips: readonly ObjectId[]): readonly ObjectId[] {
  const seen = new Set<ObjectId>();
  const queue = [...tips];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    if (seen.has(id) || !store.pushed.has(id)) continue;
    seen.add(id);
    require(seen.size <= GIT_LIMITS.commits, `a push of more than ${GIT_LIMITS.commits} commits`);
    queue.push(...(store.commit(id)?.parents ?? []));
  }
  return [...seen];
}

/** Whether `ancestor` is behind `id`, as far as commits are here. */
export function isBehind(store: ObjectStore, ancestor: ObjectId, id: ObjectId): boolean {
  const seen = new Set<ObjectId>();
  const queue = [id];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    if (one === ancestor) return true;
    if (seen.has(one)) continue;
    seen.add(one);
    if (seen.size > 10 * GIT_LIMITS.commits) return false;
    queue.push(...(store.commit(one)?.parents ?? []));
  }
  return false;
}

/** Commits of the server that come to a ref by a push: behind `tip`, up to `old`, as far as they are here. */
export function arriving(
  store: ObjectStore,
  tip: ObjectId,
  old: ObjectId,
): { readonly commits: readonly ObjectId[]; readonly isWhole: boolean } {
  const seen = new Set<ObjectId>();
  const commits: ObjectId[] = [];
  let isWhole = true;
  const queue = [tip];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    if (id === old || seen.has(id)) continue;
    seen.add(id);
    const commit = store.commit(id);
    if (commit === undefined || seen.size > GIT_LIMITS.commits) {
      isWhole = false;
      continue;
    }
    if (!store.pushed.has(id)) commits.push(id);
    queue.push(...commit.parents);
  }
  return { commits, isWhole };
}

/** Commits behind `id` that are not here: where history goes on at the server. */
export function edgesOf(store: ObjectStore, id: ObjectId): readonly ObjectId[] {
  const seen = new Set<ObjectId>();
  const edges: ObjectId[] = [];
  const queue = [id];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    const commit = store.commit(one);
    if (commit === undefined) edges.push(one);
    else if (seen.size <= 10 * GIT_LIMITS.commits) queue.push(...commit.parents);
  }
  return edges;
}

/**
 * Where the line of first parents leaves the push: a commit of the server, or `undefined` where it begins
 * within the push.
 */
export function forkOf(store: ObjectStore, tip: ObjectId): ObjectId | undefined {
  const seen = new Set<ObjectId>();
  let id: ObjectId | undefined = tip;
  while (id !== undefined && store.pushed.has(id) && !seen.has(id)) {
    seen.add(id);
    id = store.commit(id)?.parents[0];
  }
  return id;
}

/** Refuses objects of the pack that nothing of `roots` reaches. @throws {Unreadable} */
export function checkReached(store: ObjectStore, roots: readonly ObjectId[]): void {
  const seen = new Set<ObjectId>();
  const queue = [...roots];
  const visit = (id: ObjectId) => {
    if (!seen.has(id) && store.pushed.has(id)) queue.push(id);
  };
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const object = store.pushed.get(id);
    if (object === undefined || seen.has(id)) continue;
    seen.add(id);
    if (object.kind === "commit") {
      const commit = store.commit(id);
      visit(commit?.tree ?? "");
      commit?.parents.forEach(visit);
    } else if (object.kind === "tag") visit(store.tag(id)?.object ?? "");
    else if (object.kind === "tree") {
      for (const entry of store.tree(id) ?? []) if (entry.mode !== MODES.gitlink) visit(entry.id);
    }
  }
  require(seen.size === store.pushed.size, "a pack holds objects that nothing pushed needs");
}
