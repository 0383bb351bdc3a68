/**
 * A report in the shape of a MITRE ATLAS case study, as atlas-data keeps them: YAML whose texts are all in double quotes,
 * which is JSON and so holds nothing that YAML could read otherwise.
 *
 * Source: atlas-data 5.6.1, dist/schemas/atlas_website_case_study_schema.json.
 *
 * @module
 */
import { tacticOf } from "./ids.ts";
import type { Report } from "./report.ts";
import { listed, plain, words } from "./words.ts";

/** A report as a case study to submit. Steps are findings that ATLAS has a name for; the others are in the summary. */
export function renderAtlas(report: Report): string {
  const { run, startedAt, found, attempts, summary, models } = report;
  const steps = found.flatMap((one) =>
    one.atlas.flatMap((technique) => {
      const tactic = tacticOf(technique);
      if (tactic === undefined) return [];
      const of = attempts.find(
        ({ kind, detector }) => kind === one.kind && detector === one.detector,
      );
      const what = words`${[one.title]}: ${one.detail} Crossed: ${[of?.crossed.value ?? "unknown"]}; effect: ${[of?.effect.value ?? "unknown"]}; harm: ${[of?.harm.value ?? "unknown"]}.`;
      return [{ tactic, technique, description: plain(what) }];
    }),
  );
  const others = found.filter(({ atlas }) => !atlas.some((id) => tacticOf(id) !== undefined));
  const beside = others.map(({ kind, detail, attack }) =>
    plain(
      words`${kind} (${[attack.map((id) => `ATT&CK ${id}`).join(", ") || "no technique"]}): ${detail}`,
    ),
  );
  const lines = [
    `name: ${text(plain(report.title))}`,
    `summary: ${text([summary.map(plain).join(" "), ...beside].join("\n\n"))}`,
    `incident-date: ${/^\d{4}-\d\d-\d\d/.exec(startedAt)?.[0] ?? "1970-01-01"}`,
    "incident-date-granularity: DATE",
    steps.length === 0 ? "procedure: []" : "procedure:",
    ...steps.flatMap(({ tactic, technique, description }) => [
      `- tactic: ${tactic}`,
      `  technique: ${text(technique)}`,
      `  description: ${text(description)}`,
    ]),
    `reporter: ${text("to be filled in by who submits it")}`,
    `target: ${text(`systems outside of Cofferdam run ${run}`)}`,
    `actor: ${text(plain(models.length === 0 ? ["an AI agent whose model is not on record"] : words`an AI agent: ${listed(models)}`))}`,
    "case-study-type: incident",
  ];
  return `${lines.join("\n")}\n`;
}

/** A string of JSON is one of YAML 1.2; what YAML 1.1 would break a line at is escaped, too. */
function text(value: string): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
