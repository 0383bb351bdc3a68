/**
 * The content of a push for a card: refs, log and difference, within bounds, and what is left out by name.
 *
 * @module
 */
import { arriving } from "./history.ts";
import { diffTexts } from "./line-diff.ts";
import type { ObjectId } from "./object-format.ts";
import { MODES, type Person } from "./objects.ts";
import { textOfName } from "./path-findings.ts";
import type { NewCommit, Push, RefChange } from "./push.ts";
import type { ObjectStore } from "./store.ts";
import { UNKNOWN_TREE, type Change } from "./tree-diff.ts";

/** JSON: what a card shows of a push. */
export interface PushContent {
  readonly refs: readonly {
    readonly ref: string;
    readonly how: string;
    readonly old: string;
    readonly new: string;
  }[];
  readonly options: readonly string[];
  /** `CI: .github/workflows/x.yml (why)`. */
  readonly findings: readonly string[];
  readonly commits: readonly {
    readonly id: string;
    readonly author: string;
    readonly committer: string;
    readonly signed: boolean;
    /** It is on the server already, and comes to a branch by this push. */
    readonly known: boolean;
    readonly parents: readonly string[];
    readonly message: string;
    readonly changes: readonly string[];
  }[];
  readonly tags: readonly { readonly id: string; readonly text: string }[];
  readonly diffs: readonly { readonly of: string; readonly lines: readonly string[] }[];
  /** What is sent and not shown here, each in words. */
  readonly notShown: readonly string[];
  readonly pack: { readonly objects: number; readonly size: number; readonly hash: string };
}

const COMMITS_SHOWN = 100;
const CHARS_SHOWN = 60_000; // Of all differences together.
const LEFT_NAMED = 20; // Paths left out that are named; the others are counted.
const NOT_SHOWN_NAMED = 50;
const NAME_CHARS = 400;
const LINE_CHARS = 400;
const MESSAGE_CHARS = 4000;
const NAMES_SHOWN = 100; // Changed paths of one commit.
const LOG_CHARS = 100_000; // Of all messages and names of paths.
const TEXT_BYTES_MAX = 512 * 1024; // Larger files are told, not compared.

