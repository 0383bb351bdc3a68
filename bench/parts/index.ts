/** Every part of the bench, in the order of the table. */
import type { Part } from "../part.ts";
import { approvals } from "./approvals.ts";
import { attach } from "./attach.ts";
import { blast } from "./blast.ts";
import { brokers } from "./brokers.ts";
import { classify } from "./classify.ts";
import { connect } from "./connect.ts";
import { consolePages } from "./console-pages.ts";
import { consoleRecord } from "./console-record.ts";
import { credential } from "./credential.ts";
import { detect } from "./detect.ts";
import { detectFlows } from "./detect-flows.ts";
import { detectQuality } from "./detect-quality.ts";
import { http } from "./http.ts";
import { https } from "./https.ts";
import { idle } from "./idle.ts";
import { leaf } from "./leaf.ts";
import { ledger } from "./ledger.ts";
import { lineagePause } from "./lineage-pause.ts";
import { respond } from "./respond.ts";
import { scaleCreate } from "./scale-create.ts";
import { scaleExec } from "./scale-exec.ts";
import { scaleFair } from "./scale-fair.ts";
import { scaleIdle } from "./scale-idle.ts";
import { scaleWorkers } from "./scale-workers.ts";
import { startApi, startCli } from "./start.ts";
import { stream } from "./stream.ts";
import { usage } from "./usage.ts";

export const PARTS: readonly Part[] = [
  startApi,
  startCli,
  http,
  stream,
  https,
  idle,
  connect,
  ledger,
  leaf,
  classify,
  detectFlows,
  detectQuality,
  credential,
  attach,
  approvals,
  brokers,
  detect,
  usage,
  respond,
  lineagePause,
  blast,
  consoleRecord,
  consolePages,
  scaleCreate,
  scaleExec,
  scaleFair,
  scaleWorkers,
  scaleIdle,
];
