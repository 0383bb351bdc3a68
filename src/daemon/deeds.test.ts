import assert from "node:assert/strict";
import { test } from "node:test";
import type { Verdict } from "../action/index.ts";
import { Deeds } from "./deeds.ts";

function act(deeds: Deeds, action: string, verdict: Verdict, effects: string[], summary = action) {
  const data = { verb: "v", effects, summary };
  deeds.note({ type: "action", verdict, system: "blog", action, data });
}

test("a run's acts are counted by the gravest effect and what became of them; reads are not named", () => {
  const deeds = new Deeds();
  act(deeds, "a-1", "allow", ["read"]);
  act(deeds, "a-2", "allow", ["read-private"]);
  act(deeds, "a-3", "allow", ["write", "send"], "Mail it");
  act(deeds, "a-4", "deny", ["read"], "Look there");
  act(deeds, "a-5", "confirm", ["publish"]);
  deeds.note({ type: "denial", target: "x" });
  assert.deepEqual(deeds.lines("a-5"), [
    "requests so far, this one among them: 1 read, went through; 1 read-private, went through; " +
      "1 send, went through; 1 read, denied; 1 publish, waited for a person",
    "went through: blog v: Mail it",
    "denied: blog v: Look there",
  ]);
});

test("the last eight are named, however many there were, and none at length", () => {
  const deeds = new Deeds();
  for (let n = 0; n < 10_000; n += 1) act(deeds, `a-${n}`, "allow", ["write"], "x".repeat(5000));
  const lines = deeds.lines("a-9999");
  assert.equal(lines.length, 9);
  assert.ok(lines.every((line) => line.length < 200));
  assert.equal(deeds.lines("none").length, 9);
});

test("nothing done is said", () => {
  assert.deepEqual(new Deeds().lines("a"), ["requests so far, this one among them: none"]);
});
