/** Redis, for real: redis-server behind a run, with redis-cli, the client of npm, and bytes that no client sends. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../src/api/index.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";
import { LivingRun, UNRELATED } from "./support/living-run.ts";
import { freePort, REDIS_PASSWORD, startRedis, type RedisServer } from "./support/redis-server.ts";

const home = new TestHome();
let server: RedisServer;
let tlsPort = 0;

/** Sends its first argument (with JSON's escapes) at once, and prints what comes until nothing does for a while. */
const RAW = `
import { connect } from "node:net";
const socket = connect(6379, "cache.test", () => socket.write(JSON.parse('"' + process.argv[2] + '"')));
let last = Date.now() + 15000; // The first answer may take its time on a busy machine.
socket.on("data", (data) => { last = Date.now(); process.stdout.write(data); });
socket.on("close", () => process.exit(0)).on("error", () => process.exit(0));
setInterval(() => { if (Date.now() - last > 1500) process.exit(0); }, 100);
`;

before(async () => {
  tlsPort = await freePort();
  const [key, certificate] = [join(home.root, "key.pem"), join(home.root, "ca.pem")];
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
  const names = ["-subj", "/CN=cache.test", "-addext", "subjectAltName=DNS:cache.test"];
  execFileSync("openssl", [...request, ...names, "-keyout", key, "-out", certificate], {
    stdio: "ignore",
  });
  const tls = [
    "--tls-port",
    String(tlsPort),
    "--tls-auth-clients",
    "no",
    "--tls-ca-cert-file",
    certificate,
  ];
  server = await startRedis([...tls, "--tls-cert-file", certificate, "--tls-key-file", key]);
  server.ask("SET", "secrets", "s3cr3t");
  const place = ["--host", "cache.test", "--scheme", "redis", "--port", "6379"];
  const login = ["--kind", "login", "--user", "default", ...place, "--stdin"];
  const added = await home.call(["credential", "add", "cache", ...login], {
    input: REDIS_PASSWORD,
  });
  assert.equal(added.code, 0, added.stderr);
  home.write("raw.mjs", RAW);
  const client = join(import.meta.dirname, "..", "node_modules", "@redis", "client");
  cpSync(client, join(home.workspace, "node_modules", "@redis", "client"), { recursive: true });
});
after(async () => {
  await home.close();
  await server.close();
});

function task(credential = "credential: cache", tls = false): string {
  const file = join(home.root, "task.yaml");
  writeFileSync(file, sourceOf(credential, tls));
  return file;
}

function sourceOf(credential = "credential: cache", tls = false): string {
  return `task: cache-work
purpose: Keep the application's cache.
approvals: { hold: 60s }
grants:
  - system: redis
    name: cache
    hosts: [cache.test]
    tls: ${tls}
    dial: 127.0.0.1:${tls ? tlsPort : server.port}${tls ? "\n    ca: ca.pem" : ""}
    ${credential}
    with: { databases: [0, 1] }
    allow:
      - verbs: ["*"]
        on: ["app:*"]
`;
}

/** What `redis-cli` prints for `lines`. */
async function cli(lines: readonly string[], more: readonly string[] = []): Promise<Result> {
  return home.run(["redis-cli", "-h", "cache.test", ...more], ["--task", task()], {
    input: `${lines.join("\n")}\n`,
  });
}

async function raw(bytes: string): Promise<string> {
  const said = JSON.stringify(bytes).slice(1, -1);
  return (await home.run(["node", "raw.mjs", said], ["--task", task()])).stdout;
}

