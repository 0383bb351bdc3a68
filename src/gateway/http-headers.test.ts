import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  endToEnd,
  headerPairs,
  isHopByHop,
  listOf,
  safeTrailers,
  withoutSecrets,
} from "./http-headers.ts";

const ENDS_HERE = [
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "Proxy-Authorization",
  "TE",
  "Transfer-Encoding",
  "Upgrade",
  "HTTP2-Settings",
];
for (const name of ENDS_HERE) {
  test(`${name} concerns one hop and ends here`, () => {
    assert.deepEqual(endToEnd([name, "x", "Accept", "a"]), ["Accept", "a"]);
    assert.deepEqual(safeTrailers([name, "x"]), []);
  });
}

test("what Connection names ends here too, in any case and any number of fields", () => {
  const raw = [
    "connection",
    "close, X-One",
    "X-One",
    "1",
    "CONNECTION",
    "x-two",
    "x-TWO",
    "2",
    "X",
    "3",
  ];
  assert.deepEqual(endToEnd(raw), ["X", "3"]);
  assert.deepEqual(listOf(raw, "connection"), ["close", "x-one", "x-two"]);
});

for (const name of [
  "Content-Length",
  "Host",
  "Authorization",
  "Set-Cookie",
  "Content-Type",
  "Trailer",
]) {
  test(`${name} in a trailer would change a message that was judged`, () =>
    assert.deepEqual(safeTrailers([name, "x", "X-Sum", "1"]), [["x-sum", "1"]]));
}

for (const name of [
  "Authorization",
  "Cookie",
  "X-Api-Key",
  "PRIVATE-TOKEN",
  "x-amz-security-token",
  "X-Auth-Token",
  "Api-Key",
  "Proxy-Authorization",
  "X-Shopify-Access-Token",
  "X-Postmark-Server-Token",
]) {
  test(`the value of ${name} is never recorded`, () =>
    assert.deepEqual(withoutSecrets([name, "hush"]), [[name.toLowerCase(), "[secret]"]]));
}

test("ordinary fields are recorded as they are", () =>
  assert.deepEqual(withoutSecrets(["Accept", "a", "X-Author", "b"]), [
    ["accept", "a"],
    ["x-author", "b"],
  ]));

test("order and duplicates stay, whatever else is there", () => {
  const field = fc.tuple(
    fc.constantFrom("A", "b", "Connection", "TE", "Set-Cookie"),
    fc.stringMatching(/^[a-z ,]{0,8}$/),
  );
  const property = fc.property(fc.array(field), (fields) => {
    const named = new Set(listOf(fields.flat(), "connection"));
    const kept = fields.filter(
      ([name]) => !isHopByHop(name.toLowerCase()) && !named.has(name.toLowerCase()),
    );
    assert.deepEqual(endToEnd(fields.flat()), kept.flat());
    assert.equal(headerPairs(fields.flat()).length, fields.length);
  });
  fc.assert(property);
});
