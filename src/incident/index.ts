/** Layer 4, pure: what is told of a run: the incident report in its formats, and events in the forms of others. */
export * from "./report.ts";
export { REDACTABLE, redactEntries, redactShapes, type Redaction } from "./redact.ts";
export { drillOf, type DetectorLookup } from "./ids.ts";
export type { VerbLookup } from "./worst-case.ts";
export { renderMarkdown } from "./markdown.ts";
export { renderHtml } from "./html.ts";
export { renderAiid } from "./aiid.ts";
export { renderAtlas } from "./atlas.ts";
export { createOcsf, OCSF_VERSION, type OcsfOptions, type OcsfWriter } from "./ocsf.ts";
export { renderOcsf } from "./ocsf-incident.ts";
export { createOtlp, logsRequest, tracesRequest, type OtlpWriter, type Telemetry } from "./otlp.ts";
