import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../api/index.ts";
import { csvHead, csvRow } from "./csv.ts";

const CASES = [
  // target, cell, why
  ["https://a.test/x", "https://a.test/x", "plain text is left alone"],
  ['a,"b"', '"a,""b"""', "commas and quotes (RFC 4180)"],
  ["=HYPERLINK(1)", `"'=HYPERLINK(1)"`, "a formula"],
  ["+1", `"'+1"`, "a formula by its sign"],
  ["-1+cmd", `"'-1+cmd"`, "the same"],
  ["@SUM(A1)", `"'@SUM(A1)"`, "a formula of Lotus's"],
  ["a\nb", "a\\u000ab", "a line end is spelled out: a row is a line"],
  ["a\u202Eb", "a\\u202eb", "so is what turns the text round"],
] as const;
for (const [target, cell, why] of CASES) {
  test(`INV-200: CSV, ${why}: ${JSON.stringify(target)}`, () => {
    const entry: Entry = {
      ...{ seq: 7, type: "denial", at: "2026-11-27T12:00:00Z", monoMs: 0, target },
      data: { detail: "d", effects: ["read", "send"] },
    };
    const row = csvRow(entry).trimEnd();
    assert.ok(row.startsWith("7,2026-11-27T12:00:00Z,,denial,"));
    assert.equal(row, `7,2026-11-27T12:00:00Z,,denial,,,,${cell},read send,,,,d`);
    assert.equal(row.includes("\n"), false);
    assert.equal(csvHead().split(",").length, 13);
  });
}
