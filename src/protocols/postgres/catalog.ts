/**
 * What has to be looked up in a database to tell what a statement does: its text alone cannot say that `lower(x)`
 * means a function of the user's own, that a view calls one, or that a table inherits a hidden column.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import type { Findings } from "./findings.ts";
import type { PostgresOptions } from "./options.ts";

/** What was looked up of a database. Names of objects are `schema.name`. */
export interface Catalog {
  /** Functions in the search path that no extension brought, by their name alone. */
  readonly functions: ReadonlyMap<string, readonly string[]>;
  /** Operators, likewise; the functions behind them. */
  readonly operators: ReadonlyMap<string, readonly string[]>;
  /** Views that call such functions. */
  readonly views: ReadonlyMap<string, readonly string[]>;
  /** Views, parents and heirs of tables with hidden columns. */
  readonly veiled: ReadonlySet<string>;
}

export const NO_CATALOG: Catalog = {
  functions: new Map(),
  operators: new Map(),
  views: new Map(),
  veiled: new Set(),
};

/** A text within SQL. Needs standard_conforming_strings, which is pinned. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A name within SQL. */
export function quotedName(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}

/** Asks for a {@link Catalog}: rows of kind, name, object. Everything in it is named with its schema. */
export function catalogQuery(options: PostgresOptions): string {
  const path = `(${options.path.map(quoted).join(", ")})`;
  const own = (table: string, alias: string) =>
    `not exists (select from pg_catalog.pg_depend d where d.classid operator(pg_catalog.=) '${table}'::pg_catalog.regclass and d.objid operator(pg_catalog.=) ${alias}.oid and d.deptype operator(pg_catalog.=) 'e')`;
  const parts = [
    `select 'function', p.proname::pg_catalog.text, n.nspname::pg_catalog.text || '.' || p.proname::pg_catalog.text
       from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ${path} and ${own("pg_catalog.pg_proc", "p")}`,
    `select 'operator', o.oprname::pg_catalog.text, m.nspname::pg_catalog.text || '.' || p.proname::pg_catalog.text
       from pg_catalog.pg_operator o join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
       join pg_catalog.pg_proc p on p.oid = o.oprcode join pg_catalog.pg_namespace m on m.oid = p.pronamespace
      where n.nspname in ${path} and ${own("pg_catalog.pg_operator", "o")}`,
    // A view's rule depends on what it calls; functions of the server itself are not noted there.
    `select 'view', v.nspname::pg_catalog.text || '.' || c.relname::pg_catalog.text, n.nspname::pg_catalog.text || '.' || p.proname::pg_catalog.text
       from pg_catalog.pg_rewrite r join pg_catalog.pg_class c on c.oid = r.ev_class
       join pg_catalog.pg_namespace v on v.oid = c.relnamespace
       join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
        and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
       join pg_catalog.pg_proc p on p.oid = d.refobjid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where ${own("pg_catalog.pg_proc", "p")}`,
    `select 'uses', v.nspname::pg_catalog.text || '.' || c.relname::pg_catalog.text, n.nspname::pg_catalog.text || '.' || t.relname::pg_catalog.text
       from pg_catalog.pg_rewrite r join pg_catalog.pg_class c on c.oid = r.ev_class
       join pg_catalog.pg_namespace v on v.oid = c.relnamespace
       join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> c.oid
       join pg_catalog.pg_class t on t.oid = d.refobjid join pg_catalog.pg_namespace n on n.oid = t.relnamespace
      where c.relnamespace <> 'pg_catalog'::pg_catalog.regnamespace and v.nspname <> 'information_schema'`,
    `select 'inherits', cn.nspname::pg_catalog.text || '.' || c.relname::pg_catalog.text, pn.nspname::pg_catalog.text || '.' || p.relname::pg_catalog.text
       from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
       join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
       join pg_catalog.pg_class p on p.oid = i.inhparent join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
      where c.relkind in ('r', 'p', 'f')`,
  ];
  return parts.join("\nunion\n");
}

/** Reads the rows of {@link catalogQuery}. */
export function catalogOf(rows: readonly (readonly string[])[], options: PostgresOptions): Catalog {
  const functions = new Map<string, string[]>();
  const operators = new Map<string, string[]>();
  const views = new Map<string, string[]>();
  const uses = new Map<string, string[]>();
  const kin = new Map<string, string[]>();
  for (const [kind, name = "", object = ""] of rows) {
    if (kind === "function") push(functions, name, object);
    else if (kind === "operator") push(operators, name, object);
    else if (kind === "view") push(views, name, object);
    else if (kind === "uses") push(uses, name, object);
    else if (kind === "inherits") {
      push(kin, name, object);
      push(kin, object, name);
    }
  }
  spread(views, uses);
  return { functions, operators, views, veiled: veiledBy(options, uses, kin) };
}

/** A view over a view that calls something calls it too. */
function spread(views: Map<string, string[]>, uses: ReadonlyMap<string, readonly string[]>): void {
  for (let isMore = true; isMore;) {
    isMore = false;
    for (const [view, used] of uses) {
      for (const object of used.flatMap((one) => views.get(one) ?? [])) {
        if (views.get(view)?.includes(object) === true) continue;
        push(views, view, object);
        isMore = true;
      }
    }
  }
}

function veiledBy(
  options: PostgresOptions,
  uses: ReadonlyMap<string, readonly string[]>,
  kin: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const tables = options.hide.map((one) => one.slice(0, one.lastIndexOf(".")));
  const isHiding = (name: string) =>
    tables.some((table) => {
      const [schema, last] = table.split(".");
      const dot = name.indexOf(".");
      return (
        (schema === "*" || schema === name.slice(0, dot)) &&
        (last === "*" || last === name.slice(dot + 1))
      );
    });
  const veiled = new Set<string>();
  for (let isMore = tables.length > 0; isMore;) {
    isMore = false;
    for (const links of [uses, kin]) {
      for (const [name, linked] of links) {
        if (veiled.has(name) || isHiding(name)) continue;
        if (!linked.some((one) => veiled.has(one) || isHiding(one))) continue;
        veiled.add(name);
        isMore = true;
      }
    }
  }
  return veiled;
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else if (!known.includes(value)) known.push(value);
}

/** What of `catalog` a text of statements touches; `undefined` where nothing. */
export function factsFor(
  found: Findings,
  catalog: Catalog,
): Readonly<Record<string, Json>> | undefined {
  const calls = new Set<string>();
  const take = (names: Iterable<string>, from: ReadonlyMap<string, readonly string[]>) => {
    for (const name of names) for (const object of from.get(name) ?? []) calls.add(object);
  };
  take(found.functions, catalog.functions);
  take(found.fields, catalog.functions);
  take(found.operators, catalog.operators);
  take(found.relations, catalog.views);
  const veiled = [...found.relations].filter((one) => catalog.veiled.has(one));
  if (calls.size === 0 && veiled.length === 0) return undefined;
  return {
    ...(calls.size > 0 ? { calls: [...calls].sort() } : {}),
    ...(veiled.length > 0 ? { veiled: veiled.sort() } : {}),
  };
}
