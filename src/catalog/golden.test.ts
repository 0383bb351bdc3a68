/** Every system of the catalog against its golden requests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allEntries, isBare, verbsOf } from "./index.ts";
import { GOLDENS } from "./goldens.ts";
import { describeGolden } from "./golden-kit.ts";

/** In depth, the others less. */
const ROWS_MIN: Readonly<Record<string, number>> = {
  wordpress: 30,
  github: 40,
  listmonk: 30,
  n8n: 30,
  linkedin: 30,
  slack: 40,
  telegram: 40,
  discord: 40,
};

for (const [system, rows] of GOLDENS) {
  for (const row of rows) {
    test(`${system}: ${row.request} is ${row.verb}: ${row.why}`, () => {
      const { verb, effects, impact } = describeGolden(system, row);
      assert.equal(verb, row.verb);
      assert.deepEqual([...effects].sort(), [...row.effects].sort());
      if (row.recipients !== undefined) {
        assert.deepEqual([...(impact?.recipients ?? [])].sort(), [...row.recipients].sort());
      }
      if (row.amount !== undefined) {
        assert.equal(`${impact?.amount?.value} ${impact?.amount?.currency}`, row.amount);
      }
      if (row.reversible !== undefined) assert.equal(impact?.reversible, row.reversible);
    });
  }
}

test("every system has golden requests enough, each with a source, and every verb stands in one", () => {
  for (const [system, entry] of allEntries()) {
    const rows = GOLDENS.get(system) ?? [];
    const sourced = rows.filter(({ source }) => source !== "memory");
    const least = ROWS_MIN[system] ?? 15;
    assert.ok(sourced.length >= least, `${system} has ${sourced.length} sourced rows of ${least}`);
    const seen = new Set(rows.map(({ verb }) => verb));
    // What a reader finds in packs stands in test/corpus/git.
    const read = new Set(entry.routes.flatMap(({ reads = [] }) => reads.map(({ verb }) => verb)));
    const missing = verbsOf(entry).filter((verb) => !seen.has(verb) && !read.has(verb));
    assert.deepEqual(missing, [], `${system}: verbs without a golden request`);
  }
});

test("only what n8n's users made goes without the credential", () => {
  const bare = [...allEntries()].flatMap(([system, entry]) =>
    verbsOf(entry)
      .filter((verb) => isBare(entry, verb))
      .map((verb) => `${system} ${verb}`),
  );
  assert.deepEqual(bare, ["n8n wait.resume", "n8n webhook.call"]);
  assert.equal(isBare(undefined, "webhook.call"), false, "no entry");
});
