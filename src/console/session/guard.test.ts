import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cookiesOf, credentialsOf, guard, securityHeaders, sessionCookie } from "./guard.ts";

const ORIGIN = new URL("http://localhost:8700");
type Headers = Readonly<Record<string, string>>;

const HOST = { host: "localhost:8700" };
const PAGE = {
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};
const PART = {
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
  "sec-fetch-dest": "script",
};
const OWN = {
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
  "sec-fetch-dest": "empty",
};
const POST = { ...OWN, origin: "http://localhost:8700", "content-type": "application/json" };

function heard(
  [method, target]: readonly [string, string],
  headers: Headers,
  more: { httpVersion?: string; rawHeaders?: readonly string[]; origin?: URL } = {},
): boolean {
  const {
    httpVersion = "1.1",
    rawHeaders = Object.entries(headers).flat(),
    origin = ORIGIN,
  } = more;
  try {
    guard({ method, target, headers, httpVersion, rawHeaders }, origin);
    return true;
  } catch (error) {
    assert.equal((error as { code?: string }).code, "console.origin");
    return false;
  }
}

const HEARD: readonly (readonly [string, string, Headers, string])[] = [
  ["GET", "/", PAGE, "typed"],
  [
    "GET",
    "/run/r-1?tab=map",
    { ...PAGE, "sec-fetch-site": "cross-site" },
    "a link in a chat leads here",
  ],
  [
    "GET",
    "/session/oidc/callback?code=a%2Fb",
    { ...PAGE, "sec-fetch-site": "cross-site" },
    "back from a provider",
  ],
  [
    "GET",
    "/session/oidc?key=k",
    { ...PAGE, "sec-fetch-site": "same-origin" },
    "our page's link to the provider",
  ],
  ["HEAD", "/", PAGE, "a look"],
  ["GET", "/assets/index-a1.js", PART, "a page's part"],
  ["GET", "/", {}, "a program that says nothing gets a page that holds nothing"],
  ["GET", "/api/stream?approvals", OWN, "the page's own stream"],
  ["POST", "/api/run.kill", POST, "a page of ours"],
  ["POST", "/session/link", POST, "signing in"],
];
for (const [method, target, headers, why] of HEARD) {
  test(`${method} ${target} is heard: ${why}`, () =>
    assert.ok(heard([method, target], { ...HOST, ...headers })));
}

const without = (headers: Headers, name: string): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([one]) => one !== name));

const REFUSED: readonly (readonly [string, string, Headers, string])[] = [
  ["GET", "/", { ...PAGE, host: "evil.test:8700" }, "a name that was rebound to us"],
  ["GET", "/", { ...PAGE, host: "127.0.0.1:8700" }, "an address is another origin"],
  ["GET", "/", { ...PAGE, host: "[::1]:8700" }, "an address is another origin"],
  ["GET", "/", { ...PAGE, host: "localhost" }, "another port"],
  ["GET", "/", { ...PAGE, host: "localhost:8701" }, "another port"],
  ["GET", "/", { ...PAGE, host: "localhost.:8700" }, "a dot more is another name"],
  ["GET", "/", { ...PAGE, host: "LOCALHOST:8700" }, "no browser writes it so"],
  ["GET", "/", { ...PAGE, host: "" }, "no name"],
  [
    "GET",
    "/session/oidc?key=k",
    { ...PAGE, "sec-fetch-site": "cross-site" },
    "another site signs somebody in for a key of its own, and out of what they had",
  ],
  ["GET", "/session/oidc?key=k", { ...PAGE, "sec-fetch-site": "same-site" }, "nor another port"],
  ["GET", "/session/oidc?key=k", without(PAGE, "sec-fetch-site"), "nobody says whose link it was"],
  ["GET", "/", { ...PAGE, "sec-fetch-dest": "iframe" }, "inside another page"],
  ["GET", "/", { ...PAGE, "sec-fetch-dest": "object" }, "inside another page"],
  ["GET", "/", { ...PAGE, "sec-fetch-dest": "embed" }, "inside another page"],
  ["GET", "/assets/a.js", { ...PART, "sec-fetch-site": "same-site" }, "another port's script tag"],
  ["GET", "/assets/a.js", { ...PART, "sec-fetch-site": "cross-site" }, "another site's script tag"],
  ["GET", "/api/stream", { ...OWN, "sec-fetch-site": "same-site" }, "another port's EventSource"],
  ["GET", "/api/stream", without(OWN, "sec-fetch-site"), "nobody says whose"],
  ["GET", "/api/stream", { ...PAGE, "sec-fetch-site": "same-origin" }, "a stream is no page"],
  ["GET", "/api/stream", { ...OWN, "sec-fetch-mode": "no-cors" }, "nor an image"],
  ["POST", "/api/run.kill", without(POST, "origin"), "no origin"],
  ["POST", "/api/run.kill", { ...POST, origin: "null" }, "a sandboxed frame"],
  ["POST", "/api/run.kill", { ...POST, origin: "http://localhost:3000" }, "a published port"],
  ["POST", "/api/run.kill", { ...POST, origin: "https://localhost:8700" }, "another scheme"],
  ["POST", "/api/run.kill", { ...POST, origin: "http://localhost:8700/" }, "no origin has a path"],
  ["POST", "/api/run.kill", { ...POST, "sec-fetch-site": "same-site" }, "another port"],
  ["POST", "/api/run.kill", { ...POST, "sec-fetch-site": "cross-site" }, "another site"],
  ["POST", "/api/run.kill", { ...POST, "sec-fetch-mode": "no-cors" }, "without asking for leave"],
  ["POST", "/api/run.kill", { ...POST, "sec-fetch-mode": "navigate" }, "a form"],
  ["POST", "/api/run.kill", { ...POST, "content-type": "text/plain" }, "a form's kind of content"],
  [
    "POST",
    "/api/run.kill",
    { ...POST, "content-type": "application/json; charset=utf-8" },
    "not exactly",
  ],
  ["POST", "/api/run.kill", without(POST, "content-type"), "no kind of content"],
  ["POST", "/api/run.kill", { ...POST, "content-encoding": "gzip" }, "packed"],
  ["POST", "/api/run.kill", { ...POST, expect: "100-continue" }, "it waits"],
  ["GET", "/", { ...PAGE, upgrade: "websocket" }, "nothing here is a WebSocket"],
  ["GET", "/", { ...PAGE, "content-length": "3" }, "a GET has no body"],
  ["GET", "/", { ...PAGE, "transfer-encoding": "chunked" }, "a GET has no body"],
  [
    "OPTIONS",
    "/api/run.kill",
    { ...POST, "access-control-request-method": "POST" },
    "no leave is given",
  ],
  ["PUT", "/api/run.kill", POST, "no such method"],
  ["TRACE", "/", PAGE, "no such method"],
  ["get", "/", PAGE, "no such method"],
  ["GET", "http://localhost:8700/", PAGE, "a proxy's form"],
  ["GET", "//evil.test/", PAGE, "another host's path"],
  ["GET", "/a//b", PAGE, "an empty step"],
  ["GET", "/../etc", PAGE, "a step up"],
  ["GET", "/a/.", PAGE, "a step nowhere"],
  ["GET", "/a%2fb", PAGE, "a slash in disguise"],
  ["GET", "/%2e%2e/b", PAGE, "a step up in disguise"],
  ["GET", "/a%5Cb", PAGE, "a backslash in disguise"],
  ["GET", "/a\\b", PAGE, "a backslash"],
  ["GET", "/a%00", PAGE, "NUL"],
  ["GET", "/a%0", PAGE, "half an escape"],
  ["GET", "*", PAGE, "no path"],
  ["GET", "", PAGE, "no path"],
];
for (const [method, target, headers, why] of REFUSED) {
  test(`INV-203, fault console.origin: ${method} ${JSON.stringify(target)} is not heard: ${why}`, () =>
    assert.ok(!heard([method, target], { ...HOST, ...headers })));
}