/** What is shown so far, and what could not be. */
class Showing {
  readonly #notShown = new Set<string>();
  readonly #shown = new Set<string>();
  readonly #store: ObjectStore;
  #chars = 0;
  #logChars = 0;
  #isFull = false;
  #left = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Lines for those of `changes` that no earlier difference showed. */
  linesOf(changes: readonly Change[], tells: boolean): readonly string[] {
    return changes.flatMap((change) => {
      const key = [change.path.join("/"), change.now?.id ?? ""].join("\0");
      if (this.#shown.has(key) || (!tells && change.now === undefined)) return [];
      this.#shown.add(key);
      const lines = this.#isFull ? [] : this.#linesOfChange(change);
      const chars = lines.reduce((sum, line) => sum + line.length + 1, 0);
      if (this.#isFull || this.#chars + chars > CHARS_SHOWN) {
        this.#isFull = true;
        this.#left += 1;
        if (this.#left <= LEFT_NAMED) this.leaveOut(`the difference of ${nameOf(change)}`);
        return [];
      }
      this.#chars += chars;
      return lines;
    });
  }

  /** Names what is sent and not shown. */
  leaveOut(what: string): void {
    this.#notShown.add(what.slice(0, NAME_CHARS));
  }

  get notShown(): readonly string[] {
    const all = [...this.#notShown];
    const more = all.length - NOT_SHOWN_NAMED;
    return more <= 0 ? all : [...all.slice(0, NOT_SHOWN_NAMED), `${more} things more`];
  }

  /** `texts` while there is room for them, else nothing of them. */
  logged(texts: readonly string[], what: string): readonly string[] {
    const chars = texts.reduce((sum, text) => sum + text.length + 1, 0);
    if (this.#logChars + chars > LOG_CHARS) {
      this.leaveOut(what);
      return [];
    }
    this.#logChars += chars;
    return texts;
  }

  /** Closes: what was left out and not named is counted. */
  end(): void {
    const more = this.#left - LEFT_NAMED;
    if (more > 0) this.leaveOut(`the differences of ${more} paths more`);
  }

  #linesOfChange(change: Change): readonly string[] {
    const { old, now, isGuess } = change;
    const name = nameOf(change);
    const modes = old !== undefined && now !== undefined && old.mode !== now.mode;
    const head = [
      `${headWord(change)} ${name}${modes ? ` (mode ${old.mode} to ${now.mode})` : ""}`,
    ];
    if (now?.mode === MODES.executable && old === undefined) head.push("(executable)");
    if (isGuess) head.push("(what was there before is not known: all of it is shown)");
    for (const side of [old, now]) {
      if (side?.mode === MODES.gitlink) head.push(`(another repository at ${side.id})`);
    }
    const texts = [old, now].map((side) => {
      if (side === undefined || side.mode === MODES.gitlink) return "";
      if (side.mode === MODES.tree) return undefined;
      return textOf(this.#store.blob(side.id));
    });
    const [before, after] = texts;
    if (now !== undefined && after === undefined) {
      const size = this.#store.find(now.id)?.data.length;
      const what = size === undefined ? "which the server has" : `${size} bytes, no short text`;
      this.leaveOut(`${name} (${what})`);
      return [...head, `(${what}: ${now.id})`];
    }
    if (old !== undefined && before === undefined) {
      // Deleted, or replaced: what goes is the server's own and was not asked for.
      const lines = now === undefined ? [] : diffTexts("", after ?? "");
      return [...head, "(what was there before is not shown)", ...cutLines(lines, this.#cut(name))];
    }
    return [...head, ...cutLines(diffTexts(before ?? "", after ?? ""), this.#cut(name))];
  }

  #cut(name: string): () => void {
    return () => this.leaveOut(`the ends of long lines in ${name}`);
  }
}

/** What a card shows of `push`, which came as `size` bytes. */
export function contentOf(
  push: Push,
  sent: { readonly bytes: number; readonly sha256: string },
): PushContent {
  const showing = new Showing(push.store);
  const diffs = [
    ...push.refs.map((ref) => ({
      of: `${ref.command.ref}, compared with ${baseWord(ref)}`,
      lines: showing.linesOf(ref.changes, true),
    })),
    ...push.commits.map(({ id, changes }) => ({
      of: `commit ${id}, what is not seen in the above`,
      lines: showing.linesOf(changes, false),
    })),
  ].filter(({ lines }) => lines.length > 0);
  showing.end();
  if (push.commits.length > COMMITS_SHOWN) {
    showing.leaveOut(`${push.commits.length - COMMITS_SHOWN} commits of the log`);
  }
  const commits = [
    ...push.commits.slice(0, COMMITS_SHOWN).map((one) => commitOf(one, showing)),
    ...arrivingOf(push, showing),
  ];
  for (const ref of push.refs) {
    if (ref.how === "delete" || ref.tip?.commit !== undefined) continue;
    showing.leaveOut(`${ref.command.new}, which ${ref.command.ref} will name`);
  }
  return {
    refs: push.refs.map(({ command, ...ref }) => ({
      ref: command.ref,
      how: `${ref.how}${ref.isProtected ? ", protected" : ""}`,
      old: command.old,
      new: command.new,
    })),
    options: push.request.options,
    findings: push.findings.map(({ verb, path, why }) => {
      const name = path.join("/") || ".";
      return `${verb.replace("push.", "")}: ${name.slice(0, NAME_CHARS)} (${why})`;
    }),
    commits,
    tags: tagsOf(push, showing),
    diffs,
    notShown: showing.notShown,
    pack: { objects: push.objects, size: sent.bytes, hash: sent.sha256 },
  };
}

function commitOf(
  { id, commit, changes }: NewCommit,
  showing: Showing,
  known = false,
): PushContent["commits"][number] {
  const { author, committer, isSigned, parents, message } = commit;
  if (message.length > MESSAGE_CHARS) showing.leaveOut(`the end of the message of ${id}`);
  if (changes.length > NAMES_SHOWN) showing.leaveOut(`paths that ${id} changes`);
  return {
    id,
    author: personOf(author),
    committer: personOf(committer),
    signed: isSigned,
    known,
    parents,
    message: showing.logged([message.slice(0, MESSAGE_CHARS)], `the message of ${id}`).join(""),
    changes: showing.logged(
      changes.slice(0, NAMES_SHOWN).map((change) => `${headWord(change)} ${nameOf(change)}`),
      `paths that ${id} changes`,
    ),
  };
}

/** Commits that are only new to their branch. */
function arrivingOf({ refs, store }: Push, showing: Showing): PushContent["commits"] {
  const ids = new Set<ObjectId>();
  for (const { command, tip, how, kind } of refs) {
    if (kind !== "branch" || tip?.commit === undefined || command.kind !== "update") continue;
    const { commits, isWhole } = arriving(store, tip.commit, command.old);
    for (const id of commits) ids.add(id);
    if (!isWhole && how === "update") {
      showing.leaveOut(`commits of the server that come to ${command.ref} by a merge`);
    }
  }
  const list = [...ids];
  if (list.length > COMMITS_SHOWN) showing.leaveOut(`${list.length - COMMITS_SHOWN} commits`);
  return list.slice(0, COMMITS_SHOWN).flatMap((id) => {
    const commit = store.commit(id);
    return commit === undefined ? [] : commitOf({ id, commit, changes: [] }, showing, true);
  });
}

function tagsOf({ refs, store }: Push, showing: Showing): PushContent["tags"] {
  const ids = new Set(refs.flatMap(({ tip }) => tip?.tags ?? []));
  return [...ids].map((id: ObjectId) => {
    const text = store.find(id)?.data.toString("utf8") ?? "";
    if (text.length > MESSAGE_CHARS) showing.leaveOut(`the end of the tag ${id}`);
    return { id, text: showing.logged([text.slice(0, MESSAGE_CHARS)], `the tag ${id}`).join("") };
  });
}

function personOf({ name, email, seconds, zone }: Person): string {
  const at = new Date(seconds * 1000);
  const time = Number.isNaN(at.getTime()) ? `${seconds}` : at.toISOString();
  return `${name} <${email}> ${time} ${zone}`;
}

function baseWord({ base, how, command, fork }: RefChange): string {
  if (base === UNKNOWN_TREE) return "nothing: what the server has was not seen";
  if (how === "create")
    return fork === undefined ? "nothing: it begins anew" : `what is at the server (${fork})`;
  return command.old;
}

function headWord({ old, now }: Change): string {
  if (old === undefined) return "new";
  return now === undefined ? "deleted" : "changed";
}

function nameOf({ path }: Change): string {
  return path.map(textOfName).join("/") || "the whole tree";
}

/** A blob as text; `undefined` where it is not here, not short or no text. */
function textOf(data: Buffer | undefined): string | undefined {
  if (data === undefined || data.length > TEXT_BYTES_MAX || data.includes(0)) return undefined;
  const text = data.toString("utf8");
  return text.includes("\uFFFD") ? undefined : text;
}

function cutLines(lines: readonly string[], tell: () => void): readonly string[] {
  return lines.map((line) => {
    if (line.length <= LINE_CHARS) return line;
    tell();
    return `${line.slice(0, LINE_CHARS)}...`;
  });
}
