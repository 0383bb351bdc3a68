/**
 * The probe of MariaDB against a real one: each planted power is found, and its twin without it is not; and INV-170's
 * record, as far as a server's own log of statements shows it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry, Gives } from "../src/api/index.ts";
import type { Answer } from "../src/blast/index.ts";
import { TestHome } from "./support/home.ts";
import { startMariadb, type MariadbServer } from "./support/mariadb-server.ts";

const PASSWORD = "probe-Word-4711";
const SECRET = "s3cr3t-value-of-a-row";
const home = new TestHome();
let server: MariadbServer;

/** Logins, and what gives each its power; `R` is the login. */
const ROLES: Readonly<Record<string, string>> = {
  plain: `GRANT SELECT ON shop.drafts TO R; GRANT INSERT ON shop.drafts TO R;
    GRANT EXECUTE ON PROCEDURE shop.as_caller TO R`,
  reads: "GRANT SELECT ON `sh_p`.* TO R",
  column: "GRANT SELECT (email) ON shop.customers TO R",
  calls: "GRANT EXECUTE ON PROCEDURE shop.as_owner TO R",
  seer: `GRANT EXECUTE ON PROCEDURE shop.clear_ledger TO R; GRANT SELECT ON mysql.proc TO R; GRANT SELECT ON shop.ledger TO R;
    GRANT DELETE ON shop.drafts TO R;
    GRANT EXECUTE ON PROCEDURE shop.count_ledger TO R`,
  fires: "GRANT INSERT, TRIGGER ON shop.notes TO R",
  files: "GRANT FILE ON *.* TO R",
  loads: "GRANT FILE ON *.* TO R; GRANT INSERT ON mysql.* TO R",
  becomes: "GRANT keeper TO R",
  makes: "GRANT CREATE USER ON *.* TO R",
  drops: "GRANT DROP ON shop.* TO R",
};

interface Case {
  readonly role: string;
  readonly why: string;
  readonly allow: string;
  readonly outcome: string;
  readonly amount: number | "unbounded";
  /** `plain` otherwise, whose outcome is 0. */
  readonly twin?: string;
  /** The run has the login in its own hands. */
  readonly isItself?: true;
  readonly assumed?: RegExp;
  readonly walk?: string;
}

const CASES: readonly Case[] = [
  {
    role: "reads",
    why: "a grant on a pattern of databases covers the tables of one",
    allow: "[{ verbs: [select], on: [shop.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "SELECT COUNT(*) FROM shop.customers",
  },
  {
    role: "column",
    why: "a privilege on one column is one on the table",
    allow: "[{ verbs: [select], on: [shop.customers] }]",
    outcome: "customer_records",
    amount: 500,
    walk: "SELECT COUNT(email) FROM shop.customers",
  },
  {
    role: "reads",
    why: "a column that is named as a secret's holds one",
    allow: "[{ verbs: [select], on: [shop.customers] }]",
    outcome: "secrets_readable",
    amount: 1,
    walk: "SELECT COUNT(password) FROM shop.customers",
  },
  {
    role: "calls",
    why: "a routine whose text the server does not show may do all that its definer may, of whom nothing is told",
    allow: "[{ verbs: [call], on: ['shop.*'] }]",
    outcome: "data_destroyable",
    amount: "unbounded",
    assumed: /as_owner: its text was not told/,
    walk: "CALL shop.as_owner('DELETE FROM shop.ledger WHERE id < 0')",
  },
  {
    role: "seer",
    why: "a routine whose text the server shows does what it names, as its definer",
    allow: "[{ verbs: [call], on: [shop.clear_ledger] }]",
    outcome: "data_destroyable",
    amount: 7,
    walk: "START TRANSACTION; CALL shop.clear_ledger(); ROLLBACK",
  },
  {
    role: "fires",
    why: "an insert fires a trigger, which deletes as its definer what this login is not shown",
    allow: "[{ verbs: [insert], on: [shop.notes, shop.drafts] }]",
    outcome: "data_destroyable",
    amount: "unbounded",
    assumed: /sweep: its text has delete on a table that was not told/,
    walk: "START TRANSACTION; INSERT INTO shop.notes VALUES (1); ROLLBACK",
  },
  {
    role: "drops",
    why: "DROP destroys what it drops, and so does TRUNCATE",
    allow: "[{ verbs: [truncate], on: [shop.ledger] }]",
    outcome: "data_destroyable",
    amount: 7,
  },
  {
    role: "files",
    why: "FILE reads files of the machine, with a login in one's own hands",
    allow: "[{ verbs: [select], on: [shop.ledger] }]",
    outcome: "secrets_readable",
    amount: 2,
    isItself: true,
    assumed: /what lies in files that/,
    walk: "SELECT 1 / (LOAD_FILE('/etc/passwd') IS NOT NULL)",
  },
  {
    role: "loads",
    why: "FILE and INSERT on mysql.func load a library, where plugin_dir lets it",
    allow: "[{ verbs: [select], on: [shop.ledger] }]",
    outcome: "hosts_executable",
    amount: 1,
    isItself: true,
    assumed: /may write .* was not told/,
  },
  {
    role: "becomes",
    why: "a role that can be become may do what was not told",
    allow: "[{ verbs: [select], on: [shop.ledger] }]",
    outcome: "data_destroyable",
    amount: "unbounded",
    isItself: true,
    assumed: /what a role may do/,
    walk: "START TRANSACTION; SET ROLE keeper; DELETE FROM shop.ledger; ROLLBACK",
  },
  {
    role: "makes",
    why: "CREATE USER sets another account's password",
    allow: "[{ verbs: [select], on: [shop.ledger] }]",
    outcome: "hosts_executable",
    amount: 1,
    isItself: true,
    assumed: /which other accounts there are/,
    walk: "ALTER USER victim@'%' IDENTIFIED BY 'x'",
  },
];

