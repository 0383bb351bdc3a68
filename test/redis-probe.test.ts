/** The probe of Redis against a real one: what three logins may do there, and whether that reaches the server's files. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { allowedVerbs, parseAcl } from "../src/probe/redis/acl.ts";
import { parseReply, RedisError } from "../src/probe/redis/reply.ts";
import { TestHome } from "./support/home.ts";
import { REDIS_PASSWORD, startRedis, type RedisServer } from "./support/redis-server.ts";

const home = new TestHome();
let open: RedisServer;
let closed: RedisServer;
let task = "";
const PASSWORD = "4gent-Secret-0123456789";

before(async () => {
  [open, closed] = await Promise.all([
    startRedis(["--enable-protected-configs", "yes", "--enable-module-command", "yes"]),
    startRedis(),
  ]);
  for (const one of [open, closed]) {
    one.ask("SET", "app:1", "x");
    one.ask("SET", "other", "y");
    one.ask(
      "ACL",
      "SETUSER",
      "agent",
      "on",
      `>${PASSWORD}`,
      "~app:*",
      "+@read",
      "-keys",
      "+config|get",
      "+acl|list",
      "+acl|whoami",
      "+acl|cat",
      "+dbsize",
      "+select",
    );
    one.ask("ACL", "SETUSER", "mute", "on", `>${PASSWORD}`, "~*", "+get", "+acl|whoami", "+select");
  }
  const grants: string[] = [];
  for (const [name, user, password, server] of [
    ["owner", "default", REDIS_PASSWORD, open],
    ["safe", "default", REDIS_PASSWORD, closed],
    ["agent", "agent", PASSWORD, open],
    ["mute", "mute", PASSWORD, closed],
  ] as const) {
    const how = ["--kind", "login", "--user", user, "--scheme", "redis", "--host", `${name}.test`];
    const added = await home.call(["credential", "add", name, ...how, "--stdin"], {
      input: password,
    });
    assert.equal(added.code, 0, added.stderr);
    grants.push(`
  - { system: redis, name: ${name}, hosts: [${name}.test], tls: false, dial: "127.0.0.1:${server.port}", credential: ${name},
      allow: [{ verbs: [get, config.set], on: ["app:*"] }, { verbs: ["*"], on: ["*"] }] }`);
  }
  task = join(home.root, "task.yaml");
  writeFileSync(task, `task: cache\npurpose: look after a cache\ngrants:${grants.join("")}\n`);
  const { code, stderr } = await home.call(["probe", task]);
  assert.equal(code, 0, stderr);
});
after(async () => {
  await home.close();
  await Promise.all([open.close(), closed.close()]);
});

function factsOf(name: string): readonly string[] {
  const folder = join(home.state, "facts");
  const file = readdirSync(folder).find((one) => one.includes(`_${name}@`)) ?? "";
  return readFileSync(join(folder, file), "utf8")
    .split("\n")
    .filter((line) => /^[a-z_]+\(/.test(line));
}

const has = (name: string, fact: RegExp) => factsOf(name).some((line) => fact.test(line));

test("who may do all may do it, and how much there is was told", () => {
  assert.ok(has("owner", /^user_of\("redis:owner@owner\.test:6379", default\)/));
  assert.ok(has("owner", /^can\(\S+ "config\.set", "127\.0\.0\.1:\d+"\) @from/));
  assert.ok(has("owner", /^rows\("127\.0\.0\.1:\d+", 2\) @from/));
  assert.ok(has("owner", /^named\("127\.0\.0\.1:\d+ app:x", "app:x"\)/));
});

test("files and modules are reached where the server's settings let them, and not else", () => {
  for (const verb of ["config.set", "module.load"]) {
    assert.ok(has("owner", new RegExp(`^runs_code_as\\(\\S+ "${verb}"\\) @from`)), verb);
    assert.ok(!has("safe", /^runs_code_as/), "twin: Redis 7 as it comes");
  }
});

test("walked: such a server writes a file of whoever asks, and its twin does not", () => {
  assert.equal(open.ask("CONFIG", "SET", "dbfilename", "planted"), "OK");
  assert.match(closed.ask("CONFIG", "SET", "dbfilename", "planted"), /protected config/);
});

test("rules that leave commands out are read: categories, single commands, keys", () => {
  assert.ok(has("agent", /^can\(\S+ get, "127\.0\.0\.1:\d+ app:x"\) @from/));
  for (const verb of ["set", "keys", "config\\.set", "flushall"]) {
    assert.ok(!has("agent", new RegExp(`^can\\(\\S+ "?${verb}"?,`)), verb);
  }
  assert.ok(!has("agent", /^runs_code_as/));
});

test("what was not told counts at its worst, and is said to be assumed", () => {
  assert.ok(has("mute", /^can\(\S+ "config\.set", \S+\) @assumed/));
  assert.ok(has("mute", /^rows\(\S+, unbounded\) @assumed/));
  assert.ok(has("mute", /^runs_code_as\(\S+ "config\.set"\) @assumed/));
  assert.ok(!factsOf("mute").some((line) => line.startsWith("can(") && !line.includes("@assumed")));
});

test("no hash of a password is in what was written", async () => {
  const written = JSON.stringify(await home.log()) + ["owner", "agent"].flatMap(factsOf).join("\n");
  assert.doesNotMatch(written, /#[0-9a-f]{64}/);
  assert.ok(!written.includes(PASSWORD));
});

const ACLS: readonly (readonly [
  why: string,
  line: string,
  allowed: readonly string[] | undefined,
])[] = [
  ["everything", "user a on nopass ~* &* +@all", ["get", "set", "config.get", "config.set"]],
  ["later words count", "user a on ~* +@all -set +set -get", ["set", "config.get", "config.set"]],
  ["one of a family", "user a on ~* -@all +config|get", ["config.get"]],
  ["a family", "user a on ~* -@all +config", ["config.get", "config.set"]],
  ["a category that is known", "user a on ~* -@all +@read", ["get"]],
  [
    "one that is not known, added, is all",
    "user a on ~* -@all +@json",
    ["get", "set", "config.get", "config.set"],
  ],
  [
    "one that is not known, taken away, is none",
    "user a on ~* +@all -@json",
    ["get", "set", "config.get", "config.set"],
  ],
  ["selectors are not understood", "user a on ~x -@all (~y +@all)", undefined],
  ["another user is not this one", "user ab on ~* +@all", undefined],
  ["two lines of one user", "user a on ~* +@all", undefined],
];
for (const [why, line, allowed] of ACLS) {
  test(`ACL: ${why}`, () => {
    const rules = parseAcl(why.startsWith("two") ? [line, line] : [line], "a");
    const verbs = ["get", "set", "config.get", "config.set"];
    const members = new Map([["read", new Set(["get"])]]);
    const found = rules && allowedVerbs(rules, verbs, members);
    assert.deepEqual(found && verbs.filter((one) => found.includes(one)), allowed);
  });
}

for (const [bytes, value] of [
  ["+OK\r\n", "OK"],
  ["-NOPERM x\r\n", new RedisError("NOPERM x")],
  [":7\r\n", 7],
  ["$3\r\na\r\n\r\n", "a\r\n"],
  ["$3\r\na\r\n", undefined],
  ["$-1\r\n", null],
  ["*2\r\n$1\r\na\r\n:1\r\n", ["a", 1]],
  ["*2\r\n:1\r\n", undefined],
  ["+OK\r\n+OK\r\n", undefined],
  ["*1\r\n".repeat(20), undefined],
  ["*999999999999999\r\n", undefined],
  ["$-5\r\n", undefined],
] as const) {
  test(`a reply: ${JSON.stringify(bytes.slice(0, 30))}`, () => {
    assert.deepEqual(parseReply(Buffer.from(bytes)), value);
  });
}

test("any bytes are read without an error", () => {
  const piece = fc.constantFrom("+", "-", ":", "$", "*", "1", "2", "-1", "\r\n", "a", "999999");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => void parseReply(Buffer.from(pieces.join("")))),
  );
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (lines, user) => void parseAcl(lines, user)),
  );
});
