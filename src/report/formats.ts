/**
 * The formats of an incident report, by their names.
 *
 * @module
 */
import {
  renderAiid,
  renderAtlas,
  renderHtml,
  renderMarkdown,
  renderOcsf,
  type Proofs,
  type Report,
} from "../incident/index.ts";
import { detectorOf } from "./detectors.ts";

export interface ReportFormat {
  /** The file's name in a report's folder. */
  readonly file: string;
  render(report: Report, proofs: Proofs): string;
}

export const FORMATS: ReadonlyMap<string, ReportFormat> = new Map([
  ["md", { file: "report.md", render: renderMarkdown }],
  ["html", { file: "report.html", render: renderHtml }],
  [
    "ocsf",
    { file: "events.ocsf.jsonl", render: (report: Report) => renderOcsf(report, detectorOf) },
  ],
  ["aiid", { file: "aiid.txt", render: renderAiid }],
  ["atlas", { file: "atlas.yaml", render: renderAtlas }],
]);
