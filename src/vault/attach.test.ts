import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { attach, needsBody } from "./attach.ts";
import type { Lease } from "./lease.ts";
import type { Secret } from "./secret.ts";
import type { Kind } from "./spec.ts";
import { PLACE, specOf } from "./vault.fixture.ts";
import { makeLease } from "./lease.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const REAL = "real-secret-0123456789";
const FAKE = "fake-secret-9876543210";

function lease(how: Kind, value = REAL): Lease {
  const secret: Secret = { value };
  return makeLease(specOf("one", how), { value, secret, place: PLACE, wallMs: NOW });
}

const get = (target: string, headers: readonly string[] = []) => ({
  method: "GET",
  target,
  headers,
});

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

type Row = readonly [string, Kind, ReturnType<typeof get>, ReturnType<typeof get>];
const CASES: readonly Row[] = [
  [
    "a bearer token takes the placeholder's place",
    { kind: "bearer" },
    get("/a?b=c", ["Accept", "*/*", "authorization", `Bearer ${FAKE}`, "X-Other", "1"]),
    get("/a?b=c", ["Accept", "*/*", "X-Other", "1", "Authorization", `Bearer ${REAL}`]),
  ],
  [
    "every field of the place goes, in any spelling",
    { kind: "bearer", word: "token" },
    get("/", ["AUTHORIZATION", "Basic eDp5", "Authorization", "x", "x-a", "1"]),
    get("/", ["x-a", "1", "Authorization", `token ${REAL}`]),
  ],
  [
    "nothing need be there",
    { kind: "bearer" },
    get("/"),
    get("/", ["Authorization", `Bearer ${REAL}`]),
  ],
  [
    "a Basic password, with the user that is real",
    { kind: "basic", user: "editor" },
    get("/", ["Authorization", basic("somebody", FAKE)]),
    get("/", ["Authorization", basic("editor", REAL)]),
  ],
  [
    "a header of its own; what a CGI server takes for it goes too",
    { kind: "header", name: "X-Api-Key" },
    get("/", ["x_api_key", FAKE, "x-api-key", FAKE, "X-Api-Keys", "kept", "Authorization", "kept"]),
    get("/", ["X-Api-Keys", "kept", "Authorization", "kept", "X-Api-Key", REAL]),
  ],
  [
    "a query parameter stands where the first stood, and once",
    { kind: "query", name: "key" },
    get(`/a?x=1&key=${FAKE}&y=%20&ke%79=again&keys=2`),
    get(`/a?x=1&key=${REAL}&y=%20&keys=2`),
  ],
  [
    "a query parameter that is not there is added",
    { kind: "query", name: "key" },
    get("/a?x=1"),
    get(`/a?x=1&key=${REAL}`),
  ],
  [
    "a query that is not there is made",
    { kind: "query", name: "key" },
    get("/a"),
    get(`/a?key=${REAL}`),
  ],
  [
    "a path segment, with the words around it",
    { kind: "path" },
    get(`/bot${FAKE}/send%20it?text=${FAKE}`),
    get(`/bot${REAL}/send%20it?text=${FAKE}`),
  ],
];
for (const [what, how, before, after] of CASES) {
  test(`INV-54: ${what}`, () => {
    const copy = structuredClone(before);
    assert.deepEqual(attach(before, lease(how), FAKE, NOW), after);
    assert.deepEqual(before, copy, "the request itself is as it was");
  });
}

test("INV-54: a secret with odd characters is encoded for its place, and read back as itself", () => {
  const odd = "a/b?c#d&e=f%g:h@i";
  const query = attach(get("/p"), lease({ kind: "query", name: "k" }, odd), FAKE, NOW);
  assert.equal(new URL(query.target, "http://x").searchParams.get("k"), odd);
  const path = attach(get(`/bot${FAKE}/m`), lease({ kind: "path" }, odd), FAKE, NOW);
  assert.deepEqual(path.target.split("/").map(decodeURIComponent), ["", `bot${odd}`, "m"]);
  const telegram = "123:AbC";
  const encoded = `/bot${encodeURIComponent(telegram)}/getMe`;
  assert.equal(
    attach(get(encoded), lease({ kind: "path" }), telegram, NOW).target,
    `/bot${REAL}/getMe`,
  );
});

