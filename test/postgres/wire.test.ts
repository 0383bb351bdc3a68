/** The broker before a real server, spoken to byte for byte: every order of messages that could confuse it. */
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import type { Action } from "../../src/action/index.ts";
import { int32, message, T } from "../../src/gateway/brokers/postgres/frames.ts";
import { Brokered } from "./brokered.ts";
import { Cluster } from "./cluster.ts";
import {
  bind,
  close,
  describe,
  errorsIn,
  execute,
  parse,
  q,
  Raw,
  rowsIn,
  startup,
  sync,
  typesOf,
} from "./raw.ts";

const cluster = await Cluster.start();
cluster.sql("create database shop; create role agent login password 'pass-word-1'");
cluster.sql(
  `create table orders (id int primary key, note text); create table secrets (x text);
   insert into secrets values ('hidden'); create table log (t text);
   create table numbered (id serial primary key, t text);
   create table customers (id int, email text); insert into customers values (1, 'a@b');
   alter table customers add check (id > 0);
   create view customer_list as select * from customers;
   create table customers_old () inherits (customers);
   create function public.lower(int) returns text language sql as 'insert into log values (''lower''); select ''x''';
   create function sneaky(orders) returns text language sql as 'insert into log values (''sneaky''); select ''x''';
   create view busy as select lower(1) as x;
   grant all on all tables in schema public to agent; grant all on all sequences in schema public to agent`,
  "shop",
);
let says: (action: Action) => "yes" | "no" | "later" = () => "yes";
const broker = await new Brokered({
  port: cluster.port,
  login: { user: "agent", password: "pass-word-1" },
  with: { rows: 20, statement: "2s", hide: ["public.customers.email"] },
  allow: [
    {
      verbs: ["select", "insert", "update", "delete", "copy-from", "copy-to", "lock", "sequence"],
      on: ["public.orders", "public.numbered", "public.customers*", "public.busy", "public.log"],
    },
    { verbs: ["describe"] },
  ],
  decide: (action) => says(action),
}).start();
after(() => {
  broker.stop();
  cluster.stop();
});
afterEach(() => {
  broker.noted.length = 0;
  says = () => "yes";
  cluster.sql(
    "truncate orders, log; insert into orders select g, 'n' || g from generate_series(1, 10) g",
    "shop",
  );
});
cluster.sql("insert into orders select g, 'n' || g from generate_series(1, 10) g", "shop");
const count = (table = "orders") => cluster.sql(`select count(*) from ${table}`, "shop");

test("INV-101: after a refusal in the extended protocol all is passed over up to the Sync", async () => {
  const raw = await Raw.start(broker.port);
  const frames = await raw.ask([
    parse("", "select x from secrets"),
    bind("", ""),
    describe("P", ""),
    execute(),
    parse("", "insert into orders values (77)"),
    bind("", ""),
    execute(),
    sync(),
  ]);
  assert.equal(typesOf(frames), "EZ");
  assert.match(errorsIn(frames)[0] ?? "", /^42501 Cofferdam: .*secrets/);
  assert.equal(count(), "10");
  assert.deepEqual(rowsIn(await raw.ask(q("select id from orders where id = 3"))), ["3"]);
  raw.end();
});

test("a refusal rolls back what went before it in the same pipeline, as an error of the server does", async () => {
  const raw = await Raw.start(broker.port);
  const frames = await raw.ask([
    parse("", "insert into orders values (78)"),
    bind("", ""),
    execute(),
    parse("", "select x from secrets"),
    bind("", ""),
    execute(),
    sync(),
  ]);
  assert.equal(typesOf(frames), "12CEZ");
  assert.equal(count(), "10");
  raw.end();
});

