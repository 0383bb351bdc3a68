import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "../../action/index.ts";
import { requestOf } from "../approvals.fixture.ts";
import { likenessOf } from "./alike.ts";
import { lookOf } from "./look.ts";

const BODY = { title: "A", content: "a", status: "publish" };
const limits = requestOf("r-1", "aaaaaa").limits;

function likeness(more: Partial<Action>, run = "r-1", how: Partial<typeof limits> = {}) {
  const { action } = requestOf(run, "aaaaaa", { fields: { show: "post", body: BODY }, ...more });
  return likenessOf(action, { ...limits, ...how }, lookOf(action));
}

const first = likeness({});

test("INV-191: other words in the same form are alike", () => {
  const fields = { show: "post", body: { ...BODY, title: "B", content: "<b>b</b>" } };
  assert.equal(typeof first, "string");
  assert.equal(likeness({ fields, target: "https://blog.example/wp-json/wp/v2/posts/7" }), first);
});

for (const [why, more, run = "r-1"] of [
  ["one more member", { fields: { show: "post", body: { ...BODY, author: 1 } } }],
  [
    "a member of another kind",
    { fields: { show: "post", body: { ...BODY, title: { raw: "A" } } } },
  ],
  ["another effect", { effects: ["publish", "delete"] }],
  ["another verb", { verb: "post.delete" }],
  ["another system", { system: "shop" }],
  ["another run", {}, "r-2"],
  ["parts with another verb", { parts: [{ verb: "drop", effects: ["delete"], object: ["t"] }] }],
] as const satisfies readonly (readonly [string, object, string?])[]) {
  test(`INV-191: ${why} is not alike`, () => {
    assert.notEqual(likeness(more as Partial<Action>, run), first);
  });
}

for (const [why, more, how] of [
  ["administers", { effects: ["administer"] }, {}],
  ["executes", { effects: ["write", "execute"] }, {}],
  ["needs two persons", {}, { needsTwo: true }],
  ["is a conversation", {}, { leaveMs: 1 }],
  ["is not shown whole", { fields: { body: { bytes: 3, sha256: "00" } } }, {}],
] as const) {
  test(`INV-191: what ${why} is decided alone`, () => {
    assert.equal(likeness(more as Partial<Action>, "r-1", how), undefined);
  });
}
