import assert from "node:assert/strict";
import { test } from "node:test";
import { createRow } from "./row.ts";
import { formatNumber, formatTable } from "./table.ts";

const NUMBERS = [
  [1_547_000, "1,547,000"],
  [492.74, "492.7"],
  [5.2671, "5.267"],
  [0.04412, "0.044"],
  [0, "0"],
  [-3.5, "-3.5"],
] as const;
for (const [value, text] of NUMBERS) {
  test(`${value} is written ${text}`, () => assert.equal(formatNumber(value), text));
}

test("columns stand below each other, numbers end at the right, a missed goal cries out", () => {
  const against = { name: "peer", values: [10] };
  const goal = { of: "ratio", must: "<=", be: 2 } as const;
  const rows = [
    createRow({ name: "a/met", unit: "ms", values: [15], against, goal }),
    createRow({ name: "a/missed", unit: "ms", values: [1500], against, goal }),
    createRow({ name: "a/plain", unit: "MB", values: [7] }),
  ];
  assert.equal(
    formatTable(rows),
    [
      "             value  floor or peer        ratio  goal        met",
      "a/met        15 ms          10 ms  peer    1.5  ratio <= 2  yes",
      "a/missed  1,500 ms          10 ms  peer    150  ratio <= 2  NO",
      "a/plain       7 MB",
    ].join("\n"),
  );
});
