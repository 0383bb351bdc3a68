/**
 * The server as the judge of our judgement: each statement is run for real, and what of the database is another
 * afterwards is compared with the effects that we said it has.
 *
 * @module
 */
import pg from "pg";
import { postgres } from "../../src/protocols/index.ts";
import { POSTGRES } from "./protocol.ts";

/** Everything that a statement could leave changed, as one text each. */
const STATE: Readonly<Record<string, string>> = {
  rows: `select coalesce(string_agg(md5(query_to_xml('select * from ' || c.oid::regclass, true, true, '')::text), ',' order by c.oid), '')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm') and c.relispopulated and n.nspname in ('public', 'other')`,
  catalog: `select md5(string_agg(t, ';' order by t)) from (
      select c::text t from (select oid, relname, relnamespace, reltype, relowner, relkind, relnatts, relchecks, relhasrules, relhastriggers, relrowsecurity, relacl, reloptions from pg_class where relpersistence <> 't') c
      union all select p::text from (select oid, proname, prosrc, proacl, proowner from pg_proc where oid >= 16384) p
      union all select a::text from (select attrelid, attname, atttypid, attnotnull, attacl from pg_attribute where attrelid >= 16384) a
      union all select r::text from (select rolname, rolsuper, rolcanlogin, rolpassword from pg_authid) r
      union all select m::text from pg_auth_members m
      union all select n::text from pg_namespace n where nspname !~ '^pg_(temp|toast_temp)'
      union all select t::text from (select oid, typname from pg_type where oid >= 16384 and typnamespace not in (select oid from pg_namespace where nspname ~ '^pg_temp')) t
      union all select t::text from pg_trigger t union all select r::text from (select ev_class, rulename, ev_type from pg_rewrite) r
      union all select c::text from pg_constraint c union all select d::text from pg_description d where objoid >= 16384
      union all select e::text from pg_extension e union all select l::text from pg_language l
      union all select o::text from pg_operator o where oid >= 16384 union all select p::text from pg_policy p
      union all select s::text from pg_db_role_setting s union all select d::text from pg_database d
      union all select x::text from pg_prepared_xacts x union all select f::text from pg_foreign_server f
      union all select p::text from pg_publication p union all select e::text from pg_enum e
      union all select s::text from pg_statistic_ext s union all select d::text from pg_default_acl d union all select c::text from pg_cast c where oid >= 16384) x(t)`,
  sequences:
    "select string_agg(schemaname || sequencename || coalesce(last_value::text, '-'), ',' order by 1) from pg_sequences",
  objects: "select md5(string_agg(l::text, ',' order by loid, pageno)) from pg_largeobject l",
  objectNames: "select string_agg(oid::text, ',' order by oid) from pg_largeobject_metadata",
  files:
    "select string_agg(f, ',' order by f) from pg_ls_dir('.') f where f not in ('postmaster.pid')",
  locks:
    "select count(*)::text from pg_locks where locktype = 'advisory' or mode ~ 'Exclusive' and locktype in ('relation', 'tuple') and pid <> pg_backend_pid()",
  slots: "select count(*)::text from pg_replication_slots",
};

export interface Verdict {
  readonly sql: string;
  /** Names of what is another now. */
  readonly changed: readonly string[];
  readonly effects: readonly string[];
  readonly verb: string;
  readonly problem: unknown;
  readonly error: string | undefined;
}

export class Oracle {
  readonly #port: number;
  readonly #host: string;
  readonly #database: string;

  constructor({ host, port, database }: { host: string; port: number; database: string }) {
    this.#port = port;
    this.#host = host;
    this.#database = database;
  }

  async client(): Promise<pg.Client> {
    const client = new pg.Client({
      ...{ host: this.#host, port: this.#port, user: "postgres", database: this.#database },
      options: "-c search_path=public -c lock_timeout=150ms -c statement_timeout=3000",
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  async state(watch: pg.Client): Promise<Readonly<Record<string, string>>> {
    const state: Record<string, string> = {};
    for (const [name, sql] of Object.entries(STATE)) {
      // What it cannot look at is locked, and that is a change too.
      state[name] = await watch.query({ text: sql, rowMode: "array" }).then(
        ({ rows }) => String((rows as unknown[][])[0]?.[0]),
        (failure: Error) => failure.message,
      );
    }
    return state;
  }

  /** What the broker would have looked up. */
  async catalog(watch: pg.Client): Promise<postgres.Catalog> {
    const options = postgres.optionsOf({ database: this.#database });
    const text = postgres.catalogQuery(options);
    const { rows } = await watch.query({ text, rowMode: "array" });
    return postgres.catalogOf(rows, options);
  }

  /** What we say of `sql`. */
  describe(sql: string, catalog: postgres.Catalog, prepared: Record<string, string> = {}) {
    const options = postgres.optionsOf({ database: this.#database });
    const { found } = postgres.readSql(sql, options, prepared);
    const facts = postgres.factsFor(found, catalog) ?? {};
    const place = { host: "h", port: 5432, options: { database: this.#database }, facts };
    return POSTGRES.describe({ sql, prepared }, place);
  }

  /** Runs `sql` on a connection of its own, left open while it is looked at, and tells what changed. */
  async ask(sql: string, before: readonly string[] = []): Promise<Verdict> {
    const watch = await this.client();
    const client = await this.client();
    let error: string | undefined;
    const heard: string[] = [];
    try {
      await watch.query("listen oracle");
      watch.on("notification", ({ channel }) => heard.push(channel));
      for (const one of before) await client.query(one);
      const catalog = await this.catalog(watch);
      const then = await this.state(watch);
      await client.query(sql).catch((failure: Error) => {
        error = failure.message;
      });
      const now = await this.state(watch);
      const changed = Object.keys(now).filter((name) => now[name] !== then[name]);
      if (heard.length > 0) changed.push("notified");
      const { rows } = await client
        .query<{ role: string }>("select current_user || session_user as role")
        .catch(() => ({ rows: [] }));
      if (rows[0] !== undefined && rows[0].role !== "postgrespostgres") changed.push("role");
      const described = this.describe(sql, catalog);
      const { verb, effects, fields } = described;
      return { sql, changed, effects, verb, problem: fields["problem"], error };
    } finally {
      await client.end();
      await watch.end();
    }
  }
}

/** Whether what changed something was called reading. */
export function isMissed({ changed, effects }: Verdict): boolean {
  return changed.length > 0 && effects.every((one) => one === "read" || one === "read-private");
}
