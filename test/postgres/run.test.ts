/** Runs that reach a real PostgreSQL over TLS, with a stored login, from psql; a person decides over a deletion. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  authorityName,
  createAuthorityCertificate,
  createKey,
  createLeaf,
} from "../../src/gateway/tls/certificate.ts";
import { eventually, TestHome } from "../support/home.ts";
import { LivingRun, UNRELATED } from "../support/living-run.ts";
import { Cluster } from "./cluster.ts";

const HOST = "db.test";
const PASSWORD = "k9-Quite-a-Secret-71";
const key = createKey();
const authority = createAuthorityCertificate(key, Date.now());
const issuer = { key, name: authorityName(key), untilMs: Date.now() + 86_400_000 };
const leaf = createLeaf(issuer, HOST, Date.now());
const files = mkdtempSync(join(tmpdir(), "cofferdam-pg-run-"));
const home = new TestHome();
let cluster: Cluster;

before(async () => {
  chmodSync(files, 0o755);
  writeFileSync(join(files, "ca.pem"), authority);
  cluster = await Cluster.start([], {
    certificate: leaf.certificatePem,
    key: leaf.key.export({ type: "pkcs8", format: "pem" }).toString(),
  });
  cluster.sql(`create database shop; create role agent login password '${PASSWORD}'`);
  cluster.sql(
    `create table orders (id int primary key, note text);
     insert into orders select g, 'order ' || g from generate_series(1, 10) g;
     create table salaries (who text); insert into salaries values ('boss');
     grant all on orders, salaries to agent;
     create role minter login createrole password '${PASSWORD}-m'; create schema app authorization minter;
     alter database shop owner to minter; set role minter;
     create table app.jobs (id int, cost int); insert into app.jobs values (1, 7)`,
    "shop",
  );
  const options = ["--kind", "login", "--user", "agent", "--host", HOST, "--scheme", "postgres"];
  const added = await home.call(["credential", "add", "shop-db", ...options, "--stdin"], {
    input: PASSWORD,
  });
  assert.equal(added.code, 0, added.stderr);
  const minter = ["--kind", "login", "--user", "minter", "--host", HOST, "--scheme", "postgres"];
  const second = await home.call(["credential", "add", "minter", ...minter, "--stdin"], {
    input: `${PASSWORD}-m`,
  });
  assert.equal(second.code, 0, second.stderr);
  writeFileSync(
    join(files, "minted.yaml"),
    `task: jobs
purpose: look at jobs
grants:
  - system: postgres
    name: jobs
    hosts: [${HOST}]
    dial: 127.0.0.1:${cluster.port}
    ca: ${join(files, "ca.pem")}
    credential: minter
    mint: true
    with: { database: shop, path: [app], hide: [app.jobs.cost] }
    allow:
      - verbs: [select]
        on: [app.jobs]
`,
  );
  writeFileSync(join(files, "task.yaml"), shop());
});
after(async () => {
  await home.close();
  cluster.stop();
  rmSync(files, { recursive: true });
});

/** The grant of the shop, with `more` rules behind its own. */
function shop(more = ""): string {
  return `task: shop
purpose: look after orders
approvals: { hold: 60s }
grants:
  - system: postgres
    name: shop
    hosts: [${HOST}]
    dial: 127.0.0.1:${cluster.port}
    ca: ${join(files, "ca.pem")}
    credential: shop-db
    with:
      database: shop
      rows: 1000
      statement: 10s
    allow:
      - verbs: [select, insert, update, delete]
        on: [public.orders]
      - verbs: [describe]
${more}`;
}

const psql = (sql: string, env = "") =>
  home.run(
    ["sh", "-c", `${env} psql -X -At -h ${HOST} -U anybody -d shop -c "$1"`, "sh", sql],
    ["--task", join(files, "task.yaml")],
  );

test("psql works over verified TLS, and holds nothing", async () => {
  const { stdout, stderr, code } = await psql(
    "select count(*) from orders",
    'PGSSLMODE=verify-full PGSSLROOTCERT="$SSL_CERT_FILE"',
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim(), "10");
});

test("where a change cannot be looked at nobody is asked, why is told, and the session goes on", async () => {
  cluster.sql("alter role agent connection limit 1");
  try {
    const sql = "delete from orders where id = 1";
    const script = `psql -X -At -h ${HOST} -U anybody -d shop -c "${sql}" -c "select count(*) from orders"`;
    const { stdout, stderr } = await home.run(
      ["sh", "-c", script],
      ["--task", join(files, "task.yaml")],
    );
    assert.match(stderr, /has to be looked at before \(postgres\.look\).*too many connections/);
    assert.equal(stdout.trim(), "10");
    const list = await home.call(["approvals", "list", "--all", "--json"]);
    assert.deepEqual(JSON.parse(list.stdout), []);
  } finally {
    cluster.sql("alter role agent connection limit -1");
  }
});

