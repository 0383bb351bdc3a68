/**
 * The probe of PostgreSQL against a real one: each planted power is found, and its twin without it is not; what is found
 * is then walked, by the same login, and must be possible exactly where it was found.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry, Gives } from "../../src/api/index.ts";
import type { Answer } from "../../src/blast/index.ts";
import { TestHome } from "../support/home.ts";
import { Cluster } from "./cluster.ts";

const PASSWORD = "probe-Word-4711";
const SECRET = "s3cr3t-value-of-a-row";
const home = new TestHome();
let cluster: Cluster;

/** Logins, and what gives each its power; `R` is the login. */
const ROLES: Readonly<Record<string, string>> = {
  /** The twin of most: what it has here gives none of the powers. */
  plain: `grant execute on function leak_as_caller() to R; grant execute on procedure tidy() to R;
    grant select on notes to R; grant select, delete on tenants to R; grant delete on drafts to R`,
  hides: "grant select on customers to R",
  program: "grant pg_execute_server_program to R",
  super: "alter role R superuser",
  becomes: "grant admin to R; alter role R noinherit",
  inherits: "grant admin to R",
  calls: `grant execute on function run_any(text), leak(), digest_of(text, text) to R;
    grant execute on procedure purge() to R`,
  makesroles: "alter role R createrole",
  does: "grant delete on ledger to R",
  makes: "grant create on schema public to R; grant delete on drafts to R",
  readsfiles: "grant pg_read_server_files to R",
  readsbyacl: "grant execute on function pg_catalog.pg_read_file(text) to R",
  shown: `grant select on tenants to R; create policy first_three on tenants for select to R using (id <= 3)`,
  sets: `grant select on tenants to R;
    create policy by_setting on tenants for select to R using (note = current_setting('app.tenant', true))`,
  bypasses: "grant select on tenants to R; alter role R bypassrls",
  tables: `grant select (email) on customers to R; grant select on emails, visits to R; grant truncate on tenants to R;
    alter table notes owner to R`,
  dials: "grant execute on function net.dblink(text, text) to R; grant usage on schema net to R",
};

interface Case {
  readonly role: string;
  readonly why: string;
  /** The grant's rules, for it and its twin. */
  readonly allow: string;
  readonly outcome: string;
  /** The most, an approver fooled. The twin's is 0. */
  readonly amount: number | "unbounded";
  /** `plain` otherwise. */
  readonly twin?: string;
  /** SQL that walks the path as that login. Absent where the path rests on what is assumed. */
  readonly walk?: string;
  /** It rests on this being assumed. */
  readonly assumed?: RegExp;
}

