/**
 * What is asked of PostgreSQL: the catalog, row by row as JSON, and counts. No question names a value of a row.
 *
 * Every session of a probe has `pg_catalog` alone in its search path, so that no name in these texts can mean a function or
 * an operator of a user's (CVE-2018-1058), and every question is a transaction that the server itself holds to reading.
 *
 * @module
 */
import { z } from "zod";
import { postgres } from "../../protocols/index.ts";

/** Of a policy's condition; one that is as long is not read. */
export const CONDITION_CHARS_MAX = 2000;
/** Of a function's text; more of it is not read. */
const BODY_CHARS_MAX = 20_000;

const oid = z.string().regex(/^\d{1,10}$/);
const name = z.string().min(1).max(256);

export const identitySchema = z.strictObject({
  version: z.int(),
  role: name,
  oid,
  session: name,
  database: name,
  address: z.string().max(64).nullable(),
  port: z.int().nullable(),
  settings: z.record(z.string(), z.string().max(4096).nullable()).nullable(),
  hasLanguage: z.boolean(),
});
export type Identity = z.infer<typeof identitySchema>;

/** Who one is, where, and what the server tells of itself. */
export const IDENTITY = `select json_build_object('version', current_setting('server_version_num')::int,
  'role', current_user, 'oid', (select oid::text from pg_roles where rolname = current_user), 'session', session_user,
  'database', current_database(), 'address', host(inet_server_addr()), 'port', inet_server_port(),
  'settings', (select json_object_agg(name, setting) from pg_settings
    where name in ('listen_addresses', 'data_directory', 'ssl')),
  'hasLanguage', exists(select from pg_language where lanpltrusted and lanispl and has_language_privilege(oid, 'USAGE')))`;

/** Predefined roles that reach further than their tables; https://www.postgresql.org/docs/current/predefined-roles.html */
export const PREDEFINED = [
  "pg_execute_server_program",
  "pg_read_server_files",
  "pg_write_server_files",
] as const;

export const roleSchema = z
  .tuple([oid, name, z.string().max(16), z.array(z.string()).nullable()])
  .transform(([id, role, flags, predefined]) => ({
    oid: id,
    name: role,
    isSuper: flags.includes("s"),
    makesRoles: flags.includes("c"),
    bypassesRls: flags.includes("b"),
    replicates: flags.includes("r"),
    /** Its privileges are this role's, without SET ROLE. */
    isHeld: flags.includes("u"),
    /** The session may SET ROLE to it. */
    isSettable: flags.includes("m"),
    /** The session may grant itself membership of it. */
    isAdministered: flags.includes("a"),
    predefined: predefined ?? [],
  }));
export type Role = z.infer<typeof roleSchema>;

const flag = (condition: string, letter: string) =>
  `case when ${condition} then '${letter}' else '' end`;

/** Every role, and how far this session is from it. Since version 16 a membership may be without SET. */
export function rolesQuestion(version: number): string {
  const settable = version >= 160_000 ? "SET" : "MEMBER";
  const flags = [
    flag("rolsuper", "s"),
    flag("rolcreaterole", "c"),
    flag("rolbypassrls", "b"),
    flag("rolreplication", "r"),
    flag("pg_has_role(current_user, oid, 'USAGE')", "u"),
    flag(`pg_has_role(session_user, oid, '${settable}')`, "m"),
    flag("pg_has_role(session_user, oid, 'MEMBER WITH ADMIN OPTION')", "a"),
  ];
  const predefined = PREDEFINED.map((one) => `'${one}'`).join(", ");
  return `select json_build_array(oid::text, rolname, ${flags.join(" || ")}, (select json_agg(p.rolname) from pg_roles p
    where p.rolname in (${predefined}) and pg_has_role(r.oid, p.oid, 'USAGE'))) from pg_roles r order by oid`;
}

