/**
 * The corpora: everything that somebody thought of to get round the judgement of a protocol.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { failuresOf, loadCorpus, readCorpus } from "./corpus/corpus.ts";

const root = join(import.meta.dirname, "corpus");
const folders = readdirSync(root, { withFileTypes: true }).filter((one) => one.isDirectory());
const CASES_MIN = 60;

for (const { name } of folders) {
  await loadCorpus(name);
  const cases = readCorpus(join(root, name));
  test(`${name}: there are enough cases, and no two of one name`, () => {
    assert.ok(cases.length >= CASES_MIN, `${cases.length}`);
    assert.equal(new Set(cases.map((one) => one.name)).size, cases.length);
  });
  for (const it of cases) {
    test(`${name}: ${it.name}`, () => assert.deepEqual(failuresOf(name, it), []));
  }
}