before(async () => {
  server = await startMariadb(["--log-output=TABLE", "--general-log=1"]);
  server.sql(`
    CREATE DATABASE shop; USE shop;
    CREATE TABLE customers (id INT, email VARCHAR(100), password VARCHAR(100));
    INSERT INTO customers SELECT seq, CONCAT('person', seq, '@example.com'), '${SECRET}' FROM seq_1_to_500;
    CREATE TABLE ledger (id INT, note TEXT); INSERT INTO ledger SELECT seq, '${SECRET}' FROM seq_1_to_7;
    CREATE TABLE drafts (id INT); INSERT INTO drafts VALUES (1); CREATE TABLE notes (id INT);
    CREATE TABLE \`we\`\`ird\\"; --\` (email TEXT);
    CREATE TRIGGER sweep AFTER INSERT ON notes FOR EACH ROW DELETE FROM shop.ledger;
    CREATE PROCEDURE as_owner(IN what TEXT) EXECUTE IMMEDIATE what;
    CREATE PROCEDURE as_caller(IN what TEXT) SQL SECURITY INVOKER EXECUTE IMMEDIATE what;
    CREATE PROCEDURE clear_ledger() DELETE FROM shop.ledger;
    CREATE PROCEDURE count_ledger() SELECT COUNT(*) FROM shop.ledger;
    CREATE ROLE keeper; GRANT DELETE ON shop.ledger TO keeper; CREATE USER victim@'%';
  `);
  for (const [role, plant] of Object.entries(ROLES)) {
    server.sql(
      `CREATE USER ${role}_r@'%' IDENTIFIED BY '${PASSWORD}'; ${plant.replaceAll(/\bR\b/g, `${role}_r@'%'`)}`,
    );
  }
  await home.call(["status"]);
  await Promise.all(Object.keys(ROLES).map(addCredential));
});
after(async () => {
  await home.close();
  await server.close();
});

function sqlOf({ data }: Entry): string {
  const { sql = "" } = (data?.["fields"] ?? {}) as { readonly sql?: string };
  return sql;
}

async function addCredential(role: string): Promise<void> {
  const place = ["--scheme", "mysql", "--host", "my.test"];
  const how = ["--kind", "login", "--user", `${role}_r`, ...place, "--stdin"];
  const { code, stderr } = await home.call(["credential", "add", role, ...how], {
    input: PASSWORD,
  });
  assert.equal(code, 0, stderr);
}

function taskOf(role: string, allow = "[{ verbs: [select], on: ['shop.*'] }]"): string {
  const file = join(home.root, `${role}.yaml`);
  writeFileSync(
    file,
    `task: ${role}
purpose: Look after orders.
grants:
  - system: mysql
    name: db
    hosts: [my.test]
    tls: false
    dial: 127.0.0.1:${server.port}
    credential: ${role}
    with: { database: shop }
    allow: ${allow}
`,
  );
  return file;
}

