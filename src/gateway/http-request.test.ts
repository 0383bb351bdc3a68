import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authorityOf, checkRequest, type Origin } from "./http-request.ts";

const HTTPS: Origin = { scheme: "https", host: "docs.example.com", port: 443 };
const ODD: Origin = { scheme: "http", host: "docs.example.com", port: 8080 };
const HOST = ["Host", "docs.example.com"] as const;

interface Variation {
  readonly origin?: Origin;
  readonly method?: string;
  readonly url?: string;
  readonly httpVersion?: string;
  readonly rawHeaders?: readonly string[];
}

function check({ origin = HTTPS, ...head }: Variation) {
  const plain = { method: "GET", url: "/a?b=c", httpVersion: "1.1", rawHeaders: HOST };
  return checkRequest({ ...plain, ...head }, origin, 10);
}

const REFUSED: readonly (readonly [string, Variation, number, string])[] = [
  ["HTTP/2.0 in text is no version of HTTP/1", { httpVersion: "2.0" }, 505, "http.version"],
  ["HTTP/0.9 has no head to judge", { httpVersion: "0.9", rawHeaders: [] }, 505, "http.version"],
  ["no Host", { rawHeaders: [] }, 400, "http.host"],
  ["two Hosts, even if equal", { rawHeaders: [...HOST, ...HOST] }, 400, "http.host"],
  ["another host", { rawHeaders: ["Host", "evil.example"] }, 421, "http.host"],
  [
    "a trailing dot is another spelling",
    { rawHeaders: ["Host", "docs.example.com."] },
    421,
    "http.host",
  ],
  ["userinfo in Host", { rawHeaders: ["Host", "docs.example.com@evil"] }, 421, "http.host"],
  ["another port", { rawHeaders: ["Host", "docs.example.com:8443"] }, 421, "http.host"],
  ["a port that must be said", { origin: ODD }, 421, "http.host"],
  ["two hosts in one field", { rawHeaders: ["Host", "docs.example.com, evil"] }, 421, "http.host"],
  ["absolute form, other host", { url: "https://evil.example/" }, 421, "http.target"],
  ["absolute form, other scheme", { url: "http://docs.example.com/" }, 421, "http.target"],
  ["absolute form with userinfo", { url: "https://docs.example.com@evil/" }, 421, "http.target"],
  [
    "absolute form, user before the host",
    { url: "https://u@docs.example.com/" },
    421,
    "http.target",
  ],
  ["a fragment never travels", { url: "/a#b" }, 400, "http.target"],
  ["a backslash is a slash to some", { url: "/a\\..\\b" }, 400, "http.target"],
  ["raw bytes above ASCII", { url: "/\u00e9" }, 400, "http.target"],
  ["a space", { url: "/a b" }, 400, "http.target"],
  ["an asterisk asks of nothing but OPTIONS", { url: "*" }, 421, "http.target"],
  ["no slash", { url: "docs" }, 421, "http.target"],
  [
    "TE other than chunked",
    { rawHeaders: [...HOST, "Transfer-Encoding", "gzip, chunked"] },
    400,
    "http.framing",
  ],
  ["TE unknown", { rawHeaders: [...HOST, "Transfer-Encoding", "xchunked"] }, 400, "http.framing"],
  [
    "TE twice",
    { rawHeaders: [...HOST, "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"] },
    400,
    "http.framing",
  ],
  [
    "TE and CL",
    { rawHeaders: [...HOST, "Transfer-Encoding", "chunked", "Content-Length", "3"] },
    400,
    "http.framing",
  ],
  [
    "TE in HTTP/1.0",
    { httpVersion: "1.0", rawHeaders: [...HOST, "Transfer-Encoding", "chunked"] },
    400,
    "http.framing",
  ],
  [
    "CL twice",
    { rawHeaders: [...HOST, "Content-Length", "3", "content-length", "3"] },
    400,
    "http.framing",
  ],
  ["CL in hex", { rawHeaders: [...HOST, "Content-Length", "0x3"] }, 400, "http.framing"],
  ["CL with a sign", { rawHeaders: [...HOST, "Content-Length", "+3"] }, 400, "http.framing"],
  ["Expect something else", { rawHeaders: [...HOST, "Expect", "200-ok"] }, 417, "http.expect"],
  [
    "Expect twice",
    { rawHeaders: [...HOST, "Expect", "100-continue", "Expect", "100-continue"] },
    417,
    "http.expect",
  ],
  [
    "a method in a header",
    { method: "POST", rawHeaders: [...HOST, "X-HTTP-Method-Override", "DELETE"] },
    400,
    "http.override",
  ],
  [
    "a length in disguise",
    { method: "POST", rawHeaders: [...HOST, "Content_Length", "9"] },
    400,
    "http.headers",
  ],
  [
    "an encoding in disguise",
    { rawHeaders: [...HOST, "Transfer_Encoding", "x"] },
    400,
    "http.headers",
  ],
  ["an override in disguise", { rawHeaders: [...HOST, "X_HTTP-Method", "x"] }, 400, "http.headers"],
  [
    "a path in a header",
    { rawHeaders: [...HOST, "X-Original-URL", "/admin"] },
    400,
    "http.override",
  ],
  [
    "Connection drops Authorization",
    { rawHeaders: [...HOST, "Connection", "close, authorization", "Authorization", "x"] },
    400,
    "http.connection",
  ],
  [
    "Connection drops Content-Length",
    { rawHeaders: [...HOST, "Connection", "content-length", "Content-Length", "3"] },
    400,
    "http.connection",
  ],
  [
    "Connection drops Host",
    { rawHeaders: [...HOST, "Connection", "Host"] },
    400,
    "http.connection",
  ],
  [
    "more fields than allowed",
    { rawHeaders: Array.from({ length: 22 }, () => "x") },
    431,
    "http.headers",
  ],
];
for (const [why, variation, status, rule] of REFUSED) {
  test(`refused, ${rule}: ${why}`, () => {
    const checked = check(variation);
    assert.equal(checked.ok, false);
    if (!checked.ok)
      assert.deepEqual([checked.refusal.status, checked.refusal.rule], [status, rule]);
  });
}

