/**
 * A run and a real n8n behind the gateway: drafts go through, what runs waits for a person and then happens once, and
 * the key is nowhere in the run, not even where n8n would hand it on.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../../src/api/index.ts";
import { eventually, TestHome, type Result } from "../support/home.ts";
import { executionOf, fresh, makeWorkflow, settle } from "./fixture.ts";
import { chain, node, startN8n, webhook, type N8n } from "./kit.ts";

const home = new TestHome();
let n8n: N8n;
/** All that runs were answered. */
const answers: string[] = [];

before(async () => {
  n8n = await startN8n();
  const how = ["--kind", "header", "--field", "X-N8N-API-KEY", "--host", "n8n.test"];
  const place = ["--scheme", "http", "--port", "80", "--stdin"];
  const input = `${n8n.apiKey}\n`;
  const added = await home.call(["credential", "add", "n8n", ...how, ...place], { input });
  assert.equal(added.code, 0, added.stderr);
  writeFileSync(
    join(home.root, "task.yaml"),
    `task: flows
purpose: Draft workflows; a person decides what runs.
environment: []
approvals: { hold: 90s }
grants:
  - system: n8n
    name: flows
    hosts: [n8n.test]
    ports: [80]
    dial: 127.0.0.1:${n8n.port}
    credential: n8n
    variable: N8N_KEY
    allow:
      - verbs: ["*"]
        doing: [read, read-private, write, execute, administer, delete]
`,
  );
});
after(async () => {
  await home.close();
  await n8n.close();
});

/** A run that asks once; it prints the head and the answer. */
async function ask(method: string, path: string, json?: object): Promise<Result> {
  const body =
    json === undefined ? "" : "-H 'content-type: application/json' --data-binary @body.json";
  if (json !== undefined) home.write("body.json", JSON.stringify(json));
  const head = method === "HEAD" ? "-I" : `-X ${method}`;
  const result = await script(
    `curl -sS -i --max-time 120 ${head} ${body} 'http://n8n.test${path}'`,
  );
  return result;
}

async function script(text: string): Promise<Result> {
  const result = await home.run(["sh", "-c", text], ["--task", join(home.root, "task.yaml")]);
  answers.push(result.stdout, result.stderr);
  return result;
}

async function list(): Promise<readonly ApprovalInfo[]> {
  const { stdout } = await home.call(["approvals", "list", "--json"]);
  return JSON.parse(stdout) as ApprovalInfo[];
}

const waiting = () => eventually("something waits", 60_000, async () => (await list())[0]);

/** Asks, and has a person say yes; what they were shown comes with the answer. */
async function approved(
  method: string,
  path: string,
  json?: object,
): Promise<Result & { card: string }> {
  const run = ask(method, path, json);
  const { id } = await waiting();
  const code = await home.codeOf(id);
  const card = (await home.call(["approvals", "show", id])).stdout;
  const yes = await home.call(["approvals", "approve", id, "--code", code]);
  assert.equal(yes.code, 0, yes.stderr);
  const result = await run;
  await settle(n8n);
  const again = await home.call(["approvals", "approve", id, "--code", code]);
  assert.match(again.stderr, /performed/);
  await settle(n8n);
  return { ...result, card };
}

async function denied(method: string, path: string, json?: object): Promise<void> {
  const run = ask(method, path, json);
  const { id } = await waiting();
  await home.call(["approvals", "deny", id, "--reason", "not today"]);
  const { stdout } = await run;
  assert.match(stdout, method === "HEAD" ? /^HTTP\/1.1 403/ : /^HTTP\/1.1 403[^]*not today/);
  await settle(n8n);
}

const active = (id: string) =>
  n8n.database.query(
    `SELECT coalesce("activeVersionId", '') FROM workflow_entity WHERE id = '${id}'`,
  );
const published = (id: string) =>
  n8n.database.query(
    `SELECT count(*) FROM workflow_publish_history WHERE "workflowId" = '${id}' AND event = 'activated'`,
  );

const path = fresh();
const draft = (value: string) => {
  const output = { mode: "raw", jsonOutput: JSON.stringify({ value }) };
  return chain("orders", [webhook(path), node("Set", "set", output, { typeVersion: 3.4 })]);
};
let workflow = "";

test("an agent drafts and redrafts freely, and nothing runs", async () => {
  const made = await ask("POST", "/api/v1/workflows", draft("first"));
  assert.match(made.stdout, /^HTTP\/1.1 200/, made.stdout + made.stderr);
  workflow = n8n.database.query("SELECT id FROM workflow_entity WHERE name = 'orders'");
  const changed = await ask("PUT", `/api/v1/workflows/${workflow}`, draft("second"));
  assert.match(changed.stdout, /^HTTP\/1.1 200/, changed.stdout);
  assert.deepEqual(await list(), []);
  assert.equal(active(workflow), "");
  assert.equal(n8n.executions(), 0);
});

test("activation waits; denied it never happens, approved it happens once", async () => {
  await denied("POST", `/api/v1/workflows/${workflow}/activate`);
  assert.equal(active(workflow), "");
  const { stdout, card } = await approved("POST", `/api/v1/workflows/${workflow}/activate`);
  assert.match(stdout, /^HTTP\/1.1 200/);
  for (const text of ["orders", "n8n-nodes-base.webhook"]) assert.ok(card.includes(text), card);
  assert.notEqual(active(workflow), "");
  assert.equal(published(workflow), "1");
});

