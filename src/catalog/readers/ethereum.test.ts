import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../action/index.ts";
import { readEthereum } from "./ethereum.ts";
import { writeRlp } from "./rlp-kit.ts";
import type { Rlp } from "./rlp.ts";

const read = (method: string, params: Json) =>
  readEthereum({
    method: "POST",
    path: {},
    content: { form: "json", query: [], headers: {} },
    route: { verb: "v", effects: ["write"] },
    values: (reference) => (reference === "body.method" ? [method] : [params]),
  });
const sent = (bytes: Buffer) => read("eth_sendRawTransaction", [`0x${bytes.toString("hex")}`]);

const number = (value: bigint) => {
  const hex = value === 0n ? "" : value.toString(16);
  return Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
};
const FRIEND = Buffer.alloc(20, 0x35);
const SIGNATURE = [number(1n), number(7n), number(9n)];
const FEES = [number(4n), number(1n), number(2n), number(21_000n)];

/** A transaction of each type that sends `value` to `to`. */
function transaction(type: number, value: bigint, to = FRIEND, data = Buffer.alloc(0)): Buffer {
  const core: readonly Rlp[] = [to, number(value), data];
  const typed: Readonly<Record<number, readonly Rlp[]>> = {
    1: [number(1n), ...FEES.slice(1), ...core, [], ...SIGNATURE],
    2: [number(1n), ...FEES, ...core, [], ...SIGNATURE],
    3: [number(1n), ...FEES, ...core, [], number(5n), [Buffer.alloc(32, 1)], ...SIGNATURE],
    4: [number(1n), ...FEES, ...core, [], [[]], ...SIGNATURE],
  };
  if (type === 0) return writeRlp([...FEES.slice(1), ...core, number(37n), number(7n), number(9n)]);
  return Buffer.concat([Buffer.from([type]), writeRlp(typed[type] ?? [])]);
}

for (const type of [0, 1, 2, 3, 4]) {
  test(`fuzz: type ${type} moves its value to its receiver, to the last wei`, () => {
    const property = fc.property(fc.bigInt({ min: 0n, max: 2n ** 100n }), (value) => {
      const { impact, effects } = sent(transaction(type, value));
      assert.deepEqual(effects, type === 4 ? ["spend", "administer"] : ["spend"]);
      assert.deepEqual(impact?.recipients, [`0x${FRIEND.toString("hex")}`]);
      assert.equal(impact?.amount?.currency, "ETH");
      assert.equal(BigInt((impact?.amount?.value ?? "").replace(".", "")), value);
    });
    fc.assert(property, { numRuns: 30 });
  });

  test(`a type ${type} that is cut anywhere is not read`, () => {
    const whole = transaction(type, 5n);
    for (let length = 0; length < whole.length; length += 1) {
      assert.deepEqual(sent(whole.subarray(0, length)).impact?.recipients, ["unknown"]);
    }
  });
}

const UNREAD: readonly (readonly [Buffer, string])[] = [
  [transaction(2, 5n, Buffer.alloc(19)), "an address that is too short"],
  [transaction(3, 5n, Buffer.alloc(0)), "blobs without an address"],
  [Buffer.concat([Buffer.from([5]), transaction(2, 5n).subarray(1)]), "a type of tomorrow"],
  [Buffer.concat([Buffer.from([1]), transaction(2, 5n).subarray(1)]), "fields of another type"],
];
for (const [bytes, why] of UNREAD) {
  test(`not read, and so all that a transaction can be: ${why}`, () => {
    assert.deepEqual(sent(bytes).effects, ["spend", "execute", "administer"]);
  });
}

const word = (hex: string) => hex.padStart(64, "0");
const CALLS = [
  ["a9059cbb", [word("35".repeat(20)), word("0f")], ["spend"], "15", "a transfer"],
  [
    "23b872dd",
    [word("77"), word("35".repeat(20)), word("0f")],
    ["spend"],
    "15",
    "a transfer for another",
  ],
  [
    "095ea7b3",
    [word("35".repeat(20)), word("0f")],
    ["spend", "execute", "administer"],
    "15",
    "an allowance",
  ],
  [
    "a9059cbb",
    [`${"1".repeat(24)}${"35".repeat(20)}`, word("0f")],
    ["spend", "execute"],
    undefined,
    "an address with more before it",
  ],
  ["a9059cbb", [word("35".repeat(20))], ["spend", "execute"], undefined, "a word too few"],
  [
    "deadbeef",
    [word("35".repeat(20)), word("0f")],
    ["spend", "execute"],
    undefined,
    "another function",
  ],
] as const;
for (const [selector, words, effects, units, why] of CALLS) {
  test(`a call of ${selector} is ${effects.join(", ")}: ${why}`, () => {
    const token = Buffer.alloc(20, 0x70);
    const data = Buffer.from(selector + words.join(""), "hex");
    const { impact, effects: found } = sent(transaction(2, 0n, token, data));
    assert.deepEqual(found, effects);
    if (units === undefined) assert.ok(impact?.recipients?.includes("unknown"));
    else assert.deepEqual(impact?.amount, { currency: `0x${token.toString("hex")}`, value: units });
  });
}

test("money and a token at once have no amount that is the whole", () => {
  const data = Buffer.from(`a9059cbb${word("35".repeat(20))}${word("01")}`, "hex");
  assert.equal(sent(transaction(2, 5n, FRIEND, data)).impact?.amount, undefined);
});

const ODD: readonly (readonly [Json, string])[] = [
  [{}, "no list"],
  [[], "no transaction"],
  [["0x1"], "half a byte"],
  [["f86c"], "no 0x before it"],
  [[{ to: "0x35" }], "an object instead of bytes"],
];
for (const [params, why] of ODD) {
  test(`raw parameters are not read, and so all that a transaction can be: ${why}`, () => {
    assert.deepEqual(read("eth_sendRawTransaction", params).impact?.recipients, ["unknown"]);
  });
}

const TO = "0x3535353535353535353535353535353535353535";
const OBJECTS: readonly (readonly [Json, readonly string[], string])[] = [
  [{ to: TO, value: "0x1", nonce: "0x0", gas: "0x5208", type: "0x2" }, [TO], "a plain one"],
  [{ To: TO, value: "0x1" }, ["unknown"], "a name that Go reads and others do not"],
  [{ to: TO, value: 1 }, ["unknown"], "a number instead of hex"],
  [{ to: TO, value: "0x1", surprise: true }, ["unknown"], "a name that is not known"],
  [{ value: "0x1", data: "0x6000" }, ["a new contract", "unknown"], "no receiver"],
];
for (const [object, recipients, why] of OBJECTS) {
  test(`eth_sendTransaction reaches ${recipients.join(", ")}: ${why}`, () => {
    assert.deepEqual(read("eth_sendTransaction", [object]).impact?.recipients, recipients);
  });
}

test("calls that carry no transaction are left as the entry says", () => {
  assert.deepEqual(read("eth_call", [{ to: TO }]), {});
});
