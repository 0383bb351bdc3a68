import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { diffTexts } from "./line-diff.ts";

const lines = fc
  .array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 40 })
  .map((list) => list.map((line) => `${line}\n`).join(""));

test("what goes and what comes makes the one text of the other", () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = diffTexts(before, after);
      const of = (mark: string) => diff.filter((line) => line.startsWith(mark)).length;
      const count = (text: string) => text.split("\n").length - 1;
      assert.equal(of("+") - of("-"), count(after) - count(before));
      if (before === after) assert.deepEqual(diff, []);
      // Lines of each side stand in its order.
      for (const [text, mark] of [
        [before, "-"],
        [after, "+"],
      ] as const) {
        const list = text.split("\n");
        let at = 0;
        for (const line of diff) {
          if (line === "..." || !(line.startsWith(mark) || line.startsWith(" "))) continue;
          at = list.indexOf(line.slice(1), at) + 1;
          assert.ok(at > 0, JSON.stringify({ before, after, diff }));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("a small change shows what is around it, and what is far does not stand there", () => {
  const text = Array.from({ length: 30 }, (_, at) => `${at}\n`).join("");
  const diff = diffTexts(text, text.replace("15\n", "x\n"));
  assert.deepEqual(diff, ["...", " 12", " 13", " 14", "-15", "+x", " 16", " 17", " 18", "..."]);
});

test("a last line without an end is another", () => {
  assert.deepEqual(diffTexts("a\n", "a"), ["-a", "+a (no end of line)"]);
});

test("two long texts that share nothing take no longer than their lines", () => {
  const text = (word: string) =>
    Array.from({ length: 100_000 }, (_, at) => `${word}${at}\n`).join("");
  const start = process.hrtime.bigint();
  assert.equal(diffTexts(text("a"), text("b")).length, 200_000);
  assert.ok(process.hrtime.bigint() - start < 5_000_000_000n);
});