const PROGRAM = "copy (select 1) to program 'cat > /dev/null'";
const CASES: readonly Case[] = [
  {
    role: "program",
    why: "a member of pg_execute_server_program runs commands on the machine",
    allow: "[{ verbs: [server-file] }]",
    outcome: "hosts_executable",
    amount: 1,
    walk: PROGRAM,
  },
  {
    role: "super",
    why: "a superuser who may DO runs commands on the machine",
    allow: "[{ verbs: [do] }]",
    outcome: "hosts_executable",
    amount: 1,
    walk: `do $$ begin execute $x$${PROGRAM}$x$; end $$`,
  },
  {
    role: "becomes",
    why: "a member without INHERIT reads as the role that it becomes",
    allow: "[{ verbs: [become] }, { verbs: [select], on: [public.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "set role admin; select count(*) from public.customers",
  },
  {
    role: "inherits",
    why: "privileges of a role come with membership",
    allow: "[{ verbs: [select], on: [public.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(*) from public.customers",
  },
  {
    role: "inherits",
    why: "a secret in a column is found where the grant does not hide the column",
    allow: "[{ verbs: [select], on: [public.customers] }]",
    outcome: "secrets_readable",
    amount: 1,
    twin: "hides",
  },
  {
    role: "calls",
    why: "a superuser's SECURITY DEFINER function that makes SQL of its argument gives all that a superuser has",
    allow: "[{ verbs: [call], on: [public.run_any] }]",
    outcome: "hosts_executable",
    amount: 1,
    assumed: /run_any: it makes SQL of text/,
    walk: `select public.run_any($x$${PROGRAM}$x$)`,
  },
  {
    role: "calls",
    why: "a SECURITY DEFINER function reads what its text names, as its owner; one without reads as its caller",
    allow: "[{ verbs: [call], on: ['public.leak*'] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(*) from public.leak()",
  },
  {
    role: "calls",
    why: "a SECURITY DEFINER procedure in PL/pgSQL deletes what its text names, and no comment does",
    allow: "[{ verbs: [call], on: [public.purge, public.tidy] }]",
    outcome: "data_destroyable",
    amount: 7,
    walk: "begin; call public.purge(); rollback",
  },
  {
    role: "calls",
    why: "a function in C is not read, and may do anything",
    allow: "[{ verbs: [call], on: [public.digest_of] }]",
    outcome: "hosts_executable",
    amount: 1,
    assumed: /digest_of is written in c/,
  },
  {
    role: "makesroles",
    why: "before version 16 CREATEROLE gives itself pg_execute_server_program",
    allow: "[{ verbs: [authorize, server-file] }]",
    outcome: "hosts_executable",
    amount: 1,
    walk: `begin; grant pg_execute_server_program to current_user; ${PROGRAM}; rollback`,
  },
  {
    role: "does",
    why: "DO is everything that the role may do",
    allow: "[{ verbs: [do] }, { verbs: [select], on: [public.ledger] }]",
    outcome: "data_destroyable",
    amount: 7,
    twin: "inherits",
    walk: "begin; do $$ begin delete from public.ledger; end $$; rollback",
  },
  {
    role: "makes",
    why: "who may make functions and call them does all that the role may do",
    allow:
      "[{ verbs: [create-code], on: ['public.new_*'] }, { verbs: [call], on: ['public.new_*'] }]",
    outcome: "data_destroyable",
    amount: 4,
    walk: `begin; create function public.new_x() returns void language sql as 'delete from public.drafts';
      select public.new_x(); rollback`,
  },
  {
    role: "readsfiles",
    why: "pg_read_server_files reads files of the machine",
    allow: "[{ verbs: [server-file] }]",
    outcome: "secrets_readable",
    amount: 1,
    assumed: /what lies in files that .* is not told/,
    walk: "create temp table t (x text); copy t from '/etc/passwd'",
  },
  {
    role: "readsbyacl",
    why: "a function of the server's on files, given away by hand, reads those in the server's folder",
    allow: "[{ verbs: [server-file] }]",
    outcome: "secrets_readable",
    amount: 1,
    assumed: /what lies in files in the folder/,
    walk: "select length(pg_read_file('PG_VERSION'))",
  },
  {
    role: "shown",
    why: "row security shows some rows, which are counted; without a policy it shows none",
    allow: "[{ verbs: [select], on: [public.tenants] }]",
    outcome: "customer_records",
    amount: 3,
    walk: "select 1 / count(*) from public.tenants",
  },
  {
    role: "sets",
    why: "a policy that looks at a setting of the session may show all rows: the session sets it",
    allow: "[{ verbs: [select], on: [public.tenants] }]",
    outcome: "customer_records",
    amount: 20,
    walk: "set app.tenant = 'x'; select 1 / (count(*) / 20) from public.tenants",
  },
  {
    role: "bypasses",
    why: "BYPASSRLS is shown all rows",
    allow: "[{ verbs: [select], on: [public.tenants] }]",
    outcome: "customer_records",
    amount: 20,
    walk: "select 1 / (count(*) / 20) from public.tenants",
  },
  {
    role: "tables",
    why: "a privilege on one column is one on the table",
    allow: "[{ verbs: [select], on: [public.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(email) from public.customers",
  },
  {
    role: "tables",
    why: "a view has no more records than what it is made of",
    allow: "[{ verbs: [select], on: [public.emails] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(*) from public.emails",
  },
  {
    role: "tables",
    why: "a partitioned table has the rows of its partitions",
    allow: "[{ verbs: [select], on: [public.visits] }]",
    outcome: "customer_records",
    amount: 11,
    walk: "select count(*) from public.visits",
  },
  {
    role: "tables",
    why: "who owns a table drops it",
    allow: "[{ verbs: [drop], on: [public.notes] }]",
    outcome: "data_destroyable",
    amount: 2,
    walk: "begin; drop table public.notes; rollback",
  },
  {
    role: "tables",
    why: "TRUNCATE passes by row security, DELETE does not",
    allow: "[{ verbs: [truncate, delete], on: [public.tenants] }]",
    outcome: "data_destroyable",
    amount: 20,
    walk: "begin; truncate public.tenants; rollback",
  },
];