const command = (...words: readonly string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

async function waiting(): Promise<ApprovalInfo> {
  return eventually("something waits", 60_000, async () => (await home.approvals())[0]);
}

test("redis-cli works within the grant without a password, and is told what is beside it", async () => {
  const { stdout, stderr } = await cli([
    "SET app:1 hello",
    "GET app:1",
    "GET secrets",
    "SELECT 1",
    "SET app:one 1",
    "SELECT 2",
    "CONFIG GET requirepass",
    "EVAL \"return redis.call('get', 'secrets')\" 1 app:1",
    "DEBUG SEGFAULT",
    "PING",
  ]);
  assert.match(stdout, /^OK\nhello\nNOPERM Cofferdam: This is not granted/, stderr);
  assert.match(stdout, /PONG\n$/);
  assert.match(stdout, /database 2 is not among those granted/);
  assert.match(stdout, /DEBUG is never passed on/);
  assert.equal(stdout.match(/^NOPERM/gm)?.length, 5, stdout);
  assert.ok(!stdout.includes("s3cr3t") && !stdout.includes(REDIS_PASSWORD));
  assert.equal(server.ask("-n", "1", "GET", "app:one"), "1");
  assert.equal(server.ask("GET", "secrets"), "s3cr3t");
});

test("INV-110: a denied command has its answer in its place, and those around it have theirs", async () => {
  server.ask("SET", "app:1", "hello");
  const got = await raw(
    [
      command("AUTH", "root", "whatever"),
      command("GET", "app:1"),
      command("GET", "secrets"),
      command("STRLEN", "app:1"),
      command("FLUSHALL"),
      command("ECHO", "end"),
    ].join(""),
  );
  assert.match(
    got,
    /^\+OK\r\n\$5\r\nhello\r\n-NOPERM [^\r]*secrets[^\r]*\r\n:5\r\n-NOPERM [^\r]*\r\n\$3\r\nend\r\n$/,
  );
});

test("bytes that are no commands never reach the server, and end the connection", async () => {
  for (const bytes of [
    "FLUSHALL\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    `${command("PING")}*1\r\n$8\r\nFLUSHALLxx`,
  ]) {
    const got = await raw(bytes);
    assert.match(got, /^(\+PONG\r\n)?-ERR Protocol error: Cofferdam: [^\r]*\r\n$/, bytes);
  }
  assert.equal(server.ask("GET", "secrets"), "s3cr3t");
});

test("a transaction is judged as a whole: nothing of one that is refused is done", async () => {
  const { stdout } = await cli([
    "WATCH app:2",
    "MULTI",
    "SET app:2 x",
    "INCR app:n",
    "EXEC",
    "MULTI",
    "SET app:2 y",
    "SET secrets y",
    "EXEC",
    "GET app:2",
    "MULTI",
    "SELECT 1",
    "EXEC",
    "MULTI",
    "GET app:2",
    "DISCARD",
    "EXEC",
  ]);
  assert.match(stdout, /OK\nOK\nQUEUED\nQUEUED\nOK\n1\nOK\nQUEUED\nQUEUED\nNOPERM/);
  assert.match(stdout, /NOPERM[^\n]*\n\nx\n/, "the first of both was not done");
  assert.match(stdout, /not allowed in a transaction[^]*EXECABORT/);
  assert.match(stdout, /OK\nQUEUED\nOK\nERR EXEC without MULTI\s*$/);
  assert.equal(server.ask("GET", "secrets"), "s3cr3t");
});

test("WATCH works: a transaction does nothing where somebody else came before it", async () => {
  const script = `
import { createClient } from "@redis/client";
const client = await createClient({ url: "redis://cache.test" }).connect();
const other = await createClient({ url: "redis://cache.test" }).connect();
await client.watch("app:w");
await other.set("app:w", "other");
console.log(await client.multi().set("app:w", "mine").exec().catch((e) => e.constructor.name));
console.log(await client.get("app:w"));
client.destroy(); other.destroy();
`;
  home.write("watch.mjs", script);
  const { stdout, stderr } = await home.run(["node", "watch.mjs"], ["--task", task()]);
  assert.equal(stdout, "WatchError\nother\n", stderr);
});

test("what deletes waits for a person, is done once on a connection of its own, and its answer comes back", async () => {
  server.ask("MSET", "app:d1", "x", "app:d2", "y");
  const run = cli(["MULTI", "GET app:d1", "DEL app:d1 app:d2", "EXEC", "GET app:1"]);
  const one = await waiting();
  assert.equal(server.ask("EXISTS", "app:d1", "app:d2"), "2", "nothing of it was done");
  const shown = await home.call(["approvals", "show", one.id]);
  for (const text of ["DELETES", "app:d1", "app:d2"])
    assert.ok(shown.stdout.includes(text), shown.stdout);
  const code = await home.codeOf(one.id);
  const approved = await home.call(["approvals", "approve", one.id, "--code", code]);
  assert.equal(approved.code, 0, approved.stderr);
  assert.match((await run).stdout, /QUEUED\nQUEUED\nx\n2\nhello\n/);
  assert.equal(server.ask("EXISTS", "app:d1", "app:d2"), "0");
});

test("what a person denies is not done, and what belongs to the connection cannot wait", async () => {
  server.ask("SET", "app:d3", "x");
  const run = cli(["DEL app:d3", "WATCH app:1", "MULTI", "DEL app:d3", "EXEC"]);
  const one = await waiting();
  await home.call(["approvals", "deny", one.id]);
  const { stdout } = await run;
  assert.match(stdout, /^NOPERM Cofferdam: A person did not allow this/);
  assert.match(stdout, /redis\.watch/);
  assert.equal(server.ask("GET", "app:d3"), "x");
});

test("long values are stored with what waits, and are what is written", async () => {
  const value = "v".repeat(100_000);
  const script = `
import { createClient } from "@redis/client";
const client = await createClient({ url: "redis://cache.test" }).connect();
await client.set("app:long", "${"w".repeat(100_000)}");
console.log((await client.get("app:long")).length);
const done = await client.multi().set("app:long", "v".repeat(100000)).del("app:gone").exec();
console.log(JSON.stringify(done));
client.destroy();
`;
  home.write("long.mjs", script);
  const run = home.run(["node", "long.mjs"], ["--task", task()]);
  const one = await waiting();
  await home.call(["approvals", "approve", one.id, "--code", await home.codeOf(one.id)]);
  const { stdout, stderr } = await run;
  assert.equal(stdout, '100000\n["OK",0]\n', stderr);
  assert.equal(server.ask("GET", "app:long"), value);
});

test("channels work in both protocols, messages among answers, and only those that are granted", async () => {
  const script = `
import { createClient } from "@redis/client";
for (const RESP of [2, 3]) {
  const client = await createClient({ url: "redis://user:anything@cache.test", RESP }).connect();
  const listener = await client.duplicate().connect();
  const got = [];
  const came = new Promise((resolve) => {
    void listener.subscribe("app:news", (text) => { got.push(text); if (got.length === 3) resolve(); });
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  if (RESP === 2) console.log("ready");
  await came;
  console.log(RESP, got.slice(0, 3).join(), (await client.ping())); // A fourth may have come by now.
  console.log(await listener.pSubscribe("*", () => {}).catch((e) => e.message.slice(0, 6)));
  if (RESP === 3) console.log(String(await listener.get("app:1")));
  await listener.unsubscribe("app:news");
  console.log(String(await listener.get("app:1")));
  client.destroy(); listener.destroy();
}
`;
  server.ask("SET", "app:1", "hello");
  home.write("channels.mjs", script);
  const run = home.run(["node", "channels.mjs"], ["--task", task()]);
  let told = 0;
  const telling = setInterval(() => {
    server.ask("PUBLISH", "app:news", `n${told}`);
    told += 1;
  }, 100);
  const { stdout, stderr } = await run.finally(() => clearInterval(telling));
  assert.match(
    stdout,
    /^ready\n2 n\d+,n\d+,n\d+ PONG\nNOPERM\nhello\n3 n\d+,n\d+,n\d+ PONG\nNOPERM\nhello\nhello\n$/,
    stderr,
  );
});

test("INV-134: a subscription ends with the rule that allowed it, and what is granted goes on", async () => {
  const source = sourceOf();
  const news = `      - verbs: ["*"]\n        on: [news]\n`;
  const clients = { a: "redis-cli -h cache.test", b: "redis-cli -h cache.test" };
  const run = await LivingRun.start(home, source + news + UNRELATED, clients);
  run.say("a", "SUBSCRIBE news");
  run.say("b", "SUBSCRIBE app:news");
  await run.hears(/a: 1/, /b: 1/);
  await run.narrow(source + news);
  server.ask("PUBLISH", "news", "first");
  await run.hears(/a: first/);
  await run.narrow(source);
  await run.hears(/a: .*NOPERM Cofferdam: what this connection did is not granted any more/);
  server.ask("PUBLISH", "news", "second");
  server.ask("PUBLISH", "app:news", "third");
  await run.hears(/b: third/);
  const rest = await run.end();
  assert.doesNotMatch(rest, /second/);
});

test("HELLO and RESET keep the login, whatever they say", async () => {
  const got = await raw(
    [
      command("HELLO", "3", "AUTH", "nobody", "wrong", "SETNAME", "me"),
      command("SELECT", "1"),
      command("RESET"),
      command("GET", "app:1"),
      command("CLIENT", "GETNAME"),
      command("HELLO", "4"),
      command("HELLO", "2", "FLUSHALL"),
    ].join(""),
  );
  assert.match(
    got,
    /^%7\r\n[^]*\+OK\r\n\+RESET\r\n\$5\r\nhello\r\n\$2\r\nme\r\n-NOPROTO[^\r]*\r\n-ERR/,
  );
});

test("a wrong credential in the vault is told as such, and not shown", async () => {
  const place = ["--host", "cache.test", "--scheme", "redis", "--port", "6379"];
  await home.call(
    ["credential", "add", "wrong", "--kind", "login", "--user", "default", ...place, "--stdin"],
    { input: "not-the-password-0123" },
  );
  const { stdout } = await home.run(
    ["redis-cli", "-h", "cache.test", "PING"],
    ["--task", task("credential: wrong")],
  );
  assert.match(stdout, /did not take the credential/); // Fault redis.login
  assert.ok(!stdout.includes("not-the-password"));
});

test("nothing of the password is in the record, and what repeats is counted there", async () => {
  await cli(Array.from({ length: 50 }, () => "GET app:1"));
  const entries = await home.log();
  assert.ok(!JSON.stringify(entries).includes(REDIS_PASSWORD));
  const repeated = entries.filter(({ type }) => type === "repeat");
  const sum = repeated.reduce((total, { data }) => total + Number(data?.["count"]), 0);
  assert.ok(sum >= 49, `${sum}`);
});

test("INV-243: reads that repeat are refused as soon as the budget of their lineage is used up", async () => {
  const rules = join(home.state, "lineages.yaml");
  writeFileSync(
    rules,
    "lineages:\n  - lineage: job:readers\n    budget: { requests: 30 }\nshared: []\n",
  );
  const get = async (job: string) => {
    const input = "GET app:1\n".repeat(100);
    const args = ["--task", task(), "--job", job];
    const { stdout } = await home.run(["redis-cli", "-h", "cache.test"], args, { input });
    return (stdout.match(/^NOPERM/gm) ?? []).length;
  };
  const refused = await get("readers");
  assert.ok(refused >= 70 && refused < 90, `${refused} of 100 were refused`);
  assert.equal(await get("others"), 0);
  rmSync(rules);
});

test("TLS on both sides: the server proves its name, and so does what stands in its place", async () => {
  const script = `
import { createClient } from "@redis/client";
const client = await createClient({ url: "rediss://cache.test:6379" }).connect();
await client.set("app:tls", "yes");
console.log(await client.get("app:tls"));
client.destroy();
`;
  home.write("tls.mjs", script);
  const file = task("credential: cache", true);
  const { stdout, stderr } = await home.run(["node", "tls.mjs"], ["--task", file]);
  assert.equal(stdout, "yes\n", stderr);
  writeFileSync(
    join(home.root, "ca.pem"),
    execFileSync("cat", ["/etc/ssl/certs/ca-certificates.crt"]),
  );
  const stranger = await home.run(["node", "tls.mjs"], ["--task", file]);
  assert.notEqual(stranger.code, 0);
  assert.match(stranger.stderr, /certificate|closed/i);
});
