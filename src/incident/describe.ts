/**
 * One entry of the record as one sentence. Only what the entry says stands in it.
 *
 * @module
 */
import type { Process } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import { listed, words, type Words } from "./words.ts";

/** What an entry is about: a row of the picture. */
export const LANES = ["run", "tool", "process", "flow", "action", "refusal", "finding"] as const;
export type Lane = (typeof LANES)[number];

type Describe = readonly [lane: Lane, describe: (entry: Entry, data: Data) => Words];
type Data = NonNullable<Entry["data"]>;

/** A member of `data` as text; empty where there is none. */
export function textOf(data: Data | undefined, name: string): string {
  const value = data?.[name];
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A member of `data` as a number. */
export function numberOf(data: Data | undefined, name: string): number | undefined {
  const value = data?.[name];
  return typeof value === "number" ? value : undefined;
}

const said = (entry: Entry) => entry.target ?? "";
const bytes = (data: Data, name: string) => words`${numberOf(data, name) ?? ["unknown"]}`;
const because = (data: Data, name: string): Words =>
  textOf(data, name) === "" ? [] : words`: ${textOf(data, name)}`;

const DESCRIBED: Readonly<Record<Entry["type"], Describe>> = {
  "daemon.start": ["run", () => ["the daemon started"]],
  "daemon.stop": ["run", () => ["the daemon stopped"]],
  policy: [
    "run",
    (_, data) =>
      words`the policy holds, digest ${textOf(data, "digest")}${because(data, "reason")}`,
  ],
  record: [
    "run",
    (_, data) => words`of the record itself: ${textOf(data, "done")}${because(data, "why")}`,
  ],
  "run.start": ["run", (_, data) => words`the run of task ${textOf(data, "task")} starts`],
  "run.proved": [
    "run",
    (_, data) =>
      words`${listLength(data["proofs"])} controls of the sandbox were proved from inside`,
  ],
  "run.pause": ["run", (_, data) => words`the run is paused${because(data, "reason")}`],
  "run.resume": ["run", () => ["the run goes on"]],
  lineage: [
    "run",
    (_, data) =>
      words`the lineage ${textOf(data, "lineage")} is ${textOf(data, "state")}${because(data, "reason")}`,
  ],
  "run.restart": [
    "run",
    (_, data) => words`attempt ${textOf(data, "attempt")} failed, and the command starts again`,
  ],
  "run.end": ["run", (_, data) => words`the run ended: ${endOf(data)}`],
  exec: [
    "run",
    (_, data) =>
      words`${listOf(data["argv"]).join(" ")} is executed in the run (${textOf(data, "exec")})`,
  ],
  "exec.end": [
    "run",
    (_, data) => words`the command ${textOf(data, "exec")} ended (${textOf(data, "reason")})`,
  ],
  "process.start": ["process", (entry) => words`${commandOf(entry.process)} starts`],
  dns: [
    "flow",
    (entry, data) =>
      words`the name ${said(entry)} is asked for (${textOf(data, "type")}); the answer is ${textOf(data, "answer")}`,
  ],
  "flow.open": [
    "flow",
    (entry, data) =>
      words`a connection ${[data["direction"] === "in" ? "into the run" : "out"]} to ${said(entry)} opens`,
  ],
  "flow.out": ["flow", (entry) => words`what left this host for ${said(entry)} is known`],
  "flow.close": [
    "flow",
    (entry, data) =>
      words`the connection to ${said(entry)} ends (${textOf(data, "reason")}); bytes that reached the other side ${bytes(data, "upstreamOut")}, that came back ${bytes(data, "upstreamIn")}`,
  ],
  action: [
    "action",
    (entry, data) =>
      words`${textOf(data, "summary") || said(entry)}: ${[entry.verdict ?? "unknown"]} by ${entry.rule ?? "unknown"}`,
  ],
  approval: [
    "action",
    (entry, data) =>
      words`approval ${textOf(data, "approval")} of ${textOf(data, "verb")} at ${said(entry)} is ${textOf(data, "state")}${byOf(data)}${because(data, "reason")}`,
  ],
  credential: [
    "run",
    (_, data) => words`a credential: ${textOf(data, "detail") || textOf(data, "action")}`,
  ],
  outcome: ["action", (entry, data) => words`${said(entry)} ${outcomeOf(data)}`],
  repeat: [
    "action",
    (entry, data) => words`${textOf(data, "count")} more of the same at ${said(entry)}`,
  ],
  denial: [
    "refusal",
    (entry, data) =>
      words`refused: ${said(entry)} by ${entry.rule ?? "unknown"}${because(data, "reason")}`,
  ],
  finding: [
    "finding",
    (_, data) => words`found: ${textOf(data, "finding")}${because(data, "detail")}`,
  ],
  workspace: [
    "run",
    (_, data) => words`the workspace: ${textOf(data, "what") || JSON.stringify(data)}`,
  ],
  step: [
    "tool",
    (_, data) =>
      words`the training framework is at trajectory ${textOf(data, "trajectory")}, episode ${textOf(data, "episode")}, step ${textOf(data, "step")}`,
  ],
  model: [
    "tool",
    (_, data) => words`the model ${textOf(data, "model")} of ${textOf(data, "provider")} is asked`,
  ],
  "tool.call": [
    "tool",
    (_, data) =>
      words`tool call ${textOf(data, "name")} (${textOf(data, "call")}): ${textOf(data, "input")}`,
  ],
  "tool.result": [
    "tool",
    (_, data) =>
      words`tool call ${textOf(data, "call")} gave ${[data["isError"] === true ? "an error" : "a result"]}, as the agent told the model`,
  ],
  usage: ["run", (_, data) => words`in use: ${JSON.stringify(data)}`],
  response: ["finding", (_, data) => responseOf(data)],
};

/** What `entry` says, and of what. */
export function describeEntry(entry: Entry): { readonly lane: Lane; readonly what: Words } {
  const [lane, describe] = DESCRIBED[entry.type];
  return { lane, what: describe(entry, entry.data ?? {}) };
}

function responseOf(data: Data): Words {
  if (data["evidence"] !== undefined) return words`evidence was kept: ${textOf(data, "evidence")}`;
  const responses = Array.isArray(data["responses"]) ? data["responses"].map(String) : [];
  return words`response to entry ${textOf(data, "finding")}: ${listed(responses)}; it held after ${numberOf(data, "withinMs") ?? ["unknown"]} ms`;
}

function byOf(data: Data): Words {
  return data["by"] === undefined ? [] : words` by ${textOf(data, "by")}`;
}

function listLength(value: unknown): number {
  return listOf(value).length;
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** How a run ended, as its entry says. */
export function endOf(data: Data | undefined): string {
  const end = data?.["end"];
  if (typeof end !== "object" || end === null || Array.isArray(end)) return "unknown";
  const [reason, code, signal, detail] = ["reason", "code", "signal", "detail"].map((name) =>
    textOf(end as Data, name),
  );
  const how = code !== "" ? ` with code ${code}` : signal === "" ? "" : ` by ${signal}`;
  return `${reason}${how}${detail === "" ? "" : `: ${detail}`}`;
}

function outcomeOf(data: Data): Words {
  const { failed, code, status } = data;
  if (typeof status === "number") return words`answered ${status}`;
  if (failed !== undefined || typeof code === "string") {
    return words`failed: ${textOf(data, "detail") || textOf(data, "code") || textOf(data, "failed")}`;
  }
  return ["was done"];
}

/** A process by its words, and its number. */
export function commandOf(of: Process | undefined): Words {
  if (of === undefined || of.pid === 0) return ["a process that is not known"];
  return words`${of.argv.join(" ") || of.exe} [${of.pid}]`;
}

/** The same in a word: the name of its executable. */
export function nameOf(of: Process | undefined): Words {
  if (of === undefined || of.pid === 0) return ["a process that is not known"];
  return words`${of.exe.slice(of.exe.lastIndexOf("/") + 1)} [${of.pid}]`;
}

/** Why `entry` happened, as far as that is known: the tool call and the step behind it. */
export function causeOf({ cause }: Entry): Words {
  const { call, step } = cause ?? {};
  const told =
    call && words`tool call ${call.name} (${call.id}), tied by ${call.by}, ${call.confidence}`;
  const at =
    step && words`trajectory ${step.trajectory}, episode ${step.episode}, step ${step.step}`;
  if (told !== undefined && at !== undefined) return [...told, "; ", ...at];
  return told ?? at ?? [];
}
