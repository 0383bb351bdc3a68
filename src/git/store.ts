/**
 * Objects of a push and of the server, each parsed once; and which of the server's were looked at, so that
 * only those have to be kept.
 *
 * @module
 */
import { GIT_LIMITS } from "./limits.ts";
import type { GitObject, ObjectFormat, ObjectId, ObjectKind } from "./object-format.ts";
import {
  parseCommit,
  parseTag,
  parseTree,
  type Commit,
  type Tag,
  type TreeEntry,
} from "./objects.ts";
import { require } from "./unreadable.ts";

export class ObjectStore {
  readonly format: ObjectFormat;
  /** What the push brings. */
  readonly pushed: ReadonlyMap<ObjectId, GitObject>;
  /** Of the server's objects those that something depended on. */
  readonly used = new Set<ObjectId>();
  readonly #known: ReadonlyMap<ObjectId, GitObject>;
  readonly #trees = new Map<ObjectId, readonly TreeEntry[]>();
  readonly #commits = new Map<ObjectId, Commit>();
  #entries = 0;

  constructor(
    format: ObjectFormat,
    pushed: ReadonlyMap<ObjectId, GitObject>,
    known: ReadonlyMap<ObjectId, GitObject>,
  ) {
    this.format = format;
    this.pushed = pushed;
    this.#known = known;
  }

  /** The object, where it is here. */
  find(id: ObjectId): GitObject | undefined {
    const own = this.pushed.get(id);
    if (own !== undefined) return own;
    const known = this.#known.get(id);
    if (known !== undefined) this.used.add(id);
    return known;
  }

  commit(id: ObjectId): Commit | undefined {
    const parsed = this.#commits.get(id);
    if (parsed !== undefined) return parsed;
    const data = this.#dataOf(id, "commit");
    if (data === undefined) return undefined;
    const commit = parseCommit(data, this.format);
    this.#commits.set(id, commit);
    return commit;
  }

  /** @throws {Unreadable} also where more trees were looked at than may be. */
  tree(id: ObjectId): readonly TreeEntry[] | undefined {
    const entries = this.#trees.get(id) ?? this.#parseTree(id);
    this.#entries += entries?.length ?? 0;
    require(this.#entries <= GIT_LIMITS.entries, "its folders unfold without end");
    return entries;
  }

  tag(id: ObjectId): Tag | undefined {
    const data = this.#dataOf(id, "tag");
    return data === undefined ? undefined : parseTag(data, this.format);
  }

  blob(id: ObjectId): Buffer | undefined {
    return this.#dataOf(id, "blob");
  }

  #parseTree(id: ObjectId): readonly TreeEntry[] | undefined {
    const data = this.#dataOf(id, "tree");
    if (data === undefined) return undefined;
    const entries = parseTree(data, this.format);
    this.#trees.set(id, entries);
    return entries;
  }

  /** @throws {Unreadable} where an object is of another kind than what names it says. */
  #dataOf(id: ObjectId, kind: ObjectKind): Buffer | undefined {
    const object = this.find(id);
    if (object === undefined) return undefined;
    require(object.kind === kind, `what should be a ${kind} is a ${object.kind}`);
    return object.data;
  }
}
