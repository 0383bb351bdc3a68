/**
 * What the agent says against what was seen: tool results that nothing supports, acts that no tool call asked for,
 * and tool calls that something else than the agent had a model say.
 *
 * @module
 */
import type { Effect, Event } from "../action/index.ts";
import { asksOf } from "../cause/index.ts";
import { defineDetector, type Detection, type Detector } from "./detector.ts";
import { effectsOf, found, shown, textOf } from "./found.ts";

const NONE: readonly Detection[] = [];

/** Members of an input whose text is executed by a process; code may run in an interpreter that lives on. */
const EXECUTED = new Set(["command", "cmd", "bash", "shell", "argv"]);
/** Commands of editors of text and memory, whose tools call them so (Anthropic's text editor and memory tools). */
const EDITOR = new Set([
  "view",
  "create",
  "str_replace",
  "insert",
  "undo_edit",
  "delete",
  "rename",
]);
/** What a shell does itself (POSIX.1-2024, 2.15, and Bash), so that a living one starts nothing for it. */
const BUILTINS = new Set(
  ": . [ alias bg cd command declare echo eval exit export false fg getopts hash help history jobs kill let local popd printf pushd pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait".split(
    " ",
  ),
);
const CALLS_MAX = 512;

interface Waiting {
  readonly name: string;
  readonly startsBefore: number;
}

interface Unsupported {
  starts: number;
  readonly waiting: Map<string, Waiting>;
}

const unsupported: Detector = defineDetector<Unsupported>({
  name: "claim.unsupported",
  kind: "claim",
  title: "A result of a command that nothing executed",
  explanation:
    "The agent told the model what a command gave, but no process was started in the run between the call and its result. In the incident of July 2026 one transcript in fourteen held such calls. A shell that lives on starts nothing for its own builtins: those do not count.",
  attack: ["T1562"],
  atlas: [],
  owasp: ["ASI10"],
  tuning: {},
  sees: ["tool.call", "tool.result", "process.start"],
  scope: "run",
  start: () => ({ starts: 0, waiting: new Map() }),
  observe(state, event) {
    const { type, data = {}, cause } = event;
    if (type === "process.start") {
      state.starts += 1;
      return NONE;
    }
    const { call, source, input, isError } = data;
    if (typeof call !== "string" || source !== "model") return NONE;
    if (type === "tool.call") {
      // Of a process that a call started it is no call of the agent's.
      if (cause?.call?.id !== call || !isExecuted(input)) return NONE;
      state.waiting.set(call, { name: textOf(event, "name"), startsBefore: state.starts });
      if (state.waiting.size > CALLS_MAX) forgetFirst(state.waiting);
      return NONE;
    }
    const waiting = state.waiting.get(call);
    state.waiting.delete(call);
    if (waiting === undefined || isError === true || state.starts > waiting.startsBefore)
      return NONE;
    const why = `the model was told what ${waiting.name} (${call}) gave, but no process was started for it`;
    return [found(unsupported, event, 0.8, why)];
  },
});

function isExecuted(input: NonNullable<Event["data"]>[string] | undefined): boolean {
  const command = asksOf(input).commands.find(({ member }) => EXECUTED.has(member));
  const [word = ""] = command?.text.split(/\s/) ?? [];
  return command !== undefined && !EDITOR.has(command.text) && !BUILTINS.has(word);
}

const echo: Detector = defineDetector<null>({
  name: "claim.echo",
  kind: "claim",
  title: "A tool call that a tool call's process had a model say",
  explanation:
    "A process that a tool call started got a tool call out of the granted model. Whoever reads the model's traffic could take it for the agent's own; it counts as none here. A second agent that the first one starts looks the same, and is a finding of its own.",
  attack: ["T1562"],
  atlas: ["AML.T0108"],
  owasp: ["ASI10"],
  tuning: {},
  sees: ["tool.call"],
  scope: "run",
  start: () => null,
  observe(_state, event) {
    const { data = {}, cause } = event;
    const { call, source } = data;
    if (source !== "model" || cause?.call === undefined || cause.call.id === call) return NONE;
    const why = `${event.process?.exe ?? "a process"}, which ${cause.call.name} (${cause.call.id}) started, had the model say a call of ${shown(textOf(event, "name"))}`;
    return [found(echo, event, 0.7, why)];
  },
});

