/** Programs as people use them, through the broker, unchanged. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import pg from "pg";
import { Brokered } from "./brokered.ts";
import { Cluster } from "./cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "cofferdam-pg-clients-"));
const cluster = await Cluster.start();
cluster.sql("create database shop; create role agent login password 'pass-word-1'");
cluster.sql(
  `create type mood as enum ('ok', 'bad');
   create table orders (id serial primary key, note text not null default 'n', price numeric(10, 2) check (price > 0), mood mood, at timestamptz default now(), tags text[]);
   create index on orders (lower(note)); create view cheap as select * from orders where price < 10;
   create table lines (id int, ord int references orders); comment on table orders is 'what was ordered';
   insert into orders (note, price, mood, tags) select 'n' || g, g, 'ok', array['a', 'b'] from generate_series(1, 50) g;
   grant all on all tables in schema public to agent; grant all on all sequences in schema public to agent`,
  "shop",
);
const broker = await new Brokered({
  port: cluster.port,
  login: { user: "agent", password: "pass-word-1" },
  allow: [
    {
      verbs: ["select", "insert", "update", "copy-to", "copy-from", "lock", "sequence"],
      on: ["public.*"],
    },
    { verbs: ["describe"] },
    // What pg_dump counts.
    { verbs: ["select"], on: ["pg_catalog.pg_subscription"] },
  ],
}).start();
after(() => {
  broker.stop();
  cluster.stop();
  rmSync(folder, { recursive: true });
});

async function run(program: string, args: readonly string[], input = "") {
  const env = { ...process.env, PGPASSWORD: "whatever", PGSSLMODE: "disable", LC_ALL: "C.UTF-8" };
  const where = ["-h", "127.0.0.1", "-p", String(broker.port), "-U", "me"];
  const child = spawn(program, [...where, ...args], { env });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out, err };
}

test("psql: every description, \\copy in and out, variables, transactions", async () => {
  const file = join(folder, "rows.csv");
  const script = [
    ...[
      "\\d",
      "\\d+ orders",
      "\\dt+",
      "\\di",
      "\\dv",
      "\\ds",
      "\\dT+",
      "\\df",
      "\\dn+",
      "\\du",
      "\\l",
      "\\dp",
      "\\d+ cheap",
    ],
    `\\copy (select id, note from orders order by id limit 3) to '${file}' csv`,
    "\\set who 'n1'",
    "select price from orders where note = :'who';",
    "begin; insert into orders (note, price) values ('tx', 3) returning note; rollback;",
    "prepare p(int) as select note from orders where id = $1; execute p(2); deallocate p;".replaceAll(
      "; ",
      ";\n",
    ),
    "select 1 as a \\gx",
    "\\timing on",
    "table lines;",
  ].join("\n");
  const { code, out, err } = await run(
    "psql",
    ["-X", "-d", "shop", "-v", "ON_ERROR_STOP=1", "-f", "-"],
    script,
  );
  assert.equal(code, 0, err);
  assert.equal(readFileSync(file, "utf8"), "1,n1\n2,n2\n3,n3\n");
  assert.match(out, /what was ordered/);
  writeFileSync(file, "1001,x\n1002,y\n");
  const back = await run("psql", [
    "-X",
    "-d",
    "shop",
    "-c",
    `\\copy orders (id, note) from '${file}' csv`,
  ]);
  assert.equal(back.out.trim(), "COPY 2", back.err);
});

test("pg_dump dumps what was granted, and pgbench works in every mode", async () => {
  const dump = await run("pg_dump", ["shop"]);
  assert.equal(dump.code, 0, dump.err);
  assert.match(dump.out, /COPY public\.orders[\s\S]*\n50\tn50\t50\.00\tok/);
  writeFileSync(
    join(folder, "bench.sql"),
    "\\set id random(1, 50)\nselect price from orders where id = :id;\n",
  );
  for (const mode of ["simple", "extended", "prepared"]) {
    const bench = await run("pgbench", [
      "-n",
      "-c",
      "4",
      "-t",
      "50",
      "-M",
      mode,
      "-f",
      join(folder, "bench.sql"),
      "shop",
    ]);
    assert.match(bench.out, /processed: 200\/200/, bench.err);
  }
});

test("node-pg: parameters, names, types, transactions, many at once, notifications", async () => {
  const pool = new pg.Pool({
    host: "127.0.0.1",
    port: broker.port,
    user: "x",
    database: "shop",
    max: 4,
  });
  const notes = await Promise.all(
    Array.from({ length: 40 }, (_, at) =>
      pool.query<{ note: string }>("select note from orders where id = $1", [at + 1]),
    ),
  );
  assert.equal(notes[7]?.rows[0]?.note, "n8");
  const client = await pool.connect();
  await client.query("begin");
  const { rows } = await client.query<{ id: number }>({
    name: "add",
    text: "insert into orders (note, price, tags) values ($1, $2, $3) returning id",
    values: ["\u00fc'\\", 1.5, ["a", "b"]],
  });
  await client.query({
    name: "add",
    text: "insert into orders (note, price, tags) values ($1, $2, $3) returning id",
    values: ["y", 2, null],
  });
  await client.query("rollback");
  assert.ok((rows[0]?.id ?? 0) > 50);
  await assert.rejects(client.query("insert into orders (price) values ($1)", [-1]), {
    code: "23514",
  });
  await assert.rejects(client.query("delete from orders where id = $1", [1]), /Cofferdam/);
  assert.equal((await client.query({ text: "select 1 as one", rowMode: "array" })).rows[0]?.[0], 1);
  const asBinary = { text: "select id from orders where id = $1", values: [3], binary: true };
  const binary = await client.query<{ id: number }>(asBinary);
  assert.equal(binary.rows[0]?.id, 3);
  client.release();
  await pool.end();
});