const PASSED: readonly (readonly [string, Variation, string])[] = [
  ["origin form", {}, "/a?b=c"],
  ["the port may be said", { rawHeaders: ["Host", "docs.example.com:443"] }, "/a?b=c"],
  ["names know no case", { rawHeaders: ["host", "DOCS.example.COM"] }, "/a?b=c"],
  ["an odd port is said", { origin: ODD, rawHeaders: ["Host", "docs.example.com:8080"] }, "/a?b=c"],
  [
    "absolute form of the same origin becomes origin form",
    { url: "HTTPS://docs.example.com/x?y" },
    "/x?y",
  ],
  ["absolute form without a path", { url: "https://docs.example.com" }, "/"],
  ["absolute form with a query only", { url: "https://docs.example.com?q" }, "/?q"],
  ["OPTIONS of the server", { method: "OPTIONS", url: "*" }, "*"],
  ["curl's Expect", { method: "PUT", rawHeaders: [...HOST, "Expect", "100-continue"] }, "/a?b=c"],
  ["HTTP/1.0 with a Host", { httpVersion: "1.0" }, "/a?b=c"],
  ["two slashes are a path", { url: "//evil.example/x" }, "//evil.example/x"],
];
for (const [why, variation, target] of PASSED) {
  test(`passed: ${why}`, () => {
    const checked = check(variation);
    assert.ok(checked.ok);
    assert.equal(checked.request.target, target);
  });
}

test("what goes on is without this hop's fields, and without what is written anew", () => {
  const hop = ["Connection", "keep-alive, X-Hop", "Keep-Alive", "timeout=5", "TE", "trailers"];
  const proxy = ["Proxy-Authorization", "Basic x", "Upgrade", "h2c", "HTTP2-Settings", "AA"];
  const own = ["Content-Length", "3", "Expect", "100-continue", "Accept", "a", "accept", "b"];
  const rawHeaders = [...HOST, ...hop, ...proxy, ...own];
  const checked = checkRequest(
    { method: "POST", url: "/", httpVersion: "1.1", rawHeaders },
    HTTPS,
    20,
  );
  assert.ok(checked.ok);
  assert.deepEqual(checked.request.headers, ["Accept", "a", "accept", "b"]);
  assert.deepEqual(checked.request.framing, { kind: "length", bytes: 3 });
  assert.ok(checked.request.expectContinue && checked.request.wantsTrailers);
});

test("the authority says its port unless it is the scheme's own", () => {
  assert.equal(authorityOf(HTTPS), "docs.example.com");
  assert.equal(authorityOf(ODD), "docs.example.com:8080");
});

test("INV-13: any target that passes is in origin form, of one line, for this origin", () => {
  const property = fc.property(fc.string({ unit: "binary", maxLength: 40 }), (url) => {
    const checked = check({ url });
    if (checked.ok) assert.match(checked.request.target, /^\/[\x21-\x7e]*$/);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("INV-8: any Host that passes is the origin's name", () => {
  const near = fc.constantFrom("docs.example.com", "docs.example.com:443", "docs.example.com.");
  const hosts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.tuple(near, fc.string()).map((p) => p.join("")),
  );
  const property = fc.property(hosts, (host) => {
    if (check({ rawHeaders: ["Host", host] }).ok) {
      assert.ok(["docs.example.com", "docs.example.com:443"].includes(host.toLowerCase()), host);
    }
  });
  fc.assert(property, { numRuns: 2000 });
});
