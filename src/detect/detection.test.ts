/** All detectors over one stream: who sees what, whose state ends when, whose thresholds hold. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../action/index.ts";
import { createDetections, defineDetector } from "./index.ts";

/** Finds every `limit`th denial. */
const counting = (name: string, scope: "run" | "home", score: number) =>
  defineDetector<{ left: number; readonly limit: number }>({
    name,
    kind: "loop",
    title: "Counts",
    explanation: "Counts.",
    attack: [],
    atlas: [],
    owasp: [],
    tuning: { limit: { value: 2, unit: "denials", meaning: "how many make one" } },
    sees: ["denial"],
    scope,
    start: ({ limit = 0 }) => ({ left: limit, limit }),
    observe(state) {
      state.left -= 1;
      if (state.left > 0) return [];
      state.left = state.limit;
      return [{ kind: "loop", detector: name, score, why: "enough" }];
    },
  });

const event = (type: Event["type"], run: string): Event => ({ type, run, at: "", monoMs: 0 });
const names = (found: readonly { readonly detector: string }[]) =>
  found.map(({ detector }) => detector);

test("a detector counts each run for itself, one of the home counts all, the surest comes first", () => {
  const detections = createDetections([
    counting("of-run", "run", 0.5),
    counting("of-home", "home", 1),
  ]);
  assert.deepEqual(names(detections.observe(event("denial", "a"))), []);
  assert.deepEqual(names(detections.observe(event("denial", "b"))), ["of-home"]);
  assert.deepEqual(names(detections.observe(event("finding", "a"))), []);
  assert.deepEqual(names(detections.observe(event("denial", "a"))), ["of-run"]);
  assert.deepEqual(names(detections.observe(event("denial", "b"))), ["of-home", "of-run"]);
});

test("what was counted of a run goes with its end, and what was counted of all stays", () => {
  const detections = createDetections([
    counting("of-run", "run", 0.5),
    counting("of-home", "home", 1),
  ]);
  detections.observe(event("denial", "a"));
  detections.observe(event("run.end", "a"));
  assert.deepEqual(names(detections.observe(event("denial", "a"))), ["of-home"]);
});

test("a task's own threshold holds instead of the default", () => {
  const detections = createDetections([counting("of-run", "run", 0.5)], { "of-run": { limit: 1 } });
  assert.deepEqual(names(detections.observe(event("denial", "a"))), ["of-run"]);
});