interface Forged {
  readonly known: Set<number>;
}

const forged: Detector = defineDetector<Forged>({
  name: "claim.forged",
  kind: "claim",
  title: "A history with tool calls that no model made",
  explanation:
    "A request to a model tells of an earlier tool call that no answer of a model ever held. A conversation that goes on from an earlier run begins with such calls: those of the first request of each process do not count. Agents fill defaults into the input of a call before they tell of it (Claude Code does), so one that was otherwise made is recorded (unmatched of the exchange), and no finding.",
  attack: ["T1562"],
  atlas: ["AML.T0080"],
  owasp: ["ASI06", "ASI10"],
  tuning: {},
  sees: ["model"],
  scope: "run",
  start: () => ({ known: new Set() }),
  observe({ known }, event) {
    const { data = {}, process: by } = event;
    const { unmatched } = data;
    const isFirst = !known.has(by?.pid ?? 0);
    if (known.size < HARNESS_MAX) known.add(by?.pid ?? 0);
    if (!Array.isArray(unmatched)) return NONE;
    const calls = unmatched.flatMap((one) =>
      typeof one === "object" && one !== null && !Array.isArray(one) ? [one] : [],
    );
    const counted = isFirst ? [] : calls.filter(({ why }) => why === "never");
    const [call] = counted;
    if (call === undefined) return NONE;
    const why = `the model was told of ${counted.length} tool calls that no model made so, the first of ${JSON.stringify(call["name"])} (${JSON.stringify(call["call"])})`;
    return [found(forged, event, 0.7, why)];
  },
});

interface Unclaimed {
  /** Whether the model's answers to the agent can be read: else nothing says that a call is missing. */
  reads: boolean;
  readonly harness: Set<number>;
}

const HARNESS_MAX = 64;
/** Effects that a person would want to find a reason for. */
const WEIGHTY: ReadonlySet<Effect> = new Set([
  "write",
  "publish",
  "send",
  "execute",
  "delete",
  "administer",
  "spend",
]);

const unclaimed: Detector = defineDetector<Unclaimed>({
  name: "claim.unclaimed",
  kind: "claim",
  title: "An act that no tool call asked for",
  explanation:
    "A process other than the agent changed something outside, and no tool call of the model is behind it: left from before, started by the agent's own program, or hidden from the record. Update checks and telemetry only read, and do not count.",
  attack: ["T1562"],
  atlas: [],
  owasp: ["ASI10"],
  tuning: {},
  sees: ["tool.call", "model", "action"],
  scope: "run",
  start: () => ({ reads: false, harness: new Set() }),
  observe(state, event) {
    const { type, data = {}, cause, process: by, verdict } = event;
    if (type !== "action") {
      const isOwn = cause?.call === undefined || cause.call.id === data["call"];
      if (isOwn && type === "tool.call" && data["source"] === "model") state.reads = true;
      if (isOwn && by !== undefined && state.harness.size < HARNESS_MAX) state.harness.add(by.pid);
      return NONE;
    }
    const isHarness = by === undefined || by.pid === 0 || state.harness.has(by.pid);
    // What the agent's side says is behind it is no call that a model made: anybody in the run can say that.
    const isAsked = cause?.call !== undefined && cause.call.by !== "claim";
    if (!state.reads || isHarness || isAsked || verdict === "deny") return NONE;
    if (!effectsOf(event).some((one) => WEIGHTY.has(one))) return NONE;
    const why = `no tool call is behind what ${by.exe} (${by.pid}) did: ${shown(textOf(event, "summary"))}`;
    return [found(unclaimed, event, 0.5, why)];
  },
});

function forgetFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

/** The agent's words against the record. */
export const CLAIM_DETECTORS: readonly Detector[] = [unsupported, echo, forged, unclaimed];
