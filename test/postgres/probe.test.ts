/**
 * The probe of PostgreSQL against a real one: each planted power is found, and its twin without it is not; what is found
 * is then walked, by the same login, and must be possible exactly where it was found.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry } from "../../src/api/index.ts";
import type { Answer } from "../../src/blast/index.ts";
import { TestHome } from "../support/home.ts";
import { Cluster } from "./cluster.ts";

const PASSWORD = "probe-Word-4711";
const SECRET = "s3cr3t-value-of-a-row";
const home = new TestHome();
let cluster: Cluster;

interface Case {
  readonly name: string;
  readonly why: string;
  /** What gives `R` the power, and nothing else. */
  readonly plant: string;
  /** What its twin `R` has instead. */
  readonly twin?: string;
  /** The grant's rules. */
  readonly allow: string;
  readonly outcome: string;
  /** The most, an approver fooled; the twin's is 0 where nothing else stands here. */
  readonly amount: number | "unbounded";
  readonly twinAmount?: number;
  /** SQL that walks the path as that login. Absent where the path is assumed. */
  readonly walk?: string;
  /** It rests on this being assumed. */
  readonly assumed?: RegExp;
  readonly hide?: string;
}

const CASES: readonly Case[] = [
  {
    name: "program",
    why: "a member of pg_execute_server_program runs commands on the machine",
    plant: "grant pg_execute_server_program to R",
    allow: "[{ verbs: [server-file] }]",
    outcome: "hosts_executable",
    amount: 1,
    walk: "copy (select 1) to program 'cat > /dev/null'",
  },
  {
    name: "super",
    why: "a superuser who may DO runs commands on the machine",
    plant: "alter role R superuser",
    allow: "[{ verbs: [do] }]",
    outcome: "hosts_executable",
    amount: 1,
    walk: "do $$ begin execute $x$ copy (select 1) to program 'cat > /dev/null' $x$; end $$",
  },
  {
    name: "setrole",
    why: "a member without INHERIT reads as the role that it becomes",
    plant: "grant admin to R; alter role R noinherit",
    allow: "[{ verbs: [become] }, { verbs: [select], on: [public.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "set role admin; select count(*) from public.customers",
  },
  {
    name: "inherit",
    why: "privileges of a role come with membership",
    plant: "grant admin to R",
    allow: "[{ verbs: [select], on: [public.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(*) from public.customers",
  },
  {
    name: "dynamic",
    why: "a SECURITY DEFINER function of a superuser's that makes SQL of its argument gives all of the superuser",
    plant: "grant execute on function public.run_any(text) to R",
    allow: "[{ verbs: [call], on: [public.run_any] }]",
    outcome: "hosts_executable",
    amount: 1,
    assumed: /run_any: it makes SQL of text/,
    walk: "select public.run_any($x$copy (select 1) to program 'cat > /dev/null'$x$)",
  },
  {
    name: "static",
    why: "a SECURITY DEFINER function reads what its text names, as its owner",
    plant: "grant execute on function public.leak() to R",
    twin: "grant execute on function public.leak_as_caller() to R",
    allow: "[{ verbs: [call], on: ['public.leak*'] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(*) from public.leak()",
  },
  {
    name: "purge",
    why: "a SECURITY DEFINER procedure in PL/pgSQL deletes what its text names",
    plant: "grant execute on procedure public.purge() to R",
    twin: "grant execute on procedure public.tidy() to R",
    allow: "[{ verbs: [call], on: ['public.*'] }]",
    outcome: "data_destroyable",
    amount: 7,
    walk: "begin; call public.purge(); rollback",
  },
  {
    name: "createrole",
    why: "before version 16 CREATEROLE gives itself pg_execute_server_program",
    plant: "alter role R createrole",
    allow: "[{ verbs: [authorize, server-file] }]",
    outcome: "hosts_executable",
    amount: 1,
    walk: "begin; grant pg_execute_server_program to current_user; copy (select 1) to program 'cat > /dev/null'; rollback",
  },
  {
    name: "doing",
    why: "DO is everything that the role may do",
    plant: "grant delete on public.ledger to R",
    allow: "[{ verbs: [do] }, { verbs: [select], on: [public.ledger] }]",
    outcome: "data_destroyable",
    amount: 7,
    walk: "begin; do $$ begin delete from public.ledger; end $$; rollback",
  },
  {
    name: "making",
    why: "who may make functions and call them does all that the role may do",
    plant: "grant create on schema public to R; grant delete on public.ledger to R",
    twin: "grant delete on public.ledger to R",
    allow: "[{ verbs: [create-code], on: ['public.new_*'] }, { verbs: [call], on: ['public.*'] }]",
    outcome: "data_destroyable",
    amount: 7,
    walk: "begin; create function public.new_x() returns void language sql as 'delete from public.ledger'; select public.new_x(); rollback",
  },
  {
    name: "readfiles",
    why: "pg_read_server_files reads files of the machine",
    plant: "grant pg_read_server_files to R",
    allow: "[{ verbs: [server-file] }]",
    outcome: "secrets_readable",
    amount: 1,
    assumed: /files of .* is not told/,
    walk: "create temp table t (x text); copy t from '/etc/hostname'",
  },
  {
    name: "fileacl",
    why: "a function of the server's on files, given away by hand",
    plant: "grant execute on function pg_catalog.pg_read_file(text) to R",
    allow: "[{ verbs: [server-file] }]",
    outcome: "secrets_readable",
    amount: 1,
    walk: "select length(pg_read_file('/etc/hostname'))",
  },
  {
    name: "native",
    why: "a function in C is not read, and may do anything",
    plant: "grant execute on function public.digest_of(text, text) to R",
    allow: "[{ verbs: [call], on: [public.digest_of] }]",
    outcome: "hosts_executable",
    amount: 1,
    assumed: /digest_of is written in c/,
  },
  {
    name: "rls",
    why: "row security shows some rows, which are counted",
    plant:
      "grant select on public.tenants to R; create policy first_three on public.tenants for select to R using (id <= 3)",
    twin: "grant select on public.tenants to R",
    allow: "[{ verbs: [select], on: [public.tenants] }]",
    outcome: "customer_records",
    amount: 3,
    walk: "select 1 / count(*) from public.tenants",
  },
  {
    name: "setting",
    why: "a policy that looks at a setting of the session may show all rows: the session sets it",
    plant:
      "grant select on public.tenants to R; create policy by_setting on public.tenants for select to R using (note = current_setting('app.tenant', true))",
    twin: "grant select on public.tenants to R",
    allow: "[{ verbs: [select], on: [public.tenants] }]",
    outcome: "customer_records",
    amount: 20,
  },
  {
    name: "bypass",
    why: "BYPASSRLS is shown all rows",
    plant: "grant select on public.tenants to R; alter role R bypassrls",
    twin: "grant select on public.tenants to R",
    allow: "[{ verbs: [select], on: [public.tenants] }]",
    outcome: "customer_records",
    amount: 20,
    walk: "select 1 / count(*) from public.tenants",
  },
  {
    name: "column",
    why: "a privilege on one column is one on the table",
    plant: "grant select (email) on public.customers to R",
    allow: "[{ verbs: [select], on: [public.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(email) from public.customers",
  },
  {
    name: "view",
    why: "a view has no more records than what it is made of",
    plant: "grant select on public.emails to R",
    allow: "[{ verbs: [select], on: [public.emails] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "select count(*) from public.emails",
  },
  {
    name: "parts",
    why: "a partitioned table has the rows of its partitions",
    plant: "grant select on public.visits to R",
    allow: "[{ verbs: [select], on: [public.visits] }]",
    outcome: "customer_records",
    amount: 11,
    walk: "select count(*) from public.visits",
  },
  {
    name: "hidden",
    why: "a secret in a column is found where the grant does not hide it",
    plant: "grant select on public.customers to R",
    twin: "grant select on public.customers to R",
    allow: "[{ verbs: [select], on: [public.customers] }]",
    outcome: "secrets_readable",
    amount: 1,
    walk: "select count(password_hash) from public.customers",
  },
  {
    name: "owner",
    why: "who owns a table drops it",
    plant: "alter table public.notes owner to R",
    twin: "grant select on public.notes to R",
    allow: "[{ verbs: [drop], on: [public.notes] }]",
    outcome: "data_destroyable",
    amount: 2,
    walk: "begin; drop table public.notes; rollback",
  },
  {
    name: "truncate",
    why: "TRUNCATE passes by row security",
    plant: "grant truncate on public.tenants to R",
    twin: "grant delete on public.tenants to R",
    allow: "[{ verbs: [truncate, delete], on: [public.tenants] }]",
    outcome: "data_destroyable",
    amount: 20,
    walk: "begin; truncate public.tenants; rollback",
  },
];

