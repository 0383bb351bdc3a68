/**
 * Statements that make, change and drop objects, by what they do.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { ANYTHING, type Findings } from "./findings.ts";
import { asNode, list, names, text, unwrap, type Node, type Tree } from "./grammar.ts";
import { QueryReader } from "./query.ts";
import type { PostgresVerb } from "./verbs.ts";

const WORDS = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Statements whose kind alone says what they are. */
const BY_KIND = new Map<string, readonly [PostgresVerb, readonly Effect[]]>([
  ...WORDS(
    `AlterEventTrigStmt AlterExtensionContentsStmt AlterExtensionStmt AlterFunctionStmt AlterOpFamilyStmt
    AlterOperatorStmt AlterTypeStmt CreateAmStmt CreateCastStmt CreateConversionStmt CreateEventTrigStmt
    CreateExtensionStmt CreateFunctionStmt CreateOpClassStmt CreateOpFamilyStmt CreatePLangStmt CreateRangeStmt
    CreateTransformStmt CreateTrigStmt DefineStmt LoadStmt RuleStmt`,
  ).map((kind) => [kind, ["create-code", ["execute", "administer"]]] as const),
  ...WORDS(
    `AlterDefaultPrivilegesStmt AlterOwnerStmt AlterPolicyStmt AlterRoleSetStmt AlterRoleStmt CreatePolicyStmt
    CreateRoleStmt DropOwnedStmt DropRoleStmt GrantRoleStmt GrantStmt ReassignOwnedStmt SecLabelStmt`,
  ).map((kind) => [kind, ["authorize", ["administer"]]] as const),
  ...WORDS(
    `AlterCollationStmt AlterDatabaseRefreshCollStmt AlterDatabaseSetStmt AlterDatabaseStmt AlterFdwStmt
    AlterForeignServerStmt AlterPublicationStmt AlterSubscriptionStmt AlterSystemStmt AlterTableMoveAllStmt
    AlterTableSpaceOptionsStmt AlterUserMappingStmt CheckPointStmt CreateFdwStmt CreateForeignServerStmt
    CreateForeignTableStmt CreatePublicationStmt CreateSubscriptionStmt CreateTableSpaceStmt CreateUserMappingStmt
    CreatedbStmt DropSubscriptionStmt DropTableSpaceStmt DropUserMappingStmt DropdbStmt ImportForeignSchemaStmt`,
  ).map((kind) => [kind, ["server", ["administer"]]] as const),
]);

/** Reads a statement that defines something. `false` where `kind` is none that is known. */
export function addDefinition(found: Findings, kind: string, node: Node): boolean {
  const plain = BY_KIND.get(kind);
  if (plain !== undefined) found.add(...plain, objectOf(found, node));
  else if (kind === "DropStmt") drop(found, node);
  else if (CREATE.has(kind)) create(found, kind, node);
  else if (ALTER.has(kind)) alter(found, kind, node);
  else if (MAINTAIN.has(kind)) maintain(found, node);
  else return false;
  refuseHidden(found, kind, node);
  return true;
}

/** What else a statement names, for a person: the first name in it. */
function objectOf(found: Findings, node: Node): readonly string[] {
  const range = asNode(node["relation"]) ?? asNode(node["table"]) ?? asNode(node["base"]);
  if (range !== undefined && "relname" in range) return found.relationsOf(range)[0] ?? [];
  const written = names(node["funcname"]) ?? names(node["defnames"]);
  if (written !== undefined && written.length > 0) {
    return found.objectsOf(written.at(-2), written.at(-1) ?? "")[0] ?? [];
  }
  for (const key of ["role", "dbname", "extname", "servername", "subname", "pubname", "filename"]) {
    const name = text(node[key]) ?? text(asNode(node[key])?.["rolename"]);
    if (name !== undefined) return [name];
  }
  return [];
}

const CREATE = new Set(
  WORDS(
    `CompositeTypeStmt CreateDomainStmt CreateEnumStmt CreateSchemaStmt CreateSeqStmt CreateStatsStmt CreateStmt
    CreateTableAsStmt IndexStmt ViewStmt`,
  ),
);

/** `CREATE` of what holds rows or names. Expressions in it are run by whoever uses it: their calls count. */
function create(found: Findings, kind: string, node: Node): void {
  const reader = new QueryReader(found);
  if (kind === "CreateSchemaStmt") {
    if (list(node["schemaElts"]).length > 0) found.refuse("CREATE SCHEMA with statements in it");
    return found.add("create", ["write"], [text(node["schemaname"]) ?? "?", "?"]);
  }
  const into = asNode(asNode(node["into"])?.["rel"]);
  const range =
    into ?? asNode(node["relation"]) ?? asNode(node["sequence"]) ?? asNode(node["view"]);
  const target = asNode(range) ?? asNode(node["typevar"]);
  const written = names(node["domainname"]) ?? names(node["typeName"]) ?? names(node["defnames"]);
  for (const object of target === undefined
    ? found.objectsOf(written?.at(-2), written?.at(-1) ?? "?")
    : found.relationsOf(target)) {
    found.changes("create", ["write"], object);
    // CREATE OR REPLACE VIEW gives a name that is in use another meaning.
    if (node["replace"] === true) found.changes("alter", ["administer"], object);
  }
  for (const [key, value] of Object.entries(node)) {
    if (!["relation", "sequence", "view", "into", "typevar"].includes(key)) reader.walk(value);
  }
  return undefined;
}

