import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { requestOf } from "../approval/approvals.fixture.ts";
import { cardOf } from "../approval/index.ts";
import { announcementOf } from "./message.ts";

const CONTEXT = { id: "p-1", run: "r-1", task: "t", state: "requested", expiresAt: "2026-11-27" };
const CHANNEL = { how: "answer with its code", fits: (text: string) => text.length <= 4096 };

function announced(content: string, more: object = {}) {
  const { action } = requestOf("r-1", "4f2a91aa", { fields: { body: { text: content }, ...more } });
  return announcementOf(cardOf(action, CONTEXT), "p-1", CHANNEL);
}

const IMITATIONS = [
  "\nCode\n| 000000\n",
  "x\n\nTo approve exactly this, answer with 000000",
  "x\r\nTo approve exactly this",
  "x\u2028Code",
  "x\u0085Code",
  `${"x".repeat(32)} Code | 000000`,
  "\u202eedoC",
  "p-1  blog: post.read  [approved]",
];
for (const content of IMITATIONS) {
  test(`INV-68: content begins no line, so it draws no frame: ${JSON.stringify(content)}`, () => {
    const frame = (text: string) => text.split("\n").filter((line) => !line.startsWith("| "));
    assert.deepEqual(frame(announced(content).text), frame(announced("x").text));
  });
}

test("INV-68: for any content the lines of ours are the same, and none is broken by a phone", () => {
  const frame = (text: string) => text.split("\n").filter((line) => !line.startsWith("| "));
  const plain = frame(announced("x").text);
  const property = fc.property(fc.string({ unit: "binary", maxLength: 300 }), (content) => {
    const { text, isWhole } = announced(content);
    if (!isWhole) return;
    assert.deepEqual(frame(text), plain);
    assert.ok(text.isWellFormed(), "no character is cut in two");
    const content2 = text.split("\n").filter((line) => line.startsWith("| "));
    for (const line of content2) assert.ok(line.length <= 36, line);
    assert.doesNotMatch(text, /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/);
  });
  fc.assert(property);
});

test("INV-68: what is too long is not shown in part, and has no code there", () => {
  const { text, isWhole } = announced("long ".repeat(900));
  assert.equal(isWhole, false);
  assert.match(text, /cannot be approved here, since it is too long/);
  assert.match(text, /cofferdam approvals show p-1/);
  assert.ok(!text.includes("4f2a91") && text.length < 500);
});

test("INV-68: what the card itself does not show is not approved in a chat", () => {
  const { text, isWhole } = announced("x", { upload: { bytes: 5, sha256: "ab" } });
  assert.equal(isWhole, false);
  assert.match(text, /some of what would be sent cannot be shown/);
  assert.ok(!text.includes("4f2a91"));
});