const roleOf = ({ name }: Case, isTwin: boolean) => (isTwin ? `p-${name}-twin` : `p-${name}`);

before(async () => {
  cluster = await Cluster.start();
  cluster.sql(
    "create database shop; create database other; revoke connect on database postgres, other from public",
  );
  cluster.sql(
    "create role admin; create role keeper; revoke temporary on database shop from public; grant temporary on database shop to public",
  );
  cluster.sql(
    `create table customers (id int, email text, password_hash text);
     insert into customers select i, 'person' || i || '@example.com', '${SECRET}' from generate_series(1, 500) i;
     create view emails as select email from customers;
     create table ledger (id int, note text); insert into ledger select i, '${SECRET}' from generate_series(1, 7) i;
     create table notes (id int); insert into notes values (1), (2);
     create table tenants (id int, note text, phone text); insert into tenants select i, 'x', '030' from generate_series(1, 20) i;
     alter table tenants enable row level security;
     create table visits (id int, email text) partition by range (id);
     create table visits_1 partition of visits for values from (0) to (10);
     create table visits_2 partition of visits for values from (10) to (100);
     insert into visits select i, 'v' from generate_series(1, 11) i;
     create table "we""ird; drop table notes" (email text);
     grant select on customers to admin, keeper;
     analyze;
     create function run_any(what text) returns void language plpgsql security definer as $$ begin execute what; end $$;
     create function leak() returns setof customers language sql security definer as 'select * from public.customers';
     create function leak_as_caller() returns setof customers language sql as 'select * from public.customers';
     create procedure purge() language plpgsql security definer as $$ begin delete from public.ledger; end $$;
     create procedure tidy() language plpgsql security definer as $$ begin -- delete from public.ledger
       perform count(*) from public.ledger; end $$;
     create function digest_of(text, text) returns bytea language c as '$libdir/pgcrypto', 'pg_digest';
     revoke execute on all functions in schema public from public; revoke execute on all procedures in schema public from public;
     revoke usage on language plpgsql from public;
     grant usage on language plpgsql to public`,
    "shop",
  );
  const logins = CASES.flatMap((one) => [false, true].map((isTwin) => ({ one, isTwin })));
  for (const { one, isTwin } of logins) {
    const role = roleOf(one, isTwin);
    cluster.sql(`create role "${role}" login password '${PASSWORD}'`);
    const plant = isTwin ? one.twin : one.plant;
    if (plant !== undefined) cluster.sql(plant.replaceAll(/\bR\b/g, `"${role}"`), "shop");
  }
  await home.call(["status"]);
  await Promise.all(logins.map(({ one, isTwin }) => addCredential(roleOf(one, isTwin))));
});
after(async () => {
  await home.close();
  cluster.stop();
});

