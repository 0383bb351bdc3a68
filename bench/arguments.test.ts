import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "./arguments.ts";

const PARTS = ["http", "ledger"];

test("everything is measured unless parts are named", () => {
  const nothing = { only: undefined, json: undefined, profiles: undefined, help: false };
  assert.deepEqual(parseArguments([], PARTS), nothing);
  const some = parseArguments(["--only", "http", "ledger", "--json", "/tmp/a.json"], PARTS);
  assert.deepEqual(some, { ...nothing, only: ["http", "ledger"], json: "/tmp/a.json" });
});

for (const words of [
  ["--only", "htp"],
  ["--only", "http", "x"],
  ["http"],
  ["--fast"],
  ["--json"],
]) {
  test(`fault bench.arguments: ${words.join(" ")}`, () => {
    assert.throws(() => parseArguments(words, PARTS), { code: "bench.arguments" });
  });
}
