/**
 * What one statement does: by its first words, the tables that it names, and the functions that it calls. Whatever
 * is not one of these forms is not understood, and the text says why.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { agreesWith } from "./sql-grammar.ts";
import { hasOddBytes, readSql, type SqlToken } from "./sql-lexer.ts";
import { scanSql, type SqlScan } from "./sql-scan.ts";
import { readSessionStatement, readShow } from "./session-statement.ts";

/** One verb on one object: `[database, table]`. */
export interface SqlPart {
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly object: readonly [string, string];
}

export interface SqlMeaning {
  /** Of the statement; each part has its own. `session` where it is only about the connection. */
  readonly verb: string;
  readonly parts: readonly SqlPart[];
  /** The database that is current after it. */
  readonly uses?: string;
  /** It depends on what this connection has: variables, a transaction. */
  readonly isBound: boolean;
}

/** A statement that is not understood: a sentence's end, "the statement ...". */
export type SqlUnknown = { readonly reason: string };

export interface SqlContext {
  /** For names without one. */
  readonly database: string | undefined;
  /** `database.table.column`, each in lower case. */
  readonly hidden: readonly string[];
}

const TEXT_CHARS_MAX = 4 << 20;

/** Reads `text`, one statement with at most one `;` at its end. */
export function readStatement(text: string, context: SqlContext): SqlMeaning | SqlUnknown {
  if (text.length > TEXT_CHARS_MAX) return { reason: "is too long to be understood" };
  if (hasOddBytes(text)) return { reason: "has control characters in it" };
  const read = readSql(text);
  if (!Array.isArray(read)) return read as SqlUnknown;
  const tokens = withoutEnd(read as readonly SqlToken[]);
  if (tokens.length === 0) return { reason: "is empty" };
  if (tokens.some(({ kind, text: sign }) => kind === "sign" && sign === ";")) {
    return { reason: "is several; send them one by one" };
  }
  return meaningOf(tokens, context);
}

/** Tokens of `text`, or none where it is not read. For previews. */
export function tokensOf(text: string): readonly SqlToken[] {
  const read = readSql(text);
  return Array.isArray(read) ? withoutEnd(read as readonly SqlToken[]) : [];
}

function withoutEnd(tokens: readonly SqlToken[]): readonly SqlToken[] {
  const last = tokens.at(-1);
  return last?.kind === "sign" && last.text === ";" ? tokens.slice(0, -1) : tokens;
}

function meaningOf(tokens: readonly SqlToken[], context: SqlContext): SqlMeaning | SqlUnknown {
  const first = tokens[0]?.kind === "word" ? tokens[0].text : (tokens[0]?.text ?? "");
  const session = readSessionStatement(tokens);
  if (session !== undefined) {
    return "reason" in session
      ? session
      : {
          verb: "session",
          parts: [],
          isBound: true,
          ...(session.uses === undefined ? {} : { uses: session.uses }),
        };
  }
  if (
    first === "explain" ||
    first === "analyze" ||
    ((first === "describe" || first === "desc") && isStatementAt(tokens, 1))
  ) {
    // What is explained may be run for it, in part or (ANALYZE) whole.
    let rest = tokens.slice(1);
    while (rest[0]?.kind === "word" && /^(?:extended|partitions)$/.test(rest[0].text))
      rest = rest.slice(1);
    if (rest[0]?.text === "format" && rest[1]?.text === "=" && rest[2] !== undefined)
      rest = rest.slice(3);
    if (isStatementAt(rest, 0)) return meaningOf(rest, context);
  }
  const shown = readShow(tokens);
  if (shown !== undefined) {
    if ("reason" in shown) return shown;
    // Of the server or of the session, and of no table.
    if (shown.database === "") return { verb: "session", parts: [], isBound: true };
    const database = shown.database ?? context.database;
    if (database === undefined) return { reason: "names no database" };
    const object = [database, shown.table ?? "*"] as const;
    return { verb: "show", parts: [{ verb: "show", effects: ["read"], object }], isBound: false };
  }
  const scan = scanSql(tokens);
  if ("reason" in scan) return scan;
  const flaw = flawOf(scan);
  if (flaw !== undefined) return { reason: flaw };
  const known = FORMS[first === "(" ? "select" : first];
  const kind = first === "(" || first === "with" ? "select" : first;
  if (known === undefined)
    return { reason: `begins with ${first.toUpperCase()}, which nobody may` };
  const isChecked = first === "call" || agreesWith(tokens, scan, kind);
  if (!isChecked) return { reason: "is not understood by the grammar" };
  return known(tokens, scan, context);
}