test("a refusal fails the transaction in which it is", async () => {
  const raw = await Raw.start(broker.port);
  await raw.ask(q("begin"));
  await raw.ask(q("insert into orders values (79)"));
  const refused = await raw.ask(q("select * from secrets"));
  assert.equal(refused.at(-1)?.body.toString(), "E");
  assert.match(errorsIn(await raw.ask(q("select 1")))[0] ?? "", /^25P02/);
  await raw.ask(q("commit"));
  assert.equal(count(), "10");
  raw.end();
});

test("INV-101: a name that the server gave to another statement is never used for it", async () => {
  const raw = await Raw.start(broker.port);
  // The second Parse fails, as the name is taken; what it would have been is a harmless text.
  const attack = [
    parse("s", "insert into orders values (80)"),
    sync(),
    parse("s", "select 1"),
    sync(),
    bind("", "s"),
    execute(),
    sync(),
  ];
  const frames = await raw.ask(attack, 3);
  assert.match(errorsIn(frames).join(), /42P05.*26000/s);
  assert.equal(count(), "10");
  raw.end();
});

test("a Close that the server passed over frees no name", async () => {
  const raw = await Raw.start(broker.port);
  await raw.ask([parse("s", "insert into orders values (81)"), sync()]);
  const frames = await raw.ask(
    [
      parse("", "select 1 / 0"),
      bind("", ""),
      execute(),
      close("S", "s"),
      sync(),
      parse("s", "select 1"),
      sync(),
      bind("", "s"),
      execute(),
      sync(),
    ],
    3,
  );
  assert.equal(count(), "10", errorsIn(frames).join());
  raw.end();
});

test("PREPARE and DEALLOCATE move names, and are followed", async () => {
  const raw = await Raw.start(broker.port);
  await raw.ask([parse("s", "select id from orders where id = 1"), sync()]);
  await raw.ask(q("deallocate s"));
  const refused = await raw.ask(q("prepare s as select x from secrets"));
  assert.match(errorsIn(refused)[0] ?? "", /secrets/);
  await raw.ask(q("prepare s as insert into orders values (82)"));
  const used = await raw.ask([bind("", "s"), execute(), sync()]);
  assert.equal(typesOf(used), "2CZ");
  const [insert] = broker
    .actions()
    .filter(({ verb }) => verb === "insert")
    .slice(-1);
  assert.equal(insert?.fields["statement"], "prepare s as insert into orders values (82)");
  assert.match(errorsIn(await raw.ask(q("deallocate s; prepare s as select 1")))[0] ?? "", /alone/);
  raw.end();
});

test("a portal that was bound and not executed cannot be run by FETCH", async () => {
  const raw = await Raw.start(broker.port);
  await raw.ask(q("begin"));
  const frames = await raw.ask([
    parse("s", "delete from orders returning id"),
    bind("p", "s"),
    sync(),
  ]);
  assert.match(errorsIn(frames)[0] ?? "", /^42501/);
  const fetched = await raw.ask(q("fetch all from p"));
  assert.ok(errorsIn(fetched).length > 0);
  await raw.ask(q("rollback"));
  assert.equal(count(), "10");
  raw.end();
});

test("a portal is read in parts, and each read is the one that was judged", async () => {
  const raw = await Raw.start(broker.port);
  await raw.ask(q("begin"));
  const first = await raw.ask([
    parse("", "select id from orders order by id"),
    bind("p", ""),
    execute("p", 3),
    sync(),
  ]);
  assert.equal(typesOf(first), "12DDDsZ");
  assert.deepEqual(rowsIn(await raw.ask([execute("p", 2), sync()])), ["4", "5"]);
  await raw.ask(q("commit"));
  assert.equal(typesOf(await raw.ask([execute("p", 2), sync()])), "EZ");
  raw.end();
});

