/**
 * What one statement does, whatever it is.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { addDefinition } from "./definitions.ts";
import { ANYTHING, Findings } from "./findings.ts";
import { addSetting } from "./functions.ts";
import {
  asNode,
  list,
  literal,
  names,
  number,
  parseSql,
  text,
  unwrap,
  type Node,
  type Tree,
} from "./grammar.ts";
import { QueryReader } from "./query.ts";
import type { PostgresVerb } from "./verbs.ts";

const DEPTH_MAX = 4; // EXPLAIN of EXECUTE of EXECUTE ...

/** Statements that PREPARE made, by their names. */
export type Prepared = Readonly<Record<string, string>>;

/** Adds what `kind` does to `found`. */
export function addStatement(
  found: Findings,
  kind: string,
  node: Node,
  prepared: Prepared = {},
  depth = 0,
): void {
  if (depth > DEPTH_MAX) return found.refuse("nested too deeply");
  if (new QueryReader(found).statement(kind, node)) return undefined;
  const handler = HANDLERS[kind];
  if (handler !== undefined) return handler(found, node, { prepared, depth });
  if (!addDefinition(found, kind, node)) found.refuse(`${kind} is not known`);
  return undefined;
}

interface Context {
  readonly prepared: Prepared;
  readonly depth: number;
}
type Handler = (found: Findings, node: Node, context: Context) => void;

/** A statement within another. */
function within(found: Findings, tree: Tree, { prepared, depth }: Context): void {
  const [kind, node] = unwrap(tree) ?? [];
  if (kind === undefined || node === undefined) return found.refuse("an odd statement");
  return addStatement(found, kind, node, prepared, depth + 1);
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  ExplainStmt(found, node, context) {
    const inner = new Findings(found.options);
    within(inner, node["query"], context);
    merge(found, inner, isAnalyzing(node["options"]) ? (part) => part : planned);
  },

  PrepareStmt(found, node, context) {
    found.isOfSession = true;
    within(found, node["query"], context);
  },

  ExecuteStmt(found, node, { prepared, depth }) {
    new QueryReader(found).walk(node["params"]);
    const name = text(node["name"]) ?? "";
    const sql = Object.hasOwn(prepared, name) ? prepared[name] : undefined;
    const parsed = sql === undefined ? undefined : parseSql(sql);
    const [only] = parsed?.ok === true ? parsed.statements : [];
    if (only === undefined) return found.refuse("EXECUTE of what was not prepared here");
    const query = only.kind === "PrepareStmt" ? only.node["query"] : { [only.kind]: only.node };
    return within(found, query, { prepared, depth });
  },

  DeallocateStmt: stays,
  FetchStmt: stays,
  ClosePortalStmt: stays,
  UnlistenStmt: stays,
  ConstraintsSetStmt: stays,
  DiscardStmt: stays,

  DeclareCursorStmt(found, node, context) {
    found.isOfSession = true;
    within(found, node["query"], context);
  },

  TransactionStmt(found, node) {
    found.isTransaction = true;
    found.isOfSession = true;
    const kind = text(node["kind"]) ?? "";
    if (/PREPARE/.test(kind)) found.add("two-phase", ["administer"], [text(node["gid"]) ?? "?"]);
    else found.add("session", ["read"]);
  },

  VariableSetStmt: set,
  VariableShowStmt: (found) => found.add("describe", ["read"], ["pg_catalog", "pg_settings"]),
  CopyStmt: copy,

  LockStmt(found, node) {
    for (const range of list(node["relations"])) {
      for (const object of found.relationsOf(asNode(asNode(range)?.["RangeVar"]) ?? {})) {
        found.changes("lock", ["write"], object);
      }
    }
  },

  TruncateStmt(found, node) {
    for (const range of list(node["relations"])) {
      for (const object of found.relationsOf(asNode(asNode(range)?.["RangeVar"]) ?? {})) {
        found.changes("truncate", ["delete"], object);
      }
    }
    if (node["behavior"] === "DROP_CASCADE") found.add("truncate", ["delete"], ANYTHING);
  },

  DoStmt: (found) => found.add("do", ["execute"]),

  CallStmt(found, node) {
    const call = asNode(node["funccall"]) ?? {};
    const parts = names(call["funcname"]) ?? ["?", "?"];
    new QueryReader(found).walk(call["args"]);
    const schema = parts.length > 1 ? parts.at(-2) : undefined;
    for (const object of found.objectsOf(schema, parts.at(-1) ?? "?")) {
      found.add("call", ["execute"], object);
    }
  },

  NotifyStmt: (found, node) => found.add("notify", ["write"], [text(node["conditionname"]) ?? "?"]),

  ListenStmt(found, node) {
    found.isOfSession = true;
    found.add("listen", ["read"], [text(node["conditionname"]) ?? "?"]);
  },
};

