/**
 * What a query does: SELECT, INSERT, UPDATE, DELETE, MERGE, with everything inside them. Every node is looked at;
 * a kind that is not known here makes the whole of it unknown.
 *
 * @module
 */
import type { Findings } from "./findings.ts";
import { addCall } from "./functions.ts";
import { asNode, list, names, text, unwrap, type Node, type Tree } from "./grammar.ts";

/** Names of common table expressions that a query sees. */
export type Scope = ReadonlySet<string>;
export const NO_SCOPE: Scope = new Set();

/** Kinds that are looked through: nothing but what they hold. */
const PLAIN = new Set(
  `A_ArrayExpr A_Const A_Indices Alias BitString BoolExpr Boolean BooleanTest CaseExpr CaseWhen CoalesceExpr
  CollateClause ColumnDef Constraint CTECycleClause CTESearchClause CurrentOfExpr DefElem Float GroupingFunc
  GroupingSet InferClause Integer JsonAggConstructor JsonArgument JsonArrayAgg JsonArrayConstructor
  JsonArrayQueryConstructor JsonBehavior JsonFormat JsonFuncExpr JsonIsPredicate JsonKeyValue JsonObjectAgg
  JsonObjectConstructor JsonOutput JsonParseExpr JsonReturning JsonScalarExpr JsonSerializeExpr JsonTable
  JsonTableColumn JsonTablePathSpec JsonValueExpr List LockingClause MergeWhenClause MinMaxExpr MultiAssignRef
  NamedArgExpr NullTest OnConflictClause ParamRef PartitionBoundSpec PartitionElem PartitionRangeDatum
  PartitionSpec RangeFunction RangeTableFunc RangeTableFuncCol ResTarget ReturningOption RoleSpec RowExpr
  SetToDefault SQLValueFunction String TableLikeClause TypeName WindowDef XmlExpr XmlSerialize`
    .trim()
    .split(/\s+/),
);

/** One-argument functions that take a row, and may be written as a field of one: `t.to_json`. */
const OF_ROWS = new Set(
  `array_agg concat json_agg json_build_array json_build_object jsonb_agg jsonb_build_array jsonb_build_object
  any_value json_agg_strict json_agg_unique jsonb_agg_strict max min num_nonnulls num_nulls quote_literal quote_nullable row_to_json to_json to_jsonb record_out record_send hash_record`
    .trim()
    .split(/\s+/),
);

/** How tables in a FROM are read: COPY (query) TO is not a SELECT of rows. */
export type ReadVerb = "select" | "copy-to";

export class QueryReader {
  readonly #found: Findings;
  readonly #verb: ReadVerb;

  constructor(found: Findings, verb: ReadVerb = "select") {
    this.#found = found;
    this.#verb = verb;
  }

  /** Reads a query or a statement that changes rows. `false` where `kind` is neither. */
  statement(kind: string, node: Node, scope: Scope = NO_SCOPE): boolean {
    if (kind === "SelectStmt") this.#select(node, scope);
    else if (kind === "InsertStmt") this.#insert(node, scope);
    else if (kind === "UpdateStmt") this.#update(node, scope);
    else if (kind === "DeleteStmt") this.#delete(node, scope);
    else if (kind === "MergeStmt") this.#merge(node, scope);
    else return false;
    return true;
  }

  /** Looks at everything within `tree`. */
  walk(tree: Tree, scope: Scope = NO_SCOPE): void {
    for (const one of list(tree)) this.walk(one, scope);
    const node = asNode(tree);
    if (node === undefined) return;
    const wrapped = unwrap(node);
    if (wrapped !== undefined) this.#kind(...wrapped, scope);
    else this.#bare(node, scope);
  }

