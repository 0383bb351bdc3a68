/**
 * Commits, trees and tags, parsed as strictly as `git fsck --strict` does: what git would refuse, or could
 * read in two ways, is not read.
 *
 * @module
 */
import { GIT_LIMITS } from "./limits.ts";
import type { ObjectFormat, ObjectId, ObjectKind } from "./object-format.ts";
import { isObjectId, OBJECT_KINDS } from "./object-format.ts";
import { require, Unreadable } from "./unreadable.ts";

/** Who, as a commit or tag says; nothing proves it. */
export interface Person {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch. */
  readonly seconds: number;
  readonly zone: string;
}

export interface Commit {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Person;
  readonly committer: Person;
  readonly isSigned: boolean;
  readonly message: string;
}

export interface Tag {
  readonly object: ObjectId;
  readonly kind: ObjectKind;
  readonly tag: string;
  readonly tagger: Person | undefined;
  readonly message: string;
}

/** Modes that a tree may have; others git --strict refuses. */
export const MODES = {
  tree: "40000",
  file: "100644",
  executable: "100755",
  link: "120000",
  gitlink: "160000",
} as const;
export type Mode = (typeof MODES)[keyof typeof MODES];

export interface TreeEntry {
  readonly mode: Mode;
  /** Bytes, one character each, as they stand. */
  readonly name: string;
  readonly id: ObjectId;
}

const MODE_SET: ReadonlySet<string> = new Set(Object.values(MODES));
const HEADERS_MAX = 200;
const PARENTS_MAX = 64; // git warns above 16 for an octopus; more hide history.

/** @throws {Unreadable} */
export function parseTree(data: Buffer, format: ObjectFormat): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  let last = "";
  const seen = new Set<string>();
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const end = data.indexOf(0, at);
    require(space > at && end > space, "an entry of a tree has no mode or name");
    const mode = data.toString("latin1", at, space);
    require(MODE_SET.has(mode), `an entry of a tree has a mode that is none: ${mode.slice(0, 8)}`);
    const name = data.toString("latin1", space + 1, end);
    require(name !== "" && !name.includes("/"), "an entry of a tree has no single name");
    require(name.length <= GIT_LIMITS.nameBytes, "a name in a tree is too long");
    require(name !== "." && name !== "..", "an entry of a tree leads out of its folder");
    require(!seen.has(name), "a tree has a name twice");
    seen.add(name);
    // Folders sort as if a slash followed (base_name_compare): else two readers find different entries.
    const key = mode === MODES.tree ? `${name}/` : `${name}\0`;
    require(at === 0 || last < key, "a tree is not sorted");
    last = key;
    at = end + 1 + format.bytes;
    require(at <= data.length, "a tree ends within a name of an object");
    const id = data.toString("hex", end + 1, at);
    require(id !== format.none, "an entry of a tree names no object");
    entries.push({ mode: mode as Mode, name, id });
  }
  return entries;
}

/** @throws {Unreadable} */
export function parseCommit(data: Buffer, format: ObjectFormat): Commit {
  const { headers, message } = splitHeaders(data);
  const take = (name: string): string => {
    const [header] = headers.splice(0, 1);
    if (header?.[0] !== name) throw new Unreadable(`a commit lacks its ${name}`);
    return header[1];
  };
  const tree = takeId(take("tree"), format);
  const parents: ObjectId[] = [];
  while (headers[0]?.[0] === "parent") parents.push(takeId(take("parent"), format));
  require(parents.length <= PARENTS_MAX, "a commit has too many parents");
  require(new Set(parents).size === parents.length, "a commit has a parent twice");
  const author = readPerson(take("author"));
  const committer = readPerson(take("committer"));
  const rest = headers.map(([name]) => name);
  // A second one of these is read by one reader and not by another.
  for (const name of ["tree", "parent", "author", "committer"]) {
    require(!rest.includes(name), `a commit has its ${name} twice`);
  }
  const isSigned = rest.some((name) => name.startsWith("gpgsig"));
  return { tree, parents, author, committer, isSigned, message };
}

/** @throws {Unreadable} */
export function parseTag(data: Buffer, format: ObjectFormat): Tag {
  const { headers, message } = splitHeaders(data);
  const [object, type, tag, tagger, ...more] = headers;
  require(object?.[0] === "object" && type?.[0] === "type" && tag?.[0] === "tag", "no tag");
  const kind = OBJECT_KINDS.find((one) => one === type[1]);
  if (kind === undefined) throw new Unreadable("a tag of a kind that is not known");
  require(tag[1] !== "" && !/[\0-\x20\x7f~^:?*[\\]/.test(tag[1]), "a tag has a name that is none");
  if (tagger === undefined || tagger[0] !== "tagger")
    throw new Unreadable("a tag lacks its tagger");
  require(more.every(([name]) =>
    name.startsWith("gpgsig"),
  ), "a tag has headers that are not known");
  return {
    object: takeId(object[1], format),
    kind,
    tag: tag[1],
    tagger: readPerson(tagger[1]),
    message,
  };
}

type Header = readonly [name: string, value: string];

/** Header lines, continued ones joined, and what follows the empty line. */
function splitHeaders(data: Buffer): { readonly headers: Header[]; readonly message: string } {
  const end = data.indexOf("\n\n");
  const head = end < 0 ? data : data.subarray(0, end + 1);
  require(head.length > 0 && head.at(-1) === 0x0a, "an object's headers do not end");
  require(!head.includes(0), "an object's headers hold a NUL");
  const headers: [string, string][] = [];
  for (const line of head.toString("utf8").slice(0, -1).split("\n")) {
    if (line.startsWith(" ")) {
      const last = headers.at(-1);
      if (last === undefined) throw new Unreadable("an object begins within a header");
      last[1] += `\n${line.slice(1)}`;
      continue;
    }
    const space = line.indexOf(" ");
    // A header that has a name and no value is what `git replace` of old and broken tools made.
    require(space > 0, "an object has a header without a value");
    headers.push([line.slice(0, space), line.slice(space + 1)]);
    require(headers.length <= HEADERS_MAX, "an object has too many headers");
  }
  const body = end < 0 ? Buffer.alloc(0) : data.subarray(end + 2);
  require(!body.includes(0), "a message holds a NUL, behind which some show nothing");
  return { headers, message: body.toString("utf8") };
}

function takeId(text: string, format: ObjectFormat): ObjectId {
  require(isObjectId(text, format) &&
    text !== format.none, "an object is named by what is no name");
  return text;
}

/** `Name <mail> 1700000000 +0100` (fsck_ident). */
function readPerson(text: string): Person {
  const [, name, email, seconds, zone] =
    /^([^<>\n]*) <([^<>\n]*)> (0|[1-9]\d{0,14}) ([+-]\d{4})$/.exec(text) ?? [];
  if (name === undefined || email === undefined || seconds === undefined || zone === undefined) {
    throw new Unreadable("an author, committer or tagger is not written as git does");
  }
  return { name, email, seconds: Number(seconds), zone };
}