const ALTER = new Set(
  WORDS(
    `AlterDomainStmt AlterEnumStmt AlterObjectDependsStmt AlterObjectSchemaStmt AlterSeqStmt AlterStatsStmt
    AlterTableStmt AlterTSConfigurationStmt AlterTSDictionaryStmt CommentStmt RenameStmt`,
  ),
);

function alter(found: Findings, kind: string, node: Node): void {
  const effects: Effect[] = ["administer"];
  for (const command of list(node["cmds"])) {
    const subtype = text(asNode(asNode(command)?.["AlterTableCmd"])?.["subtype"]) ?? "";
    if (/Drop|AlterColumnType|Detach/.test(subtype)) effects.push("delete");
    // Defaults, checks and the like are expressions that others run.
    new QueryReader(found).walk(asNode(asNode(command)?.["AlterTableCmd"])?.["def"]);
  }
  const range = asNode(node["relation"]) ?? asNode(node["sequence"]);
  const written = objectNames(node["object"] ?? node["typeName"] ?? node["defnames"]);
  const objects =
    range === undefined
      ? found.objectsOf(written?.at(-2), written?.at(-1) ?? "?")
      : found.relationsOf(range);
  for (const object of objects) found.changes("alter", [...new Set(effects)], object);
  // What it becomes is made there.
  const schema = text(node["newschema"]);
  if (kind === "AlterObjectSchemaStmt") found.add("create", ["write"], [schema ?? "?", "?"]);
  const renamed = text(node["newname"]);
  if (kind === "RenameStmt") {
    found.add("create", ["write"], [objects[0]?.[0] ?? "?", renamed ?? "?"]);
  }
}

/** Names of an object that is written as a list, a type, or a function with its arguments. */
function objectNames(tree: Tree): readonly string[] | undefined {
  const plain = names(tree);
  if (plain !== undefined && plain.length > 0) return plain;
  const [kind, node] = unwrap(tree) ?? [];
  if (node === undefined) return undefined;
  if (kind === "List") return names(node["items"]);
  if (kind === "TypeName") return names(node["names"]);
  if (kind === "ObjectWithArgs") return names(node["objname"]);
  return kind === "String" ? [text(node["sval"]) ?? "?"] : undefined;
}

const WITHOUT_SCHEMA = new Set(
  WORDS(
    `OBJECT_SCHEMA OBJECT_EXTENSION OBJECT_FOREIGN_SERVER OBJECT_FDW OBJECT_LANGUAGE OBJECT_EVENT_TRIGGER
    OBJECT_PUBLICATION OBJECT_ACCESS_METHOD OBJECT_CAST OBJECT_TRANSFORM`,
  ),
);

function drop(found: Findings, node: Node): void {
  const type = text(node["removeType"]) ?? "";
  for (const one of list(node["objects"])) {
    const written = objectNames(one);
    const name = written?.at(-1) ?? "?";
    if (type === "OBJECT_SCHEMA") found.add("drop", ["delete"], [name, "?"]);
    else if (WITHOUT_SCHEMA.has(type)) found.add("drop", ["delete", "administer"], ["?", name]);
    else if (/TRIGGER|RULE|POLICY/.test(type)) {
      // Written as the table's names and its own.
      const object = found.objectsOf(written?.at(-3), written?.at(-2) ?? "?");
      for (const each of object) found.changes("alter", ["administer", "delete"], each);
    } else {
      for (const each of found.objectsOf(written?.at(-2), name)) {
        found.changes("drop", ["delete"], each);
      }
    }
  }
  if (node["behavior"] === "DROP_CASCADE") found.add("drop", ["delete"], ANYTHING);
}

const MAINTAIN = new Set(WORDS("ClusterStmt RefreshMatViewStmt ReindexStmt VacuumStmt"));

/** They run expressions of indexes and queries of views, and rewrite tables. */
function maintain(found: Findings, node: Node): void {
  const ranges = [asNode(node["relation"])];
  for (const one of list(node["rels"])) {
    ranges.push(asNode(asNode(asNode(one)?.["VacuumRelation"])?.["relation"]));
  }
  const known = ranges.filter((one) => one !== undefined && "relname" in one);
  if (known.length === 0) found.add("maintain", ["execute"], ANYTHING);
  for (const range of known) {
    for (const object of found.relationsOf(range ?? {}))
      found.changes("maintain", ["execute"], object);
  }
}

/** A table that hides something may not be given another name, an heir or a program. */
function refuseHidden(found: Findings, kind: string, tree: Tree): void {
  if (found.options.hide.length === 0) return;
  for (const part of found.parts.values()) {
    if (["select", "create"].includes(part.verb)) continue;
    if (found.hiddenOf(part.object).length > 0) {
      found.refuse(`changes ${part.object.join(".")}, of which columns are hidden`);
    }
  }
  // What these keep is what their query gives, which is looked at as any query is.
  if (kind === "CreateTableAsStmt" || kind === "ViewStmt") return;
  for (const range of rangesBelow(tree)) {
    for (const object of found.relationsOf(range)) {
      if (found.hiddenOf(object).length > 0) {
        found.refuse(`defines something over ${object.join(".")}, of which columns are hidden`);
      }
    }
  }
}

function rangesBelow(tree: Tree): readonly Node[] {
  const node = asNode(tree);
  if (node === undefined) return list(tree).flatMap(rangesBelow);
  if ("relname" in node) return [node];
  return Object.values(node).flatMap((value) =>
    typeof value === "object" ? rangesBelow(value) : [],
  );
}