function stays(found: Findings): void {
  found.isOfSession = true;
  found.add("session", ["read"]);
}

function set(found: Findings, node: Node): void {
  const kind = text(node["kind"]) ?? "";
  const name = text(node["name"]) ?? "";
  found.isOfSession = true;
  if (kind === "VAR_RESET_ALL") return found.add("session", ["read"]);
  if (kind === "VAR_SET_MULTI") return found.add("session", ["read"]);
  if (kind === "VAR_RESET" || kind === "VAR_SET_DEFAULT") {
    return addSetting(found, name, undefined, true);
  }
  const values = list(node["args"]).map(literal);
  const value = values.every((one) => one !== undefined) ? values.join(", ") : undefined;
  return addSetting(found, name, kind === "VAR_SET_VALUE" ? value : undefined);
}

/**
 * COPY. Rows to the agent or from it; from or to a file or a program, it is the server's account that reads,
 * writes and runs.
 */
function copy(found: Findings, node: Node, context: Context): void {
  const isFrom = node["is_from"] === true;
  const isServers = node["is_program"] === true || text(node["filename"]) !== undefined;
  if (isServers) {
    found.add(
      "server-file",
      ["read-private", "execute", "administer"],
      [text(node["filename"]) ?? "?"],
    );
  }
  const reader = new QueryReader(found, "copy-to");
  reader.walk(node["whereClause"]);
  const range = asNode(node["relation"]);
  if (range === undefined) {
    const [kind, query] = unwrap(node["query"]) ?? [];
    if (kind === undefined || query === undefined) return found.refuse("COPY of nothing");
    if (!reader.statement(kind, query)) return within(found, node["query"], context);
    if (found.parts.size === 0) found.add("session", ["read"]);
    return undefined;
  }
  if (isFrom) {
    for (const object of found.relationsOf(range)) found.changes("copy-from", ["write"], object);
    return undefined;
  }
  reader.walk({ RangeVar: range });
  const columns = names(node["attlist"]);
  for (const column of columns ?? []) found.columns.add(column);
  if (columns === undefined || columns.length === 0)
    found.starred.add(text(range["relname"]) ?? "");
  return undefined;
}

/** Whether EXPLAIN runs what it explains. Only a plain no is one. */
function isAnalyzing(options: Tree): boolean {
  return list(options).some((one) => {
    const option = asNode(asNode(one)?.["DefElem"]);
    if (text(option?.["defname"])?.toLowerCase() !== "analyze") return false;
    const value = option?.["arg"];
    if (value === undefined) return true;
    const plain =
      literal(value) ?? String(number(asNode(asNode(value)?.["Integer"])?.["ival"]) ?? 0);
    return !["off", "false", "no", "0", "f", "n"].includes(plain.toLowerCase());
  });
}

interface Seen {
  readonly verb: PostgresVerb;
  readonly effects: readonly Effect[];
  readonly object: readonly string[];
}

/** A plan reads nothing of the table but tells of it; functions are run by the planner all the same. */
function planned(part: Seen): Seen {
  const isRun = ["call", "session", "server", "become", "set", "server-file", "describe"].includes(
    part.verb,
  );
  if (isRun || !RELATIONAL.has(part.verb)) return part;
  return { verb: "select", effects: ["read"], object: part.object };
}

const RELATIONAL: ReadonlySet<string> = new Set(
  "select lock insert update delete create copy-to maintain".split(" "),
);

/** Takes what `inner` found into `found`. */
export function merge(found: Findings, inner: Findings, as: (part: Seen) => Seen): void {
  for (const part of inner.parts.values()) {
    const { verb, effects, object } = as(part);
    found.add(verb, effects, object);
  }
  if (inner.problem !== undefined) found.refuse(inner.problem);
  const sets = [
    "hiddenAliases",
    "openAliases",
    "columns",
    "alone",
    "starred",
    "functions",
    "operators",
    "relations",
    "fields",
  ] as const;
  for (const name of sets) for (const one of inner[name]) found[name].add(one);
  for (const [column, table] of inner.hiddenColumns) found.hiddenColumns.set(column, table);
  found.isOfSession ||= inner.isOfSession;
  found.isTransaction ||= inner.isTransaction;
}
