import assert from "node:assert/strict";
import { test } from "node:test";
import { PROGRAM, solved } from "../../test/support/blast-world.ts";
import { answerOf } from "./answer.ts";
import { excessesOf, parseBudget, parseLimit, printExcess } from "./budget.ts";

test("a limit is an outcome, a number, and whom it is about", () => {
  assert.deepEqual(parseLimit("customer_records=0 unattended", PROGRAM), {
    ...{ outcome: "customer_records", which: "unattended", most: 0, from: "--max" },
  });
  assert.equal(parseLimit(" people_mailable = 100 fooled ", PROGRAM).which, "approverFooled");
});

const NO_LIMITS = [
  ["customer_records", "no number"],
  ["customer_records=0", "neither unattended nor fooled"],
  ["customer_records=-1 unattended", "less than nothing"],
  ["customer_records=1.5 unattended", "no whole number"],
  ["customer_records=1e3 unattended", "another notation"],
  ["customer_records=unbounded fooled", "bounds nothing"],
  ["customer_records=0 unattended fooled", "two at once"],
  ["customer_records=9999999999999999 fooled", "more than a number holds"],
  ["constructor=0 unattended", "no outcome"],
] as const;
for (const [text, why] of NO_LIMITS) {
  test(`fault blast.budget: ${text} is no limit: ${why}`, () => {
    assert.throws(() => parseLimit(text, PROGRAM), { code: "blast.budget" });
  });
}

test("the nearest name is suggested, on the line and in a file", () => {
  assert.throws(() => parseLimit("customer_record=0 unattended", PROGRAM), {
    hint: "did you mean customer_records?",
  });
  const file = "budget: b\nmost:\n  people_mailabel: { unattended: 0 }\n";
  assert.throws(() => parseBudget(file, "b.yaml", PROGRAM), {
    code: "blast.budget",
    message: /b\.yaml:3:\d+: most\.people_mailabel is no outcome; did you mean people_mailable\?/,
  });
});

test("a budget file bounds what it names, and nothing else", () => {
  const file =
    "budget: b\nmost:\n  customer_records: { unattended: 0, fooled: 10 }\n  publications: { fooled: 2 }\n";
  const limits = parseBudget(file, "b.yaml", PROGRAM).map(
    ({ outcome, which, most }) => `${outcome} ${which} ${most}`,
  );
  assert.deepEqual(limits, [
    "customer_records unattended 0",
    "customer_records approverFooled 10",
    "publications approverFooled 2",
  ]);
});

const NO_BUDGETS = [
  ["", "empty"],
  ["most: { customer_records: { unattended: 0 } }", "says not what it is for"],
  ["budget: b", "bounds nothing"],
  ["budget: b\nmost: { customer_records: {} }", "names an outcome and no bound"],
  ["budget: b\nmost: { customer_records: { unatended: 0 } }", "a misspelt key"],
  ["budget: b\nmost: { customer_records: { unattended: -1 } }", "less than nothing"],
  ["budget: b\nmost: { customer_records: { unattended: '0' } }", "a text"],
  ["budget: b\nmost: { customer_records: { unattended: .inf } }", "no bound"],
  ["budget: b\nmost: { customer_records: 0 }", "not said whom it is about"],
  ["budget: b\nmost: &a { customer_records: { unattended: 0 } }\nmore: *a", "aliases"],
  [
    "budget: b\nmost: { customer_records: { unattended: 5 }, customer_records: { unattended: 0 } }",
    "twice",
  ],
] as const;
for (const [file, why] of NO_BUDGETS) {
  test(`fault blast.budget: a file that is ${why} is refused whole`, () => {
    assert.throws(() => parseBudget(file, "b.yaml", PROGRAM), { code: "blast.budget" });
  });
}

const WORLD = `uses(n, p). may(n, send, send, list). can(p, send, list). people(list, 40).
may(n, send, send, all) @confirm. can(p, send, all). people(all, unbounded).`;

const CASES = [
  ["people_mailable=40 unattended", undefined, "as many as it may"],
  ["people_mailable=39 unattended", "it writes to 40 people by list", "one too many"],
  [
    "people_mailable=1000000 fooled",
    "it writes to any number of people by all",
    "nothing bounds it",
  ],
  ["publications=0 fooled", undefined, "none at all"],
] as const;
for (const [limit, says, why] of CASES) {
  test(`${limit} ${says === undefined ? "holds" : "is broken"}: ${why}`, () => {
    const [excess] = excessesOf(answerOf(solved(WORLD)), [parseLimit(limit, PROGRAM)]);
    assert.equal(excess?.path.at(-1)?.says, says);
    if (excess === undefined) return;
    assert.match(
      printExcess(excess),
      /^over budget: people_mailable, .*\(--max\)\n  1\. By n it does send on /,
    );
  });
}
