/**
 * What a statement names, found in its tokens: tables by where they stand, and functions that are called. It knows
 * little grammar; what it finds must be what the real grammar finds (sql-grammar.ts), or the statement is not understood.
 *
 * @module
 */
import { NO_FUNCTIONS, PLAIN_FUNCTIONS } from "./sql-functions.ts";
import type { SqlRefusal, SqlToken } from "./sql-lexer.ts";

/** A table or routine as written. */
export interface SqlName {
  readonly database: string | undefined;
  readonly name: string;
}

export interface SqlTable extends SqlName {
  /** It stands in the statement's own list of tables, not in a query within it. */
  readonly isOuter: boolean;
  /** It is what INSERT, REPLACE or a statement about tables is about. */
  readonly isTarget: boolean;
  /** It names a query of WITH, no table. */
  readonly isQuery: boolean;
}

export interface SqlScan {
  readonly tables: readonly SqlTable[];
  /** Functions that are not known to compute only. */
  readonly calls: readonly SqlName[];
  /** Words outside of quotes, in lower case. */
  readonly words: ReadonlySet<string>;
  /** Words at depth 0. */
  readonly outerWords: ReadonlySet<string>;
  /** Every name that may be a column's, in lower case. */
  readonly names: ReadonlySet<string>;
  /** Whether `*` stands for columns somewhere. */
  readonly hasStar: boolean;
  readonly usesVariables: boolean;
}

interface Level {
  /** A name that comes now is a table. */
  wantsTable: boolean;
  /** A comma is followed by another table. */
  inTables: boolean;
  /** FROM does not begin a list of tables here: TRIM(x FROM y). */
  readonly isCall: boolean;
  readonly isOuter: boolean;
  /** Queries around it. */
  readonly queries: number;
}

/** The grammar looks at queries in queries again and again, twice as long for each level. */
const QUERIES_DEEP_MAX = 4;
const QUERIES_MAX = 40;
const DEPTH_MAX = 40;

const FROM_WITHIN = new Set(["extract", "trim", "substring", "substr", "position", "mid"]);
/** What ends a list of tables. */
const AFTER_TABLES = new Set(
  "where set values value select group having order limit window union except intersect on using for lock into procedure returning partition use force ignore".split(
    " ",
  ),
);
const TABLE_WORDS = new Set([
  "from",
  "join",
  "straight_join",
  "update",
  "into",
  "table",
  "tables",
  "describe",
  "desc",
  "truncate",
]);
const BEFORE_TABLE = new Set([
  "low_priority",
  "high_priority",
  "delayed",
  "quick",
  "ignore",
  "if",
  "not",
  "exists",
  "only",
  "lateral",
]);

