import assert from "node:assert/strict";
import { test } from "node:test";
import { startN8n } from "./n8n.ts";

const HOOK = { type: "n8n-nodes-base.webhook", parameters: { path: "a/b" } };
const CODE = { type: "n8n-nodes-base.code" };

test("a webhook runs an active workflow by any method, as it was replaced last", async (t) => {
  const n8n = await startN8n({ apiKey: "k" });
  t.after(() => n8n.close());
  const call = (method: string, path: string, body?: object, key = "k") =>
    fetch(`${n8n.url}/api/v1${path}`, {
      method,
      headers: { "x-n8n-api-key": key, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const hook = (method: string) => fetch(`${n8n.url}/webhook/a/b`, { method });
  assert.equal((await call("POST", "/workflows", { name: "w", nodes: [HOOK] }, "x")).status, 401);
  await call("POST", "/workflows", { name: "w", nodes: [HOOK] });
  assert.equal((await hook("GET")).status, 404, "it is not active");
  await call("POST", "/workflows/1/activate");
  await hook("GET");
  await call("PUT", "/workflows/1?publishIfActive=false", { name: "w", nodes: [HOOK, CODE] });
  await hook("DELETE");
  await call("PUT", "/workflows/1", { name: "w", nodes: [HOOK, CODE] });
  await hook("POST");
  assert.deepEqual(
    n8n.effects.map(({ what }) => what),
    [HOOK.type, HOOK.type, `${HOOK.type} ${CODE.type}`],
  );
});

test("whoever calls resumes what waits", async (t) => {
  const n8n = await startN8n({ apiKey: "k" });
  t.after(() => n8n.close());
  await fetch(`${n8n.url}/webhook-waiting/7?approved=true`);
  assert.deepEqual(n8n.effects, [{ kind: "resume", who: "7", what: "GET" }]);
});
