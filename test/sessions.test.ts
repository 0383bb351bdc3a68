/**
 * What holds for every protocol that is no web service, shown with the smallest, Redis.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UNKNOWN_PROCESS } from "../src/action/index.ts";
import { actionOfOperation } from "../src/gateway/index.ts";
import { compilePolicy, parseTaskFile } from "../src/policy/index.ts";
import { allProtocols } from "../src/protocols/index.ts";
import { taskSystems } from "../src/systems/index.ts";
import { eventually, TestHome } from "./support/home.ts";
import { REDIS_PASSWORD, startRedis, type RedisServer } from "./support/redis-server.ts";

const home = new TestHome();
let server: RedisServer;

before(async () => {
  server = await startRedis();
  for (const host of ["cache.test", "elsewhere.test"]) {
    const name = host.split(".")[0] ?? "";
    const how = ["--kind", "login", "--user", "default", "--scheme", "redis", "--host", host];
    const added = await home.call(["credential", "add", name, ...how, "--stdin"], {
      input: REDIS_PASSWORD,
    });
    assert.equal(added.code, 0, added.stderr);
  }
});
after(async () => {
  await home.close();
  await server.close();
});

function task(credential = "cache", allow = `- { verbs: ["*"], on: ["app:*"] }`): string {
  const file = join(home.root, "task.yaml");
  const text = `task: cache-work
purpose: Keep the cache.
approvals: { hold: 30s }
grants:
  - system: redis
    name: cache
    hosts: [cache.test]
    tls: false
    dial: 127.0.0.1:${server.port}
    credential: ${credential}
    allow:
      ${allow}
`;
  writeFileSync(file, text);
  return file;
}

const cli = (...words: readonly string[]) => ["redis-cli", "-h", "cache.test", ...words];

test("grant-template prints a grant of each protocol that a task file takes", async () => {
  for (const [system, { example }] of allProtocols()) {
    const { code, stdout, stderr } = await home.call(["grant-template", system]);
    assert.equal(code, 0, stderr);
    // What a person has to put in.
    const key = /ssh-ed25519 AAAA[^"]*/;
    const filled = stdout.replace(key, JSON.stringify(example["host_key"] ?? "").slice(1, -1));
    const source = `task: t\npurpose: p\ngrants:\n${filled}`;
    const parsed = parseTaskFile(source, system, Date.now(), taskSystems());
    assert.equal(parsed.grants[0]?.system, system);
  }
  const none = await home.call(["grant-template", "wordpress"]);
  assert.match(none.stderr, /cli.system|no template/);
});

test("fault gateway.denied: with a credential of another place nobody connects, and the agent is told", async () => {
  const before = server.ask("INFO", "stats");
  const { stdout, stderr } = await home.run(cli("GET", "app:1"), ["--task", task("elsewhere")]);
  assert.match(stdout + stderr, /Cofferdam: .*credential/);
  const count = (text: string) => /total_connections_received:(\d+)/.exec(text)?.[1];
  const after = server.ask("INFO", "stats");
  assert.equal(Number(count(after)) - Number(count(before)), 1, "only ours");
});

test("fault daemon.no_edit: an operation that waits is decided over as it is, and not edited", async () => {
  server.ask("SET", "app:1", "x");
  const run = home.run(cli("DEL", "app:1"), ["--task", task()]);
  const { id } = await eventually("it waits", 30_000, async () => (await home.approvals())[0]);
  const EDITOR = join(home.root, "editor");
  writeFileSync(EDITOR, '#!/bin/sh\necho "DEL app:2" >"$1"\n', { mode: 0o755 });
  const env = { EDITOR, VISUAL: EDITOR };
  const edited = await home.call(["approvals", "edit", id], { env });
  assert.notEqual(edited.code, 0);
  assert.equal(server.ask("EXISTS", "app:1"), "1");
  await home.call(["approvals", "deny", id, "--reason", "keep it"]);
  assert.match((await run).stdout, /keep it/);
  assert.equal(server.ask("EXISTS", "app:1"), "1");
});

test("a grant that is taken back ends its sessions at once", async () => {
  const script =
    "redis-cli -h cache.test GET app:1; (while :; do echo GET app:1; sleep 0.2; done) | redis-cli -h cache.test; echo over";
  const run = home.run(["sh", "-c", script], ["--task", task()]);
  const id = await eventually("it runs", 30_000, async () => {
    const log = await home.log();
    return log.findLast(({ type, data }) => type === "action" && data?.["verb"] === "get")?.run;
  });
  const revoked = await home.call(["revoke", id, "cache"]);
  assert.equal(revoked.code, 0, revoked.stderr);
  await eventually("its flow is cut", 10_000, async () =>
    (await home.log()).some(
      ({ type, run: of, data }) =>
        type === "flow.close" && of === id && /no longer granted/.test(JSON.stringify(data)),
    ),
  );
  await home.call(["kill", id]);
  await run;
});

test("fault gateway.protocol: nobody describes what no protocol is there for", () => {
  const [grant] = compilePolicy(
    parseTaskFile(
      "task: t\npurpose: p\ngrants: [{ system: redis, name: r, hosts: [r.test], allow: [{ verbs: ['*'] }] }]",
      "t",
      Date.now(),
      taskSystems(),
    ),
  ).grants;
  assert.ok(grant !== undefined);
  const at = { wallMs: 0, monoMs: 0 };
  const held = { host: "r.test", port: 6379, operation: null, facts: {} };
  const context = { run: "r", at, grant: { ...grant, system: "gopher" }, cause: UNKNOWN_PROCESS };
  assert.throws(() => actionOfOperation(held, context), { code: "gateway.protocol" });
});