test("INV-100: a function of the user's that shadows one of the server's is found, called as one or as a field", async () => {
  const raw = await Raw.start(broker.port);
  for (const sql of [
    "select lower(id) from orders",
    "select o.sneaky from orders o",
    "select (o).sneaky from orders o",
    "select * from busy",
  ]) {
    assert.match(errorsIn(await raw.ask(q(sql)))[0] ?? "", /^42501 .*call/, sql);
  }
  assert.equal(count("log"), "0");
  assert.equal(
    typesOf(await raw.ask(q("select note, lower(note) from orders where id = 1"))),
    "EZ",
  );
  raw.end();
});

test("views, parents and heirs of a table with hidden columns do not give them", async () => {
  const raw = await Raw.start(broker.port);
  assert.match(errorsIn(await raw.ask(q("select * from customer_list")))[0] ?? "", /hidden/);
  assert.match(errorsIn(await raw.ask(q("select email from customers_old")))[0] ?? "", /hidden/);
  assert.deepEqual(rowsIn(await raw.ask(q("select id from customers"))), ["1"]);
  raw.end();
});

test("an answer with more rows than are granted is cut with an error, in both protocols", async () => {
  const raw = await Raw.start(broker.port);
  const sql = "select g from generate_series(1, 100000) g";
  const simple = await raw.ask(q(sql));
  assert.equal(rowsIn(simple).length, 20);
  assert.match(errorsIn(simple).join(), /^54000 .*20 rows/);
  assert.equal(typesOf(simple.slice(-2)), "EZ");
  const extended = await raw.ask([parse("", sql), bind("", ""), execute(), sync()]);
  assert.equal(rowsIn(extended).length, 20);
  assert.equal(typesOf(extended.slice(-2)), "EZ");
  const copied = await raw.ask(q("copy (select g from generate_series(1, 100) g) to stdout"));
  assert.match(errorsIn(copied).join(), /20 rows/);
  assert.equal(rowsIn(await raw.ask(q("select 5"))).join(), "5");
  raw.end();
});

test("a statement that takes too long is ended by the server, and its time cannot be changed", async () => {
  const raw = await Raw.start(broker.port);
  for (const sql of [
    "set statement_timeout = 0",
    "select set_config('statement_timeout', '0', false)",
  ]) {
    assert.ok(errorsIn(await raw.ask(q(sql))).length > 0, sql);
  }
  await raw.ask(q("reset all"));
  assert.match(errorsIn(await raw.ask(q("select pg_sleep(5)")))[0] ?? "", /^57014/);
  raw.end();
});

test("a cancellation reaches its own session by the key that it was given, and no other", async () => {
  const raw = await Raw.open(broker.port);
  raw.socket.write(startup({ user: "me", database: "shop" }));
  await raw.until((frames) => frames.some(({ type }) => type === "Z"));
  const key = raw.frames.find(({ type }) => type === "K")?.body ?? Buffer.alloc(8);
  const cancel = async (body: Buffer) => {
    const other = await Raw.open(broker.port);
    other.socket.write(Buffer.concat([int32(16), int32(80_877_102), body]));
    await other.until(() => other.isOver);
  };
  const wrong = Buffer.from(key);
  wrong[7] = (wrong[7] ?? 0) ^ 1;
  const running = raw.ask(q("select pg_sleep(1.5), 1"), 2);
  await cancel(wrong);
  raw.socket.write(q("select pg_sleep(1.5), 2"));
  await raw.until((frames) => frames.some(({ type }) => type === "D"));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await cancel(key);
  assert.match(errorsIn(await running).join(), /^57014/);
  raw.end();
});

