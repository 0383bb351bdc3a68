/** Systems of a user's own in real runs: judged by their file, looked up, held, performed as they were shown. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../src/api/index.ts";
import { startDouble, type Double } from "./doubles/double.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";

const EXAMPLE = join(import.meta.dirname, "..", "examples", "catalog", "invoices.yaml");
const home = new TestHome();
const states = new Map([
  ["7", "draft"],
  ["8", "issued"],
]);
let site: Double;
let task: string;

const file = () => join(home.state, "catalog", "invoices.yaml");

before(async () => {
  site = await startDouble(({ method, path, json }, effects) => {
    const id = path[2] ?? "";
    if (method === "GET") return { status: 200, json: { id, state: states.get(id) } };
    effects.push({ kind: method, who: path.join("/"), what: JSON.stringify(json) });
    return { status: 200, json: { done: true } };
  });
  mkdirSync(join(home.state, "catalog"), { recursive: true, mode: 0o700 });
  copyFileSync(EXAMPLE, file());
  task = join(home.root, "task.yaml");
  const place = `hosts: [invoices.test], ports: [80], dial: "${new URL(site.url).host}"`;
  const rule = `{ verbs: ["*"], doing: [read, read-private, write, send, delete] }`;
  writeFileSync(
    task,
    `task: billing\npurpose: Bill.\napprovals: { hold: 60s }\ngrants:\n  - { system: invoices, name: billing, ${place}, allow: [${rule}] }\n`,
  );
});
after(async () => {
  await home.close();
  await site.close();
});

/** A run that sends one request; its output is the status. */
function ask(method: string, path: string, json?: object): Promise<Result> {
  const body =
    json === undefined ? "" : `-H 'content-type: application/json' -d '${JSON.stringify(json)}'`;
  const line = `curl -s -o /dev/null -w '%{http_code}' --max-time 90 -X ${method} ${body} http://invoices.test/api${path}`;
  return home.run(["sh", "-c", line], ["--task", task]);
}

async function waiting(): Promise<ApprovalInfo> {
  return eventually("something waits", 60_000, async () => (await home.approvals())[0]);
}

const approve = async ({ id }: ApprovalInfo) =>
  home.call(["approvals", "approve", id, "--code", await home.codeOf(id)]);

test("what its file calls a draft passes; what it does not describe is denied under every wildcard", async () => {
  assert.equal((await ask("POST", "/invoices", { state: "draft", total: 3 })).stdout, "200");
  assert.equal((await ask("POST", "/refunds", { total: 3 })).stdout, "403");
  assert.deepEqual(
    site.effects.map(({ who }) => who),
    ["api/invoices"],
  );
});

test("its look-up decides: a draft is changed at once, what its customer has waits for a person", async () => {
  const count = site.effects.length;
  assert.equal((await ask("PATCH", "/invoices/7", { total: 4 })).stdout, "200");
  const run = ask("PATCH", "/invoices/8", { total: 5 });
  const one = await waiting();
  assert.equal(one.summary, "Change invoice 8, which its customer has already");
  assert.equal(site.effects.length, count + 1);
  await home.call(["approvals", "deny", one.id]);
  assert.equal((await run).stdout, "403");
  assert.equal(site.effects.length, count + 1);
});

test("INV-66: a run keeps the system it began with, also for what is performed; the next has the new one", async () => {
  const count = site.effects.length;
  const invoice = { total: 9, currency: "EUR", customer: { email: "a@example.com" } };
  const run = ask("POST", "/invoices", invoice);
  const one = await waiting();
  const shown = await home.call(["approvals", "show", one.id]);
  for (const text of ["a@example.com", "9 EUR", "SENDS"])
    assert.ok(shown.stdout.includes(text), shown.stdout);
  const source = readFileSync(file(), "utf8");
  const bolder = source.replace(
    "verb: invoice.issue\n    request: POST /invoices\n    effects: [send]",
    "verb: invoice.issue\n    request: POST /invoices\n    effects: [write]",
  );
  assert.notEqual(bolder, source);
  writeFileSync(file(), bolder);
  const approved = await approve(one);
  assert.equal(approved.code, 0, approved.stderr);
  assert.equal((await run).stdout, "200");
  assert.equal(site.effects.length, count + 1, "once");
  assert.equal((await ask("POST", "/invoices", invoice)).stdout, "200", "nobody is asked now");
  const digests = (await home.log()).flatMap(({ type, data }) =>
    type === "policy" ? [JSON.stringify(data?.["systems"])] : [],
  );
  assert.equal(new Set(digests).size, 2, "and the record tells the two apart");
  writeFileSync(file(), source);
});

test("INV-66: while a file is wrong no run starts, and it is said where", async () => {
  const source = readFileSync(file(), "utf8");
  writeFileSync(join(home.state, "catalog", "broken.yaml"), "system: broken\nroutes: []\n");
  const refused = await ask("POST", "/invoices", { state: "draft" });
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /broken\.yaml:2:9: routes is an empty list/);
  for (const line of [["catalog"], ["check", task], ["explain", "--system", "n8n", "GET /"]]) {
    const { code, stderr } = await home.call(line);
    assert.equal(code, 125);
    assert.match(stderr, /broken\.yaml:2:9/);
  }
  writeFileSync(
    join(home.state, "catalog", "broken.yaml"),
    source.replace("system: invoices", "system: broken"),
  );
  assert.equal((await ask("POST", "/invoices", { state: "draft" })).stdout, "200");
});
