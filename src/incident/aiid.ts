/**
 * A report in the shape of an entry of the AI Incident Database: the fields of its submission form, those that a record
 * tells, and the others named as to be filled in by a person. Text, since a person sends it.
 *
 * Source: https://incidentdatabase.ai/editors-guide, submission form (title, description, incident date, alleged
 * deployer, developer, harmed parties, implicated systems, editor notes).
 *
 * @module
 */
import type { Report } from "./report.ts";
import { listed, plain, words, type Words } from "./words.ts";

const OPEN = "(for a person to fill in: a record does not tell it)";

/** A report as the text of a submission. */
export function renderAiid(report: Report): string {
  const { answers, attempts, startedAt, models, version } = report;
  const kinds = [...new Set(attempts.map(({ kind }) => kind))];
  // The database tells incidents (harm alleged, or nearly) from issues (no harm yet).
  const isNear = attempts.length > 0;
  const kind =
    attempts.length === 0
      ? "none: nothing was refused or found"
      : answers.harm.value === "no"
        ? "incident, nearly harmed: an attempt was stopped before it reached anything outside"
        : "incident or near harm: what was harmed is not known from the record";
  const title = isNear
    ? words`AI agent attempted ${listed(kinds)} in a sandboxed run`
    : ["AI agent run without incident"];
  const fields: readonly (readonly [string, Words])[] = [
    ["Title", title],
    ["Incident date", [startedAt.slice(0, 10) || "unknown"]],
    ["Kind of entry", [kind]],
    ["Description", report.summary.flatMap((one, at) => (at === 0 ? one : [" ", ...one]))],
    ["Alleged deployer of AI system", [OPEN]],
    [
      "Alleged developer of AI system",
      models.length === 0 ? [OPEN] : words`the developers of ${listed(models)}`,
    ],
    ["Alleged harmed or nearly harmed parties", [OPEN]],
    [
      "Implicated systems",
      words`${listed(models, "an AI agent whose model is not on record")}; Cofferdam ${version} (containment)`,
    ],
    ["Attempted", answerOf(answers.attempted)],
    ["Crossed", answerOf(answers.crossed)],
    ["Had an effect", answerOf(answers.effect)],
    ["Did harm", answerOf(answers.harm)],
    ["Reports", ["(links, once it is published)"]],
    [
      "Editor notes",
      words`${report.title}. Every fact is an entry of a signed record; proofs accompany the full report.`,
    ],
  ];
  return fields.map(([name, value]) => `${name}: ${plain(value)}\n`).join("");
}

function answerOf({ value, why }: Report["answers"]["harm"]): Words {
  return [value, ": ", ...why];
}