test("COPY in and out; data that waits for a person is shown whole and performed from what was stored", async () => {
  const raw = await Raw.start(broker.port);
  const data = (text: string) => message(T.copyData, Buffer.from(text));
  const copied = raw.ask(q("copy orders from stdin"));
  await raw.until((frames) => frames.some(({ type }) => type === "G"));
  raw.socket.write(Buffer.concat([data("90\tx\n"), data("91\ty\n"), message(T.copyDone)]));
  assert.equal(typesOf(await copied), "GCZ");
  assert.equal(count(), "12");
  const out = await raw.ask(q("copy (select id from orders where id > 89 order by id) to stdout"));
  assert.equal(typesOf(out), "HddcCZ");
  const failed = raw.ask(q("copy orders from stdin"));
  await raw.until((frames) => frames.some(({ type }) => type === "G"));
  raw.socket.write(message(T.copyFail, "no"));
  assert.match(errorsIn(await failed)[0] ?? "", /^57014/);
  assert.match(
    errorsIn(
      await raw.ask([parse("", "copy orders from stdin"), bind("", ""), execute(), sync()]),
    )[0] ?? "",
    /simple quer/,
  );
  raw.end();
});

test("INV-103: what waits and is approved is performed once, on another connection, and answered as asked", async () => {
  const raw = await Raw.start(broker.port);
  const simple = await raw.ask(q("delete from orders where id < 3 returning id"));
  assert.equal(typesOf(simple), "TDDCZ");
  const extended = await raw.ask([
    parse("", "delete from orders where id = $1 returning id"),
    bind("", "", "5"),
    describe("P", ""),
    execute(),
    sync(),
  ]);
  assert.equal(typesOf(extended), "12TDCZ");
  const named = await raw.ask([
    parse("n", "delete from orders where id = $1"),
    describe("S", "n"),
    sync(),
  ]);
  assert.equal(typesOf(named), "1tnZ");
  assert.equal(typesOf(await raw.ask([bind("", "n", "6"), execute(), sync()])), "2CZ");
  assert.equal(count(), "6");
  const shown = broker.noted.find(({ kind, action }) => kind === "held" && action !== undefined);
  assert.deepEqual(shown?.action?.fields["found"], { current: { rows: 2 } });
  raw.end();
});

test("INV-103: an approved change that would now be another is not done", async () => {
  const raw = await Raw.start(broker.port);
  says = () => {
    cluster.sql("delete from orders where id = 1", "shop");
    return "yes";
  };
  const frames = await raw.ask(q("update orders set note = 'all'"));
  assert.match(errorsIn(frames)[0] ?? "", /^40001 .*approved for 10 rows, and would now be 9/);
  assert.equal(cluster.sql("select count(*) from orders where note = 'all'", "shop"), "0");
  raw.end();
});

test("what waits and is not approved is an error, and says how to go on", async () => {
  const raw = await Raw.start(broker.port);
  says = () => "later";
  assert.match(
    errorsIn(await raw.ask(q("delete from orders")))[0] ?? "",
    /nobody yet.*same statement again/,
  );
  says = () => "no";
  assert.match(errorsIn(await raw.ask(q("delete from orders")))[0] ?? "", /not now/);
  await raw.ask(q("begin"));
  assert.match(errorsIn(await raw.ask(q("delete from orders")))[0] ?? "", /send it alone/);
  await raw.ask(q("rollback"));
  assert.equal(count(), "10");
  raw.end();
});

test("INV-104: what a rollback leaves is not tried: a sequence is where it was, and that is said", async () => {
  const raw = await Raw.start(broker.port);
  const before = cluster.sql("select last_value, is_called from numbered_id_seq", "shop");
  says = () => "no";
  await raw.ask(
    q("with d as (delete from orders where id = 1) insert into numbered (t) values ('x')"),
  );
  assert.equal(cluster.sql("select last_value, is_called from numbered_id_seq", "shop"), before);
  const shown = broker.noted.find(({ kind }) => kind === "held")?.action?.fields["preview"];
  assert.match(JSON.stringify(shown), /sequence of numbered\.id/);
  cluster.sql(
    `create function noted() returns trigger language plpgsql as 'begin perform pg_notify(''x'', ''y''); return old; end';
     create trigger noted before delete on orders for each row execute function noted()`,
    "shop",
  );
  await raw.ask(q("delete from orders where id = 1"));
  const second = broker.noted.findLast(({ kind }) => kind === "held")?.action?.fields["preview"];
  assert.match(JSON.stringify(second), /trigger noted on orders/);
  cluster.sql("drop trigger noted on orders", "shop");
  raw.end();
});

