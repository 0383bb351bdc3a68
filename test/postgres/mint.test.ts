/** A role for one task, made and ended at a real server: it can do what was granted, and nothing else. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { Cluster } from "./cluster.ts";
import { POSTGRES } from "./protocol.ts";

const cluster = await Cluster.start();
after(() => cluster.stop());
cluster.sql(
  "create database shop; create role minter login createrole password 'mint-word-1'; alter database shop owner to minter",
);
cluster.sql(
  `set role minter; create schema app; create schema "a.b$x";
   create table app.orders (id serial primary key, note text); insert into app.orders (note) values ('a');
   create table app.customers (id int, name text, email text); insert into app.customers values (1, 'n', 'e');
   create table app.salaries (x int); create table "a.b$x"."c*d" (x int); create table "a.b$x".cxd (x int);`,
  "shop",
);
cluster.sql("create schema theirs; create table theirs.t (x int)", "shop");
const options = { database: "shop", path: ["app"], hide: ["app.customers.email"] };
const mint = POSTGRES.mint;
assert.ok(mint !== undefined);
const PASSWORD = "a-random-password-1";
const as = async (user: string, password: string) => {
  const where = { host: "127.0.0.1", port: cluster.port, database: "shop" };
  const client = new pg.Client({ ...where, user, password });
  client.on("error", () => {});
  await client.connect();
  return client;
};
const made = (rules: Parameters<typeof mint.create>[0]["rules"], label = "r-1X") =>
  mint.create({ label, password: PASSWORD, options, rules });
const sqlOf = (operation: unknown) => (operation as { sql: string }).sql;
const rules = [
  {
    verbs: ["select", "insert", "update", "sequence"],
    on: [
      ["app", "orders*"],
      ["app", "customers"],
    ],
  },
  { verbs: ["select"], on: [["a.b$x", "c*d"]] },
];

test("a minted role has exactly what was granted, and is gone afterwards with its sessions", async () => {
  const minter = await as("minter", "mint-word-1");
  const { operation, user } = made(rules);
  assert.equal(user, "cofferdam_r_1x");
  assert.ok(!JSON.stringify(operation).includes(PASSWORD), "a verifier, not the password");
  await minter.query(sqlOf(operation));
  const agent = await as(user, PASSWORD);
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
    ['select * from "a.b$x"."c*d"', true],
    ['select * from "a.b$x".cxd', true],
    ["select * from theirs.t", false],
    ["create table app.t (a int)", false],
    ["create role eve", false],
    ["set role minter", false],
    ["set role postgres", false],
    ["copy app.orders to program 'true'", false],
  ] as const) {
    assert.equal(await can(sql), expected, sql);
  }
  await agent.query("create temp table mine (a int)");
  const drop = sqlOf(mint.revoke({ label: "r-1X", options, user }));
  await minter.query(drop);
  await assert.rejects(agent.query("select 1"));
  await minter.query(drop); // Also where there is none.
  assert.equal(cluster.sql("select count(*) from pg_roles where rolname ~ '^cofferdam'"), "0");
  assert.equal(cluster.sql("select count(*) from app.orders", "shop"), "2", "its rows stay");
  await minter.end();
});

test("a role that did not get what it should is not made: GRANT alone only warns", async () => {
  const minter = await as("minter", "mint-word-1");
  for (const on of [[["**"]], [["theirs", "*"]], undefined]) {
    const { operation } = made([{ verbs: ["select"], ...(on === undefined ? {} : { on }) }], "r-2");
    await assert.rejects(minter.query(sqlOf(operation)), /may not grant|permission denied/);
    assert.equal(cluster.sql("select count(*) from pg_roles where rolname ~ '^cofferdam'"), "0");
  }
  await minter.end();
});

test("what no role of one task can have is told before anything is made", () => {
  for (const verb of ["alter", "drop", "authorize", "server-file"]) {
    assert.throws(() => made([{ verbs: [verb] }]), { code: "protocols.mint" });
  }
});

test("names cannot break out of the program that grants", async () => {
  const minter = await as("minter", "mint-word-1");
  const odd = ["$cofferdam$; drop table app.orders; --", "x' or true or '", 'x"', "\\", "(", ".*"];
  const { operation, user } = made([{ verbs: ["*"], on: odd.map((one) => [one, one]) }], odd[0]);
  await minter.query(sqlOf(operation));
  const agent = await as(user, PASSWORD);
  await assert.rejects(agent.query("select id from app.orders"));
  await agent.end();
  await minter.query(sqlOf(mint.revoke({ label: "x", options, user })));
  assert.equal(cluster.sql("select count(*) from app.orders", "shop"), "2");
  await minter.end();
});
