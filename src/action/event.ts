/**
 * Events: what the ledger holds, `cofferdam log` prints and detectors read. One flat shape; what a
 * type adds stands in `data`.
 *
 * @module
 */
import { z } from "zod";
import { verdictSchema } from "./action.ts";
import { causeSchema } from "./cause.ts";
import { processSchema } from "./process.ts";

export const EVENT_TYPES = [
  "daemon.start",
  "daemon.stop",
  "policy", // The compiled policy of a run, by digest; `data.source` holds the task file's text.
  "run.start", // data: command, profile or task file, limits as held
  "run.proved", // data: every control with the evidence found from inside
  "run.pause",
  "run.resume",
  "run.restart", // the command failed and is started again; data: attempt that ended, its end, waitMs
  "lineage", // data: lineage (KIND:NAME), state (paused, resumed, killed), reason, runs that it reached, withinMs
  "run.end", // data: exit code or signal, reason, durations, counts
  "process.start", // one execve
  "dns", // data: name, type, answer
  "flow.open", // data: address, port, name, protocol
  // What left this host for a flow, where no other entry of it told so within a second; data.out, as an outcome and a
  // flow.close have it: at, from and to (`address:port`) of each connection, and failed where nobody answered.
  "flow.out",
  "flow.close", // data: bytesOut, bytesIn, durationMs, reason
  "action", // intent, with its verdict and rule, before anything leaves; data.amount is the money that it moves
  "approval", // one step of a confirmation; data.approval is its id, data.state what it is now
  "credential", // one added, rotated, revoked, minted or leased; never its value
  "outcome", // what became of an action: status, bytes, duration
  "repeat", // data.count more of an action that only reads and was allowed before, within the last second
  "denial", // something refused below the level of an action: a connect, a protocol, a packet
  "finding", // noticed misbehaviour; data.finding is its kind, data.detail a sentence
  "workspace", // diff applied or discarded
  // A command that somebody has a live run execute, on record before it begins. data: exec (id), argv, label, step, pid
  // (of its keeper), cwd; file (op, path) where it only reads or writes a file for its caller.
  "exec",
  "exec.end", // data: exec, code or signal, reason, bytes that came out, durationMs
  "step", // the training framework says where it is; data: trajectory, episode, step
  // One exchange with a model; data: provider, protocol (or `unknown`), model, tokens in and out, stop, status, tools
  // offered, calls and new results in it, unmatched (claimed calls that no answer gave), unread (why).
  "model",
  // A tool call seen; data: call (id), name, source, input (brief; cut), bytes, digest (canonical), hosted, model.
  "tool.call",
  "tool.result", // what the agent told the model that a call gave; data: call, source, isError, bytes, digest, excerpt
  // What the run uses, sampled. data: spanMs (what the figures are of), cpu (cores), memory, disk (bytes, written in all),
  // pids (processes and threads), gpus, busiest (processes). What is not known is absent. gpuSeconds (GPU time since the
  // entry before), gpuSecondsUnread (how much of it counts without being known), gpuProcesses (pid, seconds). With spanMs 0
  // it is GPU time alone and no sample; with a process it is that one's, and of its step, so that each second is told once.
  "usage",
  "response", // what a finding led to; data: finding (its entry), responses, withinMs
  // Something done to the record itself; data.done: `prune` (ranges, all, months), `hold` or `release` (of `run`, why),
  // `restore` (of: the backup's time; entries: how many it had).
  "record",
] as const;

export const eventSchema = z.strictObject({
  type: z.enum(EVENT_TYPES),
  /** RFC 3339, UTC, milliseconds. */
  at: z.string(),
  monoMs: z.number(),
  run: z.string().optional(),
  verdict: verdictSchema.optional(),
  /** The rule that decided, by a name that a person finds again: `grants[0].allow[1]`, `no-grant`. */
  rule: z.string().optional(),
  system: z.string().optional(),
  target: z.string().optional(),
  /** The flow this belongs to. */
  flow: z.string().optional(),
  /** The action this belongs to. */
  action: z.string().optional(),
  process: processSchema.optional(),
  cause: causeSchema.optional(),
  data: z.record(z.string(), z.json()).optional(),
});

export type Event = z.infer<typeof eventSchema>;
export type EventType = (typeof EVENT_TYPES)[number];

/** What kinds of misbehaviour the enforcement point names. */
export const FINDING_KINDS = [
  "tunnel", // SSH or another tunnelling protocol where it was not granted
  "mining", // a mining-pool protocol
  "scan", // many distinct refused destinations
  "metadata", // a cloud metadata address
  "protocol", // first bytes that are not the granted protocol
  "resolver", // DNS to another resolver, or DNS used as a channel
  "sticky", // several routes to one denied target
  "credential", // a placeholder where it does not belong, or a secret in an answer
  "escape", // an attempt on the sandbox itself
  "changed", // what a person reviewed is another now: a tool's words or schema
  "exfiltration", // data leaves where it has no business: canaries, secrets, volume, many small sends
  "beacon", // calls home at regular times
  "persistence", // something to outlive the run: authorized_keys, cron, shell rc, agent memory
  "agent", // starts another agent, or weakens the guards of one
  "signal", // runs signal to each other through what they share
  "flood", // more approvals asked for than a person can read
  "loop", // the same over and over, or spend without end
  "usage", // compute used that fits no tool call or step
  "claim", // what the agent says and what was seen differ
  "tampering", // an attempt on the record
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];
