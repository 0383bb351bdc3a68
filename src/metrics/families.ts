/**
 * Every metric that there is, by name. Dashboard, rules and tests go by this table.
 *
 * INV-236: a label has one of the values that stand here, and any other word is `other`: nothing that an agent, a task or
 * a server chose is ever a label, so their number is bounded whatever runs.
 *
 * @module
 */
import { FINDING_KINDS } from "../action/index.ts";
import type { Family } from "./text.ts";

type About = Pick<Family, "type" | "help">;

export const FAMILIES = {
  cofferdam_up: { type: "gauge", help: "Whether the daemon answered." },
  cofferdam_build_info: { type: "gauge", help: "1, with the version of the daemon." },
  cofferdam_runs: { type: "gauge", help: "Runs that are alive, by state." },
  cofferdam_run_starts_total: { type: "counter", help: "Runs started." },
  cofferdam_run_ends_total: { type: "counter", help: "Runs ended, by reason." },
  cofferdam_run_restarts_total: {
    type: "counter",
    help: "Commands started again after a failure.",
  },
  cofferdam_run_pauses_total: { type: "counter", help: "Times that a run was paused." },
  cofferdam_run_start_seconds: {
    type: "histogram",
    help: "Time from a run's first entry until its sandbox was proved.",
  },
  cofferdam_sandboxes_waiting: { type: "gauge", help: "Sandboxes made ahead that wait for a run." },
  cofferdam_process_starts_total: { type: "counter", help: "Programs that runs started." },
  cofferdam_execs_total: { type: "counter", help: "Commands that live runs were given." },
  cofferdam_actions_total: {
    type: "counter",
    help: "Actions judged, by verdict; repeated reads count.",
  },
  cofferdam_denials_total: {
    type: "counter",
    help: "What was refused below the level of an action.",
  },
  cofferdam_findings_total: { type: "counter", help: "Misbehaviour noticed, by its kind." },
  cofferdam_detections_total: {
    type: "counter",
    help: "Findings by the detector that noticed; gateway for what is seen on the wire.",
  },
  cofferdam_responses_total: { type: "counter", help: "Responses to findings." },
  cofferdam_approvals_total: {
    type: "counter",
    help: "Steps of approvals, by the state that they led to.",
  },
  cofferdam_approvals_waiting: { type: "gauge", help: "Approvals that wait for a person." },
  cofferdam_approval_oldest_seconds: {
    type: "gauge",
    help: "How long the oldest approval has waited; 0 where none waits.",
  },
  cofferdam_flows_opened_total: { type: "counter", help: "Connections that runs opened." },
  cofferdam_flows_open: { type: "gauge", help: "Connections of runs that are open." },
  cofferdam_flow_bytes_total: {
    type: "counter",
    help: "Bytes of connections that have closed, as the run sent and got them.",
  },
  cofferdam_model_exchanges_total: {
    type: "counter",
    help: "Exchanges with models that were read.",
  },
  cofferdam_tool_calls_total: { type: "counter", help: "Tool calls seen." },
  cofferdam_gpu_seconds_total: { type: "counter", help: "GPU time of runs, over all their GPUs." },
  cofferdam_ledger_entries: { type: "gauge", help: "Entries of the record." },
  cofferdam_ledger_writable: { type: "gauge", help: "Whether the record takes entries." },
  cofferdam_ledger_checkpoint_age_seconds: {
    type: "gauge",
    help: "Age of the last signed checkpoint; it grows while nothing is recorded.",
  },
  cofferdam_ledger_bytes: { type: "gauge", help: "Bytes of the record on disk." },
  cofferdam_home_free_bytes: { type: "gauge", help: "Free bytes where the home is." },
  cofferdam_worker_deaths_total: { type: "counter", help: "Gateway workers that died." },
  cofferdam_warnings_total: { type: "counter", help: "Warnings in the operating log." },
  cofferdam_event_loop_lag_seconds: {
    type: "gauge",
    help: "How late the daemon's event loop was since it was last asked: median, p99, max.",
  },
  process_resident_memory_bytes: { type: "gauge", help: "Memory of the daemon." },
  process_cpu_seconds_total: { type: "counter", help: "Processor time of the daemon." },
  process_open_fds: { type: "gauge", help: "Open descriptors of the daemon." },
  process_start_time_seconds: { type: "gauge", help: "When the daemon started, since the epoch." },
} as const satisfies Readonly<Record<string, About>>;

export type FamilyName = keyof typeof FAMILIES;

/** Values of labels, by metric; `other` stands for what is none of them. Detectors and states of approvals are added by who knows them. */
export const CLOSED_LABELS = {
  cofferdam_run_ends_total: {
    label: "reason",
    values: [
      ...["exited", "killed", "lifetime", "sandbox", "limit", "daemon", "finding"],
      ...["ledger", "worker", "owner"],
    ],
  },
  cofferdam_actions_total: { label: "verdict", values: ["allow", "confirm", "deny"] },
  cofferdam_findings_total: { label: "kind", values: FINDING_KINDS },
  cofferdam_flow_bytes_total: { label: "direction", values: ["out", "in"] },
} as const satisfies Partial<
  Record<FamilyName, { readonly label: string; readonly values: readonly string[] }>
>;
