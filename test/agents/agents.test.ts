/**
 * Real agents, unmodified, in real runs: each talks to the host that it always talks to, which a grant's
 * `dial:` leads to a scripted model; it edits a file, installs a package and uses it. Not in `npm test`:
 * the agents are 1.2 GB. `npm run test:agents`.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn, spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { startModelServer, type ModelServer } from "../../drills/model/index.ts";
import type { Entry } from "../../src/api/index.ts";
import { BIN, eventually, TestHome } from "../support/home.ts";
import { startOutside, type Outside } from "../support/outside.ts";
import { snapshot } from "../support/overlay.ts";
import { PACKAGE, SAYS } from "../support/registries.ts";
import { AGENTS, LAST_WORDS, type Agent } from "./agents.ts";
import { AGENTS_BIN, installAgents, isInstalled } from "./install.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const HOSTS = [
  "api.anthropic.com",
  "api.openai.com",
  "generativelanguage.googleapis.com",
  "models.example.com",
  "platform.claude.com",
];
const REGISTRY = "registry.npmjs.org";
const ENVIRONMENT = {
  ANTHROPIC_API_KEY: "sk-ant-not-a-key",
  OPENAI_API_KEY: "sk-not-a-key",
  CODEX_API_KEY: "sk-not-a-key",
  GEMINI_API_KEY: "not-a-key",
  PATH: `${AGENTS_BIN}:${process.env["PATH"] ?? ""}`,
};
installAgents();

/** Somebody who is not root; root runs the suite as both. */
const ORDINARY = 21_234;
const isRoot = process.geteuid?.() === 0;
const USERS = isRoot ? (["root", "ordinary"] as const) : (["ordinary"] as const);
/** A checkout below root's own home is closed to others. */
const isOpen =
  !isRoot ||
  spawnSync("setpriv", [`--reuid=${ORDINARY}`, "--clear-groups", "test", "-x", BIN]).status === 0;

for (const user of USERS) {
  describe(`as ${user === "root" ? "root" : "an ordinary user"}`, () => {
    for (const agent of AGENTS) {
      test(agent.name, { skip: obstacle(agent, user) }, () => work(agent, user));
    }
  });
}

function obstacle(agent: Agent, user: "root" | "ordinary"): string | false {
  if (!isInstalled(agent.command[0] ?? "")) return "has no program for this machine";
  return user === "ordinary" && !isOpen && "this checkout is closed to ordinary users";
}

