import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type IncomingMessage } from "node:http";
import { test } from "node:test";
import { ask, HOST, saying, site, worldOf } from "./http-test-kit.ts";
import { readAll } from "./test-kit.ts";

test("a denial is RFC 9457, is recorded with its action, and leaves the connection usable", async (t) => {
  const it = await worldOf(
    t,
    site((_, response) => response.end("fine")),
    {
      allow: `[{ methods: [GET], paths: ["/v1/**"] }]`,
    },
  );
  const said = await ask(
    it,
    `POST /v1/x?q=1 HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhiGET /v1/y HTTP/1.1\r\n${HOST}\r\n`,
    (text) => text.endsWith("fine"),
  );
  assert.match(said, /^HTTP\/1.1 403 Forbidden\r\ncontent-type: application\/problem\+json\r\n/);
  assert.match(said, /HTTP\/1.1 200 OK[^]*fine$/);
  const problem = JSON.parse(/\{.*\}/.exec(said)?.[0] ?? "") as Record<string, unknown>;
  const [action] = it.actions;
  assert.equal(problem["instance"], `urn:cofferdam:${action?.id}`);
  assert.deepEqual(
    [problem["status"], problem["rule"], problem["system"]],
    [403, "grants[0]", "a"],
  );
  assert.match(String(problem["detail"]), /grants no POST.*allowed there: GET/);
  assert.deepEqual(problem["allowed"], ["GET http://a.test:80 /v1/**"]);
  const recorded = it.events.find((event) => event.type === "action");
  assert.deepEqual([recorded?.verdict, recorded?.action], ["deny", action?.id]);
  const [denial] = it.denials;
  assert.deepEqual(
    [denial?.target, denial?.effect, denial?.action],
    ["http://a.test/v1/x", "write", action?.id],
  );
});

test("a denial before the body has come closes the connection, and is still heard", async (t) => {
  const seen: string[] = [];
  const it = await worldOf(
    t,
    site((request) => void seen.push(request.url ?? "")),
    {
      allow: `[{ methods: [GET], paths: ["/"] }]`,
    },
  );
  const body = "x".repeat(100_000);
  const said = await ask(
    it,
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 900000\r\n\r\n${body}GET / HTTP/1.1\r\n${HOST}\r\n`,
  );
  assert.match(said, /^HTTP\/1.1 403 Forbidden[^]*connection: close\r\n[^]*\}\n$/);
  assert.deepEqual(seen, []);
});

test("what a denied client still sends is read for a moment, so that its kernel keeps the answer", async (t) => {
  const it = await worldOf(
    t,
    site(() => {}),
    { allow: `[{ methods: [GET], paths: ["/"] }]`, limits: { lingerMs: 5000 } },
  );
  const socket = await it.dial("a.test", 80);
  const said = readAll(socket, (text) => text.endsWith("}\n"));
  const body = "x".repeat(200_000);
  socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 400000\r\n\r\n${body}`);
  assert.match(await said, /^HTTP\/1.1 403 Forbidden/);
  socket.write(body);
  await it.flowsClosed(1);
  assert.ok(Number(it.event("flow.close")?.data?.["bytesOut"]) > 400_000);
});

const UPGRADES = [
  ["websocket", /^HTTP\/1\.1 426 /, "without a version is no WebSocket's"],
  ["WebSocket", /^HTTP\/1\.1 426 /, "is named in any case"],
  ["chisel", /^HTTP\/1\.1 403 /, "is refused as such"],
  ["websocket, chisel", /^HTTP\/1\.1 403 /, "asks for more than a WebSocket"],
] as const;
for (const [offer, expected, why] of UPGRADES) {
  test(`an upgrade to ${offer} ${why}, and nothing of it reaches the site`, async (t) => {
    let reached = 0;
    const it = await worldOf(
      t,
      site(() => (reached += 1)),
    );
    const said = await ask(
      it,
      `GET /x HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: ${offer}\r\n\r\n`,
    );
    assert.match(said, expected);
    assert.match(said, /"rule":"http\.upgrade"/);
    assert.equal(reached, 0);
  });
}

const STALLS = [
  ["half a head", `GET /x HTTP/1.1\r\n${HOST}X: `],
  ["nothing after an answer", `GET /x HTTP/1.1\r\n${HOST}\r\n`],
  ["half a head after an answer", `GET /x HTTP/1.1\r\n${HOST}\r\nGET /y HT`],
] as const;
for (const [why, text] of STALLS) {
  test(`a client that sends ${why} does not stay`, async (t) => {
    const it = await worldOf(
      t,
      site((_, response) => response.end("fine")),
      { limits: { headMs: 60 } },
    );
    await ask(it, text);
    await it.flowsClosed(1);
    assert.match(it.said("reason").at(-1) ?? "", /no complete request within/);
  });
}