test("what is not granted is told as an error of the database, with the rule", async () => {
  const { stderr, code } = await psql("select * from salaries");
  assert.notEqual(code, 0);
  assert.match(stderr, /Cofferdam: .*shop grants no select on public.salaries/);
});

test("INV-103: a deletion shows its rows and waits; approved, it is done once, and the agent gets the answer", async () => {
  const asking = psql("delete from orders where id <= 3");
  const id = await eventually(
    "an approval waits",
    20_000,
    async () => (await home.approvals())[0]?.id,
  );
  assert.equal(cluster.sql("select count(*) from orders", "shop"), "10", "undone");
  const { stdout: card } = await home.call(["approvals", "show", id]);
  for (const shown of ["delete from orders where id <= 3", "order 1", "order 3", "Delete on"]) {
    assert.ok(card.includes(shown), `${shown} in ${card}`);
  }
  const approved = await home.call(["approvals", "approve", id, "--code", await home.codeOf(id)]);
  assert.equal(approved.code, 0, approved.stderr);
  const { stdout, stderr } = await asking;
  assert.equal(stdout.trim(), "DELETE 3", stderr);
  assert.equal(cluster.sql("select count(*) from orders", "shop"), "7");
});

test("a role is made for the run, holds what was granted, and is gone after it", async () => {
  const sql = "select id, current_user from jobs";
  const { stdout, stderr } = await home.run(
    ["sh", "-c", `psql -X -At -h ${HOST} -U anybody -d shop -c "$1"`, "sh", sql],
    ["--task", join(files, "minted.yaml")],
  );
  assert.match(stdout, /^1\|cofferdam_r_/, stderr);
  await eventually("the role is gone", 20_000, () => {
    const left = cluster.sql("select count(*) from pg_roles where rolname ~ '^cofferdam'");
    return left === "0" ? true : undefined;
  });
});

test("the record says what was asked, what became of it, and what the role could do beyond the grant", async () => {
  const log = await home.log();
  const text = JSON.stringify(log);
  assert.ok(!text.includes(PASSWORD), "no password");
  assert.match(text, /"beyondGrant"/);
  assert.match(text, /select, insert, update, delete public\.salaries/);
  assert.match(text, /DELETE 3|select count/);
});

test("INV-134: LISTEN, a cursor, a prepared statement and a COPY end with the rule that allowed them", async () => {
  const more = `      - verbs: [listen]\n      - verbs: [select, copy-from]\n        on: [public.salaries]\n`;
  const client = `psql -X -At -h ${HOST} -U anybody -d shop`;
  const clients = { l: client, c: client, p: client, k: client, o: client };
  const run = await LivingRun.start(home, shop(more) + UNRELATED, clients);
  run.say("l", "listen news;");
  run.say("c", "begin; declare c cursor for select who from salaries; fetch 0 from c;");
  run.say("p", "prepare p as select who from salaries;");
  run.say("k", "copy salaries from stdin;");
  run.say("k", "nobody");
  run.say(
    "o",
    "begin; declare c cursor for select id from orders where id > 7 order by id; fetch 1 from c;",
  );
  await run.hears(/l: LISTEN/, /c: DECLARE CURSOR/, /p: PREPARE/, /o: 8/);
  await run.narrow(shop(more));
  run.say("c", "fetch 1 from c;");
  run.say("p", "execute p;");
  run.say("l", "select id from orders where id = 7;");
  await run.hears(/c: boss/, /p: boss/, /l: 7/);
  await run.narrow(shop());
  run.say("k", "\\.");
  for (const name of ["l", "c", "p"]) run.say(name, "select 1;");
  run.say("o", "fetch 1 from c;");
  const heard = await run.hears(/o: 9/, /l: over/, /c: over/, /p: over/, /k: over/);
  for (const name of ["l", "c", "p", "k"]) {
    assert.match(
      heard,
      new RegExp(`${name}: FATAL: +Cofferdam: what this connection did is not granted`),
    );
  }
  assert.doesNotMatch(await run.end(), /boss/);
  assert.equal(cluster.sql("select who from salaries", "shop").trim(), "boss");
});
