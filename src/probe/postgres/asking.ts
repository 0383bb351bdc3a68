/**
 * Asking one question after another, page by page, and reading the rows strictly: an answer that is refused, cut or not
 * understood is told as such, and what it would have said counts at its worst.
 *
 * @module
 */
import type { z } from "zod";
import { pagesOf, valuesOf, type Told } from "../database.ts";
import type { ProbePorts, Reply } from "../probe.ts";
import {
  CONDITION_CHARS_MAX,
  countQuestion,
  databaseSchema,
  DATABASES,
  FOREIGN_TABLES,
  foreignTableSchema,
  functionSchema,
  functionsQuestion,
  IDENTITY,
  identitySchema,
  POLICIES,
  PREDEFINED,
  policySchema,
  privilegeSchema,
  privilegesQuestion,
  RELATIONS,
  relationSchema,
  roleSchema,
  rolesQuestion,
  SCHEMAS,
  schemaSchema,
  SERVERS,
  serverSchema,
  VIEWS,
  viewSchema,
  type Identity,
  type Policy,
  type Relation,
  type Role,
  type Routine,
} from "./questions.ts";

/** Roles of which the privileges are asked, besides superusers, which have all. */
const ROLES_MAX = 40;
/** Tables of at most this size are counted. */
const COUNTED_BYTES_MAX = 32 * 1024 * 1024;
const COUNTS_OF_ONE_QUESTION = 50;
const COUNTED_MAX = 2000;

type Ask = ProbePorts["ask"];

