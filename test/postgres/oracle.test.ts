import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Cluster } from "./cluster.ts";
import { isMissed, Oracle } from "./oracle.ts";
import { replay } from "./replay.ts";

const cluster = await Cluster.start([
  "max_prepared_transactions = 5",
  "wal_level = logical",
  "autovacuum = off",
]);
after(() => cluster.stop());
cluster.sql("create database shop");
cluster.sql(
  `create schema other;
   create table orders (id int primary key, note text, price int default 1);
   create table lines (id int primary key, ord int references orders on delete cascade);
   create table parts (id int) partition by range (id);
   create table parts_1 partition of parts for values from (0) to (100);
   create sequence counter;
   create table serials (id serial, t text);
   create view orders_view as select * from orders;
   create materialized view totals as select count(*) from orders with no data;
   create type mood as enum ('ok');
   create function touch() returns int language sql as 'insert into orders values ((select max(id) + 1 from orders)) returning id';
   create function touch(orders) returns int language sql as 'insert into orders values ((select max(id) + 1 from orders)) returning id';
   create function pure(int) returns int language sql immutable as 'select $1';
   create procedure work() language sql as 'insert into orders values (1000)';
   create function other.lower(text) returns text language sql as 'insert into public.orders values ((select max(id) + 1 from public.orders)) returning note';
   create operator public.### (leftarg = int, rightarg = int, function = int4pl);
   create role bob;
   create role carol login; create schema spare;
   insert into orders select g, 'n' || g from generate_series(1, 20) g;
   insert into lines select g, g from generate_series(1, 5) g;
   insert into parts values (1), (2);
   select lo_create(4242);`,
  "shop",
);
const oracle = new Oracle({ host: cluster.folder, port: cluster.port, database: "shop" });

/** Statements, one a line; before `>>` what is done first in the same session. */
const STATEMENTS = readFileSync(join(import.meta.dirname, "oracle-statements.sql"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("--"));

test("what changed something at the server was never called reading", async () => {
  const missed: unknown[] = [];
  let changing = 0;
  for (const line of STATEMENTS) {
    const steps = line.split(" >> ");
    const verdict = await oracle.ask(steps.at(-1) ?? "", steps.slice(0, -1));
    if (verdict.changed.length > 0) changing += 1;
    if (isMissed(verdict)) missed.push(verdict);
  }
  assert.deepEqual(missed, []);
  assert.ok(changing > 60, `only ${changing} of ${STATEMENTS.length} changed anything`);
});

const folder = process.env["COFFERDAM_POSTGRES_REGRESS"];

/** A checkout's `src/test/regress/sql`: its licence allows it, its size speaks against keeping a copy. */
test(
  "nor was any of the server's own regression statements",
  { skip: folder === undefined && "COFFERDAM_POSTGRES_REGRESS names no folder of them" },
  async () => {
    const missed: unknown[] = [];
    let looked = 0;
    for (const [at, name] of readdirSync(folder ?? "")
      .sort()
      .entries()) {
      const database = `regress_${at}`;
      cluster.sql(`create database ${database}`);
      const place = { host: cluster.folder, port: cluster.port, database };
      const script = readFileSync(join(folder ?? "", name), "utf8");
      const result = await replay(new Oracle(place), script);
      looked += result.looked;
      for (const one of result.missed) {
        console.log(name, one);
        missed.push({ name, ...one });
      }
    }
    console.log(`${looked} statements that read were looked at`);
    assert.deepEqual(missed, []);
  },
);