for (const target of ["/bot/x", `/${FAKE}/${FAKE}`, `/${FAKE}${FAKE}`, `/x?${FAKE}`]) {
  test(`vault.attach: the path ${target} has no single place for it`, () => {
    assert.throws(() => attach(get(target), lease({ kind: "path" }), FAKE, NOW), {
      code: "vault.attach",
    });
  });
}

for (const value of ["a\r\nX-Evil: 1", "a\nb", "a\0b", " a", "a ", "sn\u2603w", "", "a\x7fb"]) {
  test(`INV-54: ${JSON.stringify(value)} is never written into a head: vault.attach`, () => {
    const own: Lease = {
      credential: "x",
      attach: { kind: "header", name: "X-Key", value },
      secrets: [],
    };
    assert.throws(() => attach(get("/"), own, FAKE, NOW), { code: "vault.attach" });
  });
}

test("INV-54: exactly one field of the place, and every other as it was, for any head", () => {
  const name = fc.constantFrom(
    "authorization",
    "Authorization",
    "AUTHORIZATION",
    "accept",
    "x-a",
    "cookie",
    "author_ization",
  );
  const property = fc.property(fc.array(fc.tuple(name, fc.string())), (fields) => {
    const sent = attach(get("/", fields.flat()), lease({ kind: "bearer" }), FAKE, NOW).headers;
    const kept = fields.filter(([one]) => one.toLowerCase() !== "authorization").flat();
    assert.deepEqual(sent, [...kept, "Authorization", `Bearer ${REAL}`]);
  });
  fc.assert(property);
});

test("an HMAC is made of body and time by its template, and replaces what the agent made", () => {
  const how = {
    kind: "hmac",
    name: "X-Signature",
    value: "t={timestamp},v1={signature}",
    signed: "{timestamp}.{body}",
    algorithm: "sha256",
    encoding: "hex",
    timestampName: "X-Time",
  } as const;
  const body = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
  const request = { ...get("/hook", ["x-signature", "t=1,v1=00", "x-time", "1"]), body };
  const seconds = String(NOW / 1000);
  const expected = createHmac("sha256", REAL).update(`${seconds}.`).update(body).digest("hex");
  const { headers } = attach(request, lease(how), FAKE, NOW);
  assert.deepEqual(headers, ["X-Signature", `t=${seconds},v1=${expected}`, "X-Time", seconds]);
  assert.ok(needsBody(lease(how)) && !needsBody(lease({ kind: "bearer" })));
});

test("an HMAC over method and target tells requests apart, in base64", () => {
  const how = {
    kind: "hmac",
    name: "X-Sig",
    value: "{signature}",
    signed: "{method}\n{target}\n{timestamp_ms}\n{body}",
    algorithm: "sha512",
    encoding: "base64",
  } as const;
  const expected = createHmac("sha512", REAL).update(`GET\n/a\n${NOW}\n`).digest("base64");
  assert.deepEqual(attach(get("/a"), lease(how), FAKE, NOW).headers, ["X-Sig", expected]);
});

test("INV-52: a lease is plain data and tells its secrets, and no more than it needs", () => {
  const secret: Secret = {
    value: "refresh-token-0123",
    clientSecret: "client-secret-0123",
    accessToken: "old-access-token",
  };
  const how = { kind: "oauth2", tokenUrl: "https://auth.example/token" } as const;
  const own = makeLease(specOf("one", how), {
    value: "access-token-0123",
    secret,
    place: PLACE,
    wallMs: NOW,
  });
  assert.deepEqual(own, structuredClone(own));
  assert.deepEqual(own.secrets, ["access-token-0123"]);
  for (const kept of ["refresh-token", "client-secret"])
    assert.ok(!JSON.stringify(own).includes(kept));
  assert.deepEqual(lease({ kind: "basic", user: "ed" }).secrets, [REAL, `ed:${REAL}`]);
});