/** Everything that was asked. */
export interface Answers {
  readonly identity: Identity;
  readonly me: Role;
  readonly roles: readonly Role[];
  readonly relations: readonly Relation[];
  /** By role and relation: letters of what it may do. Superusers, and those of whom nothing was told, are not in it. */
  readonly privileges: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly policies: Told<Policy>;
  readonly views: Told<z.infer<typeof viewSchema>>;
  readonly functions: Told<Routine>;
  readonly schemas: Told<z.infer<typeof schemaSchema>>;
  readonly servers: Told<z.infer<typeof serverSchema>>;
  readonly foreignTables: Told<z.infer<typeof foreignTableSchema>>;
  readonly databases: Told<z.infer<typeof databaseSchema>>;
  /** Exact, by relation: rows that this session is shown. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Asks everything. A text where the answers that all else rests on did not come. */
export async function askAll(ask: Ask): Promise<Answers | string> {
  const who = await rowsOf(ask, IDENTITY, identitySchema);
  const [identity] = who.rows;
  if (identity === undefined) return `who one is there: ${who.problem ?? "nothing"}`;
  const roles = await rowsOf(ask, rolesQuestion(identity.version), roleSchema);
  const me = roles.rows.find(({ oid }) => oid === identity.oid);
  if (me === undefined || roles.problem !== undefined) return `its roles: ${roles.problem}`;
  const relations = await rowsOf(ask, RELATIONS, relationSchema);
  if (relations.problem !== undefined) return `its tables: ${relations.problem}`;
  const near = roles.rows.filter((role) => role === me || isNear(role, me, identity.version));
  const callers = near.slice(0, ROLES_MAX).map(({ oid }) => oid);
  const functions = await rowsOf(ask, functionsQuestion(callers), functionSchema);
  const owners = new Set(functions.rows.filter(isCalledAsOwner).map(({ owner }) => owner));
  const others = roles.rows.filter((role) => owners.has(role.oid) && !near.includes(role));
  const asked = [me, ...near, ...others].filter(({ isSuper }) => !isSuper).slice(0, ROLES_MAX);
  const privileges = new Map<string, ReadonlyMap<string, string>>();
  for (const { oid } of asked) {
    const told = await rowsOf(ask, privilegesQuestion(oid), privilegeSchema);
    if (told.problem === undefined) privileges.set(oid, new Map(told.rows));
    else if (oid === me.oid) return `what it may do: ${told.problem}`;
  }
  const policies = await rowsOf(ask, POLICIES, policySchema);
  const counted = relations.rows.filter(
    (one) =>
      (me.isSuper || privileges.get(me.oid)?.get(one.oid)?.includes("s") === true) &&
      isCountable(one, { me, policies, roles: roles.rows }),
  );
  return {
    ...{ identity, me, roles: roles.rows, relations: relations.rows, privileges, functions },
    policies,
    views: await rowsOf(ask, VIEWS, viewSchema),
    schemas: await rowsOf(ask, SCHEMAS, schemaSchema),
    servers: await rowsOf(ask, SERVERS, serverSchema),
    foreignTables: await rowsOf(ask, FOREIGN_TABLES, foreignTableSchema),
    databases: await rowsOf(ask, DATABASES, databaseSchema),
    counts: await countsOf(ask, counted.slice(0, COUNTED_MAX)),
  };
}

/** Whether this session can be `role`, at once or by granting itself. */
export function isNear(role: Role, me: Role, version: number): boolean {
  const isReaching = !role.name.startsWith("pg_") || REACHING.has(role.name);
  return (
    role !== me && !me.isSuper && isReaching && (role.isSettable || isGrantable(role, me, version))
  );
}
/** Of the server's own roles (no other may be named `pg_`) those that read, change or reach more than others. */
const REACHING: ReadonlySet<string> = new Set([
  ...PREDEFINED,
  ...["pg_read_all_data", "pg_write_all_data", "pg_database_owner"],
]);

/**
 * Before version 16 CREATEROLE may grant every role that is no superuser, and ADMIN OPTION gives no more than the
 * membership that it comes with; since then it may be given to oneself WITH INHERIT and SET.
 */
export function isGrantable(role: Role, me: Role, version: number): boolean {
  return version < 160_000 ? me.makesRoles && !role.isSuper : role.isAdministered;
}

function isCalledAsOwner({ isDefiner, callers }: Routine): boolean {
  return isDefiner && callers.length > 0;
}

/** Whether reading it runs nothing else: no view, no other server, and no function of a policy. */
function isCountable(
  relation: Relation,
  { me, policies, roles }: Pick<Answers, "me" | "policies" | "roles">,
): boolean {
  const isPlain = relation.kind === "r" || relation.kind === "m";
  if (!isPlain || relation.bytes > COUNTED_BYTES_MAX) return false;
  if (!relation.hasRls || me.isSuper || me.bypassesRls) return true;
  const held = new Set(["0", ...roles.filter(({ isHeld }) => isHeld).map(({ oid }) => oid)]);
  const own = policies.rows.filter(
    ([oid, , , of]) => oid === relation.oid && of.some((one) => held.has(one)),
  );
  return policies.problem === undefined && own.every(([, , , , text]) => isPlainCondition(text));
}

/**
 * Whether a policy's condition only compares columns: it calls nothing by name, looks at no other table and at no setting
 * of the session, which could be set otherwise and then show other rows.
 */
export function isPlainCondition(condition: string | null): boolean {
  if (condition === null) return true;
  if (condition.length >= CONDITION_CHARS_MAX) return false;
  const plain = condition.replaceAll(/'(?:[^']|'')*'/g, "''");
  return !/[\w"]\s*\(|\bselect\b|\boperator\b|::\s*"?[\w$]+"?\s*\.|\bcurrent_|\bsession_|\buser\b/i.test(
    plain,
  );
}

async function countsOf(
  ask: Ask,
  relations: readonly Relation[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let at = 0; at < relations.length; at += COUNTS_OF_ONE_QUESTION) {
    const some = relations.slice(at, at + COUNTS_OF_ONE_QUESTION);
    const reply = await askFor(ask, countQuestion(some));
    const values = valuesOf(reply)[0];
    if (!Array.isArray(values) || values.length !== some.length) continue; // Estimates are left.
    for (const [index, { oid }] of some.entries()) {
      const value: unknown = values[index];
      if (typeof value === "number" && Number.isSafeInteger(value)) counts.set(oid, value);
    }
  }
  return counts;
}

/** Rows of `sql`, read as `schema`. */
function rowsOf<Row>(ask: Ask, sql: string, schema: z.ZodType<Row>): Promise<Told<Row>> {
  return pagesOf((page) => askFor(ask, `${sql} ${page}`), schema);
}

function askFor(ask: Ask, sql: string): Promise<Reply> {
  return ask({ operation: { sql: `begin read only; ${sql}; commit` } });
}
