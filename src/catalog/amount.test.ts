import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { shifted, sumOf } from "./amount.ts";

const SHIFTS = [
  ["1250", 2, "12.50", "cents"],
  ["7", 2, "0.07", "less than a unit"],
  ["500", 0, "500", "a currency without cents"],
  ["12.5", 2, "12.5", "a decimal already"],
  [
    "1000000000000000001",
    18,
    "1.000000000000000001",
    "more digits than a number of JavaScript has",
  ],
] as const;
for (const [value, exponent, shown, why] of SHIFTS) {
  test(`${value} shifted by ${exponent} is ${shown}: ${why}`, () => {
    assert.equal(shifted(value, exponent), shown);
  });
}

const usd = (value: string) => ({ currency: "USD", value });
const SUMS = [
  [[usd("9.87"), usd("112.34")], "122.21", "no digit is lost"],
  [[usd("0.1"), usd("0.2")], "0.3", "not 0.30000000000000004"],
  [[usd("1"), usd("0.001")], "1.001", "different places"],
  [[usd("90071992547409930"), usd("1")], "90071992547409931", "beyond 2^53"],
  [[usd("1"), { currency: "EUR", value: "1" }], undefined, "two currencies have no sum"],
  [[usd("1"), undefined], undefined, "one that is not known makes the sum unknown"],
  [[], undefined, "nothing has no currency"],
] as const;
for (const [amounts, sum, why] of SUMS) {
  test(`a sum of ${amounts.length} is ${sum}: ${why}`, () => {
    assert.equal(sumOf(amounts)?.value, sum);
  });
}

test("fuzz: sums of cents are exact, in any order", () => {
  const property = fc.property(
    fc.array(fc.bigInt({ min: 0n, max: 10n ** 25n }), { minLength: 1 }),
    (cents) => {
      const amounts = cents.map((one) => usd(shifted(one.toString(), 2)));
      const total = cents.reduce((sum, one) => sum + one, 0n);
      assert.equal(sumOf(amounts)?.value, shifted(total.toString(), 2));
      assert.equal(sumOf(amounts.toReversed())?.value, shifted(total.toString(), 2));
    },
  );
  fc.assert(property, { numRuns: 100 });
});