test("reads that differ in plain values are one judgement; in anything else they are not", async () => {
  const raw = await Raw.start(broker.port);
  for (const id of [1, 2, 3])
    await raw.ask(q(`select note from orders where id = ${id} and note <> 'a${id}'`));
  assert.equal(broker.noted.filter(({ kind }) => kind === "repeat").length, 2);
  assert.ok(errorsIn(await raw.ask(q("select x from secrets where x <> 'a1'"))).length > 0);
  raw.end();
});

const REFUSED_STARTS = [
  ["replication", { replication: "database" }, /postgres\.replication/],
  ["replication in another spelling", { replication: "1" }, /postgres\.replication/],
  ["another database", { database: "postgres" }, /postgres\.database/],
  ["a role", { role: "postgres" }, /postgres\.setting/],
  ["a search path", { search_path: "evil" }, /postgres\.setting/],
  ["a search path among options", { options: "-c search_path=evil" }, /postgres\.setting/],
  ["a role among options", { options: "--role=postgres" }, /postgres\.setting/],
  ["options that are not understood", { options: "-c search_path\\=x" }, /postgres\.options/],
  ["switches of the server", { options: "-O" }, /postgres\.options/],
  ["standard_conforming_strings", { standard_conforming_strings: "off" }, /postgres\.setting/],
  ["the time of a statement", { statement_timeout: "0" }, /postgres\.setting/],
  ["another protocol", { user: "x" }, /postgres\.version/],
] as const;
for (const [what, parameters, rule] of REFUSED_STARTS) {
  test(`INV-102: a session cannot begin with ${what}`, async () => {
    const raw = await Raw.open(broker.port);
    const version = what === "another protocol" ? 2 << 16 : 3 << 16;
    raw.socket.write(startup({ user: "me", database: "shop", ...parameters }, version));
    await raw.until(() => raw.isOver);
    assert.match(errorsIn(raw.frames)[0] ?? "", rule);
    assert.equal(broker.noted.filter(({ kind }) => kind === "connect").length, 0);
  });
}

test("a session begins with comfort, and is told what is held", async () => {
  const raw = await Raw.start(broker.port, {
    application_name: "x",
    client_encoding: "SQL_ASCII",
    options: "-c geqo=off --extra_float_digits=3",
  });
  assert.deepEqual(rowsIn(await raw.ask(q("show extra_float_digits"))), ["3"]);
  assert.deepEqual(rowsIn(await raw.ask(q("show client_encoding"))), ["UTF8"]);
  raw.end();
});

const BROKEN: readonly (readonly [string, Buffer])[] = [
  ["a call of a function by its number", message(T.functionCall, int32(1), Buffer.alloc(4))],
  ["a type that there is none of", message(0x7a, "x")],
  ["a length below itself", Buffer.from([0x51, 0, 0, 0, 3])],
  ["a length beyond every bound", Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])],
  ["a query without an end", message(T.query, Buffer.from("select 1"))],
  ["a query with something after its end", message(T.query, "select 1", "drop table orders")],
  ["a text that is no UTF-8", message(T.query, Buffer.from([0xff, 0xfe, 0]))],
  ["a Bind that ends early", message(T.bind, "", "", Buffer.of(0, 9))],
  ["a password that nobody asked for", message(T.password, "x")],
];
for (const [what, bytes] of BROKEN) {
  test(`INV-102: ${what} ends the session`, async () => {
    const raw = await Raw.start(broker.port);
    await raw.ask([parse("", "select 1"), sync()]);
    raw.socket.write(Buffer.concat([bytes, q("insert into orders values (99)")]));
    await raw.until(() => raw.isOver);
    assert.equal(count(), "10");
  });
}

