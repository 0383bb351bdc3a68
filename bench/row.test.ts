import assert from "node:assert/strict";
import { test } from "node:test";
import { createRow, type Goal } from "./row.ts";

const GOALS = [
  // goal, value, peer, met, why
  [{ of: "ratio", must: "<=", be: 2 }, 8, 4, true, "at most includes the bound"],
  [{ of: "ratio", must: "<", be: 2 }, 8, 4, false, "below does not"],
  [{ of: "ratio", must: ">=", be: 2 }, 8, 4, true, "at least includes it"],
  [{ of: "ratio", must: ">=", be: 2 }, 7.9996, 4, false, "judged before it is rounded to 2"],
  [{ of: "ratio", must: "<=", be: 2 }, 1, undefined, false, "no ratio without a peer"],
  [{ of: "value", must: "<", be: 15 }, 14, 1, true, "a value's goal heeds no ratio"],
  [{ of: "value", must: ">=", be: 5000 }, 4999, undefined, false, "a goal that is missed"],
] as const satisfies readonly (readonly [Goal, number, number | undefined, boolean, string])[];
for (const [goal, value, peer, met, why] of GOALS) {
  test(`${value} beside ${peer} is ${met ? "" : "not "}${goal.of} ${goal.must} ${goal.be}: ${why}`, () => {
    const against = peer === undefined ? {} : { against: { name: "peer", values: [peer] } };
    const row = createRow({ name: "a/b", unit: "ms", values: [value], goal, ...against });
    assert.equal(row.met, met);
    assert.equal(row.goal, `${goal.of} ${goal.must} ${goal.be}`);
  });
}

test("a row holds medians of its rounds, to four digits", () => {
  const against = { name: "peer", values: [1, 2, 3] };
  const row = createRow({ name: "a/b", unit: "ms", values: [3, 6, 1234.5678], against });
  assert.deepEqual(row, {
    name: "a/b",
    value: 6,
    unit: "ms",
    floorOrPeer: { name: "peer", value: 2 },
    ratio: 3,
    goal: null,
    met: null,
  });
});

test("a figure without anything beside it has neither peer nor ratio", () => {
  const row = createRow({ name: "a/b", unit: "ms", values: [12.34567] });
  assert.deepEqual([row.value, row.floorOrPeer, row.ratio], [12.35, null, null]);
});
