import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inTurns, median, medianRatio, quantile } from "./statistics.ts";

const MEDIANS = [
  // values, median, why
  [[3], 3, "one value is its own"],
  [[9, 1, 2], 2, "order does not matter"],
  [[1, 2, 4, 8], 3, "of two middle ones, their mean"],
  [[10, 9, 1], 9, "by number, not by letter"],
  [[1, 1, 1000], 1, "one disturbed repetition does not count"],
] as const;
for (const [values, expected, why] of MEDIANS) {
  test(`the median of ${values.join(", ")} is ${expected}: ${why}`, () => {
    assert.equal(median(values), expected);
  });
}

const QUANTILES = [
  // values, share, quantile, why
  [[3], 0.99, 3, "one value is its own"],
  [[4, 1, 3, 2], 0.5, 2, "half of them do not exceed it"],
  [[4, 1, 3, 2], 0.99, 4, "of few, the greatest"],
  [Array.from({ length: 200 }, (_, n) => n), 0.99, 197, "two in two hundred exceed it"],
] as const;
for (const [values, share, expected, why] of QUANTILES) {
  test(`the ${share} quantile of ${values.length} values is ${expected}: ${why}`, () => {
    assert.equal(quantile(values, share), expected);
  });
}

test("fault bench.values: no quantile of nothing, or of what is no number", () => {
  for (const values of [[], [1, Number.NaN]])
    assert.throws(() => quantile(values, 0.5), { code: "bench.values" });
});

for (const values of [[], [Number.NaN], [1, Infinity], [1, 2, Number.NaN]]) {
  test(`fault bench.values: nothing is made of [${values.join(", ")}]`, () => {
    assert.throws(() => median(values), { code: "bench.values" });
  });
}

test("half of the values are on either side of the median", () => {
  const property = fc.property(
    fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
      minLength: 1,
    }),
    (values) => {
      const middle = median(values);
      assert.ok(values.filter((one) => one < middle).length <= values.length / 2);
      assert.ok(values.filter((one) => one > middle).length <= values.length / 2);
    },
  );
  fc.assert(property);
});

test("a ratio is of pairs, so a machine that slows down does not change it", () => {
  assert.equal(medianRatio([2, 20, 200], [1, 10, 100]), 2);
  assert.throws(() => medianRatio([1, 2], [1]), { code: "bench.values" }, "a pair is missing");
  assert.throws(() => medianRatio([1], [0]), { code: "bench.values" }, "nothing to compare with");
});

test("measurements are taken in turns from either end, after a round that does not count", async () => {
  const order: string[] = [];
  const take = (name: string) => () => order.push(name);
  const taken = await inTurns(2, { a: take("a"), b: async () => take("b")() });
  assert.deepEqual(order, ["a", "b", "b", "a", "a", "b"]);
  assert.deepEqual(taken, { a: [4, 5], b: [3, 6] });
});
