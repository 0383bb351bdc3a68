/** Layer 5: incident reports of runs: made of the record, proven, in the formats that there are, as files. */
export { detectorOf } from "./detectors.ts";
export { FORMATS, type ReportFormat } from "./formats.ts";
export { makeRunReport, proveReport, type RunReport } from "./make-report.ts";
export {
  checkReport,
  readRun,
  writeReport,
  type ReportCheck,
  type ReportFile,
} from "./report-files.ts";
export { tarOf } from "./tar.ts";
