/**
 * Secrets that a person has in variables, and logins that were imported: used by a run's requests, and never in its
 * hands.
 */
import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startModelServer, type ModelServer } from "../drills/model/index.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";

const KEY = "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWx0123456789-_AbCdEfGh";
const ACCESS = "sk-ant-oat01-AbCdEf0123456789AbCdEf0123456789";
const REFRESH = "sk-ant-ort01-ZyXwVu9876543210ZyXwVu9876543210";
const home = new TestHome();
let model: ModelServer;

before(async () => {
  model = await startModelServer({ script: [], hosts: ["api.anthropic.com"] });
  writeFileSync(join(home.root, "model.pem"), model.ca);
});
after(async () => {
  await home.close();
  await model.close();
});

function task(credential: string, more = "", name = "task"): string {
  const file = join(home.root, `${name}.yaml`);
  writeFileSync(
    file,
    `task: asking
purpose: Ask the model.
approvals: { hold: 1s }
${more}
grants:
  - system: anthropic
    name: anthropic
    credential: ${credential}
    dial: 127.0.0.1:${model.port}
    ca: ./model.pem
    allow: [{ verbs: ["*"] }]
`,
  );
  return file;
}

const BODY = '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}';
const ask = (header: string, body = BODY) =>
  `curl -s -S -o /tmp/answer -w '%{http_code}\\n' -H ${header} -H 'content-type: application/json' -d '${body}' https://api.anthropic.com/v1/messages`;

const sh = (script: string, file: string, env: Record<string, string> = {}): Promise<Result> =>
  home.run(["sh", "-c", script], ["--task", file], { env });

const lastKey = () => model.asked.at(-1)?.authorization;
const BY_KEY = `"x-api-key: $ANTHROPIC_API_KEY"`;

test("INV-64: a variable's secret goes with the request, and the run holds a placeholder of its form", async () => {
  const file = task("$ANTHROPIC_API_KEY");
  const script = `echo "$ANTHROPIC_API_KEY"; ${ask(BY_KEY)}; cat /proc/self/environ | tr '\\0' '\\n'; cat /tmp/answer`;
  const { code, stdout, stderr } = await sh(script, file, { ANTHROPIC_API_KEY: KEY });
  assert.equal(code, 0, stderr);
  assert.equal(lastKey(), KEY);
  const [held = ""] = stdout.split("\n");
  assert.match(held, /^sk-ant-api03-[\w-]{40,}$/);
  assert.equal(held.length, KEY.length);
  assert.ok(!stdout.includes(KEY) && !stderr.includes(KEY));
  const log = await home.call(["log", "--json"]);
  assert.ok(!log.stdout.includes(KEY), "nor is it on record");
  assert.ok(!kept(home.state).some((text) => text.includes(KEY)), "nor kept anywhere");
  const checked = await home.call(["check", file]);
  assert.match(
    checked.stdout,
    /what your variable ANTHROPIC_API_KEY holds, which the run never holds/,
  );
});

/** All that lies in files below `folder`. */
function kept(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name), "latin1")] : [],
  );
}

test("INV-64: the placeholder of another run, or in another place, is not what the key replaces", async () => {
  const count = model.asked.length;
  const body = BODY.replace("hi", "$ANTHROPIC_API_KEY");
  const script = `curl -s -o /dev/null -w '%{http_code}' -H ${BY_KEY} -H 'content-type: application/json' -d "${body.replaceAll('"', '\\"')}" https://api.anthropic.com/v1/messages`;
  const { stdout } = await sh(script, task("$ANTHROPIC_API_KEY"), { ANTHROPIC_API_KEY: KEY });
  assert.equal(stdout, "403", "it stands in the body, where it does not belong");
  assert.equal(model.asked.length, count);
});

test("where there is none the requests go without, and the run's variable is empty", async () => {
  const { stdout } = await sh(
    `echo "<$ANTHROPIC_API_KEY>"; ${ask("'x-api-key: mine'")}`,
    task("[$ANTHROPIC_API_KEY, claude]"),
  );
  assert.match(stdout, /^<>\n/);
  assert.equal(lastKey(), "mine");
});

test("a variable that cannot be a secret is refused before anything runs", async () => {
  const { code, stderr } = await sh("true", task("$ANTHROPIC_API_KEY"), {
    ANTHROPIC_API_KEY: "short",
  });
  assert.equal(code, 125);
  assert.match(stderr, /\$ANTHROPIC_API_KEY.*shorter than 8/);
});

test("INV-42: starts that fail before their sandbox is used leave none behind, and the daemon ends when it is told to", async () => {
  const own = new TestHome();
  try {
    const task = join(own.root, "task.yaml");
    const grant = `{ system: anthropic, name: a, credential: $KEY, allow: [{ verbs: ["*"] }] }`;
    writeFileSync(task, `task: t\npurpose: p\ngrants: [${grant}]\n`);
    const start = (KEY: string) => own.run(["true"], ["--task", task], { env: { KEY } });
    for (let n = 0; n < 3; n += 1) assert.equal((await start("long enough a key")).code, 125);
    for (let n = 0; n < 3; n += 1) assert.equal((await start(KEY)).code, 0);
    await eventually("sandboxes wait", 30_000, () =>
      waitingOf(own.daemonPid() ?? 0) > 0 ? true : undefined,
    );
    for (let n = 0; n < 3; n += 1) assert.equal((await start("short")).code, 125);
    const pid = own.daemonPid() ?? 0;
    assert.equal((await own.call(["stop", "--force"])).code, 0);
    await eventually("the daemon is gone", 10_000, () =>
      existsSync(`/proc/${pid}`) ? undefined : true,
    );
  } finally {
    await own.close();
  }
});

