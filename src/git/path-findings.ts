/**
 * What changed paths do: which of them somebody's machine or forge acts upon, and secrets in their content.
 *
 * @module
 */
import { MODES, type TreeEntry } from "./objects.ts";
import { secretsIn } from "./secrets.ts";
import { foldName, isDisguised, isDotGit, specialOf, type PathVerb } from "./special-paths.ts";
import type { ObjectStore } from "./store.ts";
import type { Change, Side } from "./tree-diff.ts";

/** Something that a change does besides being one. */
export interface Finding {
  readonly verb: PathVerb | "push.secret";
  /** Components of the path, as text. */
  readonly path: readonly string[];
  readonly why: string;
}

/** The findings of one change. */
export function findingsOf(store: ObjectStore, change: Change): readonly Finding[] {
  const { path, old, now } = change;
  const shown = path.map(textOfName);
  const found: Finding[] = [];
  const add = (verb: Finding["verb"], why: string) => {
    if (!found.some((one) => one.verb === verb)) found.push({ verb, path: shown, why });
  };
  if (now !== undefined) checkNames(path, add);
  if (now === undefined && old === undefined) add("push.unseen", "what it names was not seen");
  for (const side of [now, old]) {
    if (side?.mode === MODES.gitlink) add("push.submodule", "another repository stands there");
    if (side?.mode === MODES.tree) add("push.unseen", "a folder of which the content was not seen");
  }
  const special = specialOf(path);
  const isMild = special?.verb === "push.attributes" && isPlainAttributes(store, now);
  if (special !== undefined && !isMild) add(special.verb, special.why);
  if (now?.mode === MODES.link) checkLink(store, { path, now }, add);
  const content = now !== undefined && isFile(now) ? blobOf(store, now) : undefined;
  if (content !== undefined) {
    const before = old !== undefined && isFile(old) ? store.blob(old.id) : undefined;
    for (const { kind, line } of secretsIn(content, before)) {
      found.push({ verb: "push.secret", path: shown, why: `${kind} in line ${line}` });
    }
  }
  return found;
}

/** Names in one folder that a file system could take for one, where one of them is a link (CVE-2021-21300). */
export function collisionsIn(entries: readonly TreeEntry[]): readonly string[] {
  const byName = new Map<string, TreeEntry[]>();
  for (const entry of entries) {
    const name = foldName(entry.name);
    byName.set(name, [...(byName.get(name) ?? []), entry]);
  }
  return [...byName.values()]
    .filter(
      (list) =>
        list.length > 1 && list.some(({ mode }) => mode === MODES.link || mode === MODES.gitlink),
    )
    .map((list) => list.map(({ name }) => textOfName(name)).join(", "));
}

/** Bytes as text; what is no UTF-8 is told from what is. */
export function textOfName(name: string): string {
  if (/^[ -~]*$/.test(name)) return name;
  const text = Buffer.from(name, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? `bytes:${Buffer.from(name, "latin1").toString("hex")}` : text;
}

function checkNames(path: readonly string[], add: (verb: PathVerb, why: string) => void): void {
  for (const name of path) {
    if (isDotGit(name)) add("push.dotgit", "it would be git's own folder on some file systems");
    if (isDisguised(name)) add("push.dotgit", "it would be a file that git reads on some");
    if (name.includes("\\")) add("push.dotgit", "a backslash parts folders on some systems");
    if (/\p{Cc}/u.test(Buffer.from(name, "latin1").toString("utf8")))
      add("push.dotgit", "a name with control characters");
  }
}

function checkLink(
  store: ObjectStore,
  { path, now }: { path: readonly string[]; now: Side },
  add: (verb: PathVerb, why: string) => void,
): void {
  const target = blobOf(store, now)?.toString("latin1");
  if (target === undefined) return add("push.link", "a link of which the target was not seen");
  const below = specialOf([...path, "x"]) ?? specialOf([...path, "workflows", "x"]);
  if (below !== undefined) add(below.verb, `a link where ${below.why}`);
  const parts = target.split(/[/\\]/);
  if (/^[/\\]|^[A-Za-z]:/.test(target))
    return add("push.link", "a link that leaves the repository");
  let depth = path.length - 1;
  for (const part of parts) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return add("push.link", "a link that leaves the repository");
  }
  if (parts.some(isDotGit)) add("push.link", "a link into git's own folder");
}

function isFile({ mode }: Side): boolean {
  return mode === MODES.file || mode === MODES.executable;
}

function blobOf(store: ObjectStore, side: Side): Buffer | undefined {
  return store.blob(side.id);
}

/** Attributes that only say how lines end, or that LFS keeps the content; others make git run or hide. */
const PLAIN_ATTRIBUTE =
  /^(?:-?text|text=auto|eol=(?:lf|crlf)|filter=lfs|diff=lfs|merge=lfs|lockable|whitespace=[\w,-]+|linguist-language=[\w-]+)$/;

function isPlainAttributes(store: ObjectStore, now: Side | undefined): boolean {
  if (now === undefined || !isFile(now)) return false;
  const text = blobOf(store, now)?.toString("utf8");
  if (text === undefined) return false;
  return text.split("\n").every((line) => {
    const words = line.trim().split(/[ \t\r]+/);
    if (line.trim() === "" || line.startsWith("#")) return true;
    if (line.startsWith('"') || line.startsWith("[")) return false;
    return words.slice(1).every((word) => PLAIN_ATTRIBUTE.test(word));
  });
}
