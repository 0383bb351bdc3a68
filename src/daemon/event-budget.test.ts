import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  EventBudget,
  EVENTS_PER_WINDOW,
  HOLD_MS_MAX,
  INTENT_EVERY_MS,
  IntentPace,
  INTENTS_AT_ONCE,
  MERGED_KEYS_MAX,
  MERGED_PER_STEP,
  WINDOW_MS,
} from "./event-budget.ts";

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

test("INV-30: a run is slowed the more, the more of it merges, up to a bound, and let go again", () => {
  const budget = new EventBudget<number>();
  const holds: number[] = [];
  const flood = (nowMs: number) => {
    for (let n = 0; n < EVENTS_PER_WINDOW + 20 * MERGED_PER_STEP; n += 1) {
      budget.admit("same", n, nowMs);
      const holdMs = budget.holdMs(nowMs);
      if (holdMs !== holds.at(-1)) holds.push(holdMs);
    }
  };
  flood(0);
  assert.deepEqual(holds, [0, 1, 2, 4, 8, 16, 32, 64, 128, HOLD_MS_MAX]);
  flood(WINDOW_MS);
  assert.ok(budget.holdMs(WINDOW_MS) >= HOLD_MS_MAX / 2, "one quiet moment forgives nothing");
  assert.equal(budget.holdMs(WINDOW_MS * 20), 0, "quiet for long, it is as any other run");
});

test("a run within its budget is never slowed", () => {
  const budget = new EventBudget<number>();
  for (let n = 0; n < EVENTS_PER_WINDOW * 3; n += 1) {
    budget.admit("same", n, n * (WINDOW_MS / 100));
    assert.equal(budget.holdMs(n * (WINDOW_MS / 100)), 0);
  }
});

test("INV-30: intents beyond the burst are written at a steady pace, for any arrival", () => {
  const arrivals = fc.array(fc.nat(40), { minLength: 1, maxLength: 2000 });
  const property = fc.property(arrivals, (gaps) => {
    const pace = new IntentPace();
    for (let n = 0; n < INTENTS_AT_ONCE; n += 1) assert.equal(pace.take(0), 0);
    let now = 0;
    const due = gaps.map((gap) => {
      now += gap;
      return now + pace.take(now);
    });
    for (const [n, at] of due.entries()) {
      // What the time since the start has earned, and not one more.
      assert.ok(at >= (n + 1) * INTENT_EVERY_MS);
      assert.ok(n === 0 || at >= (due[n - 1] ?? 0), "in the order of the calls");
    }
  });
  fc.assert(property, { numRuns: 50 });
});
