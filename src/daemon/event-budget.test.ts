import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventBudget, EVENTS_PER_WINDOW, MERGED_KEYS_MAX, WINDOW_MS } from "./event-budget.ts";

test("INV-18: nothing is lost: what is not written is counted exactly, for any sequence", () => {
  const events = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(30)), {
    maxLength: 3000,
  });
  const property = fc.property(events, (list) => {
    const budget = new EventBudget<string>();
    let now = 0;
    let written = 0;
    for (const [key, passedMs] of list) {
      now += passedMs;
      if (budget.admit(key, key, now) === "write") written += 1;
    }
    const merged = budget.drain().reduce((sum, one) => sum + one.count, 0);
    assert.equal(written + merged, list.length);
  });
  fc.assert(property, { numRuns: 30 });
});

test("INV-18: a flood of distinct events holds bounded memory", () => {
  const budget = new EventBudget<number>();
  let written = 0;
  for (let n = 0; n < 50_000; n += 1) if (budget.admit(`k${n}`, n, 1) === "write") written += 1;
  assert.equal(written, EVENTS_PER_WINDOW);
  const merged = budget.drain();
  assert.ok(merged.length <= MERGED_KEYS_MAX + 1);
  assert.equal(
    merged.reduce((sum, one) => sum + one.count, 0),
    50_000 - EVENTS_PER_WINDOW,
  );
});

test("a quiet run writes everything: the window starts anew", () => {
  const budget = new EventBudget<number>();
  for (let n = 0; n < EVENTS_PER_WINDOW * 3; n += 1) {
    assert.equal(budget.admit("same", n, n * (WINDOW_MS / 100)), "write");
  }
});
