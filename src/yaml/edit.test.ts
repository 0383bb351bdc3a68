import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { editYaml, type YamlEdit } from "./edit.ts";
import { lineEdits, unifiedDiff } from "./line-edits.ts";

const FILE = `# Top.
name:   odd spacing   # kept
list: [a, "b [ c ]", d]
rules:
  # Of the first.
  - { verbs: [x, y] }   # inline
  - verbs: [z]
    on: ["[ p ]"]
empty:
  only: 1
`;

const EDITS: readonly (readonly [YamlEdit, string, string])[] = [
  [
    { remove: ["rules", 1] },
    '-  - verbs: [z]\n-    on: ["[ p ]"]',
    "a rule goes with all its lines",
  ],
  [
    { remove: ["list", 0] },
    '-list: [a, "b [ c ]", d]\n+list: [ "b [ c ]", d ]',
    "brackets in a text stay what they are",
  ],
  [
    { set: ["rules", 1, "doing"], value: ["read"] },
    "+    doing: [read]",
    "a key comes behind the others",
  ],
  [{ remove: ["empty", "only"] }, "-empty:\n-  only: 1", "what holds nothing any more goes, too"],
  [{ set: ["deep", "er"], value: 2 }, "+deep:\n+  er: 2", "what is above is made"],
];
for (const [edit, lines, why] of EDITS) {
  test(`a change keeps every line that need not change: ${why}`, () => {
    const edited = editYaml(FILE, [edit]);
    assert.ok(edited !== undefined);
    const changed = unifiedDiff(FILE, edited, "f.yaml")
      .split("\n")
      .filter((line) => /^[-+](?![-+])/.test(line));
    assert.equal(changed.join("\n"), lines);
  });
}

test("what is not there is not removed, and what is no YAML not changed", () => {
  assert.equal(editYaml(FILE, [{ remove: ["rules", 7] }]), undefined);
  assert.equal(editYaml("a: [", [{ set: ["a"], value: 1 }]), undefined);
});

test("whatever the spacing, what results reads as the change", () => {
  const key = fc.stringMatching(/^[a-z]{1,5}$/);
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.array(fc.string()),
    fc.dictionary(key, fc.string()),
  );
  const property = fc.property(
    fc.dictionary(key, value, { minKeys: 1 }),
    key,
    value,
    (data, name, set) => {
      const source = JSON.stringify(data, undefined, 3);
      const edited = editYaml(source, [{ set: [name], value: set }]);
      assert.deepEqual(parse(edited ?? ""), JSON.parse(JSON.stringify({ ...data, [name]: set })));
    },
  );
  fc.assert(property);
});

const text = fc
  .array(fc.constantFrom("a\n", "b\n", "c\n", "\n", "a"))
  .map((parts) => parts.join(""));

test("edits make the one of the other, and drop and add no line that both have in that place", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c"));
  const property = fc.property(lines, lines, (old, now) => {
    const edits = lineEdits(old, now);
    const kept = (kind: string) => edits.filter((one) => one.kind !== kind).map(({ line }) => line);
    assert.deepEqual(kept("add"), old);
    assert.deepEqual(kept("drop"), now);
  });
  fc.assert(property);
});

test("patch(1) makes the new text of the old by a diff", () => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-diff-"));
  try {
    const property = fc.property(text, text, (before, after) => {
      const diff = unifiedDiff(before, after, "f");
      if (before === after) return assert.equal(diff, "");
      writeFileSync(join(folder, "f"), before);
      execFileSync("patch", ["-p1", "-s", "--posix"], { cwd: folder, input: diff });
      assert.equal(readFileSync(join(folder, "f"), "utf8"), after);
    });
    fc.assert(property, { numRuns: 60 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("two texts that share no line of ten thousand are compared all the same", () => {
  const many = (word: string) => Array.from({ length: 10_000 }, (_, at) => `${word}${at}`);
  assert.equal(lineEdits(many("a"), many("b")).length, 20_000);
});
