import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import { useAllowance, type Allowance } from "./allowance.ts";

const ACTION: Action = {
  id: "a-1",
  run: "r-1",
  at: "2026-11-26T12:00:00.000Z",
  monoMs: 0,
  system: "list",
  kind: "listmonk",
  verb: "tx.send",
  effects: ["send"],
  target: "https://list.example/api/tx",
  summary: "Send",
  fields: {},
  digest: "d",
  impact: { reversible: false, recipients: ["a@x.example"] },
  cause: UNKNOWN_PROCESS,
};
const NOW_MS = Date.parse(ACTION.at);
const LEAVE: Allowance = {
  id: "p-1",
  system: "list",
  verb: "tx.send",
  effects: ["send", "spend"],
  count: 2,
  untilMs: NOW_MS + 1000,
  recipientsMax: 2,
  reached: [],
};
const spend = (value: string, currency = "EUR"): Partial<Action> => ({
  effects: ["spend"],
  impact: { reversible: false, amount: { value, currency } },
});

const ROWS: readonly (readonly [why: string, Partial<Allowance>, Partial<Action>, boolean])[] = [
  ["the same kind is covered", {}, {}, true],
  ["another verb is not", {}, { verb: "campaign.start" }, false],
  ["another system is not", {}, { system: "other" }, false],
  ["nor one more than was said", { count: 0 }, {}, false],
  ["nor one that is too late", { untilMs: NOW_MS }, {}, false],
  ["nor at a time that cannot be read", { untilMs: Number.NaN }, {}, false],
  [
    "nor a batch, of which the parts are many things",
    {},
    { parts: [{ verb: "tx.send", effects: ["send"] }] },
    false,
  ],
  ["nor one recipient too many", { reached: ["b@x", "c@x"] }, {}, false],
  [
    "a recipient that was reached before counts once",
    { reached: ["b@x", "a@x.example"] },
    {},
    true,
  ],
  ["nor recipients that are not known", {}, { impact: { reversible: false } }, false],
  [
    "nor one that does more than the one that was seen",
    {},
    { effects: ["send", "execute"] },
    false,
  ],
  ["nor what administers", {}, { effects: ["send", "administer"] }, false],
  [
    "money within what is left is covered",
    { amount: { currency: "EUR", value: "20" } },
    spend("12.50"),
    true,
  ],
  ["all that is left is", { amount: { currency: "EUR", value: "12.5" } }, spend("12.50"), true],
  ["a cent more is not", { amount: { currency: "EUR", value: "12.50" } }, spend("12.51"), false],
  ["nor another currency", { amount: { currency: "EUR", value: "20" } }, spend("1", "USD"), false],
  ["nor money where none was spoken of", {}, spend("1"), false],
  [
    "nor an amount that is not known",
    { amount: { currency: "EUR", value: "20" } },
    { effects: ["spend"], impact: { reversible: false } },
    false,
  ],
];
for (const [why, leave, action, covered] of ROWS) {
  test(`an allowance: ${why}`, () => {
    const used = useAllowance({ ...LEAVE, ...leave }, { ...ACTION, ...action }, NOW_MS);
    assert.equal(used !== undefined, covered);
  });
}

test("what is used is taken off, exactly", () => {
  const leave = { ...LEAVE, amount: { currency: "EUR", value: "0.3" } };
  const once = useAllowance(leave, { ...ACTION, ...spend("0.1") }, NOW_MS);
  assert.deepEqual([once?.count, once?.amount?.value], [1, "0.2"]);
  const twice = once && useAllowance(once, { ...ACTION, ...spend("0.2") }, NOW_MS);
  assert.deepEqual([twice?.count, twice?.amount?.value], [0, "0.0"]);
});
