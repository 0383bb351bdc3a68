/**
 * The card of a run: what the record says of it, beside what the daemon says.
 *
 * @module
 */
import { lineageKeySchema, VERDICTS } from "../../action/index.ts";
import {
  STRIP_SECONDS,
  type Budget,
  type Need,
  type RunCard,
  type RunInfo,
} from "../../api/index.ts";
import type { RunFacts } from "./facts.ts";

/** How long something found in a run that is over, or an end that failed, is worth a look. */
const LOOK_MS = 60 * 60_000;
/** As the daemon says of a person's pause, of the run or of a lineage of it. */
function isByHand(reason: string | undefined): boolean {
  const lineage = /^(\S+) was paused by hand$/.exec(reason ?? "")?.[1];
  return reason === "by hand" || lineageKeySchema.safeParse(lineage).success;
}

/** Agents by the program that is started. */
const AGENTS: Readonly<Record<string, string>> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  opencode: "OpenCode",
  aider: "Aider",
  goose: "Goose",
  "cursor-agent": "Cursor",
  qwen: "Qwen Code",
  copilot: "Copilot",
  amp: "Amp",
  droid: "Droid",
  openclaw: "OpenClaw",
};
const INTERPRETERS = /^(?:node|npx|npm|bun|deno|python[\d.]*|uvx?|sh|bash|dash|zsh|env|sudo)$/;

/** `info` is absent where the daemon does not know the run any more, or does not answer: then the record alone speaks. */
export function cardOf(facts: RunFacts, info: RunInfo | undefined, nowMs: number): RunCard {
  const state = stateOf(facts, info);
  const ended = facts.ended;
  const end = info?.end ?? ended?.end;
  const endedAt = info?.endedAt ?? ended?.at;
  const pauseReason = facts.paused?.text ?? info?.pauseReason;
  const { rules, actions, taken } = facts.leave;
  return {
    run: facts.run,
    task: facts.task,
    purpose: facts.purpose,
    agent: agentOf(facts),
    command: facts.command,
    ...(facts.profile === undefined ? {} : { profile: facts.profile }),
    workspace: facts.workspace,
    state,
    ...(state !== "paused" || pauseReason === undefined ? {} : { pauseReason }),
    startedAt: facts.startedAt,
    ...(state !== "ended" || endedAt === undefined ? {} : { endedAt }),
    ...(state !== "ended" || end === undefined ? {} : { end }),
    ...(facts.attempt === undefined ? {} : { attempt: facts.attempt }),
    ...(facts.lifetimeMs === undefined ? {} : { lifetimeMs: facts.lifetimeMs }),
    last: facts.last,
    autonomy: { rules, actions, ...(taken === undefined ? {} : { taken }) },
    budgets: budgetsOf(facts),
    counts: facts.counts,
    strip: stripOf(facts, state === "ended" ? Date.parse(facts.last.at) : nowMs),
    ...findingOf(facts),
    waiting: state === "ended" ? 0 : Object.keys(facts.waiting).length,
    grants: state === "ended" ? [] : facts.grants,
    needs: needsOf(facts, { state, pauseReason, end, endedAt }, nowMs),
  };
}

/** What the daemon says was asked for a moment ago; entries tell each change but the first. An end is told by either. */
function stateOf(facts: RunFacts, info: RunInfo | undefined): RunCard["state"] {
  if (info?.state === "ended") return "ended";
  return facts.state === "starting" ? (info?.state ?? "starting") : facts.state;
}

