import assert from "node:assert/strict";
import { test } from "node:test";
import { namesOf, parseArguments } from "./arguments.ts";

const PARTS = [
  { name: "http" },
  { name: "attach", group: "actions" },
  { name: "ledger" },
  { name: "approvals", group: "actions" },
];

test("everything is measured unless parts are named", () => {
  const nothing = { only: undefined, json: undefined, profiles: undefined, help: false };
  assert.deepEqual(parseArguments([], PARTS), nothing);
  const some = parseArguments(["--only", "http", "ledger", "--json", "/tmp/a.json"], PARTS);
  assert.deepEqual(some, { ...nothing, only: ["http", "ledger"], json: "/tmp/a.json" });
});

test("a part is named with --only or without, and a group is all its parts", () => {
  const only = (...words: string[]) => parseArguments(words, PARTS).only;
  assert.deepEqual(only("ledger"), ["ledger"]);
  assert.deepEqual(only("actions"), ["attach", "approvals"]);
  assert.deepEqual(only("--only", "actions", "attach", "http"), ["http", "attach", "approvals"]);
  assert.deepEqual(namesOf(PARTS), ["actions", "http", "attach", "ledger", "approvals"]);
});

for (const words of [
  ["--only", "htp"],
  ["--only", "http", "x"],
  ["htp"],
  ["actions", "htp"],
  ["--fast"],
  ["--json"],
]) {
  test(`fault bench.arguments: ${words.join(" ")}`, () => {
    assert.throws(() => parseArguments(words, PARTS), { code: "bench.arguments" });
  });
}