test("Claude Code's first interactive start, in a terminal, gets past its hello", async () => {
  const agent = AGENTS.find(({ profile }) => profile === "claude-code");
  assert.ok(agent);
  const home = new TestHome();
  const model = await startModelServer({ script: [], hosts: HOSTS });
  try {
    const command = `${BIN} run --task ${writeTask(home, agent, model)} -- claude`;
    const terminal = spawn("script", ["-qfec", command, "/dev/null"], {
      cwd: home.workspace,
      env: { ...process.env, ...ENVIRONMENT, TERM: "xterm-256color", COFFERDAM_HOME: home.state },
      stdio: ["pipe", "pipe", "ignore"],
    });
    let shown = "";
    terminal.stdout.on("data", (data: Buffer) => (shown += data.toString()));
    // Control sequences stand between the words.
    const words = () => shown.replaceAll(/\x1b\[[0-9;?<>=]*[A-Za-z]|\s+/g, " "); // oxlint-disable-line no-control-regex
    try {
      await eventually(
        "its first question",
        60_000,
        () => / text +style/.test(words()) || undefined,
      );
    } finally {
      terminal.kill("SIGKILL");
    }
    assert.doesNotMatch(words(), /Unable +to +connect/);
    const hello = model.asked.map(({ path }) => path).toSorted();
    assert.deepEqual(hello.slice(0, 2), ["/api/hello", "/v1/oauth/hello"]);
  } finally {
    await home.close();
    await model.close();
  }
});

async function work(agent: Agent, user: "root" | "ordinary"): Promise<void> {
  const home = new TestHome(
    isRoot && user === "ordinary" ? { uid: ORDINARY, gid: ORDINARY } : undefined,
  );
  const model = await startModelServer({ script: agent.script(home.workspace), hosts: HOSTS });
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-outside-"));
  const outside = await startOutside(folder);
  try {
    writeWorkspace(home, agent);
    const before = snapshot(home.workspace);
    const task = writeTask(home, agent, model, outside);
    const result = await home.run(agent.command, ["--task", task, "--json"], {
      env: ENVIRONMENT,
    });
    const entries = await home.log();
    const story = () => tell(result, model, entries);
    assert.equal(result.code, 0, story());
    assert.match(result.stdout, new RegExp(LAST_WORDS), story());
    checkModel(agent, model, story);
    assert.ok(outside.asked.includes(`GET https://${REGISTRY}/${PACKAGE}`), story());
    checkRecord(agent, entries, story);
    assert.deepEqual(snapshot(home.workspace), before, "the host's workspace is as it was");
    await checkApply(home, entries);
  } finally {
    await home.close();
    await model.close();
    await outside.close();
    rmSync(folder, { recursive: true });
  }
}

function writeWorkspace(home: TestHome, agent: Agent): void {
  const files: Readonly<Record<string, string>> = {
    "hello.txt": "hello\n",
    "package.json": '{ "name": "work", "private": true }\n',
    ...agent.files,
  };
  for (const [name, text] of Object.entries(files)) home.write(name, text);
  home.exec("git", ["init", "-q", home.workspace]);
}

/** The shipped profile, led to the scripted model; and a registry, as a person would grant it. */
function writeTask(
  home: TestHome,
  { profile, host }: Agent,
  model: ModelServer,
  outside?: Outside,
): string {
  writeFileSync(join(home.root, "model.pem"), model.ca);
  const dial = (port: number, ca: string) => `\n    dial: 127.0.0.1:${port}\n    ca: ./${ca}.pem`;
  const source = readFileSync(join(ROOT, "profiles", `${profile}.yaml`), "utf8");
  // Systems of the catalog know their hosts, and the profile names none.
  const led = source.replaceAll(
    /^ {4}(?:hosts: .*|name: (?:anthropic|openai|gemini))$/gm,
    (line) => line + dial(model.port, "model"),
  );
  assert.notEqual(led, source, "the profile has hosts");
  const grant = (name: string, of: string, at: string, methods: string) =>
    `  - system: http\n    name: ${name}\n    hosts: [${of}]${at}\n` +
    `    allow: [{ methods: [${methods}], paths: ["/**"] }]\n`;
  const task = join(home.root, "task.yaml");
  const more = host === undefined ? "" : grant("own", host, dial(model.port, "model"), "POST");
  if (outside === undefined) {
    writeFileSync(task, led + more);
    return task;
  }
  writeFileSync(join(home.root, "registry.pem"), outside.ca);
  const npm = grant("npm", REGISTRY, dial(outside.port, "registry"), "GET");
  writeFileSync(task, led + more + npm);
  return task;
}

function checkModel({ dialect, script }: Agent, { asked }: ModelServer, story: () => string): void {
  const turns = asked.filter((one) => one.aside === false);
  const places = turns.map(({ turn }) => turn);
  const expected = script("").map((_, n) => n);
  assert.deepEqual([...new Set(places)], expected, `each turn in order\n${story()}`);
  for (const one of turns) assert.equal(one.dialect, dialect);
  for (const { authorization = "" } of turns) assert.match(authorization, /not-a-key$/);
  const last = turns.at(-1)?.results?.join("\n") ?? "";
  assert.match(last, new RegExp(SAYS), `the model saw what the shell printed\n${story()}`);
}

/** Nothing waited, nothing was refused but what is known, and each thing has its process. */
function checkRecord(agent: Agent, entries: readonly Entry[], story: () => string): void {
  const of = (type: string) => entries.filter((entry) => entry.type === type);
  assert.deepEqual([...of("run.pause"), ...of("finding")], [], story());
  for (const { target = "", rule } of of("denial")) {
    assert.match(target, agent.telemetry, `refused by ${rule}: ${target}\n${story()}`);
  }
  const allowed = of("action").filter(({ verdict }) => verdict === "allow");
  const toModel = ({ target = "" }: Entry) => HOSTS.includes(new URL(target).hostname);
  const model = allowed.filter(toModel);
  assert.ok(model.length >= 2, story());
  for (const { process } of model) {
    assert.match(process?.exe ?? "", agent.program);
    assert.match(process?.exeSha256 ?? "", /^[0-9a-f]{64}$/);
  }
  const npm = of("action").find(({ target }) => target?.endsWith(`/${PACKAGE}`));
  assert.ok(npm, story());
  assert.match(npm.process?.argv?.join(" ") ?? "", /npm install/);
  checkCauses(entries, story);
  const started = of("process.start").map(({ process }) => process?.exe ?? "");
  for (const program of [agent.program, /\/node$/, /\/(ba|da)?sh$/]) {
    assert.ok(
      started.some((exe) => program.test(exe)),
      `${program}\n${story()}`,
    );
  }
}

/** All that the shell's command did, and nothing else, belongs to the call that asked for it. */
function checkCauses(entries: readonly Entry[], story: () => string): void {
  const calls = entries.filter(({ type }) => type === "tool.call");
  const [shell, ...others] = calls.filter(({ data }) =>
    JSON.stringify(data?.["input"]).includes("npm install --no-audit"),
  );
  assert.ok(shell !== undefined && others.length === 0, `one call of the shell\n${story()}`);
  let tied = 0;
  // What a shell executes in its own place has its pid, and other words.
  const own = new Set<number>();
  for (const { type, target, process, cause } of entries) {
    if (process === undefined || type === "tool.call" || type === "tool.result") continue;
    const nodes = [process, ...process.ancestors];
    const line = nodes.map(({ argv }) => argv.join(" "));
    const isTold = line[0]?.includes("npm install --no-audit") === true;
    if (type === "process.start" && isTold) own.add(process.pid);
    const isIts = isTold || nodes.some(({ pid }) => own.has(pid));
    const call = cause?.call;
    const what = `${type} ${target} by ${line.join(" < ")}: ${JSON.stringify(call)}`;
    if (isIts) assert.equal(call?.id, shell.data?.["call"], what);
    else assert.equal(call, undefined, what);
    if (isIts) tied += 1;
  }
  assert.ok(tied > 5, `${tied} are tied`);
}

async function checkApply(home: TestHome, entries: readonly Entry[]): Promise<void> {
  const run = entries.find(({ type }) => type === "run.start")?.run ?? "";
  const only = ["hello.txt", "proof.txt"].flatMap((path) => ["--only", path]);
  const applied = await home.call(["apply", run, ...only]);
  assert.equal(applied.code, 0, applied.stdout + applied.stderr);
  assert.equal(readFileSync(join(home.workspace, "hello.txt"), "utf8"), "edited\n");
  assert.equal(readFileSync(join(home.workspace, "proof.txt"), "utf8"), `${SAYS}\n`);
  assert.ok(!existsSync(join(home.workspace, "node_modules")), "only what was asked for");
  const verified = await home.call(["verify"]);
  assert.equal(verified.code, 0, verified.stdout);
}

function tell(
  { stdout, stderr }: { stdout: string; stderr: string },
  model: ModelServer,
  entries: readonly Entry[],
): string {
  const asked = model.asked.map((one) => JSON.stringify({ ...one, tools: one.tools?.length }));
  const denials = entries.filter(({ type }) => type === "denial");
  const refused = denials.map(({ rule, target }) => `${rule} ${target}`);
  return [`\n${stdout}`, stderr, ...asked, ...refused].join("\n");
}
