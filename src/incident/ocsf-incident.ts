/**
 * A report as events of OCSF 1.8.0: an Incident Finding (2005) of the whole, then each entry of the run.
 *
 * @module
 */
import { visibleLine } from "../base/index.ts";
import type { DetectorLookup } from "./ids.ts";
import { attackParts } from "./ocsf-parts.ts";
import { createOcsf, OCSF_VERSION } from "./ocsf.ts";
import type { Report } from "./report.ts";
import { brief, plain } from "./words.ts";

const IDS = { no: 1, unknown: 2, yes: 3 } as const;

/** A report as JSON lines, each of which a terminal shows harmlessly. */
export function renderOcsf(report: Report, detectorOf: DetectorLookup): string {
  const writer = createOcsf({ version: report.version, detectorOf });
  const events = [incidentOf(report), ...report.told.map((entry) => writer.event(entry))];
  return events.map((event) => `${visibleLine(JSON.stringify(event))}\n`).join("");
}

function incidentOf(report: Report) {
  const { run, version, startedAt, endedAt, found, answers, attempts, summary } = report;
  const time = Date.parse(endedAt ?? startedAt) || 0;
  const infos = found.map((one) => ({
    uid: `${run}/${one.entries[0] ?? 0}`,
    title: one.title,
    desc: brief(one.detail),
    types: [one.kind],
    analytic: { name: one.detector || "gateway", type_id: 1, category: one.kind },
    attacks: attackParts(one),
  }));
  const told = Object.entries(answers).map(([name, { value, why }]) => [
    name,
    { value, why: plain(why) },
  ]);
  return {
    class_uid: 2005,
    category_uid: 2,
    activity_id: 1,
    type_uid: 200_501,
    severity_id: attempts.length === 0 ? 1 : answers.crossed.value === "no" ? 3 : 4,
    status_id: 1,
    time,
    start_time: Date.parse(startedAt) || 0,
    end_time: time,
    message: plain(report.title),
    desc: summary.map(plain).join(" "),
    // Nobody is assigned: the schema wants it said of whom.
    assignee_group: { name: "unassigned" },
    impact_id: IDS[answers.harm.value],
    attacks: found.flatMap(attackParts),
    finding_info_list:
      infos.length > 0 ? infos : [{ uid: run, title: "nothing was found", types: ["none"] }],
    metadata: {
      version: OCSF_VERSION,
      product: { name: "Cofferdam", vendor_name: "Cofferdam", version },
      uid: run,
      correlation_uid: run,
      log_name: "cofferdam.ledger",
    },
    unmapped: { answers: Object.fromEntries(told), run },
  };
}
