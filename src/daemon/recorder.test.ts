import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../action/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { EVENTS_PER_WINDOW, INTENTS_AT_ONCE, MERGED_PER_STEP } from "./event-budget.ts";
import { Recorder, type RunEvent } from "./recorder.ts";

/** A ledger that only keeps what it is given, and a clock that stands. */
function setUp() {
  const entries: Event[] = [];
  const ledger = {
    append: async (event: Event) => entries.push(event) - 1,
  } as unknown as Ledger;
  const clock = { now: () => ({ wallMs: 0, monoMs: 0 }) };
  const recorder = new Recorder("r-1", ledger, clock, assert.ifError);
  return { entries, recorder };
}

const denial: RunEvent = { type: "denial", rule: "no-grant", target: "a" };

test("INV-18: every denial of a flood is counted, those that stand for many as many", async () => {
  const { entries, recorder } = setUp();
  const total = EVENTS_PER_WINDOW + 1000;
  for (let n = 0; n < total; n += 1) await recorder.record(denial);
  await recorder.record({ ...denial, data: { merged: 41 } });
  await recorder.flush();
  assert.equal(entries.length, EVENTS_PER_WINDOW + 1);
  const sum = entries.reduce((all, { data }) => all + Number(data?.["merged"] ?? 1), 0);
  assert.equal(sum, total + 41);
  assert.equal(recorder.counts.denials, total + 41);
});

for (const type of ["process.start", "tool.call", "model"] as const) {
  test(`what is noticed of ${type} is followed also where a flood of the run's own merges it`, async () => {
    const { entries, recorder } = setUp();
    const followed: unknown[] = [];
    recorder.watch = (event) => () => followed.push(event.target);
    for (let n = 0; n < EVENTS_PER_WINDOW; n += 1) await recorder.record({ type, target: "a" });
    await recorder.record({ type, target: "hidden" });
    assert.equal(entries.length, EVENTS_PER_WINDOW, "it merged");
    assert.deepEqual([followed.length, followed.at(-1)], [EVENTS_PER_WINDOW + 1, "hidden"]);
    recorder.hurry();
  });
}

test("INV-30: a run that floods is held back; one that does not, never", async () => {
  const { recorder } = setUp();
  const holds: number[] = [];
  recorder.onHold = (holdMs) => holds.push(holdMs);
  for (let n = 0; n < EVENTS_PER_WINDOW; n += 1) await recorder.record(denial);
  assert.deepEqual(holds, []);
  for (let n = 0; n < 3 * MERGED_PER_STEP; n += 1) await recorder.record(denial);
  assert.deepEqual(holds, [1, 2, 4]);
  recorder.hurry();
});

test("INV-30: actions beyond the burst wait before they are written, and the end waits for none", async () => {
  const { entries, recorder } = setUp();
  const writes: Promise<number>[] = [];
  for (let n = 0; n < INTENTS_AT_ONCE + 500; n += 1)
    writes.push(recorder.record({ type: "action" }));
  await Promise.all(writes.slice(0, INTENTS_AT_ONCE));
  assert.equal(entries.length, INTENTS_AT_ONCE);
  // What follows from an action is not held up by those that wait.
  await recorder.record({ type: "outcome" });
  assert.equal(entries.at(-1)?.type, "outcome");
  recorder.hurry();
  await Promise.all(writes);
  assert.equal(entries.length, INTENTS_AT_ONCE + 500 + 1, "all of them are in the end");
});

test("INV-18: a flood of tool calls merges, by itself: neither costs the other its entries", async () => {
  const { entries, recorder } = setUp();
  const call: RunEvent = { type: "tool.call", data: { call: "c" } };
  for (let n = 0; n < EVENTS_PER_WINDOW + 50; n += 1) await recorder.record(denial);
  for (let n = 0; n < EVENTS_PER_WINDOW + 70; n += 1) await recorder.record(call);
  await recorder.flush();
  const of = (type: string) => entries.filter((one) => one.type === type);
  for (const [type, total] of [
    ["denial", EVENTS_PER_WINDOW + 50],
    ["tool.call", EVENTS_PER_WINDOW + 70],
  ] as const) {
    assert.equal(of(type).length, EVENTS_PER_WINDOW + 1);
    const sum = of(type).reduce((all, { data }) => all + Number(data?.["merged"] ?? 1), 0);
    assert.equal(sum, total);
  }
});