test("what waits for a person is denied, and says so", async (t) => {
  const it = await worldOf(
    t,
    site((_, response) => response.end("published")),
    {
      allow: `[{ methods: [POST], paths: ["/publish"], effects: [publish] }]`,
    },
  );
  const said = await ask(it, `POST /publish HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
  assert.match(said, /403 Forbidden[^]*waits for a person/);
  assert.equal(it.event("action")?.verdict, "confirm");
  assert.deepEqual(it.event("action")?.data?.["effects"], ["publish"]);
  assert.equal(it.denials[0]?.effect, "publish");
});

const SOON = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
const SYNCS = [
  ["read", "GET", "", false],
  ["write", "POST", "", false],
  [
    "delete",
    "DELETE",
    `, unattended: { count: 3, reason: "old drafts are swept", expires: ${SOON} }`,
    true,
  ],
] as const;
for (const [effect, method, more, synced] of SYNCS) {
  test(`an intent to ${effect} is ${synced ? "" : "not "}on disk before it leaves`, async (t) => {
    const it = await worldOf(
      t,
      site((_, response) => response.end("done")),
      {
        allow: `[{ methods: [${method}], paths: ["/**"]${more} }]`,
      },
    );
    assert.match(
      await ask(it, `${method} /x HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`),
      /200 OK/,
    );
    assert.equal(it.events.find((event) => event.type === "action")?.synced, synced);
  });
}

test("what is recorded is what is sent: the body's hash, and no secret's value", async (t) => {
  let got: IncomingMessage | undefined;
  const it = await worldOf(
    t,
    site((request, response) => {
      got = request;
      request.resume().on("end", () => response.end());
    }),
  );
  const head = `POST /x?api_key=hush HTTP/1.1\r\n${HOST}Authorization: Bearer hush\r\nX-Api-Key: hush\r\nConnection: close\r\n`;
  await ask(it, `${head}Content-Length: 5\r\n\r\nhello`);
  await ask(it, `${head}Content-Length: 5\r\n\r\nworld`);
  assert.equal(got?.headers["authorization"], "Bearer hush");
  assert.equal(got?.headers["content-length"], "5");
  const [first, second] = it.actions;
  assert.equal(first?.fields["bodySha256"], createHash("sha256").update("hello").digest("hex"));
  assert.notEqual(first?.digest, second?.digest);
  await it.flowsClosed(2);
  assert.doesNotMatch(JSON.stringify(it.events), /hush/);
});

test("JSON-RPC that is not mining passes, both ways", async (t) => {
  const it = await worldOf(
    t,
    site((request, response) => request.pipe(response)),
  );
  const call = '{"jsonrpc":"2.0","id":1,"method":"login","params":{"login":"ann","pass":"x"}}';
  const said = await ask(
    it,
    `POST /rpc HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: ${call.length}\r\n\r\n${call}`,
  );
  assert.ok(said.includes(call));
  assert.deepEqual(it.findings, []);
});

test("mining in an answer is cut and named", async (t) => {
  const notify = '{"id":null,"method":"mining.notify","params":[]}\n';
  const it = await worldOf(t, saying(`HTTP/1.1 200 OK\r\n\r\n${notify}`, false));
  assert.doesNotMatch(await ask(it, `GET / HTTP/1.1\r\n${HOST}\r\n`), /mining/);
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["mining"],
  );
});

test("one request at a time, in order, whatever the client sends ahead", async (t) => {
  let open = 0;
  let most = 0;
  const it = await worldOf(
    t,
    site((request, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end(request.url);
      }, 5);
    }),
  );
  const ahead = (count: number) =>
    Array.from({ length: count }, (_, n) => `GET /n${n} HTTP/1.1\r\n${HOST}\r\n`).join("");
  const said = await ask(it, ahead(10), (text) => text.includes("/n9"));
  assert.deepEqual(
    said.match(/\/n\d/g),
    Array.from({ length: 10 }, (_, n) => `/n${n}`),
  );
  assert.equal(most, 1);
  const all = await ask(it, ahead(200), (text) => text.includes("/n199"));
  assert.equal(all.match(/\/n\d+/g)?.length, 200, "what waits costs nothing but its bytes");
  assert.equal(most, 1);
});

test("faults gateway.body_late, gateway.aborted: a short body that stops coming is not sent", async (t) => {
  const seen: string[] = [];
  const it = await worldOf(
    t,
    site((request) => void seen.push(request.url ?? "")),
    {
      limits: { wholeBodyMs: 40 },
    },
  );
  await ask(it, `POST /late HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhe`);
  const socket = await it.dial("a.test", 80);
  socket.end(`POST /left HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhe`);
  await it.flowsClosed(2);
  assert.deepEqual(seen, []);
  const reasons = it.said("reason");
  assert.ok(
    reasons.some((reason) => reason.includes("body was not there")),
    reasons.join(),
  );
});

test("a client ahead of its answers is not read on while it waits", async (t) => {
  const go = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const it = await worldOf(
    t,
    site((request, response) => {
      asked.resolve();
      void go.promise.then(() => response.end(request.url));
    }),
  );
  const socket = await it.dial("a.test", 80);
  const answer = readAll(socket, (text) => text.includes("/n0"));
  for (let n = 0; n < 100; n += 1) {
    socket.write(`GET /n${n} HTTP/1.1\r\n${HOST}\r\n`);
    await (n === 0 ? asked.promise : new Promise((resolve) => setTimeout(resolve, 1)));
  }
  assert.equal(it.gateway.stats().open, 1, "read on, it would be over the limit and cut");
  go.resolve();
  assert.match(await answer, /200 OK/);
});

test("an exchange in which nothing moves any more is cut", async (t) => {
  const it = await worldOf(
    t,
    site(() => {}),
    { limits: { exchangeIdleMs: 60 } },
  );
  assert.equal(await ask(it, `GET / HTTP/1.1\r\n${HOST}\r\n`), "");
  await it.flowsClosed(1);
  assert.match(it.said("reason").at(-1) ?? "", /idle within an exchange/);
});

test("a client that ends its side gets its answer, and its upstream goes with it when it is gone", async (t) => {
  const soon = await worldOf(
    t,
    site((_, response) => setTimeout(() => response.end("fine"), 30)),
  );
  const patient = await soon.dial("a.test", 80);
  const answer = readAll(patient);
  patient.end(`GET /soon HTTP/1.1\r\n${HOST}\r\n`);
  assert.match(await answer, /200 OK[^]*fine/);
  const left = Promise.withResolvers<void>();
  const it = await worldOf(
    t,
    site((_, response) => response.once("close", () => left.resolve())),
    { limits: { halfClosedMs: 80 } },
  );
  const gone = await it.dial("a.test", 80);
  gone.end(`GET /never HTTP/1.1\r\n${HOST}\r\n`);
  await left.promise;
  await it.flowsClosed(1);
  assert.match(it.said("reason").at(-1) ?? "", /the client left/);
});

test("what a client sent before it ended its side is answered, to the last request", async (t) => {
  const it = await worldOf(
    t,
    site((request, response) => setTimeout(() => response.end(request.url), 10)),
  );
  const socket = await it.dial("a.test", 80);
  const said = readAll(socket);
  socket.end(
    `GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}\r\nGET /3 HTTP/1.1\r\n${HOST}\r\n`,
  );
  assert.deepEqual((await said).match(/\/\d$|\/\d(?=HTTP)/g), ["/1", "/2", "/3"]);
});

test("a client that leaves is seen, also with bytes behind its request", async (t) => {
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const it = await worldOf(
    t,
    site((_, response) => {
      response.once("close", () => left.resolve());
      asked.resolve();
    }),
  );
  const socket = await it.dial("a.test", 80);
  socket.write(`GET /1 HTTP/1.1\r\n${HOST}\r\n\r\nGET /2 HTTP/1.1\r\n`);
  await asked.promise;
  socket.resetAndDestroy();
  await left.promise;
});

test("a client that asks ahead and reads no answer is not answered without end", async (t) => {
  let served = 0;
  const body = Buffer.alloc(60_000, "x");
  const it = await worldOf(
    t,
    site((_, response) => {
      served += 1;
      response.setHeader("content-length", body.length);
      response.end(body);
    }),
  );
  const socket = await it.dial("a.test", 80);
  socket.pause();
  socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(5000));
  for (let before = -1; before !== served;) {
    before = served;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const MIB = 1 << 20; // What the kernel's buffers take, and our own.
  assert.ok(served > 0 && served * body.length < 24 * MIB, `${served} answers`);
  socket.destroy();
});
