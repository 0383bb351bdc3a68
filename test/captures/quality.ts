/**
 * `npm run captures`: precision and recall of every flow detector, on captures that others made and on those that
 * test/captures/make made. Exits with 1 where a stated figure does not hold, or a benign flow is accused.
 *
 *     quality.ts FOLDER... [--markdown FILE]     FOLDER holds a corpus of labels.ts, or several; its last name is ndpi-4.2, ndpi, zeek, suricata, ja4 or made
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { measureQuality, type Corpus, type Quality } from "./measure.ts";
import { openNdpiReader, type NdpiReader } from "./ndpi-reader.ts";

const { values, positionals } = parseArgs({
  options: { markdown: { type: "string" } },
  allowPositionals: true,
});
const peer = openNdpiReader();
const quality = await measureQuality(positionals, peer);
const text = textOf(quality, peer);
console.log(text);
if (values.markdown !== undefined) writeFileSync(values.markdown, `${text}\n`);
const failed = quality.detectors.filter(({ holds }) => !holds);
for (const { name, recall, stated, wrong } of failed) {
  console.log(
    `does not hold: ${name}: recall ${percent(recall)} of ${percent(stated)} stated, ${wrong} wrong`,
  );
}
process.exitCode = failed.length === 0 ? 0 : 1;

function textOf(
  { corpora, benignFlows, wrongFlows, detectors, notes }: Quality,
  peer?: NdpiReader,
) {
  return [
    ...corpora.map((corpus) => `- ${corpusText(corpus)}`),
    `- together ${benignFlows} benign flows with payload, ${wrongFlows} findings in them`,
    "",
    "| Detector | Cases | Hits | Misses | Wrong | Precision | Recall | Stated |",
    "|---|---|---|---|---|---|---|---|",
    ...detectors.map(
      (row) =>
        `| ${row.name} | ${row.cases} | ${row.hits} | ${row.misses} | ${row.wrong} | ${percent(row.precision)} | ${percent(row.recall)} | ${percent(row.stated)} |`,
    ),
    ...(peer === undefined ? [] : peerText(peer)),
    "",
    ...(notes.length === 0 ? [] : ["```", ...notes, "```"]),
  ].join("\n");
}

function corpusText({ name, source, captures, flows }: Corpus): string {
  const what = source === "committed" ? "conversations of the tests" : "captures";
  return `${name}: ${captures} ${what}, ${flows} flows`;
}

function peerText({ version, rows, wrong }: NdpiReader): readonly string[] {
  return [
    "",
    `Beside ${version}, flows named for what they are:`,
    "",
    "| What | Cases | Cofferdam | ndpiReader |",
    "|---|---|---|---|",
    ...[...rows]
      .sort()
      .map(([name, { cases, ours, hits }]) => `| ${name} | ${cases} | ${ours} | ${hits} |`),
    "",
    `It calls mining what is none: ${wrong.join("; ") || "nothing"}.`,
  ];
}

function percent(value: number | null): string {
  return value === null ? "-" : `${(value * 100).toFixed(1)} %`;
}
