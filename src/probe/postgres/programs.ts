/**
 * What a stored program does, by its text. SQL is read with the server's own grammar; of PL/pgSQL the statements are found
 * by their words, so that more may be found than ever runs; what makes SQL of text may do anything.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { postgres } from "../../protocols/index.ts";
import type { Relation, Routine } from "./questions.ts";

/** One thing that a program does. */
export interface Deed {
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly relation: Relation;
}

export interface Reading {
  readonly deeds: readonly Deed[];
  /** Why it may do whatever its role may. */
  readonly anything?: string;
  /** It runs outside of what the database holds it to. */
  readonly isNative?: true;
}

/** What there is besides the program itself. */
export interface Beside {
  readonly relations: readonly Relation[];
  /** Names of users' functions and procedures, in lower case. */
  readonly routines: ReadonlySet<string>;
}

/** Reads `routine`. */
export function readRoutine(routine: Routine, beside: Beside): Reading {
  if (!routine.isTrusted) return { deeds: [], isNative: true };
  if (routine.isLong) return { deeds: [], anything: "its text is too long to be read" };
  if (routine.language === "sql") return readSqlBody(routine, beside);
  if (routine.language === "plpgsql") return readPlpgsql(routine, beside);
  return { deeds: [], anything: `it is written in ${routine.language}` };
}

const RELATIONAL: ReadonlySet<string> = new Set([
  ...["select", "copy-to", "insert", "update", "delete", "truncate", "alter", "drop"],
]);

function readSqlBody(routine: Routine, beside: Beside): Reading {
  const atomic = /^\s*begin\s+atomic\b([\s\S]*)\bend\s*;?\s*$/i.exec(routine.body);
  const options = postgres.optionsOf({ database: "any", path: ["any"] });
  const { found } = postgres.readSql(atomic?.[1] ?? routine.body, options);
  if (found.problem !== undefined) return readPlpgsql(routine, beside);
  const deeds: Deed[] = [];
  for (const { verb, effects, object } of found.parts.values()) {
    if (verb === "session" || verb === "describe") continue;
    // What else it calls, makes or becomes is not followed.
    if (!RELATIONAL.has(verb)) return { deeds: [], anything: `it does ${verb}` };
    const [schema, table] = object;
    // Without a schema it is whatever the caller's path finds first.
    const meant = beside.relations.filter(
      (one) => one.table === table && (schema === "any" || one.schema === schema),
    );
    deeds.push(...meant.map((relation) => ({ verb, effects, relation })));
  }
  return { deeds };
}

const STATEMENTS = [
  ["select", /\b(?:from|join|using|into|table)\s+(?:only\s+)?$/i, ["read"]],
  ["insert", /\binsert\s+into\s+$/i, ["write"]],
  ["update", /\bupdate\s+(?:only\s+)?$/i, ["write"]],
  ["update", /\bmerge\s+into\s+(?:only\s+)?$/i, ["write", "delete"]],
  ["delete", /\bdelete\s+from\s+(?:only\s+)?$/i, ["delete"]],
  ["truncate", /\btruncate\s+(?:table\s+)?(?:only\s+)?$/i, ["delete"]],
] as const;
/** What stands before a table's name. */
const BEFORE_CHARS = 40;

function readPlpgsql({ name, body }: Routine, { relations, routines }: Beside): Reading {
  const text = body.replaceAll(/--[^\n]*/g, " ").replaceAll(/\/\*[\s\S]*?\*\//g, " ");
  if (/\bexecute\b(?!\s+(?:function|procedure)\b)/i.test(text)) {
    return { deeds: [], anything: "it makes SQL of text (EXECUTE)" };
  }
  if (/\b(?:copy|do|set\s+(?:local\s+|session\s+)?role|grant|alter|create|drop)\s/i.test(text)) {
    return { deeds: [], anything: "it does more than read and write rows" };
  }
  const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}_$]+/gu));
  const called = [...text.matchAll(/([\w$]+)"?\s*\(/g)]
    .map(([, word = ""]) => word.toLowerCase())
    .find((word) => word !== name.toLowerCase() && routines.has(word));
  if (called !== undefined) return { deeds: [], anything: `it calls ${called}` };
  const deeds: Deed[] = [];
  for (const relation of relations) {
    const [first = ""] = relation.table.toLowerCase().match(/[\p{L}\p{N}_$]+/u) ?? [];
    if (!words.has(first)) continue;
    for (const match of text.matchAll(patternOf(relation))) {
      const before = text.slice(Math.max(0, match.index - BEFORE_CHARS), match.index);
      for (const [verb, form, does] of STATEMENTS) {
        if (!form.test(before)) continue;
        const rest = text.slice(match.index).split(";", 1)[0] ?? "";
        const isWhole = verb === "update" && !/\bwhere\b/i.test(rest);
        deeds.push({ verb, effects: isWhole ? ["write", "delete"] : does, relation });
      }
    }
  }
  return { deeds };
}

/** A relation's name in a text, with its schema or without, quoted or not. */
function patternOf({ schema, table }: Relation): RegExp {
  const name = (text: string) => `"?${text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}"?`;
  return new RegExp(`(?<![\\w".])(?:${name(schema)}\\s*\\.\\s*)?${name(table)}(?![\\w"])`, "gi");
}