export const relationSchema = z
  .tuple([
    oid,
    name,
    name,
    z.enum(["r", "p", "v", "m", "f"]),
    oid,
    z.number(),
    z.number(),
    z.string().max(16),
    oid.nullable(),
    z.array(z.string().max(256)).nullable(),
  ])
  .transform(([id, schema, table, kind, owner, estimate, bytes, flags, root, columns]) => ({
    ...{ oid: id, schema, table, kind, owner, bytes, root },
    /** Rows as the last ANALYZE saw them; -1 where there was none. */
    estimate,
    hasRls: flags.includes("r"),
    /** Row security binds its owner too. */
    isForced: flags.includes("f"),
    hasChildren: flags.includes("c"),
    columns: columns ?? [],
  }));
export type Relation = z.infer<typeof relationSchema>;

const NOT_SYSTEM = "n.nspname !~ '^(pg_|information_schema$)'";

/** What holds rows. Sizes are of the table's own file. */
export const RELATIONS = `select json_build_array(c.oid::text, n.nspname, c.relname, c.relkind, c.relowner::text, c.reltuples::float8,
  case when c.relkind in ('r', 'm') then pg_relation_size(c.oid) else 0 end,
  ${flag("c.relrowsecurity", "r")} || ${flag("c.relforcerowsecurity", "f")} || ${flag("c.relhassubclass", "c")},
  case when c.relispartition then pg_partition_root(c.oid)::oid::text end,
  (select json_agg(a.attname) from (select attname from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
    order by attnum limit 300) a))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${NOT_SYSTEM} order by c.oid`;

export const privilegeSchema = z.tuple([oid, z.string().max(16)]);

const PRIVILEGES = [
  ["s", "SELECT"],
  ["i", "INSERT"],
  ["u", "UPDATE"],
  ["d", "DELETE"],
  ["t", "TRUNCATE"],
  ["g", "TRIGGER"],
] as const;

/** What role `id` may do to each relation, by its own grants, those of its roles, and PUBLIC's; `o` where it owns it. */
export function privilegesQuestion(id: string): string {
  const letters = PRIVILEGES.map(([letter, privilege]) => {
    const onColumns = ["SELECT", "INSERT", "UPDATE"].includes(privilege)
      ? ` or has_any_column_privilege(${id}::oid, c.oid, '${privilege}')`
      : "";
    return flag(`has_table_privilege(${id}::oid, c.oid, '${privilege}')${onColumns}`, letter);
  });
  return `select json_build_array(c.oid::text, ${[...letters, flag(`pg_has_role(${id}::oid, c.relowner, 'USAGE')`, "o")].join(" || ")})
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${NOT_SYSTEM} and has_schema_privilege(${id}::oid, n.oid, 'USAGE') order by c.oid`;
}

export const policySchema = z.tuple([
  oid,
  z.string().length(1),
  z.boolean(),
  z.array(oid),
  z
    .string()
    .max(2 * CONDITION_CHARS_MAX)
    .nullable(),
]);
export type Policy = z.infer<typeof policySchema>;

/** Row security: of which table, for which command, whether it adds rows, for whom, and its condition. */
export const POLICIES = `select json_build_array(polrelid::text, polcmd, polpermissive,
  (select json_agg(r::text) from unnest(polroles) r),
  left(pg_get_expr(polqual, polrelid), ${CONDITION_CHARS_MAX})) from pg_policy order by oid`;

export const viewSchema = z.tuple([oid, z.array(oid).nullable(), z.int()]);

/** What each view reads, and how many functions that are not the server's own it calls. */
export const VIEWS = `select json_build_array(r.ev_class::text,
  (select json_agg(distinct d.refobjid::text) from pg_depend d where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class),
  (select count(*) from pg_depend d where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_proc'::regclass))
  from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'v' and ${NOT_SYSTEM} order by r.oid`;

export const functionSchema = z
  .tuple([
    oid,
    name,
    name,
    name,
    z.string().max(8),
    oid,
    name.nullable(),
    z.array(oid).nullable(),
    // Characters beyond the basic plane are two here, and one there.
    z
      .string()
      .max(2 * BODY_CHARS_MAX)
      .nullable(),
  ])
  .transform(([id, schema, routine, language, flags, owner, extension, callers, body]) => ({
    ...{ oid: id, schema, name: routine, language, owner, extension, body: body ?? "" },
    isDefiner: flags.includes("d"),
    isTrusted: flags.includes("t"),
    /** The body is only its beginning. */
    isLong: flags.includes("l"),
    callers: callers ?? [],
  }));
