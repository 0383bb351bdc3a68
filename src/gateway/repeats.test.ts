import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action, type Effect } from "../action/index.ts";
import type { Policy } from "../policy/index.ts";
import type { EventDraft, GatewayRun, Verdict } from "./ports.ts";
import { Repeats } from "./repeats.ts";

const actionOf = (effects: Effect[]): Action => ({
  ...{ id: "a-1", run: "r-1", at: "", monoMs: 0, system: "db", kind: "redis", verb: "get" },
  ...{ effects, target: "", summary: "", digest: "", fields: {}, cause: UNKNOWN_PROCESS },
});
const verdictOf = (verdict: Verdict["verdict"], effects: readonly Effect[]): Verdict => ({
  ...{ verdict, effects, rule: "grants[0]", reason: "" },
});

function start() {
  const events: EventDraft[] = [];
  const run = {
    policy: { digest: "1", grants: [] } as Policy,
    record: (event: EventDraft) => Promise.resolve(events.push(event)),
  };
  return { run, events, repeats: new Repeats(run as unknown as GatewayRun, "f-1") };
}

test("INV-76: under another policy nothing repeats, and what was counted is told", () => {
  const { run, events, repeats } = start();
  repeats.add("get 1", actionOf(["read"]), verdictOf("allow", ["read"]));
  assert.deepEqual(
    [repeats.has("get 1"), repeats.has("get 1"), repeats.has("get 2")],
    [true, true, false],
  );
  run.policy = { digest: "2", grants: [] };
  assert.equal(repeats.has("get 1"), false);
  assert.deepEqual(
    events.map(({ data }) => data?.["count"]),
    [2],
  );
  repeats.close();
});

const NEVER: readonly (readonly [string, Effect[], Verdict])[] = [
  ["what writes", ["write"], verdictOf("allow", ["write"])],
  ["what a rule only says to read", ["delete"], verdictOf("allow", ["read"])],
  ["what waits", ["read"], verdictOf("confirm", ["read"])],
  ["what is counted one by one", ["read"], { ...verdictOf("allow", ["read"]), once: true }],
  ["what was denied", ["read"], verdictOf("deny", ["read"])],
];
for (const [what, effects, verdict] of NEVER) {
  test(`INV-76: ${what} never repeats`, () => {
    const { repeats } = start();
    repeats.add("x", actionOf(effects), verdict);
    assert.equal(repeats.has("x"), false);
    repeats.close();
  });
}
