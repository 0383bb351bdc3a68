import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../action/index.ts";
import { readSolana, toBase58 } from "./solana.ts";

const VECTORS = [
  ["", "", "nothing"],
  ["00", "1", "a zero byte"],
  ["61", "2g", "a letter"],
  [
    "00eb15231dfceb60925886b67d065299925915aeb172c06647",
    "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L",
    "from Bitcoin's tests",
  ],
] as const;
for (const [hex, text, why] of VECTORS) {
  test(`base 58 of ${hex || "nothing"} is ${text || "nothing"}: ${why}`, () => {
    assert.equal(toBase58(Buffer.from(hex, "hex")), text);
  });
}

const read = (params: Json) =>
  readSolana({
    method: "POST",
    path: {},
    content: { form: "json", query: [], headers: {} },
    route: { verb: "v", effects: ["write"] },
    values: (reference) => (reference === "body.method" ? ["sendTransaction"] : [params]),
  });

/** A legacy transaction of one signature, from account 0 to account 1. */
function transfer(lamports: bigint, program = Buffer.alloc(32)): Buffer {
  const data = Buffer.alloc(12);
  data.writeUInt32LE(2);
  data.writeBigUInt64LE(lamports, 4);
  return Buffer.concat([
    Buffer.from([1]),
    Buffer.alloc(64),
    Buffer.from([1, 0, 1, 3]),
    Buffer.alloc(32, 7),
    Buffer.alloc(32, 9),
    program,
    Buffer.alloc(32, 1),
    Buffer.from([1, 2, 2, 0, 1, 12]),
    data,
  ]);
}
const sent = (bytes: Buffer) => read([bytes.toString("base64"), { encoding: "base64" }]);

test("fuzz: every transfer is read to the last lamport", () => {
  const property = fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (lamports) => {
    const { impact, effects } = sent(transfer(lamports));
    assert.deepEqual(effects, ["spend"]);
    assert.equal(BigInt((impact?.amount?.value ?? "").replace(".", "")), lamports);
    assert.deepEqual(impact?.recipients, [toBase58(Buffer.alloc(32, 9))]);
  });
  fc.assert(property, { numRuns: 100 });
});

test("another program than the system's is not taken for a transfer", () => {
  const { impact, effects } = sent(transfer(5n, Buffer.alloc(32, 3)));
  assert.deepEqual(effects, ["spend", "execute"]);
  assert.equal(impact?.amount, undefined);
  assert.deepEqual(impact?.recipients, ["unknown"]);
});

test("fuzz: a transaction that is cut or made longer is not read", () => {
  const whole = transfer(5n);
  const property = fc.property(fc.nat({ max: whole.length - 1 }), (length) => {
    assert.deepEqual(sent(whole.subarray(0, length)).effects, ["spend", "execute", "administer"]);
  });
  fc.assert(property, { numRuns: 60 });
  assert.deepEqual(sent(Buffer.concat([whole, Buffer.alloc(1)])).impact?.recipients, ["unknown"]);
});

test("fuzz: any bytes are read or are all that a transaction can be", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
    assert.ok(sent(Buffer.from(noise)).effects?.includes("spend"));
  });
  fc.assert(property, { numRuns: 300 });
});

const ODD: readonly (readonly [Json, string])[] = [
  [{}, "no list"],
  [[], "no transaction"],
  [[7], "a number"],
  [["0OIl"], "letters that base 58 has not"],
  [["AA", { encoding: "base64" }], "base 64 without its end"],
  [["x".repeat(5000)], "longer than a transaction"],
];
for (const [params, why] of ODD) {
  test(`not read, and so all that a transaction can be: ${why}`, () => {
    assert.deepEqual(read(params).effects, ["spend", "execute", "administer"]);
  });
}
