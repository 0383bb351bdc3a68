/** What a budget of many runs has room for, and the file that says it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import {
  chargeOf,
  lackFor,
  scaled,
  shareOf,
  unscaled,
  type LineageBudget,
  type LineageUse,
} from "./lineage-budget.ts";
import { parseLineages } from "./lineages-file.ts";

function action(change: Partial<Action> = {}): Action {
  return {
    ...{ id: "a-1", run: "r-1", at: "2026-11-27T12:00:00.000Z", monoMs: 1, system: "shop" },
    ...{ kind: "http", verb: "POST", effects: ["write"], target: "https://a.test/p", summary: "" },
    ...{ digest: "", fields: { host: "a.test", port: 443 }, cause: UNKNOWN_PROCESS },
    ...change,
  };
}

function use(
  change: Partial<LineageUse["counts"]> = {},
  more: Partial<LineageUse> = {},
): LineageUse {
  const none = { requests: 0, writes: 0, bytes: 0, connections: 0, cpuMs: 0, gpuMs: 0 };
  return {
    counts: { ...none, ...change },
    distinct: { recipients: new Set(["x@a.test"]), destinations: new Set(["a.test:443"]) },
    amounts: new Map([["EUR", scaled("9.99")]]),
    ...more,
  };
}

const send = (recipients?: string[]): Partial<Action> => ({
  effects: ["send"],
  impact: { reversible: false, ...(recipients === undefined ? {} : { recipients }) },
});
const spend = (value: string, currency = "EUR"): Partial<Action> => ({
  effects: ["spend"],
  impact: { reversible: false, amount: { currency, value } },
});

const CASES: readonly (readonly [LineageBudget, LineageUse, Partial<Action>, boolean, string])[] = [
  [{}, use({ requests: 1e9 }), {}, true, "what is not limited is not"],
  [{ requests: 3 }, use({ requests: 2 }), {}, true, "the last of a budget is part of it"],
  [{ requests: 3 }, use({ requests: 3 }), {}, false, "and none comes after it"],
  [{ requests: 0 }, use(), {}, false, "zero is none at all"],
  [
    { writes: 1 },
    use({ writes: 1 }),
    { effects: ["read"] },
    true,
    "reading goes on when writing may not",
  ],
  [
    { writes: 3 },
    use({ writes: 1 }),
    {
      parts: [
        { verb: "insert", effects: ["write"], count: 3 },
        { verb: "select", effects: ["read"] },
      ],
    },
    false,
    "a message of three changes is three",
  ],
  [
    { connections: 2 },
    use({ connections: 2 }),
    {},
    true,
    "a connection is counted ahead of its requests",
  ],
  [{ connections: 2 }, use({ connections: 3 }), {}, false, "one more is one too many"],
  [{ bytes: 100 }, use({ bytes: 100 }), {}, false, "with the last byte nothing goes on"],
  [{ cpuMs: 100 }, use({ cpuMs: 99 }), {}, true, "a little is left"],
  [{ gpuMs: 100 }, use({ gpuMs: 99 }), {}, true, "a little GPU time is left"],
  [{ gpuMs: 100 }, use({ gpuMs: 100 }), {}, false, "no GPU time is left"],
  [{ destinations: 1 }, use(), {}, true, "where it has been it may go again"],
  [
    { destinations: 1 },
    use(),
    { fields: { host: "b.test", port: 443 } },
    false,
    "another host is another",
  ],
  [
    { destinations: 1 },
    use(),
    { fields: { host: "a.test", port: 80 } },
    false,
    "and so is another port",
  ],
  [{ recipients: 1 }, use(), send(["x@a.test"]), true, "who was reached may be reached again"],
  [{ recipients: 2 }, use(), send(["x@a.test", "y@a.test", "y@a.test"]), true, "each counts once"],
  [{ recipients: 1 }, use(), send(["y@a.test"]), false, "another is too many"],
  [{ recipients: 9 }, use(), send(), false, "whom nobody knows may be anybody"],
  [{ amounts: new Map([["EUR", scaled("10")]]) }, use(), spend("0.01"), true, "to the last cent"],
  [
    { amounts: new Map([["EUR", scaled("10")]]) },
    use(),
    spend("0.010000000000000001"),
    false,
    "and no part of one more",
  ],
  [
    { amounts: new Map([["EUR", scaled("10")]]) },
    use(),
    spend("0.01", "USD"),
    false,
    "another currency was not given",
  ],
  [
    { amounts: new Map([["EUR", scaled("10")]]) },
    use(),
    { effects: ["spend"] },
    false,
    "how much nobody knows may be all",
  ],
];
for (const [budget, used, change, fits, why] of CASES) {
  test(`${JSON.stringify(Object.keys(budget))} ${fits ? "lets through" : "refuses"}: ${why}`, () => {
    const lack = lackFor(budget, used, chargeOf(action(change)));
    assert.equal(lack === undefined, fits, lack);
  });
}

test("an amount is what it was, to twelve digits, and rounded up beyond", () => {
  for (const value of ["0", "1", "12.5", "0.000000000001", "99999999999999999999"]) {
    assert.equal(unscaled(scaled(value)), value);
  }
  assert.equal(unscaled(scaled("0.0000000000001")), "0.000000000001");
});

test("how much is used up is that of what is used up most", () => {
  assert.equal(shareOf({}, use()), undefined);
  assert.equal(shareOf({ requests: 100, destinations: 2 }, use({ requests: 63 })), 0.63);
  assert.equal(shareOf({ requests: 0 }, use()), 1);
});

test("policy.lineages: the first entry that fits counts, also by a secret's name, and a slip is refused", () => {
  const { budgetOf, shared } = parseLineages(
    `lineages:
  - lineage: job:nightly
    budget: { requests: 1, bytes: 2KiB, cpu: 3s, gpu: 1m, amounts: { EUR: "1.50" } }
  - lineage: job:*
    budget: { requests: 2 }
  - lineage: credential:shop
    budget: { writes: 3 }
shared: ["https://registry.test/"]
`,
    "lineages.yaml",
  );
  assert.deepEqual(budgetOf(["job:nightly"]), {
    ...{ requests: 1, bytes: 2048, cpuMs: 3000, gpuMs: 60_000 },
    amounts: new Map([["EUR", scaled("1.50")]]),
  });
  assert.deepEqual(budgetOf(["job:nightly2"]), { requests: 2 });
  assert.deepEqual(budgetOf(["credential:0a1b", "credential:shop"]), { writes: 3 });
  assert.equal(budgetOf(["agent:nightly"]), undefined);
  assert.deepEqual(shared, ["https://registry.test/"]);
  for (const wrong of [
    "lineages:\n  - lineage: nightly\n    budget: {}\n",
    "lineages:\n  - lineage: job:a\n    budget: { request: 1 }\n",
    "lineages:\n  - lineage: job:a\n    budget: { requests: -1 }\n",
    "lineages:\n  - lineage: job:*a\n    budget: {}\n",
    "lineages:\n  - lineage: job:a\n",
  ]) {
    assert.throws(() => parseLineages(wrong, "lineages.yaml"), { code: "policy.lineages" });
  }
});
