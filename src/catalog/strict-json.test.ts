import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { foldName, readJson } from "./strict-json.ts";

const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const CASES = [
  // text, is it read, why
  ['{"a":1,"b":[{"a":1},{"a":1}]}', true, "a name may stand in several objects"],
  ['{"a":{"b":1},"b":2}', true, "a name of an outer object is another one within"],
  ['{"a":"a","b":"a"}', true, "values may repeat"],
  ['["a","a"]', true, "a list has no names"],
  [' \t\r\n{ "a" : [ ] } \n', true, "space stands anywhere"],
  ['{"a\\"b":1,"a":"\\\\"}', true, "quotes and backslashes that are escaped"],
  ['{"a":1,"a":1}', false, "a name stands twice, even with the same value"],
  ['{"x":[{"a":1,"b":{},"a":2}]}', false, "twice, deeper in and after another object"],
  ['{"a":1,"\\u0061":2}', false, "twice, once as an escape"],
  ['{"a":"}","a":2}', false, "twice, behind a bracket in a string"],
  ['{"a":[1,2],"a":2}', false, "twice, behind a list"],
  ['{"":1,"":2}', false, "twice, the empty name"],
  ['{"__proto__":1,"__proto__":2}', false, "twice, a name that objects have"],
  ['{"status\\u0000":1}', false, "a reader in C ends the name at NUL"],
  ['{"A":1,"a":2}', true, "case makes names differ"],
  [deep(60), true, "as deep as is read"],
  [deep(61), false, "deeper"],
  [deep(100_000), false, "so deep that a reader by recursion falls over"],
  ["9007199254740991", true, "the largest safe number"],
  ["9007199254740993", false, "a double makes ...992 of it: another amount would be shown"],
  ["[-9007199254740993]", false, "the same below zero"],
  ['{"a":1e400}', false, "a double makes infinity of it"],
  ['{"a":1e40,"b":0.1,"c":-0.0}', true, "numbers in a double's reach"],
  ['{"a":"9007199254740993"}', true, "digits in a string stay what they are"],
  ["", false, "nothing"],
  ["{a:1}", false, "a name without quotes"],
  ["{'a':1}", false, "other quotes"],
  ['{"a":1,}', false, "a comma too many"],
  ['{"a":1}{"a":2}', false, "two values"],
  ['{"a":NaN}', false, "a number that is none"],
  ['{"a":1} // b', false, "a comment"],
  ['\uFEFF{"a":1}', false, "a byte order mark"],
] as const;
for (const [text, isRead, why] of CASES) {
  test(`${JSON.stringify(text.slice(0, 40))} is ${isRead ? "read" : "refused"}: ${why}`, () => {
    assert.equal(readJson(Buffer.from(text)) !== undefined, isRead);
  });
}

const BYTES = [
  ["7b2261223a22c0af227d", "an overlong slash"],
  ["7b2261223a22ff227d", "a byte that UTF-8 never has"],
  ["7b2261223a22eda080227d", "half a pair"],
  ["7b2261223a22e282227d", "a character that ends too soon"],
  ["feff007b007d", "UTF-16"],
] as const;
for (const [hex, why] of BYTES) {
  test(`bytes ${hex} are refused: ${why}`, () => {
    assert.equal(readJson(Buffer.from(hex, "hex")), undefined);
  });
}

const FOLDED = [
  ['{"status":1,"Status":2}', "case"],
  ['{"status":1,"\u017ftatus":2}', "the long s, which Go takes for s"],
  ['{"kind":1,"\u212aind":2}', "the Kelvin sign, which Go takes for k"],
] as const;
for (const [text, why] of FOLDED) {
  test(`${text} is refused where case is nothing: ${why}`, () => {
    assert.equal(readJson(Buffer.from(text), true), undefined);
    assert.notEqual(readJson(Buffer.from(text), false), undefined);
  });
}

test("names are folded as Go's encoding/json folds them", () => {
  assert.equal(foldName("\u017fTATU\u017f\u212a"), "statusk");
});

test("what is read is what JSON.parse reads, and stands written anew", () => {
  const property = fc.property(fc.json({ maxDepth: 8 }), fc.boolean(), (text, isCaseless) => {
    const read = readJson(Buffer.from(text), isCaseless);
    if (read === undefined) return;
    assert.deepEqual(read.value, JSON.parse(text));
    const written = JSON.stringify(read.value);
    const again = readJson(Buffer.from(written), isCaseless);
    assert.equal(again && JSON.stringify(again.value), written);
  });
  fc.assert(property, { numRuns: 500 });
});

test("any text at all: it is refused, or JSON.parse agrees", () => {
  const pieces = fc.constantFrom(
    ...Array.from("{}[],:\"\\ \n01e-.tfn'aA"),
    '"a":',
    "true",
    "null",
    '\\"',
  );
  const texts = fc.array(pieces, { maxLength: 30 }).map((list) => list.join(""));
  const property = fc.property(texts, (text) => {
    const read = readJson(Buffer.from(text));
    if (read !== undefined) assert.deepEqual(read.value, JSON.parse(text));
  });
  fc.assert(property, { numRuns: 2000 });
});

test("an object with any name of its own twice is refused, however the second is escaped", () => {
  const names = fc.uniqueArray(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 6 });
  const property = fc.property(names, fc.nat(), (list, pick) => {
    const twice = list[pick % list.length] ?? "";
    const escaped = [...Array(twice.length).keys()]
      .map((at) => `\\u${twice.charCodeAt(at).toString(16).padStart(4, "0")}`)
      .join("");
    const members = [...list.map((name) => JSON.stringify(name)), `"${escaped}"`];
    assert.equal(
      readJson(Buffer.from(`{${members.map((one) => `${one}:0`).join(",")}}`)),
      undefined,
    );
  });
  fc.assert(property, { numRuns: 300 });
});

test("a string as long as a body may be needs no stack", () => {
  for (const filling of ["x".repeat(9 << 20), "\\n".repeat(9 << 20), '\\"'.repeat(9 << 20)]) {
    assert.notEqual(readJson(Buffer.from(`{"a":"${filling}","b":"${filling}"}`)), undefined);
  }
  const space = " ".repeat(9 << 20);
  assert.notEqual(readJson(Buffer.from(`{${space}"a"${space}:${space}1${space}}`)), undefined);
});