test("a webhook waits whatever it is called by, and then its workflow runs once", async () => {
  await denied("GET", `/webhook/${path}`);
  await denied("HEAD", `/webhook/${path}?a=b`);
  await denied("POST", `/%77ebhook/${path}`);
  assert.equal(n8n.executions(), 0);
  const { stdout } = await approved("GET", `/webhook/${path}?a=c`);
  assert.match(stdout, /second/);
  assert.equal(n8n.executions(workflow), 1);
});

test("to replace what is active waits, and counts at once", async () => {
  const before = active(workflow);
  await denied("PUT", `/api/v1/workflows/${workflow}`, draft("third"));
  assert.equal(active(workflow), before);
  await approved("PUT", `/api/v1/workflows/${workflow}`, draft("fourth"));
  assert.notEqual(active(workflow), before);
  assert.match((await n8n.ask(`/webhook/${path}`)).text, /fourth/);
});

test("what asks a person waits for a person: the agent's answer does too", async () => {
  const bell = node("Bell", "webhook", { path: fresh() }, { typeVersion: 2, webhookId: "bell" });
  const waits = node(
    "Wait",
    "wait",
    { resume: "webhook" },
    { typeVersion: 1.1, webhookId: "wait" },
  );
  const id = await makeWorkflow(n8n, chain("asks", [bell, waits, node("Set", "set")]), true);
  const { parameters } = bell as { readonly parameters: { readonly path: string } };
  await n8n.ask(`/webhook/${parameters.path}`);
  const execution = await executionOf(n8n, id);
  const told = await ask("GET", `/api/v1/executions/${execution}?includeData=true`);
  const token = /"resumeToken":"(\w+)"/.exec(told.stdout)?.[1] ?? "";
  assert.notEqual(token, "", "whoever reads executions has what resumes them");
  await denied("GET", `/webhook-waiting/${execution}?signature=${token}`);
  const status = `SELECT status FROM execution_entity WHERE id = ${execution}`;
  assert.equal(n8n.database.query(status), "waiting");
});

test("other spellings of what runs, and the editor's own interface, are denied", async () => {
  const before = n8n.executions();
  for (const [method, target] of [
    ["GET", `/WEBHOOK/${path}`],
    ["GET", `//webhook/${path}`],
    ["POST", `/API/v1/workflows/${workflow}/deactivate`],
    ["POST", `/api/v1/workflows/${workflow}/deactivate/`],
    ["GET", "/rest/workflows"],
  ] as const) {
    const { stdout } = await ask(method, target);
    assert.match(stdout, /^HTTP\/1.1 40[03]/, target);
  }
  assert.deepEqual(await list(), []);
  assert.equal(n8n.executions(), before);
  assert.notEqual(active(workflow), "");
});

test("a workflow that spells out what it is called with does not learn the key", async () => {
  // Letter by letter no screen would know it again.
  const letter = (at: number) => `{{ $json.headers['x-n8n-api-key'][${at}] }}`;
  const value = `=${[0, 1, 2, 3, 4, 5].map(letter).join("-")}`;
  const assignments = [
    { id: "1", name: "value", value, type: "string" },
    { id: "2", name: "all", value: "={{ $json.headers }}", type: "object" },
  ];
  const parameters = { assignments: { assignments }, options: {} };
  const called = fresh();
  const spells = node("Set", "set", parameters, { typeVersion: 3.4 });
  await makeWorkflow(n8n, chain("spells", [webhook(called), spells]), true);
  const { stdout } = await approved("GET", `/webhook/${called}`);
  assert.match(stdout, /n8n\.test/, "headers are told");
  assert.doesNotMatch(stdout, /x-n8n-api-key/);
  const spelt = n8n.apiKey.slice(0, 6).split("").join("-");
  assert.ok(!stdout.includes(spelt));
  const direct = await n8n.ask(`/webhook/${called}`, { key: true });
  assert.ok(direct.text.includes(spelt), "with the key it would");
});

test("not even its placeholder goes to a webhook", async () => {
  const before = n8n.executions();
  const { stdout } = await script(
    `curl -sS -i -H "X-N8N-API-KEY: $N8N_KEY" http://n8n.test/webhook/${path}`,
  );
  assert.match(stdout, /^HTTP\/1.1 403[^]*does not belong/);
  assert.equal(n8n.executions(), before);
});

test("the key is nowhere: not in the run's environment, its files, its answers, the record", async () => {
  const { stdout } = await script(
    'env; cat /proc/self/environ; curl -sS -H "X-N8N-API-KEY: $N8N_KEY" "http://n8n.test/api/v1/executions?includeData=true"; curl -sS http://n8n.test/api/v1/users; grep -r . . 2>/dev/null',
  );
  assert.match(stdout, /N8N_KEY=/);
  assert.match(stdout, /owner@n8n\.example/);
  const log = await home.call(["log", "--json"]);
  const secrets = [n8n.apiKey, Buffer.from(n8n.apiKey).toString("base64")];
  const texts = [...answers, log.stdout, ...filesBelow(home.root)];
  for (const secret of secrets) assert.ok(texts.every((text) => !text.includes(secret)));
});

/** All files, as bytes. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .map((file) => readFileSync(file, "latin1"));
}
