/**
 * Refs of a repository read as data: the files below `.git/`, never through Git in the run's own folder.
 *
 * ```
 * HEAD                    "ref: refs/heads/main\n" or an object name
 * refs/heads/NAME         an object name and a line end
 * refs/stash              the newest stash; older ones stand only in its log
 * logs/refs/stash         lines "OLD SP NEW SP who, when TAB what", oldest first
 * packed-refs             lines "OID SP NAME", comments "#...", peeled tags "^OID"
 * ```
 *
 * The run wrote them, so a name or a value that Git would not write is left out, with its reason.
 *
 * @module
 */
import { constants, closeSync, fstatSync } from "node:fs";
import { errorCode } from "../sys/index.ts";
import type { Remark } from "./apply-plan.ts";
import { joinRaw, pathText, type RawPath } from "./path-text.ts";
import { readFully } from "./same-content.ts";
import type { Tree } from "./tree.ts";

/** Most refs that are read of one repository, and the largest `packed-refs`, in bytes. */
export const REFS_MAX = 2000;
const PACKED_BYTES_MAX = 8 << 20;
const LOOSE_BYTES_MAX = 1024;
const DEPTH_MAX = 16;
const STASHES_MAX = 100;

const OBJECT_NAME = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** What git-check-ref-format(1) takes, of the characters that people use. */
const REF_NAME =
  /^refs\/(?:stash(?:-\d{1,3})?$|(?:heads|tags)\/)(?!.*(?:\.\.|\/\.|\.\/|\.lock(?:\/|$)|\/\/|@\{))[\w.\-/@+=,#%]{0,200}(?<![./])$/u;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Refs by full name, `HEAD` among them where it names a commit. */
export type Refs = ReadonlyMap<string, string>;

/** What was read: refs, and what was left out. */
export interface FoundRefs {
  readonly refs: Refs;
  readonly skipped: readonly Remark[];
}

/** One layer of a repository: what lies at a path in it, and which names it hides from those below. */
export interface RefSource {
  readonly tree: Tree;
  readonly repository: RawPath;
}

/**
 * Reads heads, tags and `HEAD` from the run's view of a repository: `upper` first, then what it does
 * not hide of the host's. With the host alone, its own.
 */
export function readRefs(host: RefSource, upper?: RefSource): FoundRefs {
  const skipped: Remark[] = [];
  const found = new Map<string, string>();
  const note = (name: string, why: string): void => {
    if (skipped.length < REFS_MAX) skipped.push({ path: pathText(name), why });
  };
  const add = (name: string, value: string): void => {
    if (!REF_NAME.test(name)) note(name, "a name that is not taken over");
    else if (!OBJECT_NAME.test(value)) note(name, "not an object name");
    else if (found.size >= REFS_MAX) note(name, "too many refs");
    else found.set(name, value);
  };
  const packed = readView("packed-refs", PACKED_BYTES_MAX, host, upper) ?? "";
  for (const line of packed.split("\n")) {
    const [, value = "", name = ""] =
      /^(\S+) (refs\/(?:heads|tags)\/.+|refs\/stash)$/.exec(line) ?? [];
    if (name !== "") add(name, value);
  }
  for (const kind of ["refs/heads", "refs/tags", "refs/stash"]) {
    const loose = kind === "refs/stash" ? [kind] : looseNames(kind, host, upper, 0);
    for (const name of loose) {
      const value = readView(name, LOOSE_BYTES_MAX, host, upper);
      if (value === undefined) continue; // Gone as a file: what is packed under the name counts.
      found.delete(name);
      add(name, value.trim());
    }
  }
  if (found.has("refs/stash")) {
    olderStashes(host, upper).forEach((value, n) => add(`refs/stash-${n + 1}`, value));
  }
  const head = readView("HEAD", LOOSE_BYTES_MAX, host, upper)?.trim() ?? "";
  if (OBJECT_NAME.test(head)) found.set("HEAD", head);
  return { refs: found, skipped };
}

/** Stashes below the newest, which has a ref of its own; the newest of them first. */
function olderStashes(host: RefSource, upper: RefSource | undefined): readonly string[] {
  const log = readView("logs/refs/stash", PACKED_BYTES_MAX, host, upper) ?? "";
  const values = log.split("\n").map((line) => line.split(" ")[1] ?? "");
  return values
    .filter((one) => OBJECT_NAME.test(one))
    .toReversed()
    .slice(1, STASHES_MAX);
}

/** The host's own refs below `folder`, such as those that an earlier fetch wrote. */
export function readRefsBelow(host: RefSource, folder: string): Refs {
  const found = new Map<string, string>();
  const packed = readView("packed-refs", PACKED_BYTES_MAX, host, undefined) ?? "";
  for (const line of packed.split("\n")) {
    const [value = "", name = ""] = line.split(" ");
    if (name.startsWith(`${folder}/`)) found.set(name, value);
  }
  for (const name of looseNames(folder, host, undefined, 0)) {
    found.set(name, readView(name, LOOSE_BYTES_MAX, host, undefined)?.trim() ?? "");
  }
  return found;
}

/** Where the host's history was cut off (`git clone --depth`), as Git keeps it; empty where it is whole. */
export function readShallow(host: RefSource): string {
  const text = readView("shallow", PACKED_BYTES_MAX, host, undefined) ?? "";
  return text
    .split("\n")
    .filter((line) => OBJECT_NAME.test(line))
    .map((line) => `${line}\n`)
    .join("");
}

/** The text of a file of the repository as the run sees it, `undefined` where there is none. */
function readView(
  name: string,
  bytesMax: number,
  host: RefSource,
  upper: RefSource | undefined,
): string | undefined {
  for (const source of upper === undefined ? [host] : [upper, host]) {
    const text = readText(source, name, bytesMax);
    if (text === "hidden") return undefined;
    if (text !== undefined) return text.text;
  }
  return undefined;
}

function readText(
  { tree, repository }: RefSource,
  name: string,
  bytesMax: number,
): { readonly text: string } | "hidden" | undefined {
  const raw = joinRaw(repository, name);
  try {
    const { type, size } = tree.look(raw);
    if (type === "hidden") return "hidden";
    if (type !== "file" || size > bytesMax) return { text: "" };
    const file = tree.open(raw, READ);
    try {
      const bytes = Buffer.alloc(Math.min(bytesMax, fstatSync(file).size));
      return readFully(file, bytes, 0) ? { text: bytes.toString("latin1") } : { text: "" };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EACCES"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** Names of loose refs below `folder` in either layer; what `upper` hides is found to be gone later. */
function looseNames(
  folder: string,
  host: RefSource,
  upper: RefSource | undefined,
  depth: number,
): ReadonlySet<string> {
  const names = new Set<string>();
  if (depth > DEPTH_MAX) return names;
  for (const { tree, repository } of upper === undefined ? [host] : [host, upper]) {
    const listing = tree.list(joinRaw(repository, folder));
    if ("unreadable" in listing) continue;
    for (const [name, { type }] of listing.entries) {
      const path = `${folder}/${name}`;
      if (names.size >= REFS_MAX) return names;
      if (type === "file" || type === "hidden") names.add(path);
      if (type !== "folder") continue;
      for (const one of looseNames(path, host, upper, depth + 1)) names.add(one);
    }
  }
  return names;
}
