import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readRlp, type Rlp } from "./rlp.ts";

/** Writes what readRlp reads: the rule of the Yellow Paper, the other way round. */
function write(value: Rlp): Buffer {
  if (!Array.isArray(value)) {
    const bytes = Buffer.from(value as Uint8Array);
    return bytes.length === 1 && (bytes[0] ?? 0) < 0x80 ? bytes : withPrefix(bytes, 0x80);
  }
  return withPrefix(Buffer.concat((value as readonly Rlp[]).map(write)), 0xc0);
}

function withPrefix(bytes: Buffer, base: number): Buffer {
  if (bytes.length <= 55) return Buffer.concat([Buffer.from([base + bytes.length]), bytes]);
  const hex = bytes.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
  return Buffer.concat([Buffer.from([base + 55 + length.length]), length, bytes]);
}

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
  assert.equal(readRlp(write(value)), undefined);
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
    assert.deepEqual(plain(readRlp(write(value))), plain(value));
  });
  fc.assert(property, { numRuns: 200 });
});

test("fuzz: each value has one encoding: what is read is written so", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    const value = readRlp(bytes);
    if (value !== undefined) assert.deepEqual(write(value), Buffer.from(bytes));
  });
  fc.assert(property, { numRuns: 2000 });
});
