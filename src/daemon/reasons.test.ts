import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunEvent } from "./recorder.ts";
import { Reasons } from "./reasons.ts";

const call = (id: string, input = "{}"): RunEvent => ({
  type: "tool.call",
  data: { call: id, name: "Bash", source: "model", input, model: "m" },
});
const waits = (action: string, id: string): RunEvent => ({
  type: "action",
  verdict: "confirm",
  action,
  cause: { call: { id, name: "Bash", source: "model", by: "argv", confidence: 1 } },
});

test("an action that waits has its tool call, with what the model asked for", () => {
  const reasons = new Reasons();
  reasons.note(call("c-1", '{"command":"curl"}'));
  reasons.note(call("c-2"));
  reasons.note(waits("a-1", "c-1"));
  const { cause, call: asked } = reasons.of("a-1");
  assert.equal(cause?.call?.id, "c-1");
  assert.deepEqual(asked, { name: "Bash", input: '{"command":"curl"}', isCut: false, model: "m" });
});

test("what is not known is left out, never guessed", () => {
  const reasons = new Reasons();
  reasons.note({ ...waits("a-1", "c-1"), verdict: "allow" });
  reasons.note(waits("a-2", "c-9"));
  assert.deepEqual(reasons.of("a-1"), {});
  assert.equal(reasons.of("a-2").call, undefined);
  assert.equal(reasons.of("a-2").cause?.call?.id, "c-9");
});

test("a run that calls for ever takes no memory for ever", () => {
  const reasons = new Reasons();
  for (let n = 0; n < 2000; n += 1) {
    reasons.note(call(`c-${n}`));
    reasons.note(waits(`a-${n}`, `c-${n}`));
  }
  assert.deepEqual(reasons.of("a-0"), {});
  assert.equal(reasons.of("a-1999").call?.name, "Bash");
});
