import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, digestOf, type Json } from "./index.ts";

const CASES: readonly (readonly [Json, string, string])[] = [
  [{ b: 1, a: 2 }, '{"a":2,"b":1}', "members are sorted"],
  [
    { "\u20ac": 1, "\r": 2, "1": 3 },
    '{"\\r":2,"1":3,"€":1}',
    "by UTF-16 code units, RFC 8785 3.2.3",
  ],
  [{ a: undefined, b: null }, '{"b":null}', "undefined is absent, null is a value"],
  [[3, 1, { z: [], y: {} }], '[3,1,{"y":{},"z":[]}]', "arrays keep their order"],
  [1e30, "1e+30", "numbers as ECMAScript writes them, RFC 8785 3.2.2.3"],
  [-0, "0", "minus zero is zero"],
  ['\u000f\n"\\/', '"\\u000f\\n\\"\\\\/"', "the short escapes, RFC 8785 3.2.2.2"],
];
for (const [value, text, why] of CASES) {
  test(`canonical form ${text}: ${why}`, () => assert.equal(canonicalJson(value), text));
}

const BAD: readonly (readonly [Json, string])[] = [
  [Number.NaN, "NaN is no JSON"],
  [Number.POSITIVE_INFINITY, "infinity is no JSON"],
  ["\ud800", "a lone surrogate has no UTF-8 form"],
];
for (const [value, why] of BAD) {
  test(`fault action.canonical: ${why}`, () =>
    assert.throws(() => canonicalJson(value), { code: "action.canonical" }));
}

test("the order of members never changes the digest, for any JSON value", () => {
  const property = fc.property(
    fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
    (object) => {
      const turned = Object.fromEntries(Object.entries(object).reverse()) as Json;
      assert.equal(digestOf(turned), digestOf(object as Json));
      assert.deepEqual(JSON.parse(canonicalJson(turned)), JSON.parse(JSON.stringify(object)));
    },
  );
  fc.assert(property);
});
