/**
 * The command table: everything that the command line can do, by name. A command is loaded when it is asked for: most
 * need a small part of what all of them do.
 */
import type { Command } from "../command.ts";

const LOADS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).runCommand,
  attach: async () => (await import("./run.ts")).attachCommand,
  exec: async () => (await import("./exec.ts")).execCommand,
  cp: async () => (await import("./cp.ts")).cpCommand,
  ps: async () => (await import("./runs.ts")).psCommand,
  pause: async () => (await import("./runs.ts")).pauseCommand,
  resume: async () => (await import("./runs.ts")).resumeCommand,
  kill: async () => (await import("./runs.ts")).killCommand,
  lineages: async () => (await import("./runs.ts")).lineagesCommand,
  revoke: async () => (await import("./narrow.ts")).revokeCommand,
  narrow: async () => (await import("./narrow.ts")).narrowCommand,
  step: async () => (await import("./step.ts")).stepCommand,
  approvals: async () => (await import("./approvals.ts")).approvalsCommand,
  diff: async () => (await import("./workspace.ts")).diffCommand,
  apply: async () => (await import("./workspace.ts")).applyCommand,
  discard: async () => (await import("./workspace.ts")).discardCommand,
  log: async () => (await import("./ledger.ts")).logCommand,
  verify: async () => (await import("./ledger.ts")).verifyCommand,
  prove: async () => (await import("./ledger.ts")).proveCommand,
  retention: async () => (await import("./retention.ts")).retentionCommand,
  backup: async () => (await import("./backup.ts")).backupCommand,
  restore: async () => (await import("./backup.ts")).restoreCommand,
  incident: async () => (await import("./incident.ts")).incidentCommand,
  correlate: async () => (await import("./correlate.ts")).correlateCommand,
  export: async () => (await import("./export.ts")).exportCommand,
  recordings: async () => (await import("./recordings.ts")).recordingsCommand,
  check: async () => (await import("./check.ts")).checkCommand,
  blast: async () => (await import("./blast.ts")).blastCommand,
  probe: async () => (await import("./probe.ts")).probeCommand,
  tighten: async () => (await import("./autonomy.ts")).tightenCommand,
  autonomy: async () => (await import("./autonomy.ts")).autonomyCommand,
  catalog: async () => (await import("./catalog.ts")).catalogCommand,
  explain: async () => (await import("./catalog.ts")).explainCommand,
  "grant-template": async () => (await import("./grant-template.ts")).grantTemplateCommand,
  mcp: async () => (await import("./mcp.ts")).mcpCommand,
  credential: async () => (await import("./credential.ts")).credentialCommand,
  detect: async () => (await import("./detect.ts")).detectCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  drill: async () => (await import("./drill.ts")).drillCommand,
  passkeys: async () => (await import("./passkeys.ts")).passkeysCommand,
  console: async () => (await import("./console.ts")).consoleCommand,
  e2b: async () => (await import("./e2b.ts")).e2bCommand,
  serve: async () => (await import("./runs.ts")).serveCommand,
  stop: async () => (await import("./runs.ts")).stopCommand,
  service: async () => (await import("./service.ts")).serviceCommand,
  metrics: async () => (await import("./metrics.ts")).metricsCommand,
  "support-bundle": async () => (await import("./support-bundle.ts")).supportBundleCommand,
  completion: async () => (await import("./completion.ts")).completionCommand,
};

/** The command of that name; `undefined` where there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(LOADS, name) ? LOADS[name]?.() : undefined;
}

/** All of them, in the order in which help lists them. */
export async function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(LOADS).map((load) => load()));
}
