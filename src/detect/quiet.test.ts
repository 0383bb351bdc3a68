import assert from "node:assert/strict";
import { test } from "node:test";
import { createQuiet, QUIET_MS, TOLD_MAX } from "./quiet.ts";

const found = (target: string, score = 0.5) => ({
  kind: "loop" as const,
  detector: "loop.actions",
  score,
  why: "again",
  target,
});

test("the same about the same is told once in a while, or where it is surer", () => {
  const quiet = createQuiet();
  assert.equal(quiet.isTold(found("a"), 0), true);
  assert.equal(quiet.isTold(found("a"), 1000), false);
  assert.equal(quiet.isTold(found("b"), 1000), true, "about another");
  assert.equal(quiet.isTold(found("a", 0.9), 2000), true, "surer");
  assert.equal(quiet.isTold(found("a"), 2000 + QUIET_MS), true, "much later");
});

test("a run that makes one about each thing is told of so many, and of more later", () => {
  const quiet = createQuiet();
  const told = Array.from({ length: 1000 }, (_, n) => quiet.isTold(found(`t${n}`), n));
  assert.equal(told.filter(Boolean).length, TOLD_MAX);
  assert.equal(quiet.isTold(found("real", 0.9), 1001), true, "surer than all that was told");
  assert.equal(quiet.isTold(found("as sure", 0.9), 1002), false);
  assert.equal(quiet.isTold(found("later"), QUIET_MS + 1000), true);
});
