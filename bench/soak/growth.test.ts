import assert from "node:assert/strict";
import { test } from "node:test";
import { growthOf } from "./growth.ts";

const NOTHING = { perCycle: 0, slack: 0 };
const seen = (values: readonly number[]) => values.map((value, n) => ({ cycles: n * 100, value }));

const CASES = [
  // values, bound, held, why
  [[10, 10, 10, 10, 10, 10], NOTHING, true, "what stands still grows by nothing"],
  [[1, 5, 10, 10, 10, 10], NOTHING, true, "what fills up in the first half may"],
  [[10, 10, 10, 11, 12, 13], NOTHING, false, "one thing more at each look is a leak"],
  [
    [10, 11, 12, 13, 14, 15],
    { perCycle: 0.01, slack: 0 },
    true,
    "growth that is meant, and stated",
  ],
  [[10, 12, 14, 16, 18, 20], { perCycle: 0.01, slack: 0 }, false, "twice what is stated"],
  [[10, 10, 10, 12, 9, 12], { perCycle: 0, slack: 3 }, true, "memory that breathes"],
  [[10, 10, 10, 20, 30, 40], { perCycle: 0, slack: 3 }, false, "memory that only breathes in"],
  [[10, 8, 7, 6, 5, 4], NOTHING, true, "less is no leak"],
  [[10, 10, 10], NOTHING, false, "two points in the half are a line through anything"],
] as const;
for (const [values, bound, isHeld, why] of CASES) {
  test(`${values.join(" ")} ${isHeld ? "is held" : "is not"}: ${why}`, () => {
    assert.equal(growthOf(seen(values), bound).isHeld, isHeld);
  });
}
