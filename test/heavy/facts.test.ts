/** What the entry of n8n relies on, and no single golden row can show: seen at a real one. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { executionOf, fresh, makeWorkflow, resumeToken, settle } from "./fixture.ts";
import { chain, node, startN8n, webhook, type N8n } from "./kit.ts";

let n8n: N8n;
before(async () => {
  n8n = await startN8n();
});
after(() => n8n.close());

const set = (name: string, value: string) => {
  const parameters = { mode: "raw", jsonOutput: JSON.stringify({ value }) };
  return node(name, "set", parameters, { typeVersion: 3.4 });
};
const call = async (path: string, method = "GET") => {
  const answer = await n8n.ask(`/webhook/${path}`, { method });
  await settle(n8n);
  return answer;
};

test("a draft answers nobody; activated it answers, replaced it answers anew, deactivated no more", async () => {
  const path = fresh();
  const draft = (value: string) => chain("w", [webhook(path), set("Set", value)]);
  const id = await makeWorkflow(n8n, draft("first"));
  assert.equal((await call(path)).status, 404);
  assert.equal(n8n.executions(id), 0);
  await n8n.api("POST", `/workflows/${id}/activate`);
  await settle(n8n);
  assert.match((await call(path)).text, /first/);
  await n8n.api("PUT", `/workflows/${id}?publishIfActive=false`, draft("second"));
  await settle(n8n);
  assert.match((await call(path)).text, /first/, "what is published stays");
  await n8n.api("PUT", `/workflows/${id}`, draft("third"));
  await settle(n8n);
  assert.match((await call(path)).text, /third/);
  await n8n.api("POST", `/workflows/${id}/deactivate`);
  await settle(n8n);
  assert.equal((await call(path)).status, 404);
  assert.equal(n8n.executions(id), 3);
});

for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
  test(`${method} starts a workflow, without a credential, and only by its own method`, async () => {
    const path = fresh();
    const id = await makeWorkflow(n8n, chain("w", [webhook(path, method), set("Set", "a")]), true);
    const other = method === "GET" ? "POST" : "GET";
    assert.equal((await call(path, other)).status, 404);
    assert.equal((await call(path, "OPTIONS")).status, 204);
    assert.equal(n8n.executions(id), 0);
    assert.equal((await call(path, method)).status, 200);
    assert.equal(n8n.executions(id), 1);
  });
}

test("who calls an inactive workflow does not run it, so that to change one only writes", async () => {
  const path = fresh();
  const start = node(
    "Start",
    "executeWorkflowTrigger",
    { inputSource: "passthrough" },
    { typeVersion: 1.1 },
  );
  const called = await makeWorkflow(n8n, chain("called", [start, set("Set", "published")]));
  const parameters = { workflowId: { __rl: true, mode: "id", value: called }, options: {} };
  const calls = node("Call", "executeWorkflow", parameters, { typeVersion: 1.2 });
  // What it calls must be published when it is.
  await n8n.api("POST", `/workflows/${called}/activate`);
  await makeWorkflow(n8n, chain("calling", [webhook(path), calls]), true);
  const changed = chain("called", [start, set("Set", "draft")]);
  await n8n.api("PUT", `/workflows/${called}?publishIfActive=false`, changed);
  assert.match((await call(path)).text, /published/);
  await n8n.api("POST", `/workflows/${called}/deactivate`);
  await settle(n8n);
  assert.doesNotMatch((await call(path)).text, /published|draft/);
});

test("what failed is run again by the draft, where asked", async () => {
  const path = fresh();
  const draft = (last: object) => chain("w", [webhook(path), last]);
  const fails = node("Last", "stopAndError", { errorMessage: "e" });
  const id = await makeWorkflow(n8n, draft(fails), true);
  await call(path);
  const failed = await executionOf(n8n, id);
  await n8n.api(
    "PUT",
    `/workflows/${id}?publishIfActive=false`,
    draft(set("Last", "from the draft")),
  );
  await n8n.api("POST", `/executions/${failed}/retry`, { loadWorkflow: true });
  const again = await executionOf(n8n, id);
  const { data } = await n8n.api<{ data: unknown }>("GET", `/executions/${again}?includeData=true`);
  assert.match(JSON.stringify(data), /from the draft/);
});

test("what waits goes on once by the token that executions tell, and by nothing less", async () => {
  const path = fresh();
  const waits = node("Wait", "wait", { resume: "webhook" }, { typeVersion: 1.1, webhookId: path });
  const bell = node("Bell", "webhook", { path }, { typeVersion: 2, webhookId: path });
  const id = await makeWorkflow(n8n, chain("waits", [bell, waits, set("Set", "a")]), true);
  await call(path);
  const execution = await executionOf(n8n, id);
  const status = () =>
    n8n.database.query(`SELECT status FROM execution_entity WHERE id = ${execution}`);
  const resume = async (query: string) => {
    const answer = await n8n.ask(`/webhook-waiting/${execution}${query}`);
    await settle(n8n);
    return answer.status;
  };
  assert.equal(await resume(""), 401);
  assert.equal(status(), "waiting");
  const token = `?signature=${await resumeToken(n8n, execution)}`;
  assert.equal(await resume(token), 200);
  assert.equal(status(), "success");
  assert.equal(await resume(token), 409);
});

const VALUES = [
  // text of a parameter, what becomes of it, why
  ["={{ $json.query.a }}", "came in", "a value is named"],
  ["={{ (() => 6 * 7)() }}", "42", "a function runs"],
  ["={{ $json.query.a.toUpperCase() }}", "CAME IN", "a call runs"],
  ["={{ 1 + 1 }}{{ 2 + 2 }}", "24", "one behind another"],
  ["{{ 6 * 7 }}", "{{ 6 * 7 }}", "without the sign it is text here"],
] as const;
for (const [value, expected, why] of VALUES) {
  test(`the value ${value} is ${expected}: ${why}`, async () => {
    const path = fresh();
    const assignments = { assignments: [{ id: "1", name: "value", value, type: "string" }] };
    const last = node("Set", "set", { assignments, options: {} }, { typeVersion: 3.4 });
    await makeWorkflow(n8n, chain("w", [webhook(path), last]), true);
    const { text } = await n8n.ask(`/webhook/${path}?a=came+in`);
    assert.equal((JSON.parse(text) as { readonly value: string }).value, expected);
  });
}

test("in raw JSON an expression needs the sign here; the entry counts it without, as earlier versions did", async () => {
  const run = async (jsonOutput: string) => {
    const path = fresh();
    const last = node("Set", "set", { mode: "raw", jsonOutput }, { typeVersion: 3.4 });
    await makeWorkflow(n8n, chain("w", [webhook(path), last]), true);
    return (await call(path)).text;
  };
  assert.equal(await run('{"value": "{{ 6 * 7 }}"}'), '{"value":"{{ 6 * 7 }}"}');
  assert.equal(await run('={"value": "{{ 6 * 7 }}"}'), '{"value":"42"}');
});
