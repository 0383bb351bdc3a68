import assert from "node:assert/strict";
import { test } from "node:test";
import { startLinkedin } from "./linkedin.ts";

test("a draft is a post once its state says so", async (t) => {
  const linkedin = await startLinkedin({ token: "t" });
  t.after(() => linkedin.close());
  const call = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${linkedin.url}/rest${path}`, {
      method: "POST",
      headers: { authorization: "Bearer t", "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const draft = { author: "urn:li:person:1", commentary: "Hi", lifecycleState: "DRAFT" };
  assert.equal((await call("/posts", draft, { authorization: "Bearer x" })).status, 401);
  const made = await call("/posts", draft);
  const path = `/posts/${encodeURIComponent(made.headers.get("x-restli-id") ?? "")}`;
  assert.deepEqual(linkedin.effects, []);
  const patch = { patch: { $set: { lifecycleState: "PUBLISHED" } } };
  assert.equal((await call(path, patch)).status, 400, "without its header it is no update");
  assert.equal((await call(path, patch, { "x-restli-method": "PARTIAL_UPDATE" })).status, 204);
  assert.deepEqual(linkedin.effects, [{ kind: "post", who: "urn:li:person:1", what: "Hi" }]);
  await call(path, {}, { "x-http-method-override": "DELETE" });
  assert.deepEqual(
    linkedin.effects.map(({ kind }) => kind),
    ["post", "delete"],
  );
});
