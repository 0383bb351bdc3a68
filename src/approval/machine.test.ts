import assert from "node:assert/strict";
import { test } from "node:test";
import { APPROVAL_STATES, isOver, mayFollow } from "./machine.ts";

const ROWS = [
  ["requested", "shown", true, "a person looks"],
  ["requested", "approved", true, "one who has seen it elsewhere may answer at once"],
  ["requested", "performing", false, "nothing is performed that nobody approved"],
  ["shown", "performing", false, "nor what was only looked at"],
  ["shown", "expired", true, "looking is no answer"],
  ["approved", "performing", true, "once"],
  ["approved", "expired", false, "what was answered is answered"],
  ["approved", "cancelled", true, "a yes may be taken back until it is performed"],
  ["performing", "approved", false, "what may have been sent is never sent again"],
  ["performing", "cancelled", false, "nor can it be taken back"],
  ["denied", "approved", false, "a no stays a no"],
  ["expired", "approved", false, "too late is too late"],
  ["failed", "performing", false, "what failed is asked for anew"],
] as const;
for (const [from, to, may, why] of ROWS) {
  test(`INV-57: ${from} ${may ? "may" : "may not"} become ${to}: ${why}`, () =>
    assert.equal(mayFollow(from, to), may));
}

test("INV-57: what is over stays as it is, and nothing but performing leads to performed", () => {
  for (const from of APPROVAL_STATES) {
    if (isOver(from)) for (const to of APPROVAL_STATES) assert.ok(!mayFollow(from, to));
    assert.equal(mayFollow(from, "performed"), from === "performing");
  }
});
