import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import { intentOf } from "./intent.ts";

const PAYMENT: Action = {
  id: "a-1",
  run: "r-1",
  at: "2026-11-27T10:00:00.000Z",
  monoMs: 1,
  system: "shop",
  kind: "stripe",
  verb: "charge.create",
  effects: ["spend"],
  target: "https://api.stripe.com/v1/charges",
  summary: "Charge",
  fields: {},
  digest: "00",
  impact: { reversible: true, amount: { currency: "EUR", value: "12.50" } },
  cause: UNKNOWN_PROCESS,
};
const decision = { verdict: "confirm", rule: "r", reason: "", effects: ["spend"] } as const;

test("an intent says what money it moves, where its system does", () => {
  const { event, sync } = intentOf(PAYMENT, decision, "f-1");
  assert.deepEqual(event.data?.["amount"], { currency: "EUR", value: "12.50" });
  assert.equal(sync, true);
  const { impact: _, ...free } = PAYMENT;
  assert.equal(intentOf(free, decision, "f-1").event.data?.["amount"], undefined);
});