export type Routine = z.infer<typeof functionSchema>;

/** Functions of the server that reach its files; those with an ACL are held by it, the others ask for a superuser themselves. */
const OF_FILES = "'^(pg_read_(binary_)?file|pg_file_(write|rename|unlink)|lo_import$|lo_export$)'";

/** Functions and procedures that one of `roles` may call, and their texts; not those of triggers. */
export function functionsQuestion(roles: readonly string[]): string {
  const body = "coalesce(nullif(p.prosrc, ''), pg_get_function_sqlbody(p.oid))";
  const callers = `(select json_agg(r.oid::text) from pg_roles r where r.oid in (${roles.join(", ")})
    and has_function_privilege(r.oid, p.oid, 'EXECUTE') and has_schema_privilege(r.oid, n.oid, 'USAGE'))`;
  return `select json_build_array(p.oid::text, n.nspname, p.proname, l.lanname,
    ${flag("p.prosecdef", "d")} || ${flag("l.lanpltrusted or l.lanname in ('internal', 'sql')", "t")}
      || ${flag(`length(${body}) > ${BODY_CHARS_MAX}`, "l")},
    p.proowner::text, (select e.extname from pg_depend d join pg_extension e on e.oid = d.refobjid
      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass limit 1),
    ${callers}, case when l.lanname in ('sql', 'plpgsql') then left(${body}, ${BODY_CHARS_MAX}) end)
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  where (${NOT_SYSTEM} or n.nspname = 'pg_catalog' and p.proacl is not null and p.proname ~ ${OF_FILES})
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype) and p.prokind in ('f', 'p') order by p.oid`;
}

export const schemaSchema = z.tuple([name, z.boolean(), z.boolean()]);

/** Schemas of users: whether one may use them, and make things in them. */
export const SCHEMAS = `select json_build_array(n.nspname, has_schema_privilege(n.oid, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'))
  from pg_namespace n where ${NOT_SYSTEM} order by n.oid`;

export const serverSchema = z.tuple([
  name,
  name,
  z.boolean(),
  z.boolean(),
  z.array(z.string().max(4096)).nullable(),
]);

/** Foreign servers: their wrapper, whether one may use them, whether there is a mapping for one, and where they are. */
export const SERVERS = `select json_build_array(s.srvname, w.fdwname, has_server_privilege(s.oid, 'USAGE'),
  exists(select from pg_user_mappings m where m.srvid = s.oid and (m.umuser = 0 or pg_has_role(m.umuser, 'USAGE'))),
  (select json_agg(o) from unnest(s.srvoptions) o where o ~ '^(host|hostaddr|port|dbname)='))
  from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw order by s.oid`;

export const foreignTableSchema = z.tuple([oid, name, z.array(z.string().max(4096)).nullable()]);

export const FOREIGN_TABLES = `select json_build_array(t.ftrelid::text, s.srvname,
  (select json_agg(o) from unnest(t.ftoptions) o where o ~ '^(schema_name|table_name)='))
  from pg_foreign_table t join pg_foreign_server s on s.oid = t.ftserver order by t.ftrelid`;

export const databaseSchema = z.tuple([name]);

/** Databases that one may also connect to. */
export const DATABASES = `select json_build_array(datname) from pg_database
  where datallowconn and datname not in (current_database(), 'template1', 'template0')
    and has_database_privilege(oid, 'CONNECT') order by oid`;

/** Counts rows of `relations`, which only tables do whose reading runs nothing else. */
export function countQuestion(relations: readonly Pick<Relation, "schema" | "table">[]): string {
  const counts = relations.map(
    ({ schema, table }) =>
      `(select count(*) from only ${postgres.quotedName(schema)}.${postgres.quotedName(table)})`,
  );
  return `select json_build_array(${counts.join(", ")})`;
}
