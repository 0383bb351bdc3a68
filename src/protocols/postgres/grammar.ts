/**
 * PostgreSQL's own grammar (libpg-query, version 18), behind one small face.
 *
 * A tree is what its protobuf form says as JSON: a node is `{ Kind: { ... } }`; where a field can hold one kind only,
 * its value stands there without a name. Defaults (false, 0, empty) are left out.
 *
 * @module
 */
import type { parseSync } from "libpg-query";

/** Longest text of one operation: larger loads are what COPY is for. */
export const SQL_BYTES_MAX = 1 << 20;

/** Statements of one text. */
export const STATEMENTS_MAX = 500;

/** A node, a field of one, a list of them, or a plain value. */
export type Tree = string | number | boolean | null | undefined | readonly Tree[] | Node;
export interface Node {
  readonly [field: string]: Tree;
}

/** One statement: its kind, its fields, and where it stands in the text, in bytes of UTF-8. */
export interface Statement {
  readonly kind: string;
  readonly node: Node;
  readonly start: number;
  readonly length: number;
}

export type Parsed =
  | { readonly ok: true; readonly statements: readonly Statement[] }
  | { readonly ok: false; readonly problem: string };

interface Grammar {
  readonly parse: typeof parseSync;
  isSyntax(error: unknown): error is Error;
}
let grammar: Grammar | undefined;

/** Loads the grammar; to be awaited once before {@link parseSql}, and before a process is sealed. */
export async function loadGrammar(): Promise<void> {
  const { hasSqlDetails, loadModule, parseSync: parse } = await import("libpg-query");
  await loadModule();
  grammar = { parse, isSyntax: hasSqlDetails };
}

/** The statements of `sql`; never throws. */
export function parseSql(sql: string): Parsed {
  if (grammar === undefined) return { ok: false, problem: "the grammar is not loaded" };
  const problem = unreadable(sql);
  if (problem !== undefined) return { ok: false, problem };
  if (sql.trim() === "") return { ok: true, statements: [] };
  try {
    return statementsOf(grammar.parse(sql), sql);
  } catch (error) {
    if (grammar.isSyntax(error)) return { ok: false, problem: error.message };
    // A tree that is too deep for the parser's or for JavaScript's stack.
    return { ok: false, problem: "the grammar could not read it" };
  }
}

/** What the parser and the server could see differently. */
function unreadable(sql: string): string | undefined {
  if (sql.includes("\0")) return "it holds a NUL";
  if (!sql.isWellFormed()) return "it is not Unicode";
  if (Buffer.byteLength(sql) > SQL_BYTES_MAX) return `it is longer than ${SQL_BYTES_MAX} bytes`;
  return undefined;
}

function statementsOf(result: unknown, sql: string): Parsed {
  const statements: Statement[] = [];
  const whole = Buffer.byteLength(sql);
  for (const entry of list(asNode(result as Tree)?.["stmts"])) {
    const [kind, node] = unwrap(asNode(entry)?.["stmt"]) ?? [];
    if (kind === undefined || node === undefined) return { ok: false, problem: "an odd tree" };
    const start = number(asNode(entry)?.["stmt_location"]) ?? 0;
    const length = number(asNode(entry)?.["stmt_len"]) ?? whole - start;
    statements.push({ kind, node, start, length });
  }
  if (statements.length > STATEMENTS_MAX) return { ok: false, problem: "too many statements" };
  return { ok: true, statements };
}

/** The kind and the fields of `{ Kind: { ... } }`. */
export function unwrap(tree: Tree): readonly [string, Node] | undefined {
  const node = asNode(tree);
  if (node === undefined) return undefined;
  const entries = Object.entries(node);
  const [kind, fields] = entries[0] ?? [];
  if (entries.length !== 1 || kind === undefined || !/^[A-Z]/.test(kind)) return undefined;
  const inner = asNode(fields);
  return inner === undefined ? undefined : [kind, inner];
}

export function asNode(tree: Tree): Node | undefined {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree)
    ? (tree as Node)
    : undefined;
}

export function list(tree: Tree): readonly Tree[] {
  return Array.isArray(tree) ? (tree as readonly Tree[]) : [];
}

export function text(tree: Tree): string | undefined {
  return typeof tree === "string" ? tree : undefined;
}

export function number(tree: Tree): number | undefined {
  return typeof tree === "number" ? tree : undefined;
}

/** The texts of a list of String nodes; anything else in it gives `undefined`. */
export function names(tree: Tree): readonly string[] | undefined {
  const out: string[] = [];
  for (const one of list(tree)) {
    const value = text(asNode(asNode(one)?.["String"])?.["sval"]);
    if (value === undefined) return undefined;
    out.push(value);
  }
  return out;
}

/** The text of a constant, a cast constant included: `'x'`, `'x'::regclass`. */
export function literal(tree: Tree): string | undefined {
  const [kind, node] = unwrap(tree) ?? [];
  if (kind === "TypeCast") return literal(node?.["arg"]);
  if (kind === "String") return text(node?.["sval"]);
  if (kind !== "A_Const" || node === undefined) return undefined;
  const string = asNode(node["sval"]);
  if (string !== undefined) return text(string["sval"]) ?? "";
  const integer = asNode(node["ival"]);
  if (integer !== undefined) return String(number(integer["ival"]) ?? 0);
  const float = asNode(node["fval"]);
  if (float !== undefined) return text(float["fval"]);
  const boolean = asNode(node["boolval"]);
  if (boolean !== undefined) return boolean["boolval"] === true ? "true" : "false";
  return undefined;
}
