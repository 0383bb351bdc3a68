import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, PROGRAM } from "../../test/support/blast-world.ts";
import { differenceOf, printChanges } from "./difference.ts";
import { factsWithLeave, type LeaveAsked } from "./leave.ts";
import { solve } from "./solve.ts";

const FACTS = factsOf(`uses(news, p). can(p, send, list). people(list, 12000). can(p, write, list).
may(news, send, send, list) @confirm. may(news, write, send, list) @confirm. may(news, send, publish, list) @confirm.
times(news, send, "news, rule", unbounded).
uses(other, q). can(q, send, all). people(all, 7). may(other, send, send, all) @confirm.`);
const changes = (leave: LeaveAsked) =>
  printChanges(differenceOf(solve(PROGRAM, FACTS), solve(PROGRAM, factsWithLeave(FACTS, leave))));

const CASES = [
  [
    { grant: "news", verb: "send", effects: ["send"] },
    ["people who can be written to, unattended: 0 -> 12,000"],
    "the verb that was seen",
  ],
  [{ grant: "news", verb: "read", effects: ["read"] }, [], "a verb that widens nothing"],
  [
    { grant: "news", verb: "send", effects: ["publish"] },
    ["publications, unattended: 0 -> unbounded"],
    "no more than what the one that was seen does",
  ],
  [
    { grant: "other", verb: "send", effects: ["send"] },
    ["people who can be written to, unattended: 0 -> 7"],
    "one grant only",
  ],
] as const;
for (const [leave, lines, why] of CASES) {
  test(`INV-179: leave for more lets through ${why}`, () => {
    assert.deepEqual(changes(leave), lines);
  });
}
