/** Layer 2, pure: the control contract between command line, console and daemon. */
export * from "../link/index.ts";
export * from "./endpoint.ts";
export * from "./endpoints.ts";
export * from "./looks.ts";
export * from "./roles.ts";
export * from "./console/index.ts";
export {
  EXEC_SIGNALS,
  TRANSFERS,
  execLineSchema,
  execStartSchema,
  fileInfoSchema,
  stepSchema,
  type ExecInfo,
  type ExecLine,
  type ExecStart,
  type FileInfo,
  type FileRead,
  type FileWrite,
  type Step,
} from "./execs.ts";
export { lineageInfoSchema, type LineageInfo } from "./lineages.ts";
export { snapshotInfoSchema, type SnapshotInfo } from "./snapshots.ts";
export { sessionInfoSchema, type SessionInfo } from "./console/session.ts";
export { approvalInfoSchema, type ApprovalInfo } from "./approvals.ts";
export { decisionSchema, proofSchema, type DecisionSaid, type PasskeyInfo } from "./passkeys.ts";
export { recordingInfoSchema, type RecordingInfo } from "./recordings.ts";
export { credentialInfoSchema, type CredentialInfo } from "./credentials.ts";
export {
  LEDGER_ENDPOINTS,
  PAGE_ROWS_MAX,
  facetsSchema,
  recordQuerySchema,
  recordRowSchema,
  recordStatusSchema,
  type Facets,
  type Found,
  type RecordQuery,
  type RecordRow,
  type RecordStatus,
} from "./console/ledger.ts";
export {
  ENDED_SHOWN,
  NOW_ENDPOINTS,
  nowSchema,
  runCardSchema,
  STRIP_EFFECTS,
  STRIP_SECONDS,
  type Budget,
  type Need,
  type Now,
  type RunCard,
} from "./console/now.ts";
export { GRANTED_RUNS_MAX, type Lent } from "./console/credentials.ts";
export {
  drillEventSchema,
  DRILL_ENDPOINTS,
  type DrillAttempt,
  type DrillEvent,
  type DrillInfo,
} from "./console/drills.ts";
export {
  INCIDENT_FORMATS,
  type IncidentFormat,
  type IncidentInfo,
  type IncidentReport,
  type Words,
} from "./console/incidents.ts";
export {
  EXPORT_FORMS,
  type ExportForm,
  type ShownProof,
  type VerifyEvent,
} from "./console/proof.ts";
export { byNeed } from "./console/run-order.ts";
