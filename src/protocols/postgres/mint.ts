/**
 * A role for one task: it may log in until its time is over, and has exactly the tables, columns and verbs that the
 * task grants. What it may do beyond that it has as everybody has it (PUBLIC).
 *
 * @module
 */
import { quoted, quotedName } from "./catalog.ts";
import { matches, type PostgresOptions } from "./options.ts";

/** What a rule of the grant says, as far as a role can hold it. */
export interface MintRule {
  readonly verbs: readonly string[];
  /** Whether it covers `object`; absent: every one. */
  covers?(object: readonly string[]): boolean;
}

/** A table, view or sequence as it stands in the database. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: "table" | "sequence";
  readonly columns: readonly string[];
}

/** Asks for relations: rows of schema, name, kind, columns as a JSON array. */
export function relationsQuery(): string {
  return `select n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
      case when c.relkind = 'S' then 'sequence' else 'table' end,
      coalesce((select pg_catalog.json_agg(a.attname order by a.attnum) from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]')::pg_catalog.text
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^(pg_|information_schema$)'
    order by 1, 2`;
}

/** Reads the rows of {@link relationsQuery}. */
export function relationsOf(rows: readonly (readonly string[])[]): readonly Relation[] {
  return rows.map(([schema = "", name = "", kind, columns = "[]"]) => ({
    schema,
    name,
    kind: kind === "sequence" ? "sequence" : "table",
    columns: JSON.parse(columns) as string[],
  }));
}

/** Whom to mint. */
export interface Minted {
  /** Name of the role: letters, digits and underscores. */
  readonly role: string;
  /** As the server stores it, or plain. */
  readonly password: string;
  /** RFC 3339: no login after it. */
  readonly until: string;
  readonly relations: readonly Relation[];
}

const CONNECTIONS = 32;
/** Verbs of the grant, and the privilege that each needs. */
const PRIVILEGES: Readonly<Record<string, string>> = {
  select: "SELECT",
  "copy-to": "SELECT",
  insert: "INSERT",
  "copy-from": "INSERT",
  update: "UPDATE",
  lock: "UPDATE",
  delete: "DELETE",
  truncate: "TRUNCATE",
};

/**
 * Statements that make a role, one after the other, in one transaction. The last one fails where the role did not
 * get what it should: GRANT only warns where the one who grants may not.
 */
export function mintStatements(
  options: PostgresOptions,
  rules: readonly MintRule[],
  { role, password, until, relations }: Minted,
): readonly string[] {
  const name = quotedName(role);
  const grants = relations.flatMap((relation) => grantsOf(relation, options, rules));
  const schemas = [...new Set(grants.map(({ relation }) => relation.schema))];
  const creating = options.path.filter((schema) => covers(rules, "create", [schema, "?"]));
  return [
    `CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT ${CONNECTIONS} PASSWORD ${quoted(password)} VALID UNTIL ${quoted(until)}`,
    // Whoever makes it must be able to drop what it leaves.
    `GRANT ${name} TO CURRENT_USER`,
    `GRANT CONNECT ON DATABASE ${quotedName(options.database)} TO ${name}`,
    ...schemas.map((schema) => `GRANT USAGE ON SCHEMA ${quotedName(schema)} TO ${name}`),
    ...creating.map((schema) => `GRANT USAGE, CREATE ON SCHEMA ${quotedName(schema)} TO ${name}`),
    ...grants.map(({ relation, privileges }) => {
      const object = `${quotedName(relation.schema)}.${quotedName(relation.name)}`;
      const kind = relation.kind === "sequence" ? "SEQUENCE" : "TABLE";
      return `GRANT ${privileges.join(", ")} ON ${kind} ${object} TO ${name}`;
    }),
    checkOf(role, grants),
  ];
}

/** Statements that end a role and all that it has: its sessions, what it owns, its privileges. */
export function dropStatements(role: string): readonly string[] {
  const name = quotedName(role);
  return [
    // It may not come back while its sessions are ended.
    `ALTER ROLE ${name} NOLOGIN`,
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = ${quoted(role)}`,
    `REASSIGN OWNED BY ${name} TO CURRENT_USER`,
    `DROP OWNED BY ${name}`,
    `DROP ROLE ${name}`,
  ];
}

interface Granted {
  readonly relation: Relation;
  /** `SELECT`, or `SELECT ("a", "b")`. */
  readonly privileges: readonly string[];
  /** The plain privileges, and one column that each is for. */
  readonly checks: readonly (readonly [privilege: string, column: string | undefined])[];
}

function grantsOf(
  relation: Relation,
  options: PostgresOptions,
  rules: readonly MintRule[],
): readonly Granted[] {
  const object = [relation.schema, relation.name];
  if (relation.kind === "sequence") {
    if (!covers(rules, "sequence", object)) return [];
    return [
      { relation, privileges: ["USAGE", "SELECT", "UPDATE"], checks: [["USAGE", undefined]] },
    ];
  }
  const wanted = new Set(
    Object.entries(PRIVILEGES)
      .filter(([verb]) => covers(rules, verb, object))
      .map(([, privilege]) => privilege),
  );
  const open = relation.columns.filter((column) => !matches(options.hide, [...object, column]));
  const isHiding = open.length < relation.columns.length;
  const checks: (readonly [string, string | undefined])[] = [];
  const privileges = [...wanted].flatMap((privilege) => {
    if (!isHiding || !["SELECT", "UPDATE"].includes(privilege)) {
      checks.push([privilege, undefined]);
      return [privilege];
    }
    if (open.length === 0) return [];
    checks.push([privilege, open[0]]);
    return [`${privilege} (${open.map(quotedName).join(", ")})`];
  });
  return privileges.length === 0 ? [] : [{ relation, privileges, checks }];
}

function covers(rules: readonly MintRule[], verb: string, object: readonly string[]): boolean {
  return rules.some(
    (rule) =>
      rule.verbs.some((one) => one === "*" || one === verb) &&
      (rule.covers === undefined || rule.covers(object)),
  );
}

/** Divides by nothing where something is missing. */
function checkOf(role: string, grants: readonly Granted[]): string {
  const has = grants.flatMap(({ relation, checks }) => {
    const object = quoted(`${quotedName(relation.schema)}.${quotedName(relation.name)}`);
    return checks.map(([privilege, column]) => {
      const of = `${quoted(role)}, ${object}`;
      if (relation.kind === "sequence") {
        return `pg_catalog.has_sequence_privilege(${of}, '${privilege}')`;
      }
      return column === undefined
        ? `pg_catalog.has_table_privilege(${of}, '${privilege}')`
        : `pg_catalog.has_column_privilege(${of}, ${quoted(column)}, '${privilege}')`;
    });
  });
  return `SELECT 1 / (CASE WHEN ${["true", ...has].join(" AND ")} THEN 1 ELSE 0 END)`;
}
