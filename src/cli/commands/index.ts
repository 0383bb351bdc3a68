/**
 * The command table: everything that the command line can do, by name. A command is loaded when it is asked for: most
 * need a small part of what all of them do.
 */
import type { Command } from "../command.ts";

interface Listed {
  /** What it does, in a line of help. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Listed>> = {
  run: {
    summary: "Run CMD in a sandbox whose only way out is the gateway.",
    load: async () => (await import("./run.ts")).runCommand,
  },
  attach: {
    summary: "Attach this terminal to a run; Ctrl-P Ctrl-Q lets go of it again.",
    load: async () => (await import("./run.ts")).attachCommand,
  },
  exec: {
    summary: "Run CMD in a run that lives, under its seal, and leave with its status.",
    load: async () => (await import("./exec.ts")).execCommand,
  },
  cp: {
    summary: "Copy a file out of a run that lives, or into it; the run itself reads and writes it.",
    load: async () => (await import("./cp.ts")).cpCommand,
  },
  ps: {
    summary: "List the runs of this home.",
    load: async () => (await import("./runs.ts")).psCommand,
  },
  pause: {
    summary: "Stop a run where it stands; `resume` lets it go on.",
    load: async () => (await import("./runs.ts")).pauseCommand,
  },
  resume: {
    summary: "Let a paused run go on.",
    load: async () => (await import("./runs.ts")).resumeCommand,
  },
  kill: {
    summary: "End a run and everything in it at once.",
    load: async () => (await import("./runs.ts")).killCommand,
  },
  lineages: {
    summary: "List what runs are one of: jobs, agents and secrets, with their budgets.",
    load: async () => (await import("./runs.ts")).lineagesCommand,
  },
  revoke: {
    summary: "Take one grant back from a run at once; its open connections are cut.",
    load: async () => (await import("./narrow.ts")).revokeCommand,
  },
  narrow: {
    summary: "Give a run a narrower task file at once; what it grants no more is cut.",
    load: async () => (await import("./narrow.ts")).narrowCommand,
  },
  step: {
    summary: "Say at which training step a run is; what it does from now on is recorded with it.",
    load: async () => (await import("./step.ts")).stepCommand,
  },
  approvals: {
    summary: "See what waits for a person, and answer it.",
    load: async () => (await import("./approvals.ts")).approvalsCommand,
  },
  diff: {
    summary: "Show what a run changed in its workspace; the host's files are as they were.",
    load: async () => (await import("./workspace.ts")).diffCommand,
  },
  apply: {
    summary: "Write a run's changes back to the host; needs the run paused or ended.",
    load: async () => (await import("./workspace.ts")).applyCommand,
  },
  discard: {
    summary: "Throw a run's changes away; the host's files are as they were.",
    load: async () => (await import("./workspace.ts")).discardCommand,
  },
  log: {
    summary: "Print what happened: every flow, action, verdict, denial and finding.",
    load: async () => (await import("./ledger.ts")).logCommand,
  },
  verify: {
    summary: "Check the whole record, a proof, or those of a report, offline: 0 intact, 1 not.",
    load: async () => (await import("./ledger.ts")).verifyCommand,
  },
  prove: {
    summary: "Print a proof that entry number ENTRY is in the record, for anyone to check.",
    load: async () => (await import("./ledger.ts")).proveCommand,
  },
  retention: {
    summary: "Show how long the record is kept and what is due; remove that; hold a run.",
    load: async () => (await import("./retention.ts")).retentionCommand,
  },
  backup: {
    summary: "Make one file of the whole home, while it is in use: record, keys, vault, approvals.",
    load: async () => (await import("./backup.ts")).backupCommand,
  },
  restore: {
    summary: "Put a backup back, to a folder that is not there yet, after all of it was checked.",
    load: async () => (await import("./backup.ts")).restoreCommand,
  },
  incident: {
    summary:
      "Report what a run attempted, what became of it and what held, with proofs, to publish.",
    load: async () => (await import("./incident.ts")).incidentCommand,
  },
  correlate: {
    summary:
      "Say which steps of which runs caused flows that a firewall saw: 0 all known, 1 some not.",
    load: async () => (await import("./correlate.ts")).correlateCommand,
  },
  export: {
    summary: "Send the record to a receiver of OpenTelemetry, from where the last export ended.",
    load: async () => (await import("./export.ts")).exportCommand,
  },
  recordings: {
    summary: "List, read and search what terminals showed that runs opened.",
    load: async () => (await import("./recordings.ts")).recordingsCommand,
  },
  check: {
    summary: "Explain a task file in plain sentences, or say what is wrong with it and where.",
    load: async () => (await import("./check.ts")).checkCommand,
  },
  blast: {
    summary:
      "Say how bad a task could get at worst: unattended, and with an approver fooled; and the shortest way there.",
    load: async () => (await import("./blast.ts")).blastCommand,
  },
  probe: {
    summary:
      "Ask the systems of a task file, read-only and on record, what its credentials can do there.",
    load: async () => (await import("./probe.ts")).probeCommand,
  },
  tighten: {
    summary:
      "Print, as a diff, the smallest task file that would have sufficed for what its runs did.",
    load: async () => (await import("./autonomy.ts")).tightenCommand,
  },
  autonomy: {
    summary:
      "Say what of a task might pass without a person by now, or should wait again, with the evidence.",
    load: async () => (await import("./autonomy.ts")).autonomyCommand,
  },
  catalog: {
    summary: "List the systems whose requests are understood, or what one of them can be asked.",
    load: async () => (await import("./catalog.ts")).catalogCommand,
  },
  explain: {
    summary:
      "Say what a request or operation would be: its verb, what it does, and what a grant of everything would say.",
    load: async () => (await import("./catalog.ts")).explainCommand,
  },
  "grant-template": {
    summary: "Print a commented grant for a system, as an item of a task file's `grants`.",
    load: async () => (await import("./grant-template.ts")).grantTemplateCommand,
  },
  mcp: {
    summary:
      "Show the MCP servers that a task grants, pin what they offer, or tell an agent's client of them.",
    load: async () => (await import("./mcp.ts")).mcpCommand,
  },
  credential: {
    summary: "Keep the credentials that runs use and never see.",
    load: async () => (await import("./credential.ts")).credentialCommand,
  },
  detect: {
    summary:
      "Look for mining, tunnels and other misuse in a capture (pcap or pcapng, also gzipped).",
    load: async () => (await import("./detect.ts")).detectCommand,
  },
  doctor: {
    summary: "Report every prerequisite on this machine, with the fix for what is missing.",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  drill: {
    summary: "Replay real incidents harmlessly and show what stopped them.",
    load: async () => (await import("./drill.ts")).drillCommand,
  },
  passkeys: {
    summary: "List the passkeys that sign in to the console and decide there, or remove one.",
    load: async () => (await import("./passkeys.ts")).passkeysCommand,
  },
  console: {
    summary: "Open the web console on this machine and print a link that signs in once.",
    load: async () => (await import("./console.ts")).consoleCommand,
  },
  e2b: {
    summary:
      "Serve E2B's API on this machine: its clients' sandboxes are runs under your task files.",
    load: async () => (await import("./e2b.ts")).e2bCommand,
  },
  serve: {
    summary: "Run the daemon in the foreground; `run` starts it by itself where none is there.",
    load: async () => (await import("./runs.ts")).serveCommand,
  },
  stop: {
    summary: "End the daemon; with runs in it only by --force, which kills them.",
    load: async () => (await import("./runs.ts")).stopCommand,
  },
  service: {
    summary: "Print or install a hardened systemd unit for the daemon, or for its metrics.",
    load: async () => (await import("./service.ts")).serviceCommand,
  },
  metrics: {
    summary: "Print metrics for Prometheus, or serve them: /metrics and /healthz.",
    load: async () => (await import("./metrics.ts")).metricsCommand,
  },
  "support-bundle": {
    summary: "Write what a maintainer needs to see into one archive, without secrets.",
    load: async () => (await import("./support-bundle.ts")).supportBundleCommand,
  },
  completion: {
    summary: "Print a completion script for your shell.",
    load: async () => (await import("./completion.ts")).completionCommand,
  },
};

/** Each command's name and summary, in the order in which help lists them. */
export const SUMMARIES: ReadonlyMap<string, string> = new Map(
  Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]),
);

/** The command of that name; `undefined` where there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.load() : undefined;
}

/** All of them, in that order. */
export async function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMANDS).map(({ load }) => load()));
}
