/**
 * The grammar's opinion of a statement: node-sql-parser for MariaDB. It is a community's, and reads strings, comments and
 * quotes in its own way; so it is given the statement anew, made of our tokens in their plainest spelling, and what it
 * finds must be what our scan found: the same kind of statement, one of it, over the same tables.
 *
 * @module
 */
import type { SqlToken } from "./sql-lexer.ts";
import type { SqlScan } from "./sql-scan.ts";

interface Parser {
  parse(sql: string, options: { database: string }): { tableList: string[]; ast: unknown };
}

/** It takes a tenth of a second for so much, and more than twice as long for twice as much. */
const TEXT_CHARS_MAX = 16_384;

let parser: Parser | undefined;

/** Loads the grammar of MariaDB alone. */
export async function loadGrammar(): Promise<void> {
  if (parser !== undefined) return;
  const loaded = (await import("node-sql-parser/build/mariadb.js")) as unknown as {
    default: { Parser: new () => Parser };
  };
  parser = new loaded.default.Parser();
}

/** Whether the grammar reads `tokens` as one statement of `kind` over the tables of `scan`. */
export function agreesWith(tokens: readonly SqlToken[], scan: SqlScan, kind: string): boolean {
  if (parser === undefined) return false;
  const { text, nameOf } = plainText(withoutRepeats(tokens));
  if (text.length > TEXT_CHARS_MAX) return false;
  try {
    const { tableList, ast } = parser.parse(text, { database: "MariaDB" });
    const [only, ...more] = Array.isArray(ast) ? (ast as unknown[]) : [ast];
    if (more.length > 0 || !isObject(only) || only["type"] !== kind) return false;
    const found = new Set<string>();
    for (const entry of tableList) {
      const [, database = "null", name = ""] = entry.split("::");
      found.add(`${database === "null" ? "" : nameOf(database)}.${nameOf(name)}`);
    }
    const own = new Set(scan.tables.map(({ database, name }) => `${database ?? ""}.${name}`));
    return own.size === found.size && [...own].every((one) => found.has(one));
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * `tokens` with one value where IN has several, and one row where there are several of one length: nothing but values
 * goes, and ten thousand are as quickly read as two.
 */
function withoutRepeats(tokens: readonly SqlToken[]): readonly SqlToken[] {
  const kept: SqlToken[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    kept.push(token);
    const end = valuesEnd(tokens, at);
    if (end < 0) continue;
    const before = tokens[at - 1];
    const [first, close] = [tokens[at + 1], tokens[end]];
    const isIn = before?.kind === "word" && before.text === "in";
    if (isIn && first !== undefined && close !== undefined) {
      kept.push(first, close);
      at = end;
      continue;
    }
    kept.push(...tokens.slice(at + 1, end + 1));
    let last = end;
    // `, (...)` as long as the rows are of the same length.
    while (isSign(tokens[last + 1], ",") && valuesEnd(tokens, last + 2) === last + 2 + (end - at)) {
      last += 2 + (end - at);
    }
    at = last;
  }
  return kept;
}

const isSign = (token: SqlToken | undefined, text: string) =>
  token?.kind === "sign" && token.text === text;

/** The end of `(value, value, ...)` at `at`; -1 where it is anything else. */
function valuesEnd(tokens: readonly SqlToken[], at: number): number {
  if (!isSign(tokens[at], "(")) return -1;
  for (let index = at + 1; isValue(tokens[index]); index += 2) {
    if (isSign(tokens[index + 1], ")")) return index + 1;
    if (!isSign(tokens[index + 1], ",")) return -1;
  }
  return -1;
}

const isValue = (token: SqlToken | undefined) =>
  token !== undefined &&
  (token.kind === "string" ||
    token.kind === "number" ||
    token.kind === "parameter" ||
    (token.kind === "word" && (token.text === "null" || token.text === "default")));

/** `tokens` without comments, every string the same, every quoted name one that needs no quotes. */
function plainText(tokens: readonly SqlToken[]): {
  readonly text: string;
  readonly nameOf: (plain: string) => string;
} {
  const names = new Map<string, string>();
  const plains = new Map<string, string>();
  const parts = tokens.map((token, at) => {
    const { kind, raw, text } = token;
    const next = tokens[at + 1];
    // x'41', b'01', N'x' and _utf8mb4'x' are one value each.
    if (kind === "word" && next?.kind === "string") {
      if (/^[xb]$/.test(text) && !next.isApart) return "";
      if ((text === "n" && !next.isApart) || text.startsWith("_")) return "";
    }
    if (kind === "string") return "'s'";
    if (kind === "parameter") return "1";
    if (kind !== "quoted") return raw;
    const known = plains.get(text);
    if (known !== undefined) return known;
    const plain = `q_${plains.size}_q`;
    plains.set(text, `\`${plain}\``);
    names.set(plain, text);
    return `\`${plain}\``;
  });
  const text = parts.reduce((all, part, at) => {
    const isApart = tokens[at]?.isApart === true || at === 0 || needsSpace(all, part);
    return isApart ? `${all} ${part}` : all + part;
  }, "");
  return { text: text.trim(), nameOf: (plain) => names.get(plain) ?? plain };
}

const needsSpace = (before: string, after: string) =>
  /[\w$]$/.test(before) && /^[\w$'`@]/.test(after);
