/**
 * What a stored program does, as far as its text shows: statements are found by their words, so that more may be found than
 * ever runs; what makes SQL of text may do anything.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";

/** A table, by its schema (PostgreSQL) or database. */
export interface Named {
  readonly schema: string;
  readonly table: string;
}

/** One thing that a program does. */
export interface Deed<Table> {
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly relation: Table;
}

export interface Reading<Table> {
  readonly deeds: readonly Deed<Table>[];
  /** What it does to tables that are none of those known. */
  readonly elsewhere?: readonly Omit<Deed<Table>, "relation">[];
  /** Why it may do whatever its role may. */
  readonly anything?: string;
}

/** What there is besides the program itself. */
export interface Beside<Table> {
  readonly relations: readonly Table[];
  /** Names of users' functions and procedures, in lower case. */
  readonly routines: ReadonlySet<string>;
}

/** The first that fits counts. */
const STATEMENTS = [
  ["insert", /\b(?:insert|replace)\s+(?:ignore\s+)?(?:into\s+)?$/i, ["write"]],
  ["update", /\bupdate\s+(?:only\s+)?$/i, ["write"]],
  ["update", /\bmerge\s+into\s+(?:only\s+)?$/i, ["write", "delete"]],
  ["delete", /\bdelete\s+from\s+(?:only\s+)?$/i, ["delete"]],
  ["truncate", /\btruncate\s+(?:table\s+)?(?:only\s+)?$/i, ["delete"]],
  ["select", /\b(?:from|join|using|table)\s+(?:only\s+)?$/i, ["read"]],
] as const;
/** What stands before a table's name. */
const BEFORE_CHARS = 40;

/** Reads the text of the program `name`. */
export function readText<Table extends Named>(
  body: string,
  name: string,
  { relations, routines }: Beside<Table>,
): Reading<Table> {
  // A comment that does not end goes to the end, so that each character is looked at once.
  const text = body.replaceAll(/--[^\n]*|\/\*(?![!M])[\s\S]*?(?:\*\/|$)/g, " ");
  if (/\bexecute\b(?!\s+(?:function|procedure)\b)|\bprepare\b/i.test(text))
    return { deeds: [], anything: "it makes SQL of text (EXECUTE)" };
  if (/\/\*[!M]/.test(text))
    return { deeds: [], anything: "it has text that only some versions run" };
  const other =
    /\b(?:copy|do|set\s+(?:local\s+|session\s+)?role|grant|alter|create|drop|outfile|dumpfile|infile|load_file)\b/i;
  if (other.test(text)) return { deeds: [], anything: "it does more than read and write rows" };
  const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}_$]+/gu));
  const called = [...text.matchAll(/(?<![\w$])([\w$]+)["`]?\s*\(/g)]
    .map(([, word = ""]) => word.toLowerCase())
    .find((word) => word !== name.toLowerCase() && routines.has(word));
  if (called !== undefined) return { deeds: [], anything: `it calls ${called}` };
  return {
    deeds: relations.flatMap((relation) => deedsOn(relation, text, words)),
    elsewhere: deedsElsewhere(relations, text),
  };
}

/** Statements on names that are no known table: one that is not shown, or a name that the program itself gives. */
function deedsElsewhere(
  relations: readonly Named[],
  text: string,
): readonly Omit<Deed<never>, "relation">[] {
  const known = new Set(relations.map(({ table }) => table.toLowerCase()));
  const names = text.matchAll(
    /(?<=\s)(?:(["`]?)[\w$]+\1\s*\.\s*)?(["`]?)([\p{L}\w$]+)\2(?![\w(])/gu,
  );
  const found: Omit<Deed<never>, "relation">[] = [];
  for (const match of names) {
    if (known.has((match[3] ?? "").toLowerCase())) continue;
    const before = text.slice(Math.max(0, match.index - BEFORE_CHARS), match.index);
    const fits = STATEMENTS.find(([, form]) => form.test(before));
    if (fits !== undefined) found.push({ verb: fits[0], effects: fits[2] });
  }
  return found;
}

function deedsOn<Table extends Named>(
  relation: Table,
  text: string,
  words: ReadonlySet<string>,
): readonly Deed<Table>[] {
  const [first = ""] = relation.table.toLowerCase().match(/[\p{L}\p{N}_$]+/u) ?? [];
  if (!words.has(first)) return [];
  const deeds: Deed<Table>[] = [];
  for (const match of text.matchAll(patternOf(relation))) {
    const before = text.slice(Math.max(0, match.index - BEFORE_CHARS), match.index);
    const fits = STATEMENTS.find(([, form]) => form.test(before));
    if (fits === undefined) continue;
    const [verb, , does] = fits;
    const rest = text.slice(match.index).split(";", 1)[0] ?? "";
    const isWhole = verb === "update" && !/\bwhere\b/i.test(rest);
    deeds.push({ verb, effects: isWhole ? ["write", "delete"] : does, relation });
  }
  return deeds;
}

/** A table's name in a text, with its schema or without, quoted or not. */
function patternOf({ schema, table }: Named): RegExp {
  const name = (text: string) => `["\`]?${text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}["\`]?`;
  return new RegExp(
    `(?<![\\w"\`.])(?:${name(schema)}\\s*\\.\\s*)?${name(table)}(?![\\w"\`])`,
    "gi",
  );
}
