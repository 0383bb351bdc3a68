/**
 * `npm run corpus -- NAME [--cases DIR]...`: judges every case of a protocol's corpus; see test/corpus/README.md.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { goldenResults } from "../test/corpus/goldens.ts";
import { failuresOf, loadCorpus, readCorpus } from "../test/corpus/corpus.ts";

const root = join(import.meta.dirname, "../test/corpus");
const names = readdirSync(root, { withFileTypes: true }).flatMap((one) =>
  one.isDirectory() ? one.name : [],
);
const { values, positionals } = parseArgs({
  options: { cases: { type: "string", multiple: true, default: [] } },
  allowPositionals: true,
});
const [name = ""] = positionals;
if (positionals.length !== 1 || !(names.includes(name) || name === "http")) {
  console.error(
    `npm run corpus -- NAME [--cases DIR]; NAME is one of ${["http", ...names].sort().join(", ")}`,
  );
  process.exit(2);
}
for (const folder of values.cases) {
  if (existsSync(folder)) continue;
  console.error(`npm run corpus: there is no folder ${folder}`);
  process.exit(2);
}
const results = name === "http" ? goldenResults() : await judged();
for (const { title, failures } of results) {
  if (failures.length > 0) console.log(`FAILED  ${title}\n        ${failures.join("\n        ")}`);
}
const failed = results.filter(({ failures }) => failures.length > 0).length;
console.log(
  `${name}: ${results.length} cases, ${results.length - failed} passed, ${failed} failed`,
);
process.exitCode = failed === 0 && results.length > 0 ? 0 : 1;

async function judged() {
  await loadCorpus(name);
  const cases = [join(root, name), ...values.cases].flatMap(readCorpus);
  return cases.map((it) => ({ title: it.name, failures: failuresOf(name, it) }));
}
