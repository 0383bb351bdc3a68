/**
 * JSON as every server reads it, or not at all: UTF-8, no name twice in one object (RFC 8259, 4: what such
 * an object means is not defined, and servers differ), no number that a double cannot hold, no depth that a
 * parser would give up at.
 *
 * @module
 */
import type { Json } from "../action/index.ts";

const DEPTH_MAX = 60;
/** `fatal`: overlong and half characters would be read differently. A BOM is left in, and no JSON. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BACKSLASH = 0x5c;
/** What opens, closes or parts; the rest is space, numbers and literals. */
const MARKS: ReadonlySet<number> = new Set(Array.from('{}[],:"', (mark) => mark.charCodeAt(0)));

/**
 * The value that `bytes` are, or `undefined`. `isCaseless`: two names that differ in case are one. `mayLose`: of a
 * number that a double cannot hold the nearest is taken; for what is only looked at, and passed on as it was written.
 */
export function readJson(
  bytes: Uint8Array,
  isCaseless = false,
  mayLose = false,
): { readonly value: Json } | undefined {
  try {
    const text = UTF8.decode(bytes);
    const value = JSON.parse(text) as Json;
    return isUnambiguous(text, { isCaseless, mayLose }) ? { value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The name as a reader without case has it: Go's encoding/json folds by simple case folding. */
export function foldName(name: string): string {
  return name.replaceAll("\u017f", "s").replaceAll("\u212a", "k").toLowerCase();
}

/** `text` is valid JSON already; what is asked is whether a name stands twice, and how deep it goes. */
function isUnambiguous(
  text: string,
  { isCaseless, mayLose }: { readonly isCaseless: boolean; readonly mayLose: boolean },
): boolean {
  const names: (Set<string> | undefined)[] = []; // One for each open bracket; none for a list.
  let isName = false;
  let at = 0;
  for (;;) {
    const end = restEnd(text, at);
    if (!mayLose && end > at && isLossy(text.slice(at, end))) return false;
    at = end;
    if (at === text.length) return true;
    const mark = text[at] ?? "";
    const after = mark === '"' ? stringEnd(text, at) : at + 1;
    const own = names.at(-1);
    if (mark === "{" || mark === "[") {
      if (names.push(mark === "{" ? new Set() : undefined) > DEPTH_MAX) return false;
      isName = mark === "{";
    } else if (mark === "}" || mark === "]") {
      names.pop();
      isName = false;
    } else if (mark === ",") isName = own !== undefined;
    else if (mark === ":") isName = false;
    else if (isName && own !== undefined && !isNewName(text.slice(at, after), own, isCaseless))
      return false;
    at = after;
  }
}

/** A number that a reader with doubles makes another of: what is shown would not be what is sent. */
function isLossy(literal: string): boolean {
  if (!/\d/.test(literal)) return false;
  const value = Number(literal);
  if (!Number.isFinite(value)) return true;
  return !/[.eE]/.test(literal) && !Number.isSafeInteger(value);
}

/** Where a mark stands next. */
function restEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !MARKS.has(text.charCodeAt(at))) at += 1;
  return at;
}

/** Behind the closing quote: the first that no backslash escapes. */
function stringEnd(text: string, from: number): number {
  let at = text.indexOf('"', from + 1);
  while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at + 1;
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text.charCodeAt(start - 1) === BACKSLASH) start -= 1;
  return (at - start) % 2 === 1;
}

function isNewName(quoted: string, own: Set<string>, isCaseless: boolean): boolean {
  const plain = quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  const name = isCaseless ? foldName(plain) : plain;
  // A server in C may end a name at NUL, and then have another one twice.
  if (own.has(name) || name.includes("\0")) return false;
  own.add(name);
  return true;
}
