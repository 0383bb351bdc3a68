import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import type { Clock } from "../base/index.ts";
import { isFault } from "../base/index.ts";
import { PLACE, specOf, TestVault } from "./vault.fixture.ts";

const START = Date.parse("2026-11-26T12:00:00Z");
const REFRESH = "refresh-token-of-the-start";

interface Asked {
  readonly type: string;
  readonly body: string;
}
type Answer = readonly [number, unknown];

/** A token endpoint on loopback, a vault with a credential for it, and a clock that a test moves. */
async function setUp(
  t: TestContext,
  answer: (n: number, asked: Asked) => Answer | Promise<Answer>,
  more = {},
) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one = {
        type: request.headers["content-type"] ?? "",
        body: Buffer.concat(chunks).toString(),
      };
      const n = asked.push(one);
      void Promise.resolve(answer(n, one)).then(([status, body]) =>
        response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const home = new TestVault();
  t.after(() => home.remove());
  let wallMs = START;
  const clock: Clock = { now: () => ({ wallMs, monoMs: wallMs }) };
  const vault = await home.open(undefined, clock);
  const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  const how = { kind: "oauth2", tokenUrl, clientId: "client-1", ...more } as const;
  await vault.add(specOf("one", how), { value: REFRESH, clientSecret: "client-secret-1" });
  return { vault, home, asked, clock, pass: (ms: number) => (wallMs += ms) };
}

const bearerOf = (lease: { attach: object }) => (lease.attach as { value: string }).value;

test("an access token is fetched once, kept until its end comes near, and fetched again", async (t) => {
  const { vault, asked, pass } = await setUp(t, (n) => [
    200,
    { access_token: `access-token-${n}`, expires_in: 3600 },
  ]);
  assert.equal(bearerOf(await vault.lease("one", PLACE)), "Bearer access-token-1");
  pass(3_000_000);
  assert.equal(bearerOf(await vault.lease("one", PLACE)), "Bearer access-token-1");
  pass(600_000);
  assert.equal(bearerOf(await vault.lease("one", PLACE)), "Bearer access-token-2");
  assert.equal(asked.length, 2);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(asked[0]?.body)), {
    grant_type: "refresh_token",
    refresh_token: REFRESH,
    client_id: "client-1",
    client_secret: "client-secret-1",
  });
});

test("many that ask at once wait for one fetch", async (t) => {
  const { vault, asked } = await setUp(t, () => [
    200,
    { access_token: "access-token-1", expires_in: 60 },
  ]);
  const leases = await Promise.all(
    Array.from({ length: 20 }, async () => vault.lease("one", PLACE)),
  );
  assert.deepEqual(new Set(leases.map(bearerOf)), new Set(["Bearer access-token-1"]));
  assert.equal(asked.length, 1);
});

test("INV-51: a rotated refresh token is on disk before the access token is used", async (t) => {
  const { vault, home, asked, pass } = await setUp(t, (n) => [
    200,
    { access_token: `access-token-${n}`, expires_in: 60, refresh_token: `refresh-token-${n}` },
  ]);
  await vault.lease("one", PLACE);
  assert.equal((await home.open()).reveal("one"), "refresh-token-1");
  pass(3_600_000);
  await vault.lease("one", PLACE);
  assert.equal(new URLSearchParams(asked[1]?.body).get("refresh_token"), "refresh-token-1");
  assert.equal((await home.open()).reveal("one"), "refresh-token-2");
});

test("what a person rotates while a fetch is under way is not overwritten by its answer", async (t) => {
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const { vault, asked } = await setUp(t, async () => {
    arrived.resolve();
    await gate.promise;
    return [200, { access_token: "access-token-1", refresh_token: "refresh-token-late" }] as const;
  });
  const leased = vault.lease("one", PLACE);
  await arrived.promise;
  await vault.rotate("one", { value: "refresh-token-of-a-person" });
  gate.resolve();
  await leased;
  assert.equal(vault.reveal("one"), "refresh-token-of-a-person");
  await vault.lease("one", PLACE);
  assert.equal(asked.length, 2, "and neither is the old access token used");
  const { refresh_token: sent, client_secret: kept } = Object.fromEntries(
    new URLSearchParams(asked[1]?.body),
  );
  assert.deepEqual([sent, kept], ["refresh-token-of-a-person", "client-secret-1"]);
});

test("a token that the site refused is forgotten, and JSON is spoken where the site wants it", async (t) => {
  const answer = (n: number): Answer => [
    200,
    { access_token: `access-token-${n}`, expires_in: 3600 },
  ];
  const { vault, asked } = await setUp(t, answer, { format: "json", scope: "read write" });
  await vault.lease("one", PLACE);
  vault.forgetAccess("one");
  assert.equal(bearerOf(await vault.lease("one", PLACE)), "Bearer access-token-2");
  const [first] = asked;
  assert.equal(first?.type, "application/json");
  assert.equal((JSON.parse(first.body) as { scope: string }).scope, "read write");
});

const REFUSALS: readonly (readonly [string, Answer, RegExp])[] = [
  [
    "a refusal by its word",
    [400, { error: "invalid_grant", error_description: REFRESH }],
    /400, invalid_grant$/,
  ],
  ["a refusal that echoes", [400, { error: `bad token ${REFRESH}` }], /answered 400$/],
  ["no token in it", [200, { token_type: "bearer" }], /no access token$/],
  [
    "a token that would break a header",
    [200, { access_token: "evil\r\nX-Evil: 1" }],
    /no access token$/,
  ],
  ["no JSON", [200, "<html>"], /no access token$/],
  ["an answer without end", [200, "x".repeat(300_000)], /no access token$/],
  ["a redirect, which is not followed", [302, ""], /answered 302$/],
];
for (const [what, answer, words] of REFUSALS) {
  test(`INV-55 vault.oauth2: ${what}; and no token is in the fault`, async (t) => {
    const { vault, asked } = await setUp(t, () => answer);
    await assert.rejects(vault.lease("one", PLACE), (error) => {
      assert.ok(isFault(error, "vault.oauth2"));
      assert.match(error.message, words);
      return !`${error.message} ${error.hint} ${String(error.cause)}`.includes(REFRESH);
    });
    assert.equal(asked.length, 1);
    await assert.rejects(vault.lease("one", PLACE), { code: "vault.oauth2" });
    assert.equal(asked.length, 2, "the next one tries again");
  });
}

test("INV-52: no token is fetched for a place that the credential is not bound to", async (t) => {
  const { vault, asked } = await setUp(t, () => [200, { access_token: "access-token-1" }]);
  await assert.rejects(vault.lease("one", { ...PLACE, host: "evil.example" }), {
    code: "vault.place",
  });
  assert.equal(asked.length, 0);
});

test("a token that came with a login is used until its end, and no more once the site refused it", async (t) => {
  const { vault, asked } = await setUp(t, () => [200, { access_token: "access-token-1" }]);
  const accessExpiresMs = START + 3_600_000;
  await vault.rotate("one", { value: REFRESH, accessToken: "token-of-the-login", accessExpiresMs });
  assert.equal(bearerOf(await vault.lease("one", PLACE)), "Bearer token-of-the-login");
  assert.equal(asked.length, 0);
  vault.forgetAccess("one");
  assert.equal(bearerOf(await vault.lease("one", PLACE)), "Bearer access-token-1");
});