before(async () => {
  cluster = await Cluster.start();
  cluster.sql(
    `create database shop; create database other; create role admin;
     revoke connect on database postgres, other from public`,
  );
  cluster.sql(
    `create table customers (id int, email text, password_hash text);
     insert into customers select i, 'person' || i || '@example.com', '${SECRET}' from generate_series(1, 500) i;
     create view emails as select email from customers;
     create table ledger (id int, note text); insert into ledger select i, '${SECRET}' from generate_series(1, 7) i;
     create table drafts (id int); insert into drafts select generate_series(1, 4);
     create table notes (id int); insert into notes values (1), (2);
     create table tenants (id int, note text, phone text); insert into tenants select i, 'x', '030' from generate_series(1, 20) i;
     alter table tenants enable row level security;
     create table visits (id int, email text) partition by range (id);
     create table visits_1 partition of visits for values from (0) to (10);
     create table visits_2 partition of visits for values from (10) to (100);
     insert into visits select i, 'v' from generate_series(1, 11) i;
     create table "we""ird; drop table notes; --" (email text);
     grant select on customers, "we""ird; drop table notes; --" to admin; analyze;
     create function run_any(what text) returns void language plpgsql security definer as $$ begin execute what; end $$;
     create function leak() returns setof customers language sql security definer as 'select * from public.customers';
     create function leak_as_caller() returns setof customers language sql as 'select * from public.customers';
     create procedure purge() language plpgsql security definer as $$ begin delete from public.ledger; end $$;
     create procedure tidy() language plpgsql security definer as $$ begin -- delete from public.ledger
       perform count(*) from public.ledger; end $$;
     create function digest_of(text, text) returns bytea language c as '$libdir/pgcrypto', 'pg_digest';
     create schema net; create extension dblink schema net; revoke execute on all functions in schema net from public;
     revoke execute on all functions in schema public from public; revoke execute on all procedures in schema public from public`,
    "shop",
  );
  for (const [role, plant] of Object.entries(ROLES)) {
    cluster.sql(`create role ${role}_r login password '${PASSWORD}'`);
    cluster.sql(plant.replaceAll(/\bR\b/g, `${role}_r`), "shop");
  }
  await home.call(["status"]);
  await Promise.all(Object.keys(ROLES).map(addCredential));
});
after(async () => {
  await home.close();
  cluster.stop();
});

async function addCredential(role: string): Promise<void> {
  const place = ["--scheme", "postgres", "--host", "db.test"];
  const how = ["--kind", "login", "--user", `${role}_r`, ...place, "--stdin"];
  const { code, stderr } = await home.call(["credential", "add", role, ...how], {
    input: PASSWORD,
  });
  assert.equal(code, 0, stderr);
}

function taskOf(role: string, allow: string): string {
  const file = join(home.root, `${role}.yaml`);
  const hide = role === "hides" ? ", hide: [public.customers.password_hash]" : "";
  writeFileSync(
    file,
    `task: ${role}
purpose: Look after orders.
grants:
  - system: postgres
    name: db
    hosts: [db.test]
    tls: false
    dial: 127.0.0.1:${cluster.port}
    credential: ${role}
    with: { database: shop${hide} }
    allow: ${allow}
`,
  );
  return file;
}

