import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNtfy, readLines } from "./ntfy.ts";

const TOPIC = "a".repeat(24);
const ADA = { name: "ada", topic: TOPIC };
const line = (more: object = {}) =>
  `${JSON.stringify({ id: "m1", time: 100, event: "message", topic: TOPIC, message: "deny p-1", ...more })}\n`;

test("a message of an approver's own topic is theirs, once", () => {
  const start = { time: 100, ids: [] };
  const text = `${line({ event: "open", id: "o" })}${line()}${line({ id: "m2" })}`;
  const { found, next } = readLines(text, start, ADA);
  assert.deepEqual(
    found.map(({ from, text: said }) => [from, said]),
    [
      ["ntfy:ada", "deny p-1"],
      ["ntfy:ada", "deny p-1"],
    ],
  );
  assert.deepEqual(next, { time: 100, ids: ["m1", "m2"] });
  assert.deepEqual(readLines(text, next, ADA).found, [], "told again, as by a server that forgot");
  assert.equal(readLines(line({ id: "m3", time: 101 }), next, ADA).found.length, 1);
});

const NOT_HEARD = [
  [{ time: 99 }, "of before"],
  [{ topic: "b".repeat(24) }, "of another topic"],
  [{ event: "keepalive" }, "no message"],
  [{ attachment: { name: "attachment.txt" } }, "a file"],
  [{ sequence_id: "m0" }, "an edited one"],
  [{ encoding: "base64" }, "not text"],
  [{ message: 7 }, "no text"],
] as const;
for (const [more, why] of NOT_HEARD) {
  test(`INV-67: not heard: ${why}`, () => {
    assert.deepEqual(readLines(line(more), { time: 100, ids: [] }, ADA).found, []);
  });
}

test("a line that is cut is not heard, and is asked for again", () => {
  const { found, next } = readLines(line().slice(0, 30), { time: 100, ids: [] }, ADA);
  assert.deepEqual([found, next], [[], { time: 100, ids: [] }]);
});

test("lines of any shape are heard or not, and never a failure", () => {
  const start = { time: 100, ids: [] };
  const property = fc.property(fc.array(fc.oneof(fc.string(), fc.json())), (lines) => {
    assert.ok(readLines(lines.join("\n"), start, ADA).next.time >= start.time);
  });
  fc.assert(property);
});

test("fault channel.topic: a name that could be guessed, or is two persons', identifies nobody", () => {
  const base = { api: "https://n.example", token: undefined, topic: "cards" };
  const make = (replies: [string, string][], topic = "cards") =>
    createNtfy({ ...base, topic, replies: new Map(replies) });
  make([["ada", TOPIC]]);
  for (const wrong of [
    () => make([["ada", "ada-approves"]]),
    () => make([["ada", "a".repeat(21)]]),
    () => make([["ada", `${TOPIC}/x`]]),
    () =>
      make([
        ["ada", TOPIC],
        ["bob", TOPIC],
      ]),
    () => make([["ada", TOPIC]], TOPIC),
    () => make([["ada", TOPIC]], "a/b"),
  ]) {
    assert.throws(wrong, { code: "channel.topic" });
  }
});
