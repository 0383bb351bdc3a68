import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { leadingCode, parseReply } from "./reply.ts";

const CASES = [
  // what is typed, what it wishes, why
  ["4f2a91", { kind: "approve", code: "4f2a91", bare: true }, "the code alone"],
  [
    " 4F2A91\n",
    { kind: "approve", code: "4f2a91", bare: true },
    "phones capitalise, and add spaces",
  ],
  ["approve 4f2a91", { kind: "approve", code: "4f2a91", bare: false }, "in words"],
  ["/approve 4f2a91", { kind: "approve", code: "4f2a91", bare: false }, "as a command of a bot"],
  [
    "Approve p-06hc 4f2a91",
    { kind: "approve", id: "p-06hc", code: "4f2a91", bare: false },
    "by name",
  ],
  ["approve yes", { kind: "approve", code: "yes", bare: false }, "a wrong code, and counted"],
  ["deny", { kind: "deny", rest: "" }, "no reason"],
  [
    "deny not before\nMonday",
    { kind: "deny", rest: "not before\nMonday" },
    "a reason of two lines",
  ],
  ["DENY p-06hc why", { kind: "deny", id: "p-06hc", rest: "why" }, "by name"],
  ["approve", undefined, "without a code it is talk"],
  ["yes", undefined, "yes to what?"],
  ["approve 4f2a91 4f2a91", undefined, "two codes"],
  ["please approve 4f2a91", undefined, "somebody speaks of it"],
  ["denying", undefined, "another word"],
  ["> approve 4f2a91", undefined, "a quotation"],
  ["approve p-06hc 4f2a91\nx", undefined, "more than was meant"],
  ["4f2a9", undefined, "too short for a code"],
  [`deny ${"x".repeat(2000)}`, undefined, "longer than a reason"],
] as const;
for (const [text, wish, why] of CASES) {
  test(`${JSON.stringify(text.slice(0, 40))}: ${why}`, () => {
    assert.deepEqual(parseReply(text), wish);
  });
}

test("for any text, what approves is a code and nothing else", () => {
  const property = fc.property(fc.string({ unit: "binary" }), (text) => {
    const wish = parseReply(text);
    if (wish?.kind === "approve") assert.match(text.trim(), /^(\/?approve\s.*\S|[0-9a-f]{6})$/is);
    if (wish?.kind === "deny") assert.match(text.trim(), /^\/?deny/i);
  });
  fc.assert(property);
});

test("a refusal may name its card by its code", () => {
  assert.deepEqual(leadingCode("4f2a91 too early"), { code: "4f2a91", reason: "too early" });
  assert.deepEqual(leadingCode("too early"), { code: "", reason: "" });
});
