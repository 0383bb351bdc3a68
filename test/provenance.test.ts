/**
 * From an action back to its tool call and step, in a real run: an agent that executes many calls of one answer side
 * by side, in any order, with work of its own between them.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startModelServer, type ModelServer, type Turn } from "../drills/model/index.ts";
import type { Entry } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const TURNS = 4;
const CALLS = 12;
/** Commands of every kind, each of which asks for a path of its own; every fourth stands in no shell's words. */
const FORMS: readonly ((path: string) => string)[] = [
  (path) => `curl -s http://site.test${path}`,
  (path) => `sleep 0.$((RANDOM % 9 + 1)); curl -s 'http://site.test${path}' | cat >/dev/null`,
  (path) => `for n in 1 2; do curl -s "http://site.test${path}"; done`,
  (path) => `(sleep 0.3; curl -s http://site.test${path}) & wait`,
];
const pathOf = (turn: number, call: number) => `/t${turn}c${call}`;
const commandOf = (turn: number, call: number) =>
  (FORMS[call % FORMS.length] ?? FORMS[0])?.(pathOf(turn, call)) ?? "";
const SCRIPT: readonly Turn[] = [
  ...Array.from({ length: TURNS }, (_, turn) => ({
    text: "Next.",
    calls: Array.from({ length: CALLS }, (__, call) => ({
      tool: "Bash",
      input: { command: commandOf(turn, call) },
    })),
  })),
  { text: "Done." },
];

/** An agent: asks the model, and starts all calls of an answer at once, shuffled, each as it likes. */
const AGENT = `
import { spawn } from "node:child_process";
const messages = [{ role: "user", content: "Go." }];
const tools = [{ name: "Bash", input_schema: { type: "object" } }];
const start = (command, n) => {
  const wrapped = "eval '" + command.replaceAll("'", "'\\"'\\"'") + "' < /dev/null && pwd -P >| /tmp/cwd-" + n;
  if (n % 3 === 0) return spawn("bash", ["-c", wrapped]);
  return spawn("bash", [n % 3 === 1 ? "-lc" : "-c", command]);
};
for (;;) {
  const answer = await (await fetch("https://api.anthropic.com/v1/messages", {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "m", max_tokens: 9, tools, messages }),
  })).json();
  messages.push({ role: "assistant", content: answer.content });
  const calls = answer.content.filter(({ type }) => type === "tool_use");
  if (calls.length === 0) break;
  // Work of its own, that no call asked for.
  const own = spawn("curl", ["-s", "http://site.test/own"]);
  const shuffled = calls.map((call, n) => [call, n]).sort(() => Math.random() - 0.5);
  const results = await Promise.all(shuffled.map(([call, n]) => new Promise((resolve) => {
    const child = start(call.input.command, n);
    child.on("close", (code) => resolve({ type: "tool_result", tool_use_id: call.id, content: "code " + code }));
  })));
  await new Promise((resolve) => own.exitCode === null ? own.on("close", resolve) : resolve());
  messages.push({ role: "user", content: results });
}
`;

const home = new TestHome();
const site: Server = createServer((_, response) => response.end("ok\n"));
let model: ModelServer;

before(async () => {
  model = await startModelServer({ script: SCRIPT, hosts: ["api.anthropic.com"] });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  writeFileSync(join(home.root, "model.pem"), model.ca);
  home.write("agent.mjs", AGENT);
  writeFileSync(
    join(home.root, "task.yaml"),
    `task: parallel
purpose: call many tools at once
grants:
  - system: anthropic
    name: anthropic
    dial: 127.0.0.1:${model.port}
    ca: ./model.pem
    allow: [{ verbs: [message.create] }]
  - system: http
    name: site
    hosts: [site.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${(site.address() as AddressInfo).port}
    allow: [{ methods: [GET], paths: ["/**"] }]
`,
  );
});
after(async () => {
  site.close();
  await model.close();
  await home.close();
});

test("of many calls side by side, each action belongs to its own, and the agent's own to none", async () => {
  const { code, stderr } = await home.run(
    ["node", "agent.mjs"],
    ["--task", join(home.root, "task.yaml")],
  );
  assert.equal(code, 0, stderr);
  const entries = await home.log();
  /** The call by its command, which names the path. */
  const idOf = (path: string) =>
    entries.find(
      ({ type, data }) =>
        type === "tool.call" &&
        new RegExp(`site\\.test${path}\\b`).test(JSON.stringify(data?.["input"])),
    )?.data?.["call"];
  const asked = entries.filter(({ type, system }) => type === "action" && system === "site");
  const paths = asked.map(({ target = "" }) => new URL(target).pathname);
  assert.ok(new Set(paths).size === TURNS * CALLS + 1, "each has asked");
  const wrong: string[] = [];
  let right = 0;
  for (const [at, { cause }] of asked.entries()) {
    const path = paths[at] ?? "";
    const wanted = path === "/own" ? undefined : idOf(path);
    assert.ok(path === "/own" || wanted !== undefined, path);
    const found = cause?.call?.id;
    if (found === wanted) right += 1;
    else if (found !== undefined) wrong.push(`${path}: ${JSON.stringify(cause)}`);
  }
  assert.deepEqual(wrong, [], "none wrong");
  assert.ok(right >= 0.98 * asked.length, `${right} of ${asked.length}`);
  const findings = entries.filter(({ type }) => type === "finding");
  assert.deepEqual(
    findings.map(({ data }) => data?.["detail"]),
    [],
  );
});

test("a step that the training framework states is on everything from then on", async () => {
  const task = join(home.root, "task.yaml");
  const started = await home.call([
    ...["run", "-d", "--task", task, "--json", "--"],
    ...[
      "sh",
      "-c",
      "curl -s http://site.test/before; until [ -e go ]; do sleep 0.1; curl -s http://site.test/later; done",
    ],
  ]);
  assert.equal(started.code, 0, started.stderr);
  const line = (started.stdout + started.stderr).split("\n").find((text) => text.includes('"run"'));
  const { run } = JSON.parse(line ?? "{}") as { run: string };
  const ofRun = async () => (await home.log()).filter((entry) => entry.run === run);
  const asked = (path: string) => async () =>
    (await ofRun()).find(({ type, target = "" }) => type === "action" && target.endsWith(path));
  await eventually("the first", 5000, asked("/before"));
  const at = ["--trajectory", "g3_17_1", "--episode", "17", "--step", "3"];
  const said = await home.call(["step", run, ...at]);
  assert.equal(said.code, 0, said.stderr);
  const step = { trajectory: "g3_17_1", episode: "17", step: 3 };
  const stated = await eventually("an action of the step", 5000, async () =>
    (await ofRun()).find(
      ({ type, cause }: Entry) => type === "action" && cause?.step !== undefined,
    ),
  );
  // Known by what its process began in, or by what is stated; either way it is this one.
  const { by: _, ...known } = stated.cause?.step ?? {};
  assert.deepEqual(known, step);
  assert.equal((await asked("/before")())?.cause, undefined);
  await home.call(["kill", run]);
  for (const [bad, why] of [
    [["step", run, ...at], /ended|not running|over|no such run|is ended/],
    [["step", run, "--trajectory", "a", "--episode", "b"], /needs --trajectory/],
    [["step", run, ...at.slice(0, -1), "-3"], /step/],
    [["step", run, ...at.slice(0, -1), "1.5"], /not a whole number/],
  ] as const) {
    const { code, stderr } = await home.call(bad);
    assert.notEqual(code, 0, bad.join(" "));
    assert.match(stderr, why);
  }
});