/** The agent's name; where its program is none that is known, the program, or the script that an interpreter runs. */
export function agentOf({ command }: Pick<RunFacts, "command">): RunCard["agent"] {
  const words = command.filter((word) => !word.startsWith("-")).map(baseName);
  const known = words.slice(0, 3).find((word) => Object.hasOwn(AGENTS, word));
  if (known !== undefined) return { name: AGENTS[known] ?? known, isKnown: true };
  const [program = "", script] = words;
  const isRun = INTERPRETERS.test(program) && script !== undefined && !/\s/u.test(script);
  return { name: isRun ? script : program, isKnown: false };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

function budgetsOf({ used, limits, closed, open, spent }: RunFacts): Budget[] {
  const flows = Object.values(open);
  const sent = flows.reduce((sum, flow) => sum + flow.out, closed.out);
  const received = flows.reduce((sum, flow) => sum + flow.in, closed.in);
  const budgets: (Budget | undefined)[] = [
    budget("tokens", used.tokens),
    ...Object.entries(spent).map(([currency, sum]) => ({
      what: "money" as const,
      used: sum,
      currency,
    })),
    { ...known("cpu", used.cpuSeconds, limits.cpus), now: used.cpuNow },
    budget("memory", used.memory, limits.memoryBytes),
    budget("disk", used.disk, limits.diskBytes),
    budget("processes", used.pids, limits.pids),
    budget("gpu", used.gpu, limits.gpus),
    budget("sent", sent),
    budget("received", received),
  ];
  return budgets.filter((one) => one !== undefined);
}

/** Nothing where nothing is used and nothing limits it. */
function budget(what: Budget["what"], used: number, limit?: number): Budget | undefined {
  return used === 0 && limit === undefined ? undefined : known(what, used, limit);
}

function known(what: Budget["what"], used: number, limit: number | undefined): Budget {
  return { what, used, ...(limit === undefined ? {} : { limit }) };
}

function stripOf({ strip }: RunFacts, endMs: number): RunCard["strip"] {
  const end = Math.max(0, Math.floor(endMs / 1000));
  const cells = strip.map(([second, kind, count]): RunCard["strip"]["cells"][number] => [
    Math.max(0, end - second),
    Math.floor(kind / VERDICTS.length),
    kind % VERDICTS.length,
    count,
  ]);
  return { end, cells: cells.filter(([before]) => before <= STRIP_SECONDS) };
}

function findingOf({ finding }: RunFacts): Pick<RunCard, "finding"> {
  if (finding === undefined) return {};
  const { seq, at, kind, text } = finding;
  return { finding: { seq, at, kind, detail: text } };
}

type Seen = Partial<Pick<RunCard, "pauseReason" | "end" | "endedAt">> & Pick<RunCard, "state">;

function needsOf(facts: RunFacts, seen: Seen, nowMs: number): Need[] {
  const { state, pauseReason, end, endedAt } = seen;
  const { finding, waiting, paused, last } = facts;
  const needs: Need[] = [];
  const isOver = state === "ended";
  const isFresh = nowMs - Date.parse(endedAt ?? last.at) < LOOK_MS;
  const [oldest, ...others] = isOver ? [] : Object.values(waiting);
  if (oldest !== undefined) {
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    const { seq, at } = oldest;
    needs.push({ level: "act", why: "approval", text: `${oldest.text}${more}`, since: at, seq });
  }
  if (state === "paused" && !isByHand(pauseReason)) {
    const { seq, at } = paused ?? last;
    needs.push({ level: "act", why: "paused", text: pauseReason ?? "", since: at, seq });
  } else if (finding !== undefined && (!isOver || isFresh)) {
    const { seq, at, kind, text } = finding;
    needs.push({ level: "look", why: "finding", text: `${kind}: ${text}`, since: at, seq });
  }
  if (isOver && isFresh && end !== undefined && isFailure(end) && finding === undefined) {
    const text = [end.reason, end.code ?? end.signal ?? "", end.detail ?? ""].join(" ").trim();
    needs.push({ level: "look", why: "failed", text, since: endedAt ?? last.at, seq: last.seq });
  }
  return needs;
}

function isFailure(end: NonNullable<RunCard["end"]>): boolean {
  if (end.reason === "exited") return end.code !== 0;
  return end.reason !== "killed"; // A person did that.
}
