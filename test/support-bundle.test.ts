/** `cofferdam support-bundle`: secrets are planted wherever one could come in, and looked for in what would be sent. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
const ODD = "quartz.heron.lantern.57"; // Of no form that a secret is known by.
const PASSED = "passing-marble-otter-91"; // In a variable, and never in the vault.
const OWN = "environs-cobalt-thimble-13"; // In the environment of who makes the bundle.
const SHAPED = "ghp_0123456789abcdefghij0123456789abcdefgh";
const env = { PASSED_TOKEN: PASSED, MY_SERVICE_TOKEN: OWN };
/** What stands for secrets in the run, as its agent has it. */
let placeholders: readonly string[] = [];
let key = "";

before(async () => {
  const added = await home.call(
    ["credential", "add", "odd", "--host", "api.example.com", "--stdin"],
    { input: `${ODD}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
  home.write(
    "task.yaml",
    `task: tulip-project
purpose: ask at the inner office, with ${SHAPED}
environment: [NOTE]
grants:
  - { system: http, name: inner, hosts: [api.example.com], credential: odd, variable: ODD_KEY, allow: [{ methods: [GET], paths: [/**] }] }
  - { system: openai, name: outer, credential: $PASSED_TOKEN, allow: [{ verbs: ['*'] }] }
`,
  );
  const script = "echo $ODD_KEY $PASSED_TOKEN > /tmp/seen; cat /tmp/seen; exec sleep 600";
  const args = [
    "run",
    "--detach",
    "--task",
    "task.yaml",
    "--",
    "/bin/sh",
    "-c",
    script,
    ODD,
    PASSED,
  ];
  const ran = await home.call(args, { env: { ...env, NOTE: ODD } });
  assert.equal(ran.code, 0, ran.stderr);
  const seen = await home.call(
    ["run", "--task", "task.yaml", "--", "/bin/sh", "-c", "echo $ODD_KEY $PASSED_TOKEN"],
    { env },
  );
  placeholders = seen.stdout.trim().split(" ");
  assert.equal(placeholders.length, 2, seen.stderr);
  key =
    readFileSync(join(home.state, "keys", "vault.key"), "utf8")
      .trim()
      .split("\n")
      .at(-1) ?? "";
  assert.ok(key.length > 20);
  const planted = [ODD, PASSED, OWN, SHAPED, key, ...placeholders.slice(0, 1)];
  const b64 = (text: string) => Buffer.from(`user:${text}`).toString("base64");
  appendFileSync(
    join(home.state, "daemon.log"),
    planted
      .flatMap((text) => [
        JSON.stringify({
          at: "x",
          level: "warn",
          event: "http.failed",
          error: `at /tulip/${text}: "${text}"`,
          run: text,
        }),
        JSON.stringify({ event: b64(text), code: encodeURIComponent(text), pid: 1 }),
        `Error: job:begonia-nightly is paused; begonia.com does not answer`,
        `Error: it was ${text} (${Buffer.from(text).toString("hex")})`,
      ])
      .join("\n") + "\n",
  );
});
after(() => home.close());

let bundles = 0;
async function bundle(args: readonly string[] = []) {
  const file = join(home.root, `bundle-${(bundles += 1)}.tar.gz`);
  const made = await home.call(["support-bundle", "--out", file, ...args], { env });
  const text = existsSync(file)
    ? spawnSync("tar", ["xzOf", file], { encoding: "latin1", maxBuffer: 1 << 26 }).stdout
    : "";
  return { ...made, file, text };
}

function assertClean(text: string): void {
  assert.ok(text.length > 1000);
  // In another spelling nobody can know what only its form tells.
  assert.ok(!text.includes(SHAPED));
  for (const one of [ODD, PASSED, OWN, key, ...placeholders.slice(0, 1)]) {
    const bytes = Buffer.from(one);
    const spelled = [
      one,
      encodeURIComponent(one),
      bytes.toString("hex"),
      bytes.toString("base64").slice(0, -4),
    ];
    for (const spelling of spelled) assert.ok(!text.includes(spelling), `it holds ${spelling}`);
  }
}

test("INV-237 INV-254 support.cover, fault support.out: neither secrets nor words of tasks; all parts are named; no file is written over", async () => {
  const { code, stdout, stderr, text, file } = await bundle();
  assert.equal(code, 0, stderr);
  assertClean(text);
  for (const word of ["tulip", "begonia", "inner", "example.com", "office", "sleep 600"]) {
    assert.ok(!text.includes(word), `it says ${word}`);
  }
  for (const part of [
    "version.json",
    "doctor.json",
    "runs.json",
    "tasks.json",
    "ledger.json",
    "metrics.prom",
    "daemon.log",
  ]) {
    assert.match(stdout, new RegExp(` ${part.replace(".", "\\.")}$`, "m"));
  }
  assert.match(text, /^cofferdam_up 1$/m);
  assert.match(text, /"ok":\s*true/, "the record was verified");
  assert.match(
    text,
    /"methods": \[\s*"GET"/,
    "the language of a task file is told, and its words are not",
  );
  assert.match(text, /http\.failed/, "so is what went wrong");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const again = await home.call(["support-bundle", "--out", file], { env });
  assert.equal(again.code, 125);
  assert.match(again.stderr, /cannot write/);
});

test("INV-237: with tasks come their words, and no secret", async () => {
  const { code, stderr, text } = await bundle(["--with-tasks"]);
  assert.equal(code, 0, stderr);
  assertClean(text);
  assert.match(text, /task: tulip-project/);
});

test("INV-237: without a daemon the vault is opened for it", async () => {
  assert.equal((await home.call(["stop", "--force"])).code, 0);
  const { code, stderr, text } = await bundle();
  assert.equal(code, 0, stderr);
  // What was only lent went with the run: nobody knows it any more, here but who makes the bundle.
  assertClean(text);
  assert.match(text, /^cofferdam_up 0$/m);
  assert.equal((await home.ask("daemon.status", {})).runs, 0, "it held no lock");
});

test("INV-237 fault support.vault: where the vault is locked nothing is written, with a daemon and without", async () => {
  await home.ask("credential.protect", { passphrase: "a long enough passphrase" });
  assert.equal((await home.call(["stop", "--force"])).code, 0);
  const without = await bundle();
  assert.equal(without.code, 125);
  assert.match(without.stderr, /the vault does not open/);
  assert.equal((await home.call(["ps"])).code, 0);
  const locked = await bundle();
  assert.equal(locked.code, 125, locked.stdout);
  assert.match(locked.stderr, /passphrase/);
  assert.ok(!existsSync(without.file) && !existsSync(locked.file));
});
