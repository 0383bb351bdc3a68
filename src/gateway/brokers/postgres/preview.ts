/**
 * What a statement would do, found by doing it and undoing it: how many rows, some of them before and after. Only
 * where undoing undoes all of it: sequences, triggers, foreign tables and functions may do what a rollback leaves,
 * so with these it is not run, and that is said.
 *
 * @module
 */
import type { Json } from "../../../action/index.ts";
import { postgres } from "../../../protocols/index.ts";
import { ServerError, type Answer, type Link } from "./login.ts";
import { ask } from "./performing.ts";

const SAMPLE = 5;
const PLAN_LINES = 40;
const VALUE_CHARS = 200;
/** How long a look may take, and wait for locks of others. */
const LIMITS = "set local statement_timeout = '10s'; set local lock_timeout = '2s'";

const CHANGING: ReadonlySet<string> = new Set([
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
]);
/** What can be undone whole. */
const UNDONE: ReadonlySet<string> = new Set(
  "insert update delete select lock session describe copy-to".split(" "),
);

export interface Previewed {
  readonly link: Link;
  readonly options: postgres.PostgresOptions;
  readonly operation: postgres.PostgresOperation;
  readonly read: postgres.Read;
  readonly looked: Readonly<Record<string, Json>>;
}

/** Facts `current` (to be the same again) and `preview` (only shown); none where there is nothing to see. */
export async function previewOf(it: Previewed): Promise<Readonly<Record<string, Json>>> {
  const { found, statements } = it.read;
  const [only] = statements;
  if (statements.length !== 1 || only === undefined || !CHANGING.has(only.kind)) return {};
  const parts = [...found.parts.values()];
  const odd = parts.find(({ verb }) => !UNDONE.has(verb));
  if (odd !== undefined || it.looked["calls"] !== undefined) {
    return {
      preview: { notRun: `it calls what may do more than change rows (${odd?.verb ?? "call"})` },
    };
  }
  try {
    const plan = await planOf(it);
    const changed = parts.filter(({ verb }) => ["insert", "update", "delete"].includes(verb));
    const why = await lasting(it.link, changed);
    if (why.length > 0) return { preview: { notRun: why.join("; "), plan } };
    return await runs(it, only, plan);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    await it.link.ask("rollback");
    return { preview: { notRun: `the database refuses it: ${error.message}` } };
  }
}

async function planOf({ link, operation }: Previewed): Promise<Json> {
  const { rows } = await ask(link, `EXPLAIN ${operation.sql}`, operation);
  return rows.slice(0, PLAN_LINES).map(([line]) => line ?? "");
}

interface Changed {
  readonly verb: string;
  readonly object: readonly string[];
}

/** What of the changed tables would outlast a rollback. */
async function lasting(link: Link, changed: readonly Changed[]): Promise<readonly string[]> {
  const tables = changed.map(({ object: [schema = "", name = ""] }) =>
    postgres.quoted(`${postgres.quotedName(schema)}.${postgres.quotedName(name)}`),
  );
  const isInsert = changed.some(({ verb }) => verb === "insert");
  const { rows } = await link.ask(`
    with recursive touched(oid) as (
      select pg_catalog.to_regclass(t)::pg_catalog.oid from pg_catalog.unnest(array[${tables.join(", ")}]::pg_catalog.text[]) t
      union
      select case when i.inhparent = touched.oid then i.inhrelid else i.inhparent end
        from touched join pg_catalog.pg_inherits i on touched.oid in (i.inhparent, i.inhrelid)
    ), reached(oid) as (
      select oid from touched
      union
      select c.conrelid from reached join pg_catalog.pg_constraint c
        on c.confrelid = reached.oid and c.contype = 'f' and (c.confdeltype in ('c', 'n', 'd') or c.confupdtype in ('c', 'n', 'd'))
    )
    select 'trigger ' || t.tgname || ' on ' || t.tgrelid::pg_catalog.regclass::pg_catalog.text
      from reached join pg_catalog.pg_trigger t on t.tgrelid = reached.oid
      where not t.tgisinternal and t.tgenabled <> 'D'
    union all
    select c.oid::pg_catalog.regclass::pg_catalog.text || ' is no table of this database'
      from reached join pg_catalog.pg_class c using (oid) where c.relkind not in ('r', 'p')
    union all
    select 'rule ' || r.rulename || ' on ' || r.ev_class::pg_catalog.regclass::pg_catalog.text
      from reached join pg_catalog.pg_rewrite r on r.ev_class = reached.oid
    union all
    select 'the sequence of ' || a.attrelid::pg_catalog.regclass::pg_catalog.text || '.' || a.attname
      from touched join pg_catalog.pg_attribute a on a.attrelid = touched.oid
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where ${isInsert} and not a.attisdropped and (a.attidentity <> '' or pg_catalog.pg_get_expr(d.adbin, d.adrelid) like '%nextval(%')
    union all
    select 'the function ' || p.oid::pg_catalog.regprocedure::pg_catalog.text || ' in a default or check'
      from reached join pg_catalog.pg_depend d on (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
          and d.objid in (select oid from pg_catalog.pg_attrdef where adrelid = reached.oid))
        or (d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
          and d.objid in (select oid from pg_catalog.pg_constraint where conrelid = reached.oid))
        or (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          and d.objid in (select indexrelid from pg_catalog.pg_index where indrelid = reached.oid))
      join pg_catalog.pg_proc p on d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and p.oid = d.refobjid
    limit 10`);
  return rows.map(([what]) => `${what ?? "something"} may do what a rollback leaves`);
}

