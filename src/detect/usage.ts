/**
 * Compute used that nothing asked for: while no tool call is open, or by processes that belong to none that is.
 *
 * @module
 */
import type { Event, Process } from "../action/index.ts";
import { addTo, keyOf, touch } from "./bounded.ts";
import { defineDetector, type Detection, type DetectorAbout } from "./detector.ts";
import { found, numberOf, shown, textOf } from "./found.ts";

const USAGE: DetectorAbout = {
  name: "mining.usage",
  kind: "usage",
  title: "Compute is used while nothing asks for it",
  explanation:
    "Looks at samples of what the run uses: while no tool call is open (an agent that waits for its model or its user uses next to nothing), and while one is, where nearly all of it is used by processes that belong to no open call and are not the agent's own. On a GPU a process that no call started is the stronger sign. Only of runs whose tool calls are seen. A server, an index or a training that was started earlier and works by itself looks alike.",
  attack: ["T1496.001"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI10"],
  tuning: {
    cores: { value: 0.8, unit: "cores", meaning: "used throughout" },
    gpu: { value: 0.5, unit: "of one GPU", meaning: "or so much of a GPU" },
    seconds: { value: 180, unit: "s", meaning: "without a break" },
  },
};

const OPEN_MAX = 256;
const PIDS_MAX = 4_096;
/** What no open call explains must be so much of all that is used: short-lived processes of a call are not seen. */
const SHARE_MIN = 0.75;
const LIST_MAX = 64;

/** How long something goes on, and since when it could. */
interface Span {
  sinceMs: number | undefined;
  /** Before this it was not so. */
  notBeforeMs: number;
}

interface Use {
  readonly limit: { readonly cores: number; readonly gpu: number; readonly lengthMs: number };
  readonly open: Set<string>;
  /** Processes that were executed: the call that each belongs to, or none. */
  readonly started: Map<string, { readonly call: string | undefined }>;
  /** The run's own command, and what speaks to the model for it. */
  readonly own: Set<string>;
  hasCalls: boolean;
  /** Calls were read in the model's own answers: then what the agent's side says opens none. */
  hasRead: boolean;
  readonly idle: Span;
  readonly stray: Span;
}

export const miningUsage = defineDetector<Use>({
  ...USAGE,
  sees: ["usage", "tool.call", "tool.result", "process.start", "run.restart"],
  scope: "run",
  start: ({ cores = 0.8, gpu = 0.5, seconds = 180 }) => ({
    limit: { cores, gpu, lengthMs: seconds * 1000 },
    open: new Set(),
    started: new Map(),
    own: new Set(),
    hasCalls: false,
    hasRead: false,
    idle: { sinceMs: undefined, notBeforeMs: 0 },
    stray: { sinceMs: undefined, notBeforeMs: 0 },
  }),
  observe(state, event) {
    switch (event.type) {
      case "process.start":
        noteStart(state, event);
        return [];
      case "usage":
        return judge(state, event);
      case "run.restart": // Its next process is the command again, and whoever was asked is gone.
        state.started.clear();
        state.open.clear();
        return [];
      default:
        noteCall(state, event);
        return [];
    }
  },
});

function noteStart({ started, own }: Use, { process: by, cause }: Event): void {
  if (by === undefined) return;
  const pid = `${by.pid}`;
  if (started.size === 0) addTo(own, pid, PIDS_MAX);
  else own.delete(pid);
  started.delete(pid); // What it was before is over.
  touch(started, pid, PIDS_MAX, () => ({ call: cause?.call?.id }));
}

function noteCall(state: Use, event: Event): void {
  const { type, monoMs, process: by, data } = event;
  const call = textOf(event, "call");
  const isClaim = data?.["source"] === "hook" || data?.["source"] === "trace";
  if (isClaim ? state.hasRead : isOfCall(state, by)) return;
  state.hasRead ||= !isClaim;
  state.idle.sinceMs = undefined;
  state.idle.notBeforeMs = monoMs;
  if (type === "tool.result") {
    state.open.delete(keyOf(call));
    return;
  }
  state.hasCalls = true;
  addTo(state.open, call, OPEN_MAX);
  if (by === undefined) return;
  for (const { pid } of [by, ...by.ancestors]) addTo(state.own, `${pid}`, PIDS_MAX);
}

/** What a tool call's own process has a model say is no call (INV-152). */
function isOfCall({ started }: Use, by: Process | undefined): boolean {
  if (by === undefined) return false;
  const pids = [by, ...by.ancestors].map(({ pid }) => started.get(`${pid}`));
  return pids.find((one) => one !== undefined)?.call !== undefined;
}

/** What is used without reason, and by whom. */
interface Excess {
  readonly what: string;
  readonly score: number;
  readonly why: string;
}

function judge(state: Use, event: Event): readonly Detection[] {
  // What an entry of GPU time alone (spanMs 0) does not say is not a zero: it ends no span, and begins none.
  if (!state.hasCalls || event.data?.["spanMs"] === 0) return [];
  const idle = state.open.size === 0 ? idleUse(state, event) : undefined;
  const lasting = [
    lastingSince(state.idle, idle, event, state.limit.lengthMs),
    lastingSince(state.stray, strayUse(state, event), event, state.limit.lengthMs),
  ].filter((one) => one !== undefined);
  const [most] = lasting.toSorted((a, b) => b.score - a.score);
  return most === undefined ? [] : [found(USAGE, event, most.score, most.why)];
}

/** The excess, once it has gone on for `lengthMs`; then it is measured anew. */
function lastingSince(
  span: Span,
  excess: Excess | undefined,
  event: Event,
  lengthMs: number,
): Excess | undefined {
  if (excess === undefined) {
    span.sinceMs = undefined;
    return undefined;
  }
  // A sample is of the time before it.
  span.sinceMs ??= Math.max(span.notBeforeMs, event.monoMs - numberOf(event, "spanMs"));
  const lastedMs = event.monoMs - span.sinceMs;
  if (lastedMs < lengthMs) return undefined;
  span.sinceMs = event.monoMs;
  return {
    ...excess,
    why: `${excess.what} used for ${Math.round(lastedMs / 1000)} s ${excess.why}`,
  };
}

function idleUse({ limit }: Use, event: Event): Excess | undefined {
  const cores = numberOf(event, "cpu");
  const [gpu] = listOf(event, "gpus").toSorted((a, b) => busyOf(b) - busyOf(a));
  if (cores < limit.cores && busyOf(gpu) < limit.gpu) return undefined;
  const whose = memberOf(gpu, "of") === "device" ? " (by all its users)" : "";
  const what = cores >= limit.cores ? coresText(cores) : `${gpuText(busyOf(gpu))}${whose}`;
  const busiest = listOf(event, "busiest");
  const by =
    busiest.length === 0 ? "" : `, most of it by ${nameOf(busiest, memberOf(busiest[0], "pid"))}`;
  return { what, score: 0.6, why: `while no tool call was open${by}` };
}

/** What is used by processes of which no open call, and not the agent itself, is the reason. */
function strayUse(state: Use, event: Event): Excess | undefined {
  const { limit } = state;
  const busiest = listOf(event, "busiest");
  const isStray = (pid: unknown) => reasonOf(state, pid, busiest) !== "given";
  for (const gpu of listOf(event, "gpus")) {
    const pids = memberOf(gpu, "pids");
    if (busyOf(gpu) < limit.gpu || memberOf(gpu, "of") === "device") continue;
    if (!Array.isArray(pids) || pids.length === 0 || !pids.every(isStray)) continue;
    const no = reasonOf(state, pids[0], busiest) === "none";
    return { what: gpuText(busyOf(gpu)), score: no ? 0.8 : 0.5, why: whyOf(no, busiest, pids[0]) };
  }
  const strays = busiest.filter((one) => isStray(memberOf(one, "pid")));
  const cores = strays.reduce<number>((sum, one) => sum + amountOf(one, "cores"), 0);
  if (cores < limit.cores || cores < SHARE_MIN * numberOf(event, "cpu")) return undefined;
  const pid = memberOf(strays[0], "pid");
  const no = reasonOf(state, pid, busiest) === "none";
  return { what: coresText(cores), score: no ? 0.6 : 0.5, why: whyOf(no, busiest, pid) };
}

/**
 * Why a process runs: `given` for the agent's own and for what an open call started, `none` for what no call started,
 * `over` where that call is over, or where it is not known.
 */
function reasonOf(
  { own, started, open }: Use,
  pid: unknown,
  busiest: readonly unknown[],
): "given" | "over" | "none" {
  const parents = memberOf(
    busiest.find((one) => memberOf(one, "pid") === pid),
    "parents",
  );
  for (const each of [pid, ...(Array.isArray(parents) ? parents : [])]) {
    if (own.has(`${each}`)) return "given"; // A process without a start of its own is its parent's program.
    const start = started.get(`${each}`);
    if (start === undefined) continue;
    if (start.call === undefined) return "none";
    return open.has(keyOf(start.call)) ? "given" : "over";
  }
  return "over";
}

function whyOf(no: boolean, busiest: readonly unknown[], pid: unknown): string {
  const which = no ? "which no tool call started" : "which belongs to no open tool call";
  return `by ${nameOf(busiest, pid)}, ${which}`;
}

function nameOf(busiest: readonly unknown[], pid: unknown): string {
  const exe = memberOf(
    busiest.find((one) => memberOf(one, "pid") === pid),
    "exe",
  );
  return typeof exe === "string" ? `${shown(exe)} (${String(pid)})` : `process ${String(pid)}`;
}

const coresText = (cores: number) => `${cores.toFixed(1)} cores`;
const gpuText = (share: number) => `${Math.round(share * 100)} % of a GPU`;

/** How busy a GPU is, 0 to 1. */
function busyOf(gpu: unknown): number {
  return typeof gpu === "number" ? gpu : amountOf(gpu, "busy");
}

function amountOf(value: unknown, name: string): number {
  const amount = memberOf(value, name);
  return typeof amount === "number" ? amount : 0;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function listOf(event: Event, name: string): readonly unknown[] {
  const list = event.data?.[name];
  return Array.isArray(list) ? list.slice(0, LIST_MAX) : [];
}
