/** Credentials between a run and a granted system: attached last, never echoed, and noticed where they stray. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import { createPlaceholderFinder, type Lease } from "../vault/index.ts";
import { destroyAll } from "./test-kit.ts";
import { ask, HOST, site, worldOf } from "./http-test-kit.ts";

const SECRET = "sk-live-5f2c9a7be0d14433";
const PLACEHOLDER = "sk-live-aaaa1111bbbb2222";
const OTHER = "sk-live-cccc3333dddd4444";
const LEASE: Lease = {
  credential: "api",
  attach: { kind: "header", name: "Authorization", value: `Bearer ${SECRET}` },
  secrets: [SECRET],
};

type Serve = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function api(t: TestContext, serve: Serve, lease: Lease | undefined = LEASE) {
  const reached: { headers: IncomingMessage["headers"]; body: string; url: string }[] = [];
  const server = site((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      reached.push({ headers: request.headers, body, url: request.url ?? "" });
      serve(request, response, body);
    });
  });
  const given = [
    { credential: "api", run: "r-test", text: PLACEHOLDER },
    { credential: "other", run: "r-test", text: OTHER },
  ];
  const placeholders = { given, find: createPlaceholderFinder(given).find };
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
  const it = await worldOf(t, port, {
    more: "credential: api,",
    placeholders,
    ...(lease === undefined ? {} : { lease }),
  });
  t.after(() => destroyAll([server]));
  return { it, reached };
}

const get = (more = "") => `GET /v1/x HTTP/1.1\r\n${HOST}${more}Connection: close\r\n\r\n`;

test("INV-64: the credential takes the placeholder's place, after the verdict and outside of the record", async (t) => {
  const { it, reached } = await api(t, (_, response) => response.end("fine"));
  const said = await ask(it, get(`Authorization: Bearer ${PLACEHOLDER}\r\n`));
  assert.match(said, /^HTTP\/1.1 200 [^]*fine/);
  assert.equal(reached[0]?.headers.authorization, `Bearer ${SECRET}`);
  assert.ok(!JSON.stringify([it.actions, it.events]).includes(SECRET));
  const without = await api(t, (_, response) => response.end("fine"));
  await ask(without.it, get());
  assert.equal(without.reached[0]?.headers.authorization, `Bearer ${SECRET}`, "also unasked");
});

const ECHOES: readonly (readonly [string, Serve, number?])[] = [
  ["in a header", (_, response) => response.setHeader("x-key", `a ${SECRET} b`).end("x")],
  ["in a body", (_, response) => response.end(`key: ${SECRET}.`)],
  ["in base64", (_, response) => response.end(Buffer.from(`u:${SECRET}`).toString("base64"))],
  [
    "in a stream, cut in two",
    (_, response) => {
      response.write(SECRET.slice(0, 9));
      setTimeout(() => response.end(SECRET.slice(9)), 20);
    },
  ],
  [
    "in an error's JSON",
    (_, response) => response.writeHead(401).end(JSON.stringify({ bad: SECRET })),
  ],
  [
    "in a redirect",
    (_, response) => response.writeHead(302, { location: `/?key=${SECRET}` }).end(),
  ],
  ["beside the status", (_, response) => response.writeHead(200, SECRET).end("x")],
  ["as the name of a header", (_, response) => response.setHeader(`x-${SECRET}`, "a").end("x")],
  [
    "as the name of a header, in small letters",
    (_, response) => response.setHeader(`x-${SECRET.toLowerCase()}`, "a").end("x"),
  ],
  [
    "in an answer before the answer",
    (_, response) => {
      response.writeEarlyHints({ link: `</${SECRET}>; rel=preload` });
      response.end("x");
    },
  ],
  [
    "in a trailer, and as the name of one",
    (_, response) => {
      response.writeHead(200, { trailer: "x-a" });
      response.write("x");
      response.addTrailers([
        ["x-a", SECRET],
        [`x-${SECRET}`, "a"],
      ]);
      response.end();
    },
    2,
  ],
];
for (const [where, serve, places = 1] of ECHOES) {
  test(`INV-64: an answer does not bring the credential back: ${where}`, async (t) => {
    const { it } = await api(t, serve);
    const said = await ask(it, get());
    assert.match(said, /^HTTP\/1.1 (?:103|200|302|401) /);
    assert.ok(!said.toLowerCase().includes(SECRET.toLowerCase()));
    assert.ok(!said.includes(Buffer.from(SECRET).toString("base64").slice(0, 20)));
    assert.ok(
      it.findings.some(({ kind }) => kind === "credential"),
      "and that is noticed",
    );
    assert.equal(it.event("outcome")?.data?.["redacted"], places);
  });
}

test("INV-64: how an answer came encoded is not repeated: it may be the credential", async (t) => {
  const { it } = await api(t, (_, response) =>
    response.writeHead(200, { "content-encoding": SECRET }).end("x"),
  );
  const said = await ask(it, get());
  assert.match(said, /^HTTP\/1.1 502 [^]*gateway\.encoded_answer/);
  for (const text of [said, JSON.stringify(it.event("outcome"))]) {
    assert.ok(!text.toLowerCase().includes(SECRET.toLowerCase()));
  }
});

test("an answer that holds nothing of it is the very same", async (t) => {
  const body = "x".repeat(300_000);
  const { it } = await api(t, (_, response) => response.end(body));
  const said = await ask(it, get());
  assert.ok(said.includes(body));
  assert.deepEqual(it.findings, []);
});

test("fault gateway.encoded_answer: what comes compressed unasked cannot be looked through", async (t) => {
  const { it, reached } = await api(t, (_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(Buffer.from("1f8b0800", "hex")),
  );
  const said = await ask(it, get("Accept-Encoding: gzip\r\n"));
  assert.match(said, /^HTTP\/1.1 502 [^]*gateway\.encoded_answer/);
  assert.equal(reached[0]?.headers["accept-encoding"], "identity");
});

const STRAY = [
  ["the placeholder of another credential", get(`X-Key: ${OTHER}\r\n`)],
  ["its own in another header", get(`X-Key: ${PLACEHOLDER}\r\n`)],
  ["its own in the query", get().replace("/v1/x", `/v1/x?key=${PLACEHOLDER}`)],
  [
    "its own in a body",
    `POST /v1/x HTTP/1.1\r\n${HOST}Content-Length: ${PLACEHOLDER.length}\r\nConnection: close\r\n\r\n${PLACEHOLDER}`,
  ],
  ["one in base64", get(`X-Key: ${Buffer.from(`u:${OTHER}`).toString("base64")}\r\n`)],
] as const;
for (const [what, request] of STRAY) {
  test(`INV-64: a placeholder where it does not belong is noticed, and nothing is sent: ${what}`, async (t) => {
    const { it, reached } = await api(t, (_, response) => response.end("fine"));
    assert.match(await ask(it, request), /^HTTP\/1.1 403 [^]*does not belong/);
    assert.deepEqual(reached, []);
    assert.equal(it.findings[0]?.kind, "credential");
  });
}

test("a credential of the path takes the placeholder's place there", async (t) => {
  const lease: Lease = { ...LEASE, attach: { kind: "path", value: SECRET } };
  const { it, reached } = await api(t, (_, response) => response.end("fine"), lease);
  await ask(it, get().replace("/v1/x", `/bot${PLACEHOLDER}/sendMessage`));
  assert.equal(reached[0]?.url, `/bot${SECRET}/sendMessage`);
  assert.ok(!JSON.stringify([it.actions, it.events]).includes(SECRET));
});

test("a signature is over the whole body, however it came", async (t) => {
  const lease: Lease = {
    credential: "api",
    secrets: [SECRET],
    attach: {
      kind: "hmac",
      name: "X-Signature",
      algorithm: "sha256",
      encoding: "hex",
      signed: "{body}",
      value: "{signature}",
      key: SECRET,
    },
  };
  const { it, reached } = await api(t, (_, response) => response.end("fine"), lease);
  const said = await ask(
    it,
    `POST /v1/x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  );
  assert.match(said, /^HTTP\/1.1 200/);
  assert.equal(reached[0]?.body, "abc");
  assert.match(String(reached[0]?.headers["x-signature"]), /^[0-9a-f]{64}$/);
});
