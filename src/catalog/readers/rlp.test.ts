import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { writeRlp } from "./rlp-kit.ts";
import { readRlp, type Rlp } from "./rlp.ts";

const plain = (value: Rlp | undefined): unknown =>
  Array.isArray(value)
    ? (value as readonly Rlp[]).map(plain)
    : value && Buffer.from(value as Uint8Array).toString("hex");

const REFUSED = [
  ["", "nothing"],
  ["8100", "a byte that is its own encoding"],
  ["b800", "a length in its long form that fits the short one"],
  ["b90001aa", "a length with a zero before it"],
  ["83aabb", "fewer bytes than it says"],
  ["c1", "a list that ends too early"],
  ["c181", "an item that reaches out of its list"],
  ["0000", "a byte too many"],
  ["fb0000000000", "a length that is none"],
] as const;
for (const [hex, why] of REFUSED) {
  test(`${hex || "empty"} is no RLP: ${why}`, () => {
    assert.equal(readRlp(Buffer.from(hex, "hex")), undefined);
  });
}

test("lists in lists end at a depth", () => {
  let value: Rlp = [];
  for (let depth = 0; depth < 20; depth += 1) value = [value];
  assert.equal(readRlp(writeRlp(value)), undefined);
});

const values: fc.Arbitrary<Rlp> = fc.letrec<{ value: Rlp }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.uint8Array({ maxLength: 80 }),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
})).value;

test("fuzz: what is written is read", () => {
  const property = fc.property(values, (value) => {
    assert.deepEqual(plain(readRlp(writeRlp(value))), plain(value));
  });
  fc.assert(property, { numRuns: 200 });
});

test("fuzz: each value has one encoding: what is read is written so", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    const value = readRlp(bytes);
    if (value !== undefined) assert.deepEqual(writeRlp(value), Buffer.from(bytes));
  });
  fc.assert(property, { numRuns: 2000 });
});