const isStatementAt = (tokens: readonly SqlToken[], at: number) =>
  tokens[at]?.kind === "word" &&
  /^(?:select|insert|replace|update|delete|with)$/.test(tokens[at]?.text ?? "");

/** Words that reach beyond tables, wherever they stand outside of quotes: files of the server, and what analyses rows. */
const BEYOND = ["outfile", "dumpfile", "infile", "load_file", "procedure"];
/** Of CREATE and ALTER: by these a table is kept elsewhere, or becomes another. */
const STORED_ELSEWHERE = [
  "connection",
  "directory",
  "union",
  "server",
  "wrapper",
  "connect",
  "federated",
  "spider",
  "rename",
  "exchange",
  "import",
  "discard",
];
const ENGINES = new Set(["innodb", "aria", "myisam", "memory"]);

function flawOf({ words }: SqlScan): string | undefined {
  const found = BEYOND.find((word) => words.has(word));
  // As names they may stand in quotes.
  return found === undefined
    ? undefined
    : `has ${found.toUpperCase()} in it (quote it with \` where it is a name)`;
}

type Form = (
  tokens: readonly SqlToken[],
  scan: SqlScan,
  context: SqlContext,
) => SqlMeaning | SqlUnknown;

interface Effects {
  readonly target: readonly Effect[];
  readonly outer: readonly Effect[];
}

/** The meaning of `verb` with `effects` on its own tables; tables of queries within are read. */
function over(
  verb: string,
  effects: Effects,
  scan: SqlScan,
  context: SqlContext,
): SqlMeaning | SqlUnknown {
  const parts: SqlPart[] = [];
  for (const { database = context.database, name, isOuter, isTarget, isQuery } of scan.tables) {
    if (isQuery && !isTarget) continue;
    if (database === undefined)
      return { reason: `names ${name} without a database, and none is chosen` };
    const own = isTarget ? effects.target : isOuter ? effects.outer : (["read"] as const);
    const isRead = own.length === 1 && own[0] === "read";
    parts.push({ verb: isRead ? "select" : verb, effects: own, object: [database, name] });
  }
  for (const { database = context.database, name } of scan.calls) {
    parts.push({ verb: "call", effects: ["execute"], object: [database ?? "", name] });
  }
  const hidden = hiddenIn(parts, scan, context);
  if (hidden !== undefined) return { reason: hidden };
  const isSession = parts.length === 0;
  return { verb: isSession ? "session" : verb, parts, isBound: scan.usesVariables };
}

function hiddenIn(
  parts: readonly SqlPart[],
  scan: SqlScan,
  { hidden }: SqlContext,
): string | undefined {
  for (const { object } of parts) {
    const table = `${object[0]}.${object[1]}.`.toLowerCase();
    const columns = hidden
      .filter((one) => one.startsWith(table))
      .map((one) => one.slice(table.length));
    if (columns.length === 0) continue;
    if (scan.hasStar)
      return `takes every column of ${object.join(".")}, of which some are hidden; name those you need`;
    const named = columns.find((column) => scan.names.has(column));
    if (named !== undefined) return `names the hidden column ${named} of ${object.join(".")}`;
  }
  return undefined;
}

const READ: Effects = { target: ["read"], outer: ["read"] };

