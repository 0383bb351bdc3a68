import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { RateFault } from "./channel.ts";
import { apiFault, callApi, parseJson } from "./http.ts";

const SECRET = "4242:AAsecretSecretSecretSecret";
const seen: string[] = [];
let reply: (response: ServerResponse) => void = (response) => response.end("{}");
const server = createServer((request, response) => {
  seen.push(request.url ?? "");
  reply(response);
});
let api = "";

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

const call = (more: object = {}) =>
  callApi({
    ...{ api, path: `/bot${SECRET}/getMe`, method: "POST" as const, json: {} },
    ...{ signal: new AbortController().signal, secrets: [SECRET], ...more },
  });

test("fault channel.rate: a service says how long we wait, in its head or in its answer", async () => {
  const cases = [
    [{ "retry-after": "7" }, "", 7000],
    [{}, '{"ok":false,"parameters":{"retry_after":9}}', 9000],
    [{}, "", 30_000],
    [{ "retry-after": "99999999" }, "", 3_600_000],
    [{ "retry-after": "-1" }, "", 30_000],
  ] as const;
  for (const [headers, body, waitMs] of cases) {
    reply = (response) => void response.writeHead(429, headers).end(body);
    await assert.rejects(call(), (error: unknown) => {
      assert.ok(error instanceof RateFault);
      assert.deepEqual([error.code, error.waitMs], ["channel.rate", waitMs]);
      return true;
    });
  }
});

test("a redirect is not followed: the path holds a token", async () => {
  const before = seen.length;
  reply = (response) => void response.writeHead(302, { location: `${api}/elsewhere` }).end();
  assert.equal((await call()).status, 302);
  assert.equal(seen.length, before + 1);
});

test("fault channel.unreachable: no answer, too much of one, or a server in trouble", async () => {
  const refused = { code: "channel.unreachable" };
  reply = (response) => response.destroy();
  await assert.rejects(call(), refused);
  reply = (response) => response.end(Buffer.alloc(5 << 20));
  await assert.rejects(call(), refused);
  reply = (response) => void response.writeHead(502).end("{}");
  await assert.rejects(call(), refused);
});

test("fault channel.api: an answer that is no JSON", () => {
  assert.throws(() => parseJson("<html>", api), { code: "channel.api" });
});

test("INV-56: no fault of a channel holds its secret, or draws", () => {
  const { message } = apiFault(api, `POST /bot${SECRET}/x\u202e failed\n`, [SECRET]);
  assert.ok(!message.includes(SECRET) && !/[\u202e\n]/.test(message));
});
