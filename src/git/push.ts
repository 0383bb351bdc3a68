/**
 * What a push does: each ref, all commits that it brings, each path that they change, and secrets in them.
 * Pure: the pack, and what the server was asked for, are all that it depends on, so whoever holds the same
 * push later reads the same. Where something is not here, the stricter is taken.
 *
 * @module
 */
import { checkReached, forkOf, isBehind, newCommits, peel, type Tip } from "./history.ts";
import type { GitObject, ObjectId } from "./object-format.ts";
import type { Commit } from "./objects.ts";
import { openPack, resolvePack, type OpenPack } from "./pack.ts";
import { collisionsIn, findingsOf, type Finding } from "./path-findings.ts";
import { readPushRequest, type PushCommand, type PushRequest } from "./push-request.ts";
import { foldRef, isProtected, kindOfRef, type RefKind } from "./ref-name.ts";
import { secretsIn } from "./secrets.ts";
import { ObjectStore } from "./store.ts";
import { diffTrees, NO_TREE, UNKNOWN_TREE, type Change, type TreeRef } from "./tree-diff.ts";
import { require, tryRead, type Readable } from "./unreadable.ts";

/** Refs as the server tells them. */
export interface ServerRefs {
  /** The branch that HEAD names. */
  readonly head?: string;
  /** Branches, by name. */
  readonly branches: ReadonlyMap<string, ObjectId>;
  /** Branches that are another name of one: a push to the first changes the second. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** What was asked of the server. */
export interface Known {
  /** `undefined` where it did not tell. */
  readonly refs: ServerRefs | undefined;
  readonly objects: ReadonlyMap<ObjectId, GitObject>;
}

export const NOTHING_KNOWN: Known = { refs: undefined, objects: new Map() };

/** One ref of a push, judged. */
export interface RefChange {
  readonly command: PushCommand;
  readonly kind: RefKind;
  /** `force` where the old tip is not shown to be behind the new one. */
  readonly how: "create" | "update" | "force" | "delete";
  readonly isProtected: boolean;
  readonly tip: Tip | undefined;
  /** Where its line leaves the push; a commit of the server. */
  readonly fork: ObjectId | undefined;
  /** What the new tip was compared with, and what differs; absent where that is not known or not told. */
  readonly base: TreeRef;
  readonly changes: readonly Change[];
}

/** A new commit with what it changes of its first parent. */
export interface NewCommit {
  readonly id: ObjectId;
  readonly commit: Commit;
  readonly changes: readonly Change[];
}

/** All of a push. */
export interface Push {
  readonly request: PushRequest;
  readonly store: ObjectStore;
  /** Bases of deltas that the server did not give: then what is made of them is not known at all. */
  readonly missing: readonly ObjectId[];
  readonly objects: number;
  readonly refs: readonly RefChange[];
  readonly commits: readonly NewCommit[];
  readonly findings: readonly Finding[];
}

/** A push of which all was read, and nothing compared yet. */
export interface OpenPush {
  readonly request: PushRequest;
  /** Absent where none was sent. */
  readonly pack: OpenPack | undefined;
}

export interface Judging {
  readonly known: Known;
  /** Patterns of branches that are published by a push. */
  readonly protects: readonly string[];
  /** Paths and contents are not looked into: for whoever only asks what is missing. */
  readonly isHasty?: true;
}

/** Reads `body`, as it is sent to git-receive-pack. */
export function openPush(body: Uint8Array): Readable<OpenPush> {
  const read = readPushRequest(body);
  if (!read.ok) return read;
  const { pack, format } = read.value;
  return tryRead(() => ({
    request: read.value,
    pack: pack.length === 0 ? undefined : openPack(pack, format),
  }));
}

/** Judges `open` over what is known of the server. */
export function judgePush(open: OpenPush, judging: Judging): Readable<Push> {
  return tryRead(() => judge(open, judging));
}

/** Both at once. */
export function readPush(
  body: Uint8Array,
  known: Known,
  protects: readonly string[],
): Readable<Push> {
  const open = openPush(body);
  return open.ok ? judgePush(open.value, { known, protects }) : open;
}

function judge({ request, pack: open }: OpenPush, { known, protects, isHasty }: Judging): Push {
  const bases = new Set<ObjectId>();
  const pack =
    open === undefined
      ? { objects: new Map<ObjectId, GitObject>(), missingBases: [], count: 0 }
      : resolvePack(open, (id) => {
          const object = known.objects.get(id);
          if (object !== undefined) bases.add(id);
          return object;
        });
  const store = new ObjectStore(request.format, pack.objects, known.objects);
  for (const id of bases) store.used.add(id);
  const { missingBases: missing, count: objects } = pack;
  if (missing.length > 0) {
    return { request, store, missing, objects, refs: [], commits: [], findings: [] };
  }
  const news = request.commands.filter(({ kind }) => kind !== "delete").map((one) => one.new);
  checkReached(store, news);
  const tips = new Map(news.map((id) => [id, peel(store, id)]));
  const refs = request.commands.map((command) =>
    refChangeOf(store, command, { tip: tips.get(command.new), known, protects }),
  );
  const starts = [...tips.values()].flatMap(({ commit }) => commit ?? []);
  const commits = newCommits(store, starts).map((id) => commitOf(store, id));
  const findings = isHasty === true ? [] : allFindings(store, refs, commits);
  return { request, store, missing, objects, refs, commits, findings };
}

interface Around {
  readonly tip: Tip | undefined;
  readonly known: Known;
  readonly protects: readonly string[];
}

function refChangeOf(
  store: ObjectStore,
  command: PushCommand,
  { tip, known, protects }: Around,
): RefChange {
  const kind = kindOfRef(command.ref);
  const names = [command.ref, known.refs?.aliases.get(command.ref) ?? command.ref];
  const head = foldRef(known.refs?.head ?? "");
  const isGuarded = names.some((name) => foldRef(name) === head || isProtected(name, protects));
  const common = {
    command,
    kind,
    isProtected: kind === "branch" && isGuarded,
    tip,
  };
  if (command.kind === "delete" || tip === undefined) {
    return { ...common, how: "delete", fork: undefined, base: UNKNOWN_TREE, changes: [] };
  }
  require(kind !== "branch" ||
    (tip.other === undefined && tip.tags.length === 0), "a branch can only be a commit");
  const fork = tip.commit === undefined ? tip.last : forkOf(store, tip.commit);
  if (command.kind === "update") {
    const isFast =
      kind === "branch" && tip.commit !== undefined && isBehind(store, command.old, tip.commit);
    // A tip that is not here may still be one that the old one is behind; what is not shown is not so.
    const base = treeOf(store, command.old);
    return {
      ...common,
      how: isFast ? "update" : "force",
      fork,
      base,
      changes: tip.commit === undefined ? [] : diffTrees(store, base, treeOf(store, tip.commit)),
    };
  }
  const base = baseOf(store, fork, { kind, known });
  return {
    ...common,
    how: "create",
    fork,
    base,
    changes: tip.commit === undefined ? [] : diffTrees(store, base, treeOf(store, tip.commit)),
  };
}

/**
 * What a new ref is compared with: where it leaves the server's history, if that is the tip of a branch
 * there; else the server's default branch, since a server may hold commits that are on no branch.
 */
function baseOf(
  store: ObjectStore,
  fork: ObjectId | undefined,
  { kind, known }: { kind: RefKind; known: Known },
): TreeRef {
  if (fork === undefined) return NO_TREE;
  const branches = known.refs?.branches ?? new Map<string, ObjectId>();
  if (kind === "tag" || [...branches.values()].includes(fork)) return treeOf(store, fork);
  const head = known.refs?.head;
  const tip = head === undefined ? undefined : branches.get(head);
  return tip === undefined ? UNKNOWN_TREE : treeOf(store, tip);
}

/** The tree of a commit, of a tag of one, or what is not known. */
function treeOf(store: ObjectStore, id: ObjectId): TreeRef {
  const { commit } = peel(store, id);
  return (commit === undefined ? undefined : store.commit(commit)?.tree) ?? UNKNOWN_TREE;
}

function commitOf(store: ObjectStore, id: ObjectId): NewCommit {
  const commit = store.commit(id);
  require(commit !== undefined, "a commit that is not there");
  const [parent] = commit.parents;
  const before: TreeRef = parent === undefined ? NO_TREE : treeOf(store, parent);
  return { id, commit, changes: diffTrees(store, before, commit.tree) };
}

function allFindings(
  store: ObjectStore,
  refs: readonly RefChange[],
  commits: readonly NewCommit[],
): readonly Finding[] {
  const found = new Map<string, Finding>();
  const add = (finding: Finding) => {
    const key = [finding.verb, ...finding.path, finding.verb === "push.secret" ? finding.why : ""];
    const name = key.join("\0");
    if (!found.has(name)) found.set(name, finding);
  };
  for (const { command, kind, how, tip } of refs) {
    const isSeen = how === "delete" || tip?.commit !== undefined || tip?.other !== undefined;
    if (isSeen || kind === "tag") continue; // A tag always waits for a person.
    const why = "a commit that the server has, and that was not seen";
    add({ verb: "push.unseen", path: command.ref.split("/"), why });
  }
  const seen = new Set<string>();
  for (const change of [...refs, ...commits].flatMap((one) => one.changes)) {
    const { path, old, now } = change;
    const key = [...path, old?.mode, old?.id, now?.mode, now?.id].join("\0");
    if (seen.has(key)) continue;
    seen.add(key);
    for (const finding of findingsOf(store, change)) add(finding);
  }
  for (const [id, object] of store.pushed) {
    if (object.kind === "tree") {
      for (const names of collisionsIn(store.tree(id) ?? [])) {
        add({ verb: "push.link", path: [names], why: "names that some file systems take for one" });
      }
    }
    if (object.kind === "commit" || object.kind === "tag") {
      for (const { kind, line } of secretsIn(object.data)) {
        add({
          verb: "push.secret",
          path: [id],
          why: `${kind} in line ${line} of a ${object.kind}`,
        });
      }
    }
  }
  for (const finding of strayBlobs(store, refs, commits)) add(finding);
  return [...found.values()];
}

/** Secrets in blobs that no comparison showed: content is looked at whatever it is compared with. */
function strayBlobs(
  store: ObjectStore,
  refs: readonly RefChange[],
  commits: readonly NewCommit[],
): readonly Finding[] {
  const shown = new Set<ObjectId>();
  for (const { changes } of [...refs, ...commits]) {
    for (const { now } of changes) if (now !== undefined) shown.add(now.id);
  }
  return [...store.pushed].flatMap(([id, { kind, data }]) =>
    kind !== "blob" || shown.has(id)
      ? []
      : secretsIn(data).map(({ kind: what, line }) => ({
          verb: "push.secret" as const,
          path: [id],
          why: `${what} in line ${line}`,
        })),
  );
}