async function blast(role: string, { allow, isItself }: Case): Promise<Answer> {
  const place = `127.0.0.1:${server.port}`;
  const world = join(home.root, "itself.facts");
  writeFileSync(
    world,
    `run_knows("the password"). opens("the password", "mysql:${role}@my.test:3306"). uninspected(raw, "${place}").\n`,
  );
  const more = isItself === true ? ["--facts", world] : [];
  const file = taskOf(role, allow);
  const { stdout, stderr, code } = await home.call(["blast", file, ...more, "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Answer;
}

function walks(role: string, sql: string): boolean {
  const where = ["--no-defaults", "-h127.0.0.1", `-P${server.port}`, `-u${role}_r`];
  const { status, stdout } = spawnSync("mariadb", [...where, "-N", "-B"], {
    input: sql,
    env: { ...process.env, MYSQL_PWD: PASSWORD },
    stdio: ["pipe", "pipe", "ignore"],
    encoding: "utf8",
  });
  return status === 0 && !stdout.includes("NULL");
}

test("INV-170: each question is on record before it leaves, and the server got these and no other", async () => {
  const told = new Map<string, number>();
  for (const role of Object.keys(ROLES)) {
    const { stdout, stderr, code } = await home.call(["probe", taskOf(role), "--json"]);
    assert.equal(code, 0, stderr);
    const [grant] = (JSON.parse(stdout) as Gives<"probe.task">).grants;
    assert.deepEqual(grant?.notes, [], role);
    told.set(role, grant?.questions ?? 0);
  }
  const log = await home.log();
  const asked = log.filter(({ type, rule }) => type === "action" && rule === "cofferdam.probe");
  assert.equal(
    asked.length,
    [...told.values()].reduce((sum, one) => sum + one, 0),
  );
  const statements = asked.map(sqlOf);
  const seen = server
    .sql(
      `SELECT HEX(argument) FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE '%\\_r[%'`,
    )
    .split("\n")
    .map((one) => Buffer.from(one, "hex").toString("utf8"))
    .filter((one) => !/^SET /i.test(one));
  assert.deepEqual(seen.toSorted(), statements.toSorted());
  for (const { action, seq } of asked) {
    const outcome = log.find((one) => one.type === "outcome" && one.action === action);
    assert.ok(outcome !== undefined && outcome.seq > seq);
    assert.equal(outcome.data?.["failure"], undefined);
  }
});

test("INV-171: questions are about names and counts, and no value of a row is in facts or on record", async () => {
  const log = await home.log();
  const asked = log.filter(({ type, rule }) => type === "action" && rule === "cofferdam.probe");
  for (const one of asked) {
    const sql = sqlOf(one);
    const rest = sql.replaceAll(/\(SELECT COUNT\(\*\) FROM `(?:[^`]|``)+`\.`(?:[^`]|``)+`\)/g, "");
    assert.ok(!/\bFROM (?!information_schema\.)/.test(rest), sql);
    assert.match(rest, /^(?:SELECT JSON_(?:ARRAY|OBJECT)\(|SHOW GRANTS$)/);
  }
  const folder = join(home.state, "facts");
  const facts = readdirSync(folder).map((one) => readFileSync(join(folder, one), "utf8"));
  const told = facts.join("") + JSON.stringify(log);
  assert.ok(told.includes("shop customers"));
  for (const value of [SECRET, "person7@", PASSWORD, "IDENTIFIED"])
    assert.ok(!told.includes(value), value);
});

for (const one of CASES) {
  test(`${one.role}: ${one.why}`, async () => {
    const { role, twin = "plain", outcome: name, walk, assumed } = one;
    const before = one.isItself === true && name === "secrets_readable" ? 1 : 0;
    for (const who of [role, twin]) {
      const answer = await blast(who, one);
      const outcome = answer.outcomes.find((each) => each.name === name);
      const expected = who === role ? one.amount : before;
      assert.equal(outcome?.approverFooled, expected, `${who}: ${answer.sentence}`);
      if (walk !== undefined) assert.equal(walks(who, walk), who === role, `${who} walks it`);
      if (who !== role || assumed === undefined) continue;
      const grounds = outcome?.objects.flatMap(({ path }) => path.flatMap(({ facts }) => facts));
      assert.ok(grounds?.some(({ from, isAssumed }) => isAssumed && assumed.test(from)));
    }
  });
}
