import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Json } from "../../action/index.ts";
import { diffJson, diffLines } from "./diff.ts";

const CASES: readonly (readonly [Json | undefined, Json | undefined, readonly string[], string])[] =
  [
    [{ a: 1, b: 2 }, { a: 1, b: 3 }, ["- b: 2", "+ b: 3"], "a member"],
    [{ a: 1 }, { b: 1 }, ["- a: 1", "+ b: 1"], "one goes, one comes"],
    [{ a: { b: "x" } }, { a: { b: "y" } }, ["- a.b: x", "+ a.b: y"], "a member within"],
    [{ a: [1] }, { a: [1] }, [], "the same"],
    [
      { a: "1\n2\n3\n4\n5" },
      { a: "1\n2\nX\n4\n5" },
      ["  a:", "  ...", "  2", "- 3", "+ X", "  4", "  ..."],
      "a line of a text, with what is around it",
    ],
    [
      { nodes: [{ name: "A", code: "1\n2" }] },
      { nodes: [{ name: "A", code: "1\n3" }, { name: "B" }] },
      ["  nodes.A.code:", "  1", "- 2", "+ 3", '+ nodes.B: {"name":"B"}'],
      "items of a list by their names",
    ],
    [
      [{ name: "A" }, { name: "B" }],
      [{ name: "B" }, { name: "A" }],
      ['- [{"name":"A"},{"name":"B"}]', '+ [{"name":"B"},{"name":"A"}]'],
      "another order",
    ],
    ["- x", "+ y", ["- - x", "+ + y"], "texts that look like a difference"],
  ];
for (const [before, after, lines, why] of CASES) {
  test(`${JSON.stringify(before)} to ${JSON.stringify(after)}: ${why}`, () =>
    assert.deepEqual(diffJson(before, after), lines));
}

test("what is too long is cut, and says how much is", () => {
  const text = (word: string) => Array.from({ length: 3000 }, (_, n) => `${word}${n}`).join("\n");
  const lines = diffJson({ a: text("a") }, { a: text("b") });
  assert.equal(lines.length, 401);
  assert.match(lines.at(-1) ?? "", /^\.\.\. and \d+ lines more/);
});

const texts = fc.array(fc.constantFrom("a", "b", "c", "- a", "  b"), {
  minLength: 1,
  maxLength: 30,
});

test("from what goes and stays comes the old text, from what comes and stays the new, for any texts", () => {
  const property = fc.property(texts, texts, (old, now) => {
    const lines = diffLines(old.join("\n"), now.join("\n"));
    const counts = (list: readonly string[], mark: string) =>
      list.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
    const [gone, come] = [counts(lines, "- "), counts(lines, "+ ")];
    // Taking what goes and adding what comes makes as many of each line as the new text has.
    const tally = (list: readonly string[]) =>
      list.reduce(
        (map, line) => map.set(line, (map.get(line) ?? 0) + 1),
        new Map<string, number>(),
      );
    const made = tally([...old, ...come]);
    for (const line of gone) made.set(line, (made.get(line) ?? 0) - 1);
    const expected = tally(now);
    for (const [line, count] of made) assert.equal(count, expected.get(line) ?? 0);
    assert.equal(
      lines.length === 0 || (gone.length === 0 && come.length === 0),
      old.join() === now.join(),
    );
  });
  fc.assert(property);
});

test("any two values that differ have a difference, and equal ones none", () => {
  const value = fc.letrec<{ readonly any: Json }>((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("a", "a\nb", 1, null, true),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("name", "b", "c"), tie("any"), { maxKeys: 3 }),
    ),
  })).any;
  const property = fc.property(value, value, (before, after) => {
    const isSame = JSON.stringify(before) === JSON.stringify(after);
    if (isSame) assert.deepEqual(diffJson(before, after), []);
    if (canonicalJson(before) !== canonicalJson(after)) {
      assert.notDeepEqual(diffJson(before, after), []);
    }
  });
  fc.assert(property, { numRuns: 1000 });
});