async function addCredential(role: string): Promise<void> {
  const place = ["--scheme", "postgres", "--host", `${role}.test`];
  const how = ["--kind", "login", "--user", role, ...place, "--stdin"];
  const { code, stderr } = await home.call(["credential", "add", role, ...how], {
    input: PASSWORD,
  });
  assert.equal(code, 0, stderr);
}

function grantOf(one: Case, isTwin: boolean): string {
  const role = roleOf(one, isTwin);
  const hide = one.name === "hidden" && isTwin ? ", hide: [public.customers.password_hash]" : "";
  return `
  - system: postgres
    name: ${role}
    hosts: [${role}.test]
    tls: false
    dial: 127.0.0.1:${cluster.port}
    credential: ${role}
    with: { database: shop${hide} }
    allow: ${one.allow}`;
}

function taskOf(name: string, grants: readonly string[]): string {
  const file = join(home.root, `${name}.yaml`);
  writeFileSync(file, `task: ${name}\npurpose: Look after orders.\ngrants:${grants.join("")}\n`);
  return file;
}

async function blast(file: string): Promise<Answer> {
  const { stdout, stderr, code } = await home.call(["blast", file, "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Answer;
}

/** Whether `sql` goes through for this login, past Cofferdam. */
function walks(role: string, sql: string): boolean {
  const where = ["-h", "127.0.0.1", "-p", String(cluster.port), "-U", role, "-d", "shop"];
  const { status } = spawnSync("psql", [...where, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], {
    input: sql,
    env: { ...process.env, PGPASSWORD: PASSWORD },
    stdio: ["pipe", "ignore", "ignore"],
  });
  return status === 0;
}

test("every grant is asked, on record before and after, and no value of a row is read", async () => {
  const all = CASES.flatMap((one) => [grantOf(one, false), grantOf(one, true)]);
  const { stdout, stderr, code } = await home.call(["probe", taskOf("all", all), "--json"]);
  assert.equal(code, 0, stderr);
  const { grants } = JSON.parse(stdout) as {
    readonly grants: readonly {
      readonly questions: number;
      readonly facts: number;
      readonly notes: readonly string[];
    }[];
  };
  assert.equal(grants.length, CASES.length * 2);
  assert.deepEqual(
    grants.flatMap(({ notes }) => notes),
    [],
  );
  assert.ok(grants.every(({ facts }) => facts > 10));
  const log = await home.log();
  const asked = log.filter(({ type, rule }) => type === "action" && rule === "cofferdam.probe");
  assert.equal(
    asked.length,
    grants.reduce((sum, { questions }) => sum + questions, 0),
  );
  const done = log.filter(({ type, data }) => type === "outcome" && data?.["probe"] !== undefined);
  assert.equal(done.length, asked.length);
  assert.ok(asked.every(isHarmless), "INV-171: the catalog, and counts");
  const folder = join(home.state, "facts");
  const facts = readdirSync(folder).map((one) => readFileSync(join(folder, one), "utf8"));
  assert.equal(facts.length, CASES.length * 2);
  const told = facts.join("") + JSON.stringify(log);
  assert.ok(told.includes("public.customers"));
  assert.ok(
    !told.includes(SECRET) && !told.includes("person7@") && !told.includes(PASSWORD),
    "INV-171",
  );
});

/** Tables of users stand in it only to be counted. */
function isHarmless({ data }: Entry): boolean {
  const { statement } = data?.["fields"] as { readonly statement: string };
  const rest = statement.replaceAll(
    /\(select count\(\*\) from only "(?:[^"]|"")+"\."(?:[^"]|"")+"\)/g,
    "",
  );
  return (
    /^begin read only; select [^;]+; commit$/.test(rest) &&
    !/\bfrom (?!pg_|unnest|\(select)/.test(rest)
  );
}

for (const one of CASES) {
  test(`${one.name}: ${one.why}`, async () => {
    for (const isTwin of [false, true]) {
      const role = roleOf(one, isTwin);
      const answer = await blast(taskOf(role, [grantOf(one, isTwin)]));
      const found = answer.outcomes.find(({ name }) => name === one.outcome);
      const expected = isTwin ? (one.twinAmount ?? 0) : one.amount;
      assert.equal(found?.approverFooled, expected, `${role}: ${answer.sentence}`);
      if (one.walk !== undefined && !(one.name === "hidden" && isTwin))
        assert.equal(walks(role, one.walk), !isTwin, `${role} walks it`);
      if (isTwin) continue;
      const grounds = found?.path.flatMap(({ facts }) => facts) ?? [];
      const isAssumed = grounds
        .filter((fact) => fact.isAssumed)
        .map(({ from }) => from)
        .join("\n");
      if (one.assumed !== undefined) assert.match(isAssumed, one.assumed);
    }
  });
}