/** Sandboxes that a daemon has: bubblewraps that its spawner started. */
function waitingOf(pid: number): number {
  const started = childrenOf(`${pid}`).flatMap(childrenOf);
  return started.filter((child) => commandOf(child).includes("bwrap")).length;
}

function childrenOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  } catch {
    return []; // It has ended meanwhile.
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // It has ended meanwhile.
  }
}

test("fault daemon.credential: what waits longer than its run has no secret any more, and is not sent", async () => {
  const count = model.asked.length;
  const hosted = BODY.replace("}]}", '}],"tools":[{"type":"web_search_20250305","name":"s"}]}');
  const { stdout } = await sh(ask(BY_KEY, hosted), task("$ANTHROPIC_API_KEY"), {
    ANTHROPIC_API_KEY: KEY,
  });
  assert.equal(stdout, "403\n");
  const [one] = await home.approvals();
  assert.ok(one !== undefined);
  await home.call(["approvals", "approve", one.id, "--code", await home.codeOf(one.id)]);
  const failed = await eventually("it failed", 30_000, async () =>
    (await home.approvals({ all: true })).find(
      ({ id, state }) => id === one.id && state === "failed",
    ),
  );
  assert.match(failed.reason, /went with its run.*nothing was sent/);
  assert.equal(model.asked.length, count);
});

const LOGIN = JSON.stringify({
  claudeAiOauth: {
    accessToken: ACCESS,
    refreshToken: REFRESH,
    expiresAt: Date.now() + 3_600_000,
    scopes: ["user:inference"],
    subscriptionType: "max",
  },
});

test("an imported login stands in the run's home with placeholders, and its token goes with the requests", async () => {
  const file = join(home.root, "login.json");
  writeFileSync(file, LOGIN);
  const imported = await home.call(["credential", "import", "claude", "--file", file]);
  assert.equal(imported.code, 0, imported.stderr);
  const script = `T=$(grep -o 'sk-ant-oat01-[A-Za-z0-9_-]*' ~/.claude/.credentials.json); stat -c %a ~/.claude/.credentials.json; cat ~/.claude/.credentials.json; echo "<$ANTHROPIC_API_KEY>"; ${ask('"authorization: Bearer $T"')}`;
  const { code, stdout, stderr } = await sh(script, task("[$ANTHROPIC_API_KEY, claude]"));
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^600\n/);
  assert.match(stdout, /"subscriptionType": "max"/);
  assert.match(stdout, /<>\n200\n$/, "and no key stands in its variable");
  assert.equal(lastKey(), `Bearer ${ACCESS}`);
  for (const secret of [ACCESS, REFRESH]) assert.ok(!stdout.includes(secret));
  const with_key = await sh(ask(BY_KEY), task("[$ANTHROPIC_API_KEY, claude]"), {
    ANTHROPIC_API_KEY: KEY,
  });
  assert.equal(with_key.stdout, "200\n");
  assert.equal(lastKey(), KEY, "a key that is there comes first");
});

test("INV-71: fault daemon.login: no link that a run left in a kept home leads a login elsewhere", async () => {
  const file = task("claude", "home: keep", "kept");
  assert.equal(
    (await sh("rm -rf ~/.claude; ln -s /workspace ~/.claude; ls -ld ~/.claude", file)).code,
    0,
  );
  const refused = await sh("true", file);
  assert.equal(refused.code, 125);
  assert.match(
    refused.stderr,
    /the login cannot be put into the run's ~\/\.claude\/\.credentials\.json/,
  );
  const [kept_home = ""] = readdirSync(join(home.state, "homes"));
  const inside = join(home.state, "homes", kept_home);
  // The file itself, as a link to one of the host's: it is replaced, and what it led to stays.
  const victim = join(home.root, "victim");
  writeFileSync(victim, "mine");
  rmSync(join(inside, ".claude"));
  mkdirSync(join(inside, ".claude"));
  symlinkSync(victim, join(inside, ".claude", ".credentials.json"));
  const again = await sh("true", file);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(readFileSync(victim, "utf8"), "mine");
  assert.ok(lstatSync(join(inside, ".claude", ".credentials.json")).isFile());
  // A folder in its place may hold a million files: nobody waits until they are removed.
  rmSync(join(inside, ".claude", ".credentials.json"));
  mkdirSync(join(inside, ".claude", ".credentials.json", "deep"), { recursive: true });
  const folder = await sh("true", file);
  assert.equal(folder.code, 125);
  assert.match(folder.stderr, /the login cannot be put into the run's ~\/\.claude/);
  assert.ok(lstatSync(join(inside, ".claude", ".credentials.json", "deep")).isDirectory());
});

const REFUSED = [
  [
    "$ANTHROPIC_API_KEY",
    "environment: [ANTHROPIC_API_KEY]",
    /environment\[0\] \(ANTHROPIC_API_KEY\) would pass in what a grant's credential keeps outside/,
  ],
  ["$1", "", /is no credential/],
  ["[]", "", /empty list/],
] as const;
for (const [credential, more, message] of REFUSED) {
  test(`refused in a task file: credential ${credential} ${more}`, async () => {
    const { code, stderr } = await home.call(["check", task(credential, more)]);
    assert.equal(code, 125);
    assert.match(stderr, message);
  });
}