  /** A node that stands without its name, told by its fields; what holds none of these is looked through. */
  #bare(node: Node, scope: Scope): void {
    if ("relname" in node) this.#table(node, scope);
    else if ("limitOption" in node) this.#select(node, scope);
    else if ("funcname" in node) this.#call(node, scope);
    else this.#fields(node, scope);
  }

  #fields(node: Node, scope: Scope, without: readonly string[] = []): void {
    for (const key in node) {
      if (without.includes(key)) continue;
      const value = node[key];
      if (typeof value !== "object") continue;
      if (/^[A-Z]/.test(key)) this.#found.refuse(`holds a ${key} where none is expected`);
      else this.#field(key, value, scope);
    }
  }

  #field(key: string, value: Tree, scope: Scope): void {
    // Operators stand as lists of names; one of another schema is a function of its own.
    if (key === "operName" || key === "useOp") this.#operator(names(value) ?? ["?", "?"]);
    else if (key === "usingClause" && isNameList(value)) this.#columns(value);
    else if (key === "infer" || key === "onConflictClause") this.#conflict(value, scope);
    else this.walk(value, scope);
  }

  #kind(kind: string, node: Node, scope: Scope): void {
    if (this.statement(kind, node, scope)) return;
    switch (kind) {
      case "RangeVar":
        return this.#table(node, scope);
      case "FuncCall":
        return this.#call(node, scope);
      case "ColumnRef":
        return this.#column(node);
      case "A_Indirection":
        return this.#indirection(node, scope);
      case "A_Star":
        return undefined;
      case "A_Expr":
        this.#operator(names(node["name"]) ?? ["?", "?"]);
        return this.#fields(node, scope, ["name"]);
      case "SubLink":
      case "SortBy":
        return this.#fields(node, scope);
      case "TypeCast":
        return this.#fields(node, scope, ["typeName"]);
      case "JoinExpr":
        return this.#join(node, scope);
      case "RangeSubselect":
        this.#open(aliasOf(node));
        return this.#fields(node, scope);
      case "RangeTableSample":
        this.#sample(node);
        return this.#fields(node, scope, ["method"]);
      case "IndexElem":
        this.#columns([{ IndexElem: node }]);
        return this.#fields(node, scope);
      case "TypeName":
        return undefined;
      case "CommonTableExpr":
      case "WithClause":
        return this.#found.refuse(`holds a ${kind} where none is expected`);
      default:
        if (!PLAIN.has(kind)) return this.#found.refuse(`${kind} is not known`);
        return this.#fields(node, scope);
    }
  }

  // Queries

  #select(node: Node, outer: Scope): void {
    const scope = this.#with(node, outer);
    this.#into(node["intoClause"]);
    const isLocking = list(node["lockingClause"]).length > 0;
    if (isLocking) this.#locks(node, scope);
    this.#star(node);
    this.#fields(node, scope, ["withClause", "intoClause", "lockingClause"]);
  }

  /** Reads a WITH, and gives what the rest of its query sees. */
  #with(node: Node, outer: Scope): Scope {
    const clause = asNode(node["withClause"]);
    if (clause === undefined) return outer;
    const entries = list(clause["ctes"]).map((one) => asNode(asNode(one)?.["CommonTableExpr"]));
    const all = entries.map((one) => text(one?.["ctename"]) ?? "");
    // Each sees those before it; nothing keeps a scope, so one set grows.
    const seen = new Set(outer);
    const whole = new Set([...outer, ...all]);
    for (const [at, entry] of entries.entries()) {
      if (entry === undefined) this.#found.refuse("an odd WITH");
      else {
        const scope = clause["recursive"] === true ? whole : seen;
        this.#fields(entry, scope);
        this.#open(all[at]);
      }
      seen.add(all[at] ?? "");
    }
    return whole;
  }

  #into(tree: Tree): void {
    const range = asNode(asNode(tree)?.["rel"]);
    if (range === undefined) return;
    for (const object of this.#found.relationsOf(range))
      this.#found.add("create", ["write"], object);
  }

  /** FOR UPDATE and the like lock rows of every table below; which ones is not told apart. */
  #locks(node: Node, scope: Scope): void {
    for (const range of tablesBelow(node)) {
      if (this.#isCte(range, scope)) continue;
      for (const object of this.#found.relationsOf(range)) {
        this.#found.changes("lock", ["write"], object);
      }
    }
  }

  /** `*` gives every column of what stands directly in FROM. */
  #star(node: Node): void {
    for (const target of list(node["targetList"])) {
      const fields = list(columnOf(asNode(asNode(target)?.["ResTarget"])?.["val"])?.["fields"]);
      if (fields.length !== 1 || !isStar(fields[0])) continue;
      for (const range of tablesOfFrom(node["fromClause"])) {
        for (const alias of aliasesOf(range)) this.#found.starred.add(alias);
      }
    }
  }

  #insert(node: Node, outer: Scope): void {
    const scope = this.#with(node, outer);
    this.#target(node["relation"], "insert", ["write"]);
    this.#columns(node["cols"]);
    this.#returning(node, scope);
    this.#fields(node, scope, ["withClause", "relation", "returningClause"]);
  }

  #conflict(tree: Tree, scope: Scope): void {
    const clause = asNode(tree);
    if (clause === undefined) return;
    // What it updates is the target of the INSERT, which is the last table that was changed.
    if (clause["action"] === "ONCONFLICT_UPDATE") this.#alsoUpdates();
    this.#columns(clause["targetList"]);
    for (const key in clause) this.walk(clause[key], scope);
  }

  #alsoUpdates(): void {
    for (const part of [...this.#found.parts.values()]) {
      if (part.verb === "insert") this.#found.changes("update", ["write"], part.object);
    }
  }

  #update(node: Node, outer: Scope): void {
    const scope = this.#with(node, outer);
    const isAll = !narrows(node["whereClause"]);
    this.#target(node["relation"], "update", isAll ? ["write", "delete"] : ["write"]);
    this.#columns(node["targetList"]);
    this.#returning(node, scope);
    this.#fields(node, scope, ["withClause", "relation", "returningClause"]);
  }

  #delete(node: Node, outer: Scope): void {
    const scope = this.#with(node, outer);
    this.#target(node["relation"], "delete", ["delete"]);
    this.#returning(node, scope);
    this.#fields(node, scope, ["withClause", "relation", "returningClause"]);
  }

  #merge(node: Node, outer: Scope): void {
    const scope = this.#with(node, outer);
    const verbs = { CMD_INSERT: "insert", CMD_UPDATE: "update", CMD_DELETE: "delete" } as const;
    for (const clause of list(node["mergeWhenClauses"])) {
      const when = asNode(asNode(clause)?.["MergeWhenClause"]);
      const command = text(when?.["commandType"]) ?? "";
      this.#columns(when?.["targetList"]);
      if (command === "CMD_NOTHING") continue;
      const verb = verbs[command as keyof typeof verbs] as (typeof verbs)["CMD_DELETE"] | undefined;
      if (verb === undefined) this.#found.refuse(`MERGE with ${command}`);
      else this.#target(node["relation"], verb, [verb === "delete" ? "delete" : "write"]);
    }
    // Its rows are compared whatever is done to them.
    this.#target(node["relation"], "lock", ["write"]);
    this.#returning(node, scope);
    this.#fields(node, scope, ["withClause", "relation", "returningClause"]);
  }

  #returning(node: Node, scope: Scope): void {
    const clause = asNode(node["returningClause"]);
    if (clause === undefined) return;
    const range = asNode(node["relation"]);
    const aliases = ["old", "new", ...(range === undefined ? [] : aliasesOf(range))];
    // What it gives is read.
    for (const object of range === undefined ? [] : this.#found.relationsOf(range)) {
      this.#found.reads(object, this.#verb);
    }
    for (const option of list(clause["options"])) {
      const value = text(asNode(asNode(option)?.["ReturningOption"])?.["value"]);
      if (value !== undefined) aliases.push(value);
    }
    if (range !== undefined && this.#hides(range)) {
      for (const alias of aliases) this.#found.hiddenAliases.add(alias);
    }
    for (const target of list(clause["exprs"])) {
      const fields = list(columnOf(asNode(asNode(target)?.["ResTarget"])?.["val"])?.["fields"]);
      if (fields.length !== 1 || !isStar(fields[0])) continue;
      const joined = [...tablesOfFrom(node["fromClause"]), ...tablesOfFrom(node["usingClause"])];
      joined.push(...tablesOfFrom([node["sourceRelation"]]));
      for (const one of [...aliases, ...joined.flatMap(aliasesOf)]) this.#found.starred.add(one);
    }
    this.#fields(clause, scope);
  }

  // Tables

  #target(tree: Tree, verb: "insert" | "update" | "delete" | "lock", effects: Effects): void {
    const range = asNode(tree);
    if (range === undefined) return this.#found.refuse("a statement without its table");
    this.#hides(range);
    for (const object of this.#found.relationsOf(range)) this.#found.changes(verb, effects, object);
  }

  #table(range: Node, scope: Scope): void {
    if (this.#isCte(range, scope)) return this.#open(aliasOf(range) ?? text(range["relname"]));
    if (!this.#hides(range)) for (const alias of aliasesOf(range)) this.#open(alias);
    for (const object of this.#found.relationsOf(range)) this.#found.reads(object, this.#verb);
    return undefined;
  }

  /** Notes what `range` hides, if anything. */
  #hides(range: Node): boolean {
    let isHiding = false;
    for (const object of this.#found.relationsOf(range)) {
      if (this.#found.hiddenOf(object).length === 0) continue;
      isHiding = true;
      for (const alias of aliasesOf(range)) this.#found.hiddenAliases.add(alias);
      const columns = asNode(range["alias"])?.["colnames"];
      if (list(columns).length > 0) {
        this.#found.refuse(
          `gives the columns of ${object.join(".")}, some of them hidden, other names`,
        );
      }
    }
    return isHiding;
  }

  #isCte(range: Node, scope: Scope): boolean {
    const hasSchema = text(range["schemaname"]) !== undefined;
    return !hasSchema && scope.has(text(range["relname"]) ?? "");
  }

  #open(alias: string | undefined): void {
    if (alias !== undefined) this.#found.openAliases.add(alias);
  }

  #join(node: Node, scope: Scope): void {
    this.#columns(node["usingClause"]);
    const alias = aliasOf(node);
    const tables = [...tablesOfFrom([node["larg"]]), ...tablesOfFrom([node["rarg"]])];
    const isHiding = tables.some((one) => !this.#isCte(one, scope) && this.#hides(one));
    if (isHiding && node["isNatural"] === true) {
      this.#found.refuse("NATURAL JOIN compares columns that are hidden: join with ON");
    }
    if (isHiding) {
      const using = text(asNode(node["join_using_alias"])?.["aliasname"]);
      for (const one of [alias, using]) if (one !== undefined) this.#found.hiddenAliases.add(one);
      if (list(asNode(node["alias"])?.["colnames"]).length > 0) {
        this.#found.refuse("gives columns, some of them hidden, other names");
      }
    } else this.#open(alias);
    this.#fields(node, scope, ["usingClause", "alias"]);
  }

  #sample(node: Node): void {
    const method = names(node["method"]) ?? ["?", "?"];
    const isBuiltIn = method.length === 1 || method[0] === "pg_catalog";
    if (isBuiltIn && ["system", "bernoulli"].includes(method.at(-1) ?? "")) return;
    this.#found.add("call", ["execute"], ["?", ...method].slice(-2));
  }

  // Expressions

  #call(node: Node, scope: Scope): void {
    const parts = names(node["funcname"]);
    if (parts === undefined) return this.#found.refuse("a function without a name");
    addCall(this.#found, parts, node["args"]);
    // `email(t)` is another way to write `t.email`.
    this.#found.columns.add(parts.at(-1) ?? "");
    return this.#fields(node, scope, ["funcname"]);
  }

  #column(node: Node): void {
    const fields = list(node["fields"]);
    const written = fields.flatMap((one) => (isStar(one) ? [] : (names([one]) ?? [])));
    const isStarred = fields.some(isStar);
    if (written.length + (isStarred ? 1 : 0) !== fields.length) this.#found.refuse("an odd column");
    const last = written.at(-1);
    if (isStarred) {
      if (last !== undefined) this.#found.starred.add(last);
      return;
    }
    if (last === undefined) return;
    this.#found.columns.add(last);
    if (written.length === 1) this.#found.alone.add(last);
    else this.#field_(last, written.at(-2));
  }

  #indirection(node: Node, scope: Scope): void {
    for (const one of list(node["indirection"])) {
      const name = names([one])?.[0];
      if (name === undefined) continue;
      this.#found.columns.add(name);
      this.#field_(name, undefined);
      // `(x).f` is `f(x)` where x has no such field: of any function of the server, whatever x is.
      addCall(this.#found, [name], [node["arg"]]);
    }
    this.#fields(node, scope);
  }

  #field_(name: string, of: string | undefined): void {
    this.#found.fields.add(name);
    if (OF_ROWS.has(name) && of !== undefined) this.#found.alone.add(of);
  }

  /** Names of columns in a list of names or of targets. */
  #columns(tree: Tree): void {
    for (const one of list(tree)) {
      const target = text(asNode(asNode(one)?.["ResTarget"])?.["name"]);
      const name =
        target ?? text(asNode(asNode(one)?.["IndexElem"])?.["name"]) ?? names([one])?.[0];
      if (name !== undefined) this.#found.columns.add(name);
    }
  }

  #operator(parts: readonly string[]): void {
    if (parts.length === 1) this.#found.operators.add(parts[0] ?? "");
    else if (parts[0] !== "pg_catalog") this.#found.add("call", ["execute"], parts.slice(-2));
  }
}

