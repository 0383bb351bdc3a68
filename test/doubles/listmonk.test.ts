import assert from "node:assert/strict";
import { test } from "node:test";
import { startListmonk } from "./listmonk.ts";

const OPTIONS = { user: "bot", token: "t0ken", lists: { 1: ["a@example.org", "b@example.org"] } };

test("a scheduled campaign goes out as it was changed last, once for each subscriber", async (t) => {
  const listmonk = await startListmonk(OPTIONS);
  t.after(() => listmonk.close());
  const call = (method: string, path: string, body?: object, authorization = "token bot:t0ken") =>
    fetch(`${listmonk.url}/api${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  assert.equal((await call("GET", "/campaigns/1", undefined, "token bot:wrong")).status, 403);
  const send_at = "2026-12-01T08:00:00Z";
  await call("POST", "/campaigns", { subject: "News", lists: [1], send_at });
  assert.equal((await call("PUT", "/campaigns/1/status", { status: "paused" })).status, 400);
  assert.equal((await call("PUT", "/campaigns/1/status", { status: "running" })).status, 200);
  assert.deepEqual(listmonk.effects, [], "with a time to send it is scheduled only");
  await call("PUT", "/campaigns/1", { subject: "Other" });
  listmonk.runScheduled();
  assert.deepEqual(
    listmonk.effects.map(({ who, what }) => [who, what]),
    [
      ["a@example.org", "Other"],
      ["b@example.org", "Other"],
    ],
  );
  assert.equal((await call("PUT", "/campaigns/1", { subject: "Late" })).status, 400);
});

test("transactional mail reaches subscribers, and anyone in another mode", async (t) => {
  const listmonk = await startListmonk(OPTIONS);
  t.after(() => listmonk.close());
  const basic = `Basic ${Buffer.from("bot:t0ken").toString("base64")}`;
  const send = (body: object) =>
    fetch(`${listmonk.url}/api/tx`, {
      method: "POST",
      headers: { authorization: basic, "content-type": "application/json" },
      body: JSON.stringify({ subject: "s", ...body }),
    });
  const subscriber_emails = ["x@example.net"];
  assert.equal((await send({ subscriber_emails })).status, 400);
  assert.deepEqual(listmonk.effects, []);
  assert.equal((await send({ subscriber_emails, subscriber_mode: "external" })).status, 200);
  assert.deepEqual(listmonk.effects, [{ kind: "mail", who: "x@example.net", what: "s" }]);
});
