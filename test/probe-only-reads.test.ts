/**
 * INV-170: a probe only reads, and each question is on record before it leaves. In the daemon's own world, against a real
 * PostgreSQL that logs every statement, with probes that try to write.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { probeGrant } from "../src/daemon/probing.ts";
import { openWorld, type World } from "../src/daemon/world.ts";
import { locateHome } from "../src/link/index.ts";
import { parseTaskFile, type TaskGrant } from "../src/policy/index.ts";
import { QUESTIONS_MAX, type Probe, type Question, type Reply } from "../src/probe/index.ts";
import { loadProtocols } from "../src/protocols/index.ts";
import { taskSystems } from "../src/systems/index.ts";
import { Cluster } from "./postgres/cluster.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-probe-"));
let cluster: Cluster;
let world: World;
let grant: TaskGrant;

before(async () => {
  cluster = await Cluster.start(["log_statement = 'all'"]);
  cluster.sql(`create database shop; create role trusted login superuser;`);
  cluster.sql(
    `create table notes (id int); insert into notes values (1); create sequence s;
     create function wipe() returns void language sql as 'delete from public.notes'`,
    "shop",
  );
  await loadProtocols(["postgres"]);
  world = await openWorld(locateHome({ COFFERDAM_HOME: root }), () => {});
  const task = parseTaskFile(
    `task: t
purpose: p
grants:
  - system: postgres
    name: db
    hosts: [db.test]
    tls: false
    dial: 127.0.0.1:${cluster.port}
    with: { database: shop, user: trusted, path: [pg_catalog] }
    allow: [{ verbs: ["*"] }]
`,
    "t.yaml",
    Date.now(),
    taskSystems(),
  );
  const [first] = task.grants;
  assert.ok(first !== undefined);
  grant = first;
});
after(async () => {
  await world.close();
  cluster.stop();
  rmSync(root, { recursive: true, force: true });
});

/** What came back for each of `questions`, by a probe that asks them. */
async function ask(questions: readonly Question[]): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  const probe: Probe = {
    system: "postgres",
    asks: [],
    async probe(ports) {
      for (const one of questions) replies.push(await ports.ask(one));
      return { facts: [], notes: [] };
    },
  };
  await probeGrant(world, { grant }, probe);
  return replies;
}

const sql = (text: string): Question => ({ operation: { sql: text } });
const wasSent = (mark: string) => readFileSync(join(cluster.folder, "log"), "utf8").includes(mark);

const WRITES = [
  "update public.notes set id = 2",
  "insert into public.notes values (2)",
  "delete from public.notes",
  "truncate public.notes",
  "begin read only; commit; delete from public.notes",
  "with gone as (delete from public.notes returning id) select id from gone",
  "select id from public.notes for update",
  "select public.wipe()",
  "select nextval('public.s')",
  "select set_config('role', 'trusted', false)",
  "set role trusted",
  "select pg_read_file('PG_VERSION')",
  "select pg_terminate_backend(1)",
  "select lo_unlink(1)",
  "select pg_notify('a', 'b')",
  "copy public.notes to program 'true'",
  "copy public.notes to '/tmp/x'",
  "do $$ begin delete from public.notes; end $$",
  "create table public.more (id int)",
  "alter role trusted password 'x'",
  "explain analyze delete from public.notes",
  "no statement at all",
];

test("INV-170: what does more than read is not sent, and is no action", async (t) => {
  const earlier = world.ledger.size;
  const markOf = (at: number) => `attempt ${at} of a probe`;
  const replies = await ask(WRITES.map((text, at) => sql(`/* ${markOf(at)} */ ${text}`)));
  for (const [at, text] of WRITES.entries()) {
    await t.test(text, () => {
      assert.equal(replies[at]?.status, 0);
      assert.match(replies[at]?.failure ?? "", /does more than read .* and was not asked/);
      assert.ok(!wasSent(markOf(at)));
    });
  }
  assert.equal(world.ledger.size, earlier);
});

test("INV-170: what only reads is sent, on record before and after, whatever it counts", async () => {
  const told: string[] = [];
  const stop = world.ledger.subscribe(({ event }) => {
    // The record has it before the server does.
    if (event.type === "action") told.push(`action, sent: ${wasSent("a benign question")}`);
    if (event.type === "outcome") told.push(`outcome, sent: ${wasSent("a benign question")}`);
  });
  const [reply] = await ask([sql("/* a benign question */ select count(*) from public.notes")]);
  stop();
  assert.deepEqual(reply?.rows, [["1"]]);
  assert.deepEqual(told, ["action, sent: false", "outcome, sent: true"]);
});

test("INV-170: a probe that asks on and on is told nothing more", async () => {
  const many = Array.from({ length: QUESTIONS_MAX + 1 }, () => sql("delete from public.notes"));
  const replies = await ask(many);
  assert.match(replies.at(-1)?.failure ?? "", /more than 400 questions/);
});

test("INV-170: what cannot be written down does not leave, and ends the probe", async () => {
  await world.ledger.close();
  await assert.rejects(ask([sql("/* without a record */ select 1")]), { code: "ledger.closed" });
  assert.ok(!wasSent("without a record"));
});