test("INV-203: HTTP/1.0 and a header that comes twice are not heard", () => {
  const headers = { ...HOST, ...POST };
  const ask = ["POST", "/api/run.kill"] as const;
  assert.ok(!heard(ask, headers, { httpVersion: "1.0" }));
  for (const name of [
    "host",
    "Origin",
    "content-type",
    "cookie",
    "SEC-FETCH-SITE",
    "content-length",
  ]) {
    const rawHeaders = [...Object.entries(headers).flat(), name, "x", name.toLowerCase(), "x"];
    assert.ok(!heard(ask, headers, { rawHeaders }), name);
  }
  const rawHeaders = [...Object.entries(headers).flat(), "accept", "a", "Accept", "b"];
  assert.ok(heard(ask, headers, { rawHeaders }), "what we do not read may");
});

test("INV-203: no host, origin or site but our own changes anything", () => {
  const word = fc.oneof(
    fc.webUrl(),
    fc.domain(),
    fc.string(),
    fc.constantFrom("null", "same-site"),
  );
  const name = fc.constantFrom("host", "origin", "sec-fetch-site", "content-type");
  fc.assert(
    fc.property(name, word, (header, value) => {
      const headers: Headers = { ...HOST, ...POST, [header]: value };
      const isOurs = headers[header] === { ...HOST, ...POST }[header as "host"];
      assert.equal(heard(["POST", "/api/run.kill"], headers), isOurs);
    }),
  );
});

test("INV-204: the cookie's flags; with https it is bound to its host by name", () => {
  assert.equal(sessionCookie(ORIGIN, "t"), "cofferdam-8700=t; HttpOnly; SameSite=Strict; Path=/");
  assert.equal(
    sessionCookie(new URL("https://console.example"), "t"),
    "__Host-cofferdam=t; HttpOnly; SameSite=Strict; Path=/; Secure",
  );
  assert.match(sessionCookie(ORIGIN, ""), /Max-Age=0/);
  assert.deepEqual(cookiesOf("a=1; cofferdam-8700=x; b=2;cofferdam-8700=y", "cofferdam-8700"), [
    "x",
    "y",
  ]);
  assert.deepEqual(cookiesOf(undefined, "a"), []);
});

test("INV-204: a key that is not of the page's form is none", () => {
  const key = "k".repeat(43);
  const of = (headers: Headers) => credentialsOf(ORIGIN, headers).key;
  assert.equal(of({ "x-cofferdam-key": key }), key);
  for (const bad of ["", "k", `${key}k`, `${key.slice(1)} `])
    assert.equal(of({ "x-cofferdam-key": bad }), undefined);
});

test("INV-203: every answer tells the browser to keep others away", () => {
  const headers = securityHeaders();
  const policy = headers["content-security-policy"] ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ]) {
    assert.ok(policy.split("; ").includes(part), part);
  }
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(headers["cross-origin-opener-policy"], "same-origin");
  assert.equal(headers["cross-origin-resource-policy"], "same-origin");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["cache-control"], "no-store");
  assert.ok(!Object.keys(headers).some((name) => name.startsWith("access-control")), "no CORS");
});
