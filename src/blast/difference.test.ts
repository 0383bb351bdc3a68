import assert from "node:assert/strict";
import { test } from "node:test";
import { solved } from "../../test/support/blast-world.ts";
import { differenceOf, printChanges, printDifference } from "./difference.ts";

const BASE = `uses(n, p). can(p, send, list). people(list, 40). can(p, send, all). people(all, 12000).`;
const changes = (before: string, after: string) =>
  printChanges(differenceOf(solved(`${BASE} ${before}`), solved(`${BASE} ${after}`)));

const CASES = [
  ["", "", [], "the same"],
  [
    "",
    "may(n, send, send, list).",
    [
      "people who can be written to, unattended: 0 -> 40",
      "people who can be written to, with an approver fooled: 0 -> 40",
    ],
    "a new grant",
  ],
  [
    "may(n, send, send, list) @confirm.",
    "may(n, send, send, list).",
    ["people who can be written to, unattended: 0 -> 40"],
    "nobody is asked any more",
  ],
  [
    "may(n, send, send, list).",
    "",
    [
      "people who can be written to, unattended: 40 -> 0",
      "people who can be written to, with an approver fooled: 40 -> 0",
    ],
    "less",
  ],
  [
    "may(n, send, send, list).",
    "may(n, send, send, list). may(n, send, send, all) @confirm.",
    ["people who can be written to, with an approver fooled: 40 -> 12,040"],
    "more after a yes",
  ],
] as const;
for (const [before, after, lines, why] of CASES) {
  test(`before and after: ${why}`, () => assert.deepEqual(changes(before, after), lines));
}

test("what grew is told with its way, and with the facts that made it so and no others", () => {
  const before = solved(`${BASE} may(n, send, send, list) @confirm @from("old rule").`);
  const after = solved(
    `${BASE} may(n, send, send, list) @from("new rule"). may(n, send, send, all) @confirm.`,
  );
  const difference = differenceOf(before, after);
  const mail = difference.outcomes.find(({ paths }) => paths.length > 0);
  assert.deepEqual(
    mail?.paths.map(({ object, which, before: was, after: now }) => [object, which, was, now]),
    [
      ["list", "unattended", 0, 40],
      ["all", "approverFooled", 0, 12_000],
    ],
  );
  assert.deepEqual(
    difference.facts.map((fact) => fact.split(" @")[0]),
    ["may(n, send, send, list)", "may(n, send, send, all)"],
  );
  const text = printDifference(difference);
  assert.match(
    text,
    /New: people who can be written to, unattended: list: 0 -> 40\n  1\. By n it does send on list/,
  );
  assert.match(text, /Facts that made it so:\n  may\(n, send, send, list\) @from\("new rule"\)\./);
});

test("where nothing changes it says so", () => {
  const one = solved(`${BASE} may(n, send, send, list).`);
  assert.equal(
    printDifference(differenceOf(one, one)),
    "Nothing that is possible at worst changes.\n",
  );
});
