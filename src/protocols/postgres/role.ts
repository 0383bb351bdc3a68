/**
 * What a role can really do, against what was granted: the role is what contains, so the difference is told.
 *
 * @module
 */
import { isSystemSchema } from "./findings.ts";

/** Predefined roles with which one gets out of the database, or past its privileges. */
const PREDEFINED = [
  "pg_execute_server_program",
  "pg_read_server_files",
  "pg_write_server_files",
  "pg_read_all_data",
  "pg_write_all_data",
  "pg_signal_backend",
  "pg_maintain",
  "pg_create_subscription",
] as const;

const PRIVILEGES = {
  select: "SELECT",
  insert: "INSERT",
  update: "UPDATE",
  delete: "DELETE",
} as const;
const RELATIONS_MAX = 2000;

/** Asks what the role of this session can do: rows of kind, name, privileges. */
export function roleQuery(): string {
  const text = (what: string) => `${what}::pg_catalog.text`;
  const attributes = ["super", "createrole", "createdb", "bypassrls", "replication"];
  return [
    ...attributes.map(
      (one) =>
        `select 'power', '${one}', '' from pg_catalog.pg_roles where rolname = current_user and rol${one}`,
    ),
    `select 'power', ${text("rolname")}, '' from pg_catalog.pg_roles
      where rolname in (${PREDEFINED.map((one) => `'${one}'`).join(", ")})
        and pg_catalog.pg_has_role(current_user, oid, 'member')
        and not exists (select from pg_catalog.pg_roles where rolname = current_user and rolsuper)`,
    `select 'member', ${text("rolname")}, '' from pg_catalog.pg_roles
      where rolname <> current_user and rolname !~ '^pg_' and pg_catalog.pg_has_role(current_user, oid, 'member')
        and not exists (select from pg_catalog.pg_roles where rolname = current_user and rolsuper)`,
    `(select 'table', ${text("n.nspname")} || '.' || ${text("c.relname")}, ${Object.entries(
      PRIVILEGES,
    )
      .map(
        ([verb, privilege]) =>
          `case when pg_catalog.has_table_privilege(c.oid, '${privilege}')${
            verb === "delete"
              ? ""
              : ` or pg_catalog.has_any_column_privilege(c.oid, '${privilege}')`
          } then '${verb} ' else '' end`,
      )
      .join(" || ")}
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema$)'
        and pg_catalog.has_schema_privilege(n.oid, 'USAGE') order by 2 limit ${RELATIONS_MAX})`,
  ].join("\nunion all\n");
}

/** What a role can do beyond its grant. */
export interface Difference {
  /** Ways past every privilege: `superuser`, `pg_read_server_files`. */
  readonly powers: readonly string[];
  /** Roles that it may become. */
  readonly members: readonly string[];
  /** `select public.salaries`: what it could do to tables of which the grant says nothing. */
  readonly tables: readonly string[];
}

/** Reads the rows of {@link roleQuery}. `covers` says whether the grant has `verb` on `object`. */
export function differencesOf(
  rows: readonly (readonly string[])[],
  covers: (verb: string, object: readonly string[]) => boolean,
): Difference {
  const powers: string[] = [];
  const members: string[] = [];
  const tables: string[] = [];
  for (const [kind, name = "", privileges = ""] of rows) {
    if (kind === "power") powers.push(name === "super" ? "superuser" : name);
    else if (kind === "member") members.push(name);
    else {
      const dot = name.indexOf(".");
      const object = [name.slice(0, dot), name.slice(dot + 1)];
      if (isSystemSchema(object[0])) continue;
      const verbs = privileges.trim().split(" ").filter(Boolean);
      const beyond = verbs.filter((verb) => !covers(verb, object));
      if (beyond.length > 0) tables.push(`${beyond.join(", ")} ${name}`);
    }
  }
  return { powers, members, tables };
}