async function blast(file: string): Promise<Answer> {
  const { stdout, stderr, code } = await home.call(["blast", file, "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Answer;
}

/** Whether `sql` goes through for this login, past Cofferdam. */
function walks(role: string, sql: string): boolean {
  const where = ["-h", "127.0.0.1", "-p", String(cluster.port), "-U", `${role}_r`, "-d", "shop"];
  const { status } = spawnSync("psql", [...where, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], {
    input: sql,
    env: { ...process.env, PGPASSWORD: PASSWORD },
    stdio: ["pipe", "ignore", "ignore"],
  });
  return status === 0;
}

test("INV-171: each login is asked, on record before and after, and no value of a row is read", async () => {
  let questions = 0;
  for (const role of Object.keys(ROLES)) {
    // What may be made and called depends on where a rule lets it be.
    const { allow } = CASES.find((one) => one.role === role) ?? { allow: "[{ verbs: [call] }]" };
    const { stdout, stderr, code } = await home.call(["probe", taskOf(role, allow), "--json"]);
    assert.equal(code, 0, stderr);
    const [told] = (JSON.parse(stdout) as Gives<"probe.task">).grants;
    assert.deepEqual(told?.notes, [], role);
    questions += told?.questions ?? 0;
  }
  const log = await home.log();
  const asked = log.filter(({ type, rule }) => type === "action" && rule === "cofferdam.probe");
  assert.equal(asked.length, questions);
  assert.deepEqual(
    asked.filter((one) => !isHarmless(one)),
    [],
  );
  for (const { action, seq } of asked) {
    const outcome = log.find((one) => one.type === "outcome" && one.action === action);
    assert.ok(outcome !== undefined && outcome.seq > seq && outcome.data?.["status"] === 200);
  }
  const folder = join(home.state, "facts");
  const facts = readdirSync(folder).map((one) => readFileSync(join(folder, one), "utf8"));
  assert.equal(facts.length, Object.keys(ROLES).length);
  const told = facts.join("") + JSON.stringify(log);
  assert.ok(told.includes("public.customers") && told.includes('we\\"ird; drop table notes; --'));
  for (const value of [SECRET, "person7@", PASSWORD]) assert.ok(!told.includes(value), value);
});

/** The catalog, in a transaction that only reads; tables of users stand in it only to be counted. */
function isHarmless({ data }: Entry): boolean {
  const { statement } = (data?.["fields"] ?? {}) as { readonly statement?: string };
  const counts = /\(select count\(\*\) from only "(?:[^"]|"")+"\."(?:[^"]|"")+"\)/g;
  const rest = (statement ?? "").replaceAll(counts, "");
  return (
    /^begin read only; select [^;]+; commit$/.test(rest) &&
    !/\bfrom (?!pg_|unnest|\(select)/.test(rest)
  );
}

for (const one of CASES) {
  test(`${one.role}: ${one.why}`, async () => {
    const { role, twin = "plain", allow, outcome: name, walk, assumed } = one;
    for (const who of [role, twin]) {
      const answer = await blast(taskOf(who, allow));
      const outcome = answer.outcomes.find((each) => each.name === name);
      const expected = who === role ? one.amount : 0;
      assert.equal(outcome?.approverFooled, expected, `${who}: ${answer.sentence}`);
      if (walk !== undefined) assert.equal(walks(who, walk), who === role, `${who} walks it`);
      if (who !== role || assumed === undefined) continue;
      const grounds = outcome?.path.flatMap(({ facts }) => facts) ?? [];
      assert.ok(grounds.some(({ from, isAssumed }) => isAssumed && assumed.test(from)));
    }
  });
}

test("dblink leads on to another account, whose password lies where one can read it", async () => {
  const world = join(home.root, "world.facts");
  const at = `127.0.0.1:${cluster.port}`;
  writeFileSync(
    world,
    `principal("postgres:billing", postgres). at("postgres:billing", "10.0.0.9:5432"). opens("key", "postgres:billing").
run_reads(".env"). contains(".env", "key"). can("postgres:billing", delete, "billing.invoices"). rows("billing.invoices", 40).\n`,
  );
  for (const [role, expected] of [
    ["dials", 40],
    ["plain", 0],
  ] as const) {
    const file = taskOf(role, "[{ verbs: [call], on: ['net.*'] }]");
    const { stdout, stderr } = await home.call(["blast", file, "--facts", world, "--json"]);
    assert.equal(stderr, "");
    const answer = JSON.parse(stdout) as Answer;
    const destroyed = answer.outcomes.find(({ name }) => name === "data_destroyable");
    assert.equal(destroyed?.approverFooled, expected, `${role} at ${at}`);
  }
  assert.ok(
    walks(
      "dials",
      `select * from net.dblink('host=127.0.0.1 port=${cluster.port} dbname=shop user=plain_r password=${PASSWORD}',
         'select 1') as t (x int)`,
    ),
  );
});

test("what a person states of a table stands in place of what its columns' names told", async () => {
  const world = join(home.root, "stated.facts");
  writeFileSync(world, `label("127.0.0.1:${cluster.port}/shop public.customers", "test data").\n`);
  const file = taskOf("inherits", "[{ verbs: [select], on: [public.customers] }]");
  const { stdout } = await home.call(["blast", file, "--facts", world, "--json"]);
  const answer = JSON.parse(stdout) as Answer;
  assert.equal(answer.outcomes.find(({ name }) => name === "customer_records")?.approverFooled, 0);
});
