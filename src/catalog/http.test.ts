import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { EFFECTS } from "../action/index.ts";
import { describeHttp, type HttpRequest } from "./index.ts";

const REQUEST: HttpRequest = {
  method: "GET",
  scheme: "https",
  host: "docs.example.com",
  port: 443,
  path: "/v1/items",
  query: "page=2",
  headers: {},
};

const METHODS = [
  ["GET", "read"],
  ["HEAD", "read"],
  ["OPTIONS", "read"],
  ["POST", "write"],
  ["PUT", "write"],
  ["PATCH", "write"],
  ["DELETE", "delete"],
  ["PROPFIND", "administer"],
  ["CONNECT", "administer"],
  ["TRACE", "administer"],
  ["get", "administer"],
  ["", "administer"],
  ["constructor", "administer"],
] as const;
for (const [method, effect] of METHODS) {
  test(`${method || "no method"} is ${effect} by default`, () => {
    const described = describeHttp({ ...REQUEST, method });
    assert.deepEqual([described.verb, described.effects], [method, [effect]]);
  });
}

test("a request is described with its target, and with its fields in full", () => {
  const body = Buffer.from('{"a":1}');
  const headers = { "content-type": "application/json", authorization: "Bearer s3cret" };
  assert.deepEqual(describeHttp({ ...REQUEST, method: "POST", port: 8443, headers, body }), {
    verb: "POST",
    effects: ["write"],
    target: "https://docs.example.com:8443/v1/items",
    summary: "Send to https://docs.example.com:8443/v1/items with 7 bytes (POST)",
    fields: {
      method: "POST",
      scheme: "https",
      host: "docs.example.com",
      port: 8443,
      path: "/v1/items",
      query: "page=2",
      contentType: "application/json",
      bodyBytes: 7,
      bodySha256: createHash("sha256").update(body).digest("hex"),
    },
  });
});

const QUERIES = [
  ["page=2&sort=name", "page=2&sort=name", "nothing to hide"],
  ["a=1&api_key=abc&b=2", "a=1&api_key=[hidden]&b=2", "a key"],
  ["access%5Ftoken=abc", "access%5Ftoken=[hidden]", "an encoded name"],
  ["X-Amz-Signature=abc&X-Amz-Date=1", "X-Amz-Signature=[hidden]&X-Amz-Date=1", "a signed URL"],
  ["code=abc&state=x", "code=[hidden]&state=x", "an OAuth code"],
  ["author=bob&postcode=1", "author=bob&postcode=1", "words that only look like it"],
  ["token", "token", "no value, nothing to hide"],
  ["%zz=1", "%zz=1", "not decodable"],
  ["", "", "no query"],
] as const;
for (const [query, shown, why] of QUERIES) {
  test(`query ${JSON.stringify(query)} is recorded as ${JSON.stringify(shown)}: ${why}`, () => {
    assert.equal(describeHttp({ ...REQUEST, query }).fields["query"], shown);
  });
}

test("a hostile target cannot draw on the terminal of whoever reads the summary", () => {
  const { summary } = describeHttp({ ...REQUEST, method: "GE\u001b[2J", path: "/\u202Ea\nb" });
  assert.doesNotMatch(summary, /[\p{C}\u2028\u2029]/u);
});

test("fuzz: every request is described, in one line, by known effects", () => {
  const requests = fc.record({
    method: fc.string({ unit: "binary", maxLength: 300 }),
    scheme: fc.constantFrom<"http" | "https">("http", "https"),
    host: fc.string(),
    port: fc.nat({ max: 65_535 }),
    path: fc.string({ unit: "binary", maxLength: 300 }),
    query: fc.string({ unit: "binary", maxLength: 300 }),
    headers: fc.constant({}),
    body: fc.option(fc.uint8Array(), { nil: undefined }),
  });
  const property = fc.property(requests, (request) => {
    const described = describeHttp(request);
    assert.ok(
      described.effects.length > 0 && described.effects.every((one) => EFFECTS.includes(one)),
    );
    assert.doesNotMatch(described.summary, /\p{Cc}/u);
    assert.ok(described.summary.length < 400);
  });
  fc.assert(property, { numRuns: 50 });
});

test("what opens a WebSocket writes, whatever its method, and is called that", () => {
  const described = describeHttp({
    method: "GET",
    scheme: "https",
    host: "live.example.com",
    port: 443,
    path: "/x",
    query: "",
    headers: {},
    upgrade: "websocket",
  });
  assert.deepEqual([described.verb, described.effects], ["websocket", ["write"]]);
  assert.equal(described.fields["upgrade"], "websocket");
  assert.match(described.summary, /^Talk both ways with https:\/\/live\.example\.com\/x/);
});