type Effects = readonly ("read" | "write" | "delete")[];

function isStar(tree: Tree): boolean {
  return asNode(tree)?.["A_Star"] !== undefined;
}

function columnOf(tree: Tree): Node | undefined {
  return asNode(asNode(tree)?.["ColumnRef"]);
}

function isNameList(tree: Tree): boolean {
  return list(tree).length > 0 && names(tree) !== undefined;
}

function aliasOf(node: Node): string | undefined {
  return text(asNode(node["alias"])?.["aliasname"]);
}

/** Names by which a table may be meant: its alias, or its own. */
function aliasesOf(range: Node): readonly string[] {
  const alias = aliasOf(range) ?? text(range["relname"]);
  return alias === undefined ? [] : [alias];
}

/** Tables that stand directly in a FROM, in joins and samples too. */
function tablesOfFrom(tree: Tree): readonly Node[] {
  return list(tree).flatMap((one) => {
    const node = asNode(one);
    const range = asNode(node?.["RangeVar"]);
    if (range !== undefined) return [range];
    const join = asNode(node?.["JoinExpr"]);
    if (join !== undefined) return tablesOfFrom([join["larg"], join["rarg"]]);
    const sample = asNode(node?.["RangeTableSample"]);
    return sample === undefined ? [] : tablesOfFrom([sample["relation"]]);
  });
}

/** Every table below `tree`. */
function tablesBelow(tree: Tree): readonly Node[] {
  const node = asNode(tree);
  if (node === undefined) return list(tree).flatMap(tablesBelow);
  if ("relname" in node) return [node];
  return Object.entries(node).flatMap(([key, value]) =>
    key === "withClause" || typeof value !== "object" ? [] : tablesBelow(value),
  );
}

/** Whether a WHERE looks at the rows at all. */
function narrows(tree: Tree): boolean {
  const node = asNode(tree);
  if (node === undefined) return list(tree).some(narrows);
  if (node["ColumnRef"] !== undefined || node["CurrentOfExpr"] !== undefined) return true;
  return Object.values(node).some((value) => typeof value === "object" && narrows(value));
}
