/** A real WordPress makes an application password for one run, which is gone when the run is. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, test } from "node:test";
import { eventually, TestHome } from "../support/home.ts";
import { startWordPress, type WordPress } from "./kit.ts";

const home = new TestHome();
let site: WordPress;
let task: string;

before(async () => {
  site = await startWordPress();
  const { user, applicationPassword } = site.editor;
  const place = ["--host", "blog.test", "--scheme", "http", "--port", "80"];
  const added = await home.call(
    ["credential", "add", "blog", "--kind", "basic", "--user", user, ...place, "--stdin"],
    { input: applicationPassword },
  );
  assert.equal(added.code, 0, added.stderr);
  task = join(home.root, "task.yaml");
  writeFileSync(
    task,
    `task: draft
purpose: Draft.
grants:
  - system: wordpress
    name: blog
    hosts: [blog.test]
    ports: [80]
    dial: 127.0.0.1:${site.port}
    credential: blog
    mint: true
    allow: [{ verbs: ["*"], doing: [read, read-private, write] }]
`,
  );
});
after(async () => {
  await home.close();
  await site.close();
});

const AS = "application-passwords";
interface Made {
  readonly name: string;
  readonly last_used: string | null;
}

/** The editor's application passwords, as the site lists them. */
async function passwords(): Promise<readonly Made[]> {
  const { text } = await site.ask(`/wp-json/wp/v2/users/me/${AS}`, { as: site.editor });
  return JSON.parse(text) as Made[];
}

const DRAFT = `curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/json' -d '{"title":"A","status":"draft"}' http://blog.test/wp-json/wp/v2/posts`;

test("INV-73: a run's requests are sent with a password that was made for it, and is revoked when it ends", async () => {
  const before = await passwords();
  const run = home.run(
    ["sh", "-c", `${DRAFT}; until test -e go; do sleep 0.1; done`],
    ["--task", task],
  );
  const made = await eventually("it is used", 60_000, async () =>
    (await passwords()).find(
      ({ name, last_used }) => name.startsWith("cofferdam-r-") && last_used !== null,
    ),
  );
  const id = made.name.slice("cofferdam-".length);
  const stopped = await home.call(["kill", id]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal((await run).stdout, "201");
  await eventually("it is gone", 30_000, async () =>
    (await passwords()).length === before.length ? true : undefined,
  );
  const own = (await home.log()).filter(
    ({ rule, type, data, run: of }) =>
      of === id &&
      (rule === "cofferdam.mint" || (type === "outcome" && data?.["mint"] !== undefined)),
  );
  assert.deepEqual(
    own.map(({ type, data }) => data?.["mint"] ?? type),
    ["action", "minted", "action", "revoked"],
  );
  assert.deepEqual(
    [...new Set(own.flatMap(({ data }) => (data?.["effects"] as string[] | undefined) ?? []))],
    ["administer"],
  );
});

test("INV-73: what a killed daemon left is revoked by the next", async () => {
  const before = await passwords();
  const run = home.run(["sh", "-c", `${DRAFT}; sleep 60`], ["--task", task]);
  await eventually("it is used", 60_000, async () =>
    (await passwords()).find(
      ({ name, last_used }) => name.startsWith("cofferdam-r-") && last_used !== null,
    ),
  );
  process.kill(home.daemonPid() ?? 0, "SIGKILL");
  await run;
  await pause(200);
  assert.equal((await passwords()).length, before.length + 1);
  assert.equal((await home.call(["ps"])).code, 0, "another daemon starts");
  await eventually("it is gone", 30_000, async () =>
    (await passwords()).length === before.length ? true : undefined,
  );
});

test("fault daemon.mint: where the system makes none the run does not start, and it is said why", async () => {
  const rotated = await home.call(["credential", "rotate", "blog", "--stdin"], {
    input: "wrong wrong wrong",
  });
  assert.equal(rotated.code, 0, rotated.stderr);
  const refused = await home.run(["true"], ["--task", task]);
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /blog made no credential: it answered 401/);
});