for (const [what, bytes] of [
  ["HTTP", Buffer.from("GET / HTTP/1.1\r\nhost: db\r\n\r\n")],
  ["a first message with more behind it", Buffer.concat([startup({ user: "x" }), q("select 1")])],
  [
    "a request for TLS with more behind it",
    Buffer.concat([int32(8), int32(80_877_103), q("select 1")]),
  ],
  ["a first message without an end", Buffer.from([0, 0, 0x20, 0, 0, 3, 0, 0])],
] as const) {
  test(`INV-102: ${what} is no session`, async () => {
    const raw = await Raw.open(broker.port);
    raw.socket.end(bytes);
    await raw.until(() => raw.isOver);
    assert.equal(broker.noted.filter(({ kind }) => kind === "connect").length, 0);
  });
}

const LONG = "n".repeat(63);
/** Ways to have a DELETE run under a judgement of a SELECT, each by a name that stands for two statements. */
const SWAPS: readonly (readonly [string, readonly (readonly Buffer[])[]])[] = [
  [
    "EXECUTE of a name that stands for another statement later",
    [
      [parse("foo", "select id from orders"), sync()],
      [parse("run", "execute foo"), bind("", "run"), execute(), sync()],
      [close("S", "foo"), parse("foo", "delete from orders returning id"), sync()],
      [bind("", "run"), execute(), sync()],
    ],
  ],
  [
    "a bound EXECUTE, whose statement is exchanged",
    [
      [q("begin")],
      [
        parse("foo", "select id from orders"),
        parse("run", "execute foo"),
        bind("p", "run"),
        sync(),
      ],
      [close("S", "foo"), parse("foo", "delete from orders returning id"), sync()],
      [execute("p"), sync()],
      [q("commit")],
    ],
  ],
  [
    "EXPLAIN ANALYZE of such a name",
    [
      [parse("foo", "select id from orders"), sync()],
      [parse("run", "explain analyze execute foo"), bind("", "run"), execute(), sync()],
      [close("S", "foo"), parse("foo", "delete from orders returning id"), sync()],
      [bind("", "run"), execute(), sync()],
    ],
  ],
  [
    "names that the server cuts to the same",
    [
      [parse(`${LONG}a`, "select id from orders"), bind("", `${LONG}a`), execute(), sync()],
      [close("S", `${LONG}b`), parse(`${LONG}b`, "delete from orders returning id"), sync()],
      [bind("", `${LONG}a`), execute(), sync()],
    ],
  ],
];
for (const [what, steps] of SWAPS) {
  test(`INV-101: ${what} deletes nothing`, async () => {
    says = () => "no";
    const raw = await Raw.start(broker.port);
    for (const step of steps) await raw.ask(step.length === 1 ? (step[0] ?? q("")) : [...step]);
    raw.end();
    assert.equal(count(), "10");
    const deletions = broker.noted.filter(
      ({ kind, action, data }) =>
        kind === "outcome" && action?.verb === "delete" && data?.["prepared"] !== true,
    );
    assert.deepEqual(deletions, []);
  });
}

test("names of 63 bytes are names, and EXECUTE is for simple queries", async () => {
  const raw = await Raw.start(broker.port);
  const used = await raw.ask([parse(LONG, "select 1"), bind("", LONG), execute(), sync()]);
  assert.deepEqual(errorsIn(used), []);
  assert.deepEqual(rowsIn(await raw.ask(q(`execute ${LONG}`))), ["1"]);
  raw.end();
});

test("INV-100: an error tells nothing of a hidden column", async () => {
  const raw = await Raw.start(broker.port);
  const frames = await raw.ask(q("update customers set id = 0 where id = 1"));
  assert.match(errorsIn(frames)[0] ?? "", /violates check constraint/);
  assert.ok(!JSON.stringify(frames.map(({ body }) => body.toString("latin1"))).includes("a@b"));
  raw.end();
});
