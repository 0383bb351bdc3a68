/**
 * An answer of a host, line by line. Whatever it holds is data: no line that has another form counts.
 *
 * @module
 */
import { decodeAnswer } from "../../protocols/index.ts";
import type { Reply } from "../probe.ts";

const LINES_MAX = 6000;
const FIELDS_MAX = 8;
const FIELD_CHARS_MAX = 4096; // PATH_MAX of Linux.

/** One line: its tag, then its fields. */
export type Line = readonly [tag: string, ...fields: readonly string[]];

export interface Answer {
  readonly lines: readonly Line[];
  /** It came to its end; else what is missing was not told. */
  readonly isWhole: boolean;
}

/** Reads what came back of a script. Never throws. */
export function readAnswer({ status, body, isCut }: Reply): Answer {
  if (status !== 200) return { lines: [], isWhole: false };
  return readLines(decodeAnswer(body).stdout.toString("utf8"), isCut);
}

/** Exported for its tests. */
export function readLines(text: string, isCut = false): Answer {
  const raw = text.split("\n", LINES_MAX + 2);
  const end = raw.indexOf("end");
  const isWhole = !isCut && end >= 0 && end === raw.length - 2 && raw.at(-1) === "";
  const told = raw.slice(0, Math.min(LINES_MAX, end < 0 ? raw.length - 1 : end));
  const lines: Line[] = [];
  for (const one of told) {
    const [tag = "", ...fields] = one.split("\t", FIELDS_MAX + 2);
    const isOfForm =
      /^[a-z0-9]{1,16}$/.test(tag) && fields.length <= FIELDS_MAX && fields.every(isField);
    if (isOfForm) lines.push([tag, ...fields]);
  }
  return { lines, isWhole: isWhole && lines.length === told.length };
}

function isField(text: string): boolean {
  return text.length <= FIELD_CHARS_MAX && !/\p{Cc}/u.test(text);
}

/** Fields of every line of `tag`. */
export function linesOf({ lines }: Answer, tag: string): readonly (readonly string[])[] {
  return lines.flatMap(([one, ...fields]) => (one === tag ? [fields] : []));
}

/** A path, or one whose name has control characters, which is told as `?`. */
export function isPath(text: string): boolean {
  return text.startsWith("/") || text === "?";
}

/** An account's name, as far as facts speak of it. */
export function isUserName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@$-]{0,63}$/.test(text);
}