/** Scans `tokens` of one statement, without its `;`. */
export function scanSql(tokens: readonly SqlToken[]): SqlScan | SqlRefusal {
  const named = queriesOf(tokens);
  if (named === undefined) return { reason: "has WITH where it is not understood" };
  const tables: SqlTable[] = [];
  const calls: SqlName[] = [];
  const words = new Set<string>();
  const outerWords = new Set<string>();
  const names = new Set<string>();
  let hasStar = false;
  let usesVariables = false;
  const levels: Level[] = [
    { wantsTable: false, inTables: false, isCall: false, isOuter: true, queries: 0 },
  ];
  let queries = 0;
  const first = tokens[0]?.text ?? "";
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    const level = levels.at(-1);
    if (token === undefined || level === undefined) return { reason: "has a parenthesis too many" };
    const { kind, text } = token;
    if (kind === "variable" && !text.startsWith("@@")) usesVariables = true;
    if (kind === "sign") {
      if (text === "(") {
        const before = tokens[at - 1];
        const callee = calleeAt(tokens, at);
        if (callee !== undefined && !isTableAt(tables, tokens, at)) calls.push(callee);
        const isQuery = tokens[at + 1]?.text === "select" && tokens[at + 1]?.kind === "word";
        const joins = level.wantsTable && !isQuery;
        const isFrom = before?.kind === "word" && FROM_WITHIN.has(before.text);
        levels.push({
          wantsTable: joins,
          inTables: joins,
          isCall: isFrom,
          isOuter: joins && level.isOuter,
          queries: level.queries + (isQuery ? 1 : 0),
        });
        level.wantsTable = false;
        if (levels.length > DEPTH_MAX || level.queries + (isQuery ? 1 : 0) > QUERIES_DEEP_MAX) {
          return { reason: "has too much within one another" };
        }
      } else if (text === ")") {
        levels.pop();
        if (levels.length === 0) return { reason: "has a parenthesis too many" };
      } else if (text === ",") level.wantsTable = level.inTables;
      else if (text === "*" && isStar(tokens, at)) hasStar = true;
      continue;
    }
    if (kind === "word") {
      if (text === "select") queries += 1;
      if (queries > QUERIES_MAX) return { reason: "has too many queries in it" };
      words.add(text);
      if (levels.length === 1) outerWords.add(text);
    }
    if (kind !== "word" && kind !== "quoted") {
      if (level.wantsTable) return { reason: "has no name where a table stands" };
      continue;
    }
    const isAfterDot = tokens[at - 1]?.text === "." && tokens[at - 1]?.kind === "sign";
    if (kind === "word" && !isAfterDot) {
      // UPDATE in FOR UPDATE and ON DUPLICATE KEY UPDATE, INTO of variables.
      const before = tokens[at - 1]?.text ?? "";
      const isClause =
        !(text === "update" && (before === "for" || before === "key" || before === "on")) &&
        !(text === "from" && level.isCall) &&
        !(text === "into" && /^(?:@|outfile|dumpfile)/.test(tokens[at + 1]?.text ?? "")) &&
        !((text === "describe" || text === "desc" || text === "truncate") && at > 0);
      if (TABLE_WORDS.has(text) && isClause) {
        level.wantsTable = true;
        level.inTables = text !== "into";
        continue;
      }
      if (level.wantsTable && BEFORE_TABLE.has(text)) continue;
      if (level.wantsTable && text === "dual") {
        level.wantsTable = false;
        continue;
      }
      if (AFTER_TABLES.has(text)) {
        if (text === "select") level.inTables = false;
        if (level.wantsTable && text !== "select" && text !== "values" && text !== "value") {
          return { reason: "has no name where a table stands" };
        }
        level.wantsTable = false;
        if (!["on", "using", "partition", "use", "force", "ignore", "for"].includes(text))
          level.inTables = false;
        continue;
      }
    }
    if (level.wantsTable && !isAfterDot) {
      const found = nameAt(tokens, at);
      if (found === undefined) return { reason: "has a name of too many parts" };
      const isKnown =
        found.database === undefined && named.some((one) => one.covers(found.name, at));
      tables.push({
        ...{ database: found.database, name: found.name, isQuery: isKnown },
        isOuter: level.isOuter && levels.length >= 1,
        isTarget:
          tables.length === 0 && level.isOuter && (first === "insert" || first === "replace"),
      });
      level.wantsTable = false;
      at = found.end;
      continue;
    }
    names.add(text.toLowerCase());
  }
  if (levels.length !== 1) return { reason: "has a parenthesis too few" };
  return { tables, calls, words, outerWords, names, hasStar, usesVariables };
}

/** `name` or `database.name` at `at`; `end` is its last token. */
function nameAt(
  tokens: readonly SqlToken[],
  at: number,
): { database: string | undefined; name: string; end: number } | undefined {
  const first = tokens[at];
  if (first === undefined) return undefined;
  const isDot = (index: number) => tokens[index]?.kind === "sign" && tokens[index]?.text === ".";
  if (!isDot(at + 1)) return { database: undefined, name: nameOf(first), end: at };
  const second = tokens[at + 2];
  if (second?.kind === "sign" && second.text === "*" && first.kind !== "string") {
    // DELETE t.* FROM t
    return { database: undefined, name: nameOf(first), end: at + 2 };
  }
  const isName = second?.kind === "word" || second?.kind === "quoted";
  if (second === undefined || !isName || isDot(at + 3)) return undefined;
  return { database: nameOf(first), name: nameOf(second), end: at + 2 };
}

const nameOf = ({ kind, text, raw }: SqlToken) => (kind === "word" ? raw : text);