async function runs(
  it: Previewed,
  statement: postgres.Statement,
  plan: Json,
): Promise<Readonly<Record<string, Json>>> {
  const { link, operation } = it;
  const target = await targetOf(it, statement);
  const bytes = Buffer.from(operation.sql);
  const sql = bytes.toString("utf8", statement.start, statement.start + statement.length);
  await link.ask(`begin; ${LIMITS}`);
  let sample: Answer | undefined;
  if (target !== undefined && statement.node["returningClause"] === undefined) {
    sample = await tried(link, sampled(sql, target), operation);
  }
  const count =
    sample === undefined
      ? Number(/(\d+)$/.exec((await ask(link, sql, operation)).tag)?.[1] ?? 0)
      : Number(sample.rows[0]?.[0] ?? 0);
  await link.ask("rollback");
  const shown =
    sample === undefined || target === undefined ? {} : await sides(it, target, statement, sample);
  return { current: { rows: count }, preview: { plan, ...shown } };
}

/** In a savepoint: what cannot be wrapped is run as it is. */
async function tried(
  link: Link,
  sql: string,
  operation: postgres.PostgresOperation,
): Promise<Answer | undefined> {
  await link.ask("savepoint cofferdam");
  try {
    return await ask(link, sql, operation);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return undefined;
  } finally {
    await link.ask("rollback to savepoint cofferdam");
  }
}

interface Target {
  readonly table: string;
  readonly alias: string;
  readonly columns: readonly string[];
  readonly keys: readonly string[];
}

/** The table that is changed, and those of its columns that may be seen. */
async function targetOf(
  { link, options, read }: Previewed,
  { node, kind }: postgres.Statement,
): Promise<Target | undefined> {
  if (kind === "MergeStmt") return undefined;
  const range = node["relation"];
  if (typeof range !== "object" || range === null || !("relname" in range)) return undefined;
  const [object] = read.found.relationsOf(range);
  const [schema = "", name = ""] = object ?? [];
  const alias = (range["alias"] as { aliasname?: unknown } | undefined)?.aliasname;
  const table = `${postgres.quotedName(schema)}.${postgres.quotedName(name)}`;
  const hidden = new Set(read.found.hiddenOf([schema, name]));
  const { rows } = await link.ask(`
    select a.attname::pg_catalog.text, coalesce(a.attnum = any (i.indkey), false)::pg_catalog.text
      from pg_catalog.pg_attribute a left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
      where a.attrelid = pg_catalog.to_regclass(${postgres.quoted(table)}) and a.attnum > 0 and not a.attisdropped
        and pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') order by a.attnum limit 50`);
  const seen = rows.filter(([column]) => !hidden.has(column ?? ""));
  if (seen.length === 0 || options.path.length === 0) return undefined;
  return {
    table,
    alias: postgres.quotedName(typeof alias === "string" ? alias : name),
    columns: seen.map(([column]) => column ?? ""),
    keys: seen.filter(([, isKey]) => isKey === "true").map(([column]) => column ?? ""),
  };
}

/** All of it is done, and some of it given. */
function sampled(sql: string, { alias, columns }: Target): string {
  const list = columns.map((column) => `${alias}.${postgres.quotedName(column)}`).join(", ");
  return `WITH cofferdam AS (${sql}\nRETURNING ${list}) SELECT (SELECT pg_catalog.count(*) FROM cofferdam), * FROM cofferdam LIMIT ${SAMPLE}`;
}

async function sides(
  { link }: Previewed,
  { table, columns, keys }: Target,
  { kind }: postgres.Statement,
  { rows }: Answer,
): Promise<Readonly<Record<string, Json>>> {
  const given = rows.map((row) => named(columns, row.slice(1)));
  if (kind === "DeleteStmt") return { before: given };
  if (kind === "InsertStmt" || keys.length === 0) return { after: given };
  const wanted = rows.map((row) => {
    const of = (key: string) => row[1 + columns.indexOf(key)] ?? "";
    return `(${keys.map((key) => `${postgres.quotedName(key)}::pg_catalog.text = ${postgres.quoted(of(key))}`).join(" AND ")})`;
  });
  if (wanted.length === 0) return { before: [], after: [] };
  const list = columns.map(postgres.quotedName).join(", ");
  const before = await link.ask(
    `SELECT ${list} FROM ${table} WHERE ${wanted.join(" OR ")} LIMIT ${SAMPLE}`,
  );
  return { before: before.rows.map((row) => named(columns, row)), after: given };
}

function named(columns: readonly string[], row: readonly (string | null)[]): Json {
  return Object.fromEntries(
    columns.map((column, at) => {
      const value = row[at] ?? null;
      const isLong = value !== null && value.length > VALUE_CHARS;
      return [column, isLong ? `${value.slice(0, VALUE_CHARS)}...` : value];
    }),
  );
}
