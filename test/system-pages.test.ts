/** The pages on systems are what the catalog says. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PAGES, systemPages } from "../scripts/system-pages.ts";

const pages = systemPages();

test("there is a page for each system, and no other (else `npm run docs`)", () => {
  assert.deepEqual(readdirSync(PAGES).sort(), [...pages.keys()].sort());
});

for (const [name, text] of pages) {
  test(`docs/reference/systems/${name} is what the catalog says (else \`npm run docs\`)`, () => {
    assert.equal(readFileSync(join(PAGES, name), "utf8"), text);
    // Every row of a table has its cells, whatever a request held.
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) {
      const cells = line.replaceAll("\\|", "").split("|").length - 2;
      assert.ok(cells === 4 || cells === 5, line);
    }
  });
}