/** The function that the parenthesis at `at` calls, unless it only computes. */
function calleeAt(tokens: readonly SqlToken[], at: number): SqlName | undefined {
  const before = tokens[at - 1];
  if (before === undefined || (before.kind !== "word" && before.kind !== "quoted"))
    return undefined;
  const isQualified = tokens[at - 2]?.kind === "sign" && tokens[at - 2]?.text === ".";
  if (isQualified) {
    const database = tokens[at - 3];
    return {
      database: database === undefined ? undefined : nameOf(database),
      name: nameOf(before),
    };
  }
  if (before.kind === "word" && NO_FUNCTIONS.has(before.text)) return undefined;
  const isApart = tokens[at]?.isApart === true;
  if (before.kind === "word" && PLAIN_FUNCTIONS.has(before.text)) {
    // With a space between, some names are no longer the server's own function.
    if (!isApart || before.text === "values" || before.text === "value") return undefined;
  }
  return { database: undefined, name: nameOf(before) };
}

/** Whether what stands before `at` was a table: INSERT INTO t (a, b). */
function isTableAt(tables: readonly SqlTable[], tokens: readonly SqlToken[], at: number): boolean {
  const before = tokens[at - 1];
  const last = tables.at(-1);
  if (before === undefined || last?.isTarget !== true || tables.length !== 1) return false;
  return nameOf(before) === last.name && /^(?:insert|replace|create)$/.test(tokens[0]?.text ?? "");
}

/** Whether `*` at `at` stands for columns: not COUNT(*), not a product. */
function isStar(tokens: readonly SqlToken[], at: number): boolean {
  const before = tokens[at - 1];
  if (before?.kind === "sign" && before.text === "(") return tokens[at - 2]?.text !== "count";
  if (before?.kind === "sign") return before.text !== ")";
  return before?.kind === "word" && !/^(?:null|true|false)$/.test(before.text)
    ? isBeforeColumns(before.text)
    : false;
}

const isBeforeColumns = (word: string) =>
  /^(?:select|all|distinct|distinctrow|returning|straight_join|sql_\w+|high_priority)$/.test(word);

interface Query {
  /** Whether `name` at token `at` means this query. */
  covers(name: string, at: number): boolean;
}

/**
 * Names that a WITH at the very start gives to queries, and where they hold: within its own query a name still means
 * the table, unless it is RECURSIVE. `undefined` where WITH stands elsewhere or is not understood.
 */
function queriesOf(tokens: readonly SqlToken[]): readonly Query[] | undefined {
  const isWord = (index: number, text: string) =>
    tokens[index]?.kind === "word" && tokens[index]?.text === text;
  const isSign = (index: number, text: string) =>
    tokens[index]?.kind === "sign" && tokens[index]?.text === text;
  const others = tokens.filter((token, at) => {
    if (token.kind !== "word" || token.text !== "with" || at === 0) return false;
    return (
      tokens[at + 1]?.text !== "rollup" &&
      tokens[at + 1]?.text !== "consistent" &&
      tokens[at + 1]?.text !== "ties"
    );
  });
  if (others.length > 0) return undefined;
  if (!isWord(0, "with")) return [];
  const isRecursive = isWord(1, "recursive");
  const found: Query[] = [];
  let at = isRecursive ? 2 : 1;
  for (;;) {
    const token = tokens[at];
    if (token === undefined || (token.kind !== "word" && token.kind !== "quoted")) return undefined;
    const name = nameOf(token);
    at += 1;
    if (isSign(at, "(")) at = closeOf(tokens, at) + 1;
    if (!isWord(at, "as") || !isSign(at + 1, "(")) return undefined;
    const [start, end] = [at + 1, closeOf(tokens, at + 1)];
    if (end < 0) return undefined;
    found.push({
      covers: (one, where) => one === name && (where > end || (isRecursive && where > start)),
    });
    at = end + 1;
    if (!isSign(at, ",")) return found;
    at += 1;
  }
}

/** The parenthesis that closes the one at `at`; -1 where none does. */
function closeOf(tokens: readonly SqlToken[], at: number): number {
  let depth = 0;
  for (let index = at; index < tokens.length; index += 1) {
    const { kind, text } = tokens[index] ?? { kind: "sign", text: "" };
    if (kind !== "sign") continue;
    if (text === "(") depth += 1;
    if (text === ")" && (depth -= 1) === 0) return index;
  }
  return -1;
}
