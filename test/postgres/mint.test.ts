/** A role for one task, made and ended at a real server: it can do what was granted, and nothing else. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { postgres } from "../../src/protocols/index.ts";
import { Cluster } from "./cluster.ts";

const cluster = await Cluster.start();
after(() => cluster.stop());
cluster.sql(
  "create database shop; create role minter login createrole password 'mint-word-1'; alter database shop owner to minter",
);
cluster.sql(
  `set role minter; create schema app;
   create table app.orders (id serial primary key, note text); insert into app.orders (note) values ('a');
   create table app.customers (id int, name text, email text); insert into app.customers values (1, 'n', 'e');
   create table app.salaries (x int);`,
  "shop",
);
cluster.sql("create table foreign_owner (x int)", "shop");
const options = postgres.optionsOf({
  ...{ database: "shop", path: ["app"], hide: ["app.customers.email"] },
});
const as = async (user: string, password: string) => {
  const client = new pg.Client({
    host: "127.0.0.1",
    port: cluster.port,
    user,
    password,
    database: "shop",
  });
  client.on("error", () => {});
  await client.connect();
  return client;
};
const rules: readonly postgres.MintRule[] = [
  {
    verbs: ["select", "insert", "update", "sequence"],
    covers: ([, name]) => name !== "salaries" && name !== "foreign_owner",
  },
];
const until = new Date(Date.now() + 3_600_000).toISOString();

async function relations(client: pg.Client) {
  const { rows } = await client.query({ text: postgres.relationsQuery(), rowMode: "array" });
  return postgres.relationsOf(rows);
}

test("a minted role has exactly what was granted, and is gone afterwards with its sessions", async () => {
  const minter = await as("minter", "mint-word-1");
  const minted = {
    role: "cofferdam_r1",
    password: "it's-secret",
    until,
    relations: await relations(minter),
  };
  await minter.query("begin");
  for (const sql of postgres.mintStatements(options, rules, minted)) await minter.query(sql);
  await minter.query("commit");
  const agent = await as("cofferdam_r1", "it's-secret");
  const can = (sql: string) =>
    agent.query(sql).then(
      () => true,
      () => false,
    );
  for (const [sql, expected] of [
    ["select id, name from app.customers", true],
    ["select email from app.customers", false],
    ["select * from app.customers", false],
    ["update app.customers set name = 'x' where id = 1", true],
    ["update app.customers set email = 'x' where id = 1", false],
    ["insert into app.orders (note) values ('x')", true],
    ["delete from app.orders", false],
    ["truncate app.orders", false],
    ["select * from app.salaries", false],
    ["create table app.t (a int)", false],
    ["create role eve", false],
    ["set role minter", false],
    ["set role postgres", false],
    ["copy app.orders to program 'true'", false],
  ] as const) {
    assert.equal(await can(sql), expected, sql);
  }
  await agent.query("create temp table mine (a int)");
  for (const sql of postgres.dropStatements("cofferdam_r1")) await minter.query(sql);
  await assert.rejects(agent.query("select 1"));
  assert.equal(cluster.sql("select count(*) from pg_roles where rolname ~ '^cofferdam'"), "0");
  assert.equal(cluster.sql("select count(*) from app.orders", "shop"), "2", "its rows stay");
  await minter.end();
});

test("a role that did not get what it should is not made: GRANT alone only warns", async () => {
  const minter = await as("minter", "mint-word-1");
  const minted = { role: "cofferdam_r2", password: "x", until, relations: await relations(minter) };
  const all = [{ verbs: ["select"] }];
  await minter.query("begin");
  await assert.rejects(async () => {
    for (const sql of postgres.mintStatements(options, all, minted)) await minter.query(sql);
  }, /permission denied|division by zero/);
  await minter.query("rollback");
  assert.equal(cluster.sql("select count(*) from pg_roles where rolname ~ '^cofferdam'"), "0");
  await minter.end();
});
