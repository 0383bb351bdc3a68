/** The command table: everything that the command line can do. */
import type { Command } from "../command.ts";
import { approvalsCommand } from "./approvals.ts";
import { autonomyCommand, tightenCommand } from "./autonomy.ts";
import { blastCommand } from "./blast.ts";
import { catalogCommand, explainCommand } from "./catalog.ts";
import { checkCommand } from "./check.ts";
import { completionCommand } from "./completion.ts";
import { credentialCommand } from "./credential.ts";
import { detectCommand } from "./detect.ts";
import { doctorCommand } from "./doctor.ts";
import { drillCommand } from "./drill.ts";
import { exportCommand } from "./export.ts";
import { grantTemplateCommand } from "./grant-template.ts";
import { incidentCommand } from "./incident.ts";
import { logCommand, proveCommand, verifyCommand } from "./ledger.ts";
import { mcpCommand } from "./mcp.ts";
import { narrowCommand, revokeCommand } from "./narrow.ts";
import { probeCommand } from "./probe.ts";
import { recordingsCommand } from "./recordings.ts";
import { attachCommand, runCommand } from "./run.ts";
import {
  killCommand,
  pauseCommand,
  psCommand,
  resumeCommand,
  serveCommand,
  stopCommand,
} from "./runs.ts";
import { stepCommand } from "./step.ts";
import { applyCommand, diffCommand, discardCommand } from "./workspace.ts";

export const COMMANDS: readonly Command[] = [
  runCommand,
  attachCommand,
  psCommand,
  pauseCommand,
  resumeCommand,
  killCommand,
  revokeCommand,
  narrowCommand,
  stepCommand,
  approvalsCommand,
  diffCommand,
  applyCommand,
  discardCommand,
  logCommand,
  verifyCommand,
  proveCommand,
  incidentCommand,
  exportCommand,
  recordingsCommand,
  checkCommand,
  blastCommand,
  probeCommand,
  tightenCommand,
  autonomyCommand,
  catalogCommand,
  explainCommand,
  grantTemplateCommand,
  mcpCommand,
  credentialCommand,
  detectCommand,
  doctorCommand,
  drillCommand,
  serveCommand,
  stopCommand,
  completionCommand,
];