const FORMS: Readonly<Record<string, Form>> = {
  select: selects,
  with: selects,
  insert: (_, scan, context) => {
    const reads = scan.outerWords.has("returning")
      ? (["read", "write"] as const)
      : (["write"] as const);
    const meaning = over("insert", { target: reads, outer: ["read"] }, scan, context);
    if (!scan.outerWords.has("duplicate") || !("parts" in meaning)) return meaning;
    // What is there already is changed.
    const changed = meaning.parts
      .filter(({ verb }) => verb === "insert")
      .map((part) => ({ ...part, verb: "update" }));
    return { ...meaning, parts: [...meaning.parts, ...changed] };
  },
  // What has the same key is deleted for it.
  replace: (_, scan, context) =>
    over("replace", { target: ["write", "delete"], outer: ["read"] }, scan, context),
  update: (_, scan, context) => {
    // Without a condition nothing of what was there remains.
    const own = scan.outerWords.has("where")
      ? (["read", "write"] as const)
      : (["read", "write", "delete"] as const);
    return over("update", { target: own, outer: own }, scan, context);
  },
  delete: (_, scan, context) =>
    over("delete", { target: ["read", "delete"], outer: ["read", "delete"] }, scan, context),
  truncate: (_, scan, context) =>
    over("truncate", { target: ["delete"], outer: ["delete"] }, scan, context),
  create: (tokens, scan, context) => {
    const at = tokens[1]?.text === "temporary" ? 2 : 1;
    if (tokens[at]?.text !== "table") return { reason: "creates what is no table" };
    const flaw = storageFlaw(tokens, scan);
    if (flaw !== undefined) return { reason: flaw };
    return schema("create", ["administer"], scan, context);
  },
  alter: (tokens, scan, context) => {
    if (tokens[1]?.text !== "table") return { reason: "alters what is no table" };
    const flaw = storageFlaw(tokens, scan);
    if (flaw !== undefined) return { reason: flaw };
    return schema("alter", ["delete", "administer"], scan, context);
  },
  drop: (tokens, scan, context) => {
    const at = tokens[1]?.text === "temporary" ? 2 : 1;
    if (tokens[at]?.text !== "table") return { reason: "drops what is no table" };
    return schema("drop", ["delete", "administer"], scan, context);
  },
  call: (tokens, scan, context) => {
    const [callee] = scan.calls;
    if (
      scan.tables.length > 0 ||
      scan.calls.length !== 1 ||
      callee === undefined ||
      tokens[1] === undefined
    ) {
      return { reason: "calls in a way that is not understood" };
    }
    const { database = context.database, name } = callee;
    if (database === undefined) return { reason: "calls a routine of no database" };
    const part = { verb: "call", effects: ["execute"] as const, object: [database, name] as const };
    return { verb: "call", parts: [part], isBound: true };
  },
};

function selects(
  tokens: readonly SqlToken[],
  scan: SqlScan,
  context: SqlContext,
): SqlMeaning | SqlUnknown {
  const isLocking = tokens.some(
    ({ kind, text }, at) =>
      kind === "word" &&
      ((text === "for" && /^(?:update|share)$/.test(tokens[at + 1]?.text ?? "")) ||
        (text === "lock" && tokens[at + 1]?.text === "in")),
  );
  const own = isLocking ? (["read", "write"] as const) : (["read"] as const);
  if (!isLocking) return over("select", READ, scan, context);
  const meaning = over("select", { target: own, outer: own }, scan, context);
  if ("reason" in meaning) return meaning;
  const parts = meaning.parts.map((part) =>
    part.verb === "call" ? part : { ...part, verb: "select", effects: own },
  );
  return { ...meaning, parts, isBound: true };
}

/** Statements that change what there is: every table that they name. */
function schema(
  verb: string,
  effects: readonly Effect[],
  scan: SqlScan,
  context: SqlContext,
): SqlMeaning | SqlUnknown {
  const [target, ...others] = scan.tables;
  if (target === undefined) return { reason: "names no table" };
  // DROP takes all of its tables; the others read theirs.
  const rest = verb === "drop" ? effects : (["read"] as const);
  const parts: SqlPart[] = [];
  for (const [at, { database = context.database, name }] of [target, ...others].entries()) {
    if (database === undefined)
      return { reason: `names ${name} without a database, and none is chosen` };
    const own = at === 0 ? effects : rest;
    parts.push({
      verb: own === rest && verb !== "drop" ? "select" : verb,
      effects: own,
      object: [database, name],
    });
  }
  // Names of keys and types stand before parentheses too; only a query can call.
  for (const { database = context.database, name } of scan.words.has("select") ? scan.calls : []) {
    parts.push({ verb: "call", effects: ["execute"], object: [database ?? "", name] });
  }
  const hidden = hiddenIn(parts, scan, context);
  return hidden === undefined ? { verb, parts, isBound: scan.usesVariables } : { reason: hidden };
}

/** Tables that are kept elsewhere, or are somebody else's. */
function storageFlaw(tokens: readonly SqlToken[], scan: SqlScan): string | undefined {
  const found = STORED_ELSEWHERE.find((word) => scan.words.has(word));
  if (found !== undefined)
    return `has ${found.toUpperCase()} in it, by which a table is kept elsewhere or becomes another`;
  const at = tokens.findIndex(({ kind, text }) => kind === "word" && text === "engine");
  if (at < 0) return undefined;
  const value = tokens[at + 1]?.text === "=" ? tokens[at + 2] : tokens[at + 1];
  const engine = (value?.text ?? "").toLowerCase();
  const isOnce =
    tokens.filter(({ kind, text }) => kind === "word" && text === "engine").length <= 1;
  return isOnce && ENGINES.has(engine)
    ? undefined
    : `has an engine that is none of ${[...ENGINES].join(", ")}`;
}
