/**
 * One entry more: what it changes of what is known of its run.
 *
 * @module
 */
import { EFFECTS, VERDICTS, type Json } from "../../action/index.ts";
import { STRIP_SECONDS, runEndSchema, type Entry } from "../../api/index.ts";
import { readYaml } from "../../yaml/index.ts";
import { CONNECT, type RunFacts } from "./facts.ts";

/** Connections that are open at once and counted; of what is beyond them only the end counts. */
const OPEN_MAX = 1024;
/** Approvals that wait; a daemon asks for fewer at once. */
const WAITING_MAX = 1000;
/** Payments that are under way at once, and currencies. */
const DUE_MAX = 256;
const CURRENCIES_MAX = 8;
const TEXT_CHARS_MAX = 300;

/** What is wrong with it nobody is told here. */
const TASK_FILE = { code: "policy.task_file", start: "", empty: "", tooLong: "", guide: "" };

type Data = NonNullable<Entry["data"]>;

/** Changes `facts` by `entry`, which is of its run and comes after all before. */
export function foldEntry(facts: RunFacts, entry: Entry): void {
  facts.last = { seq: entry.seq, at: entry.at };
  FOLDS[entry.type]?.(facts, entry, entry.data ?? {});
}

type Fold = (facts: RunFacts, entry: Entry, data: Data) => void;

const FOLDS: Readonly<Partial<Record<Entry["type"], Fold>>> = {
  policy: foldPolicy,
  "run.start": foldStart,
  "run.proved": (facts) => void (facts.state = "running"),
  "run.pause": (facts, entry, data) => {
    facts.state = "paused";
    facts.paused = sinceOf(entry, text(data["reason"]));
  },
  "run.resume": (facts, _, data) => {
    if (data["reason"] !== undefined) return; // A person let it go; it waits for another worker still.
    facts.state = "running";
    delete facts.paused;
  },
  "run.restart": (facts, _, data) => void (facts.attempt = whole(data["attempt"]) + 1),
  "run.end": foldEnd,
  action: (facts, entry, data) => {
    foldVerdict(facts, entry, 1);
    foldAmount(facts, entry, data["amount"]);
    addToStrip(facts, entry, gravest(data["effects"]), 1);
  },
  repeat: (facts, entry, data) => {
    const more = whole(data["count"]);
    foldVerdict(facts, { ...entry, verdict: "allow" }, more);
    addToStrip(facts, { ...entry, verdict: "allow" }, 0, more);
  },
  denial: (facts, entry, data) => {
    if (entry.action !== undefined) return; // It is counted as the action that it is of.
    const more = whole(data["merged"]) || 1;
    facts.counts.deny += more;
    addToStrip(facts, { ...entry, verdict: "deny" }, CONNECT, more);
  },
  "flow.open": (facts) => void (facts.counts.flows += 1),
  "flow.close": (facts, { flow }, data) => {
    facts.closed.out += number(data["bytesOut"]);
    facts.closed.in += number(data["bytesIn"]);
    if (flow !== undefined) delete facts.open[flow];
  },
  outcome: (facts, { flow, action }, data) => {
    if (action !== undefined) settle(facts, action, data);
    if (flow === undefined) return;
    const known = facts.open[flow];
    if (known === undefined && Object.keys(facts.open).length >= OPEN_MAX) return;
    facts.open[flow] = {
      out: (known?.out ?? 0) + number(data["bytesOut"]),
      in: (known?.in ?? 0) + number(data["bytesIn"]),
    };
  },
  model: (facts, _, { tokens }) => {
    if (!isObject(tokens)) return;
    facts.used.tokens += number(tokens["in"]) + number(tokens["out"]);
  },
  usage: foldUsage,
  approval: foldApproval,
  finding: (facts, entry, data) => {
    facts.counts.findings += 1;
    facts.finding = { ...sinceOf(entry, text(data["detail"])), kind: text(data["finding"]) };
  },
};

function foldPolicy(facts: RunFacts, entry: Entry, data: Data): void {
  if (typeof data["source"] === "string") {
    const { grants, leave } = readTask(data["source"]);
    facts.grants = grants;
    facts.leave = leave;
  }
  if (data["leave"] === "taken") facts.leave.taken = text(data["why"]);
  if (data["grant"] !== undefined)
    facts.grants = facts.grants.filter((name) => name !== data["grant"]);
}

function foldStart(facts: RunFacts, entry: Entry, data: Data): void {
  const compute = isObject(data["compute"]) ? data["compute"] : {};
  const gpu = Array.isArray(compute["gpu"]) ? compute["gpu"] : [];
  facts.task = text(data["task"]);
  facts.purpose = text(data["purpose"]);
  facts.workspace = text(data["workspace"]);
  facts.command = (Array.isArray(data["command"]) ? data["command"] : []).slice(0, 40).map(text);
  facts.startedAt = entry.at;
  const limits = {
    cpus: number(compute["cpus"]),
    memoryBytes: number(compute["memoryBytes"]),
    pids: number(compute["pids"]),
    diskBytes: number(compute["diskBytes"]),
    gpus: gpu.filter(
      (one) => typeof one === "number" || (typeof one === "string" && one.includes("/gi")),
    ).length,
  };
  facts.limits = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit > 0));
  if (number(data["lifetimeMs"]) > 0) facts.lifetimeMs = number(data["lifetimeMs"]);
  if (typeof data["profile"] === "string") facts.profile = data["profile"];
}

function foldEnd(facts: RunFacts, entry: Entry, data: Data): void {
  const parsed = runEndSchema.safeParse(data["end"] ?? data);
  const end = parsed.success ? parsed.data : { reason: "unknown" };
  facts.state = "ended";
  facts.ended = { ...sinceOf(entry, end.detail ?? ""), end };
  facts.waiting = {};
  facts.open = {};
  delete facts.paused;
}

function foldUsage({ used }: RunFacts, _: Entry, data: Data): void {
  if (data["spanMs"] === 0) return; // GPU time alone, and no sample: the one before goes on to count.
  used.cpuNow = number(data["cpu"]);
  used.cpuSeconds += (used.cpuNow * number(data["spanMs"])) / 1000;
  used.memory = number(data["memory"]);
  used.disk = number(data["disk"]);
  used.pids = number(data["pids"]);
  const gpus = Array.isArray(data["gpus"]) ? data["gpus"] : [];
  used.gpu = gpus.reduce<number>((sum, gpu) => sum + (isObject(gpu) ? number(gpu["busy"]) : 0), 0);
}

function foldApproval(facts: RunFacts, entry: Entry, data: Data): void {
  const id = text(data["approval"]);
  if (data["state"] === "requested") {
    if (Object.keys(facts.waiting).length >= WAITING_MAX) return;
    facts.waiting[id] = sinceOf(entry, `${text(data["verb"])} ${entry.target ?? ""}`);
  } else if (data["state"] !== "shown") delete facts.waiting[id];
}

/** What is moved is known when it was. */
function foldAmount(facts: RunFacts, { action, verdict }: Entry, amount: Json | undefined): void {
  if (action === undefined || verdict === "deny" || !isObject(amount)) return;
  const [oldest] = Object.keys(facts.due);
  if (oldest !== undefined && Object.keys(facts.due).length >= DUE_MAX) delete facts.due[oldest];
  const value = Number(text(amount["value"]));
  if (value > 0) facts.due[action] = { currency: text(amount["currency"]), value };
}

/** A refusal of the server, or of ours until a person decides, moves nothing; it may succeed later. */
function settle({ due, spent }: RunFacts, action: string, data: Data): void {
  const amount = due[action];
  const isFailed = number(data["status"]) >= 400 || data["code"] !== undefined;
  if (amount === undefined || isFailed || data["error"] !== undefined) return;
  delete due[action];
  const { currency, value } = amount;
  if (currency in spent || Object.keys(spent).length < CURRENCIES_MAX)
    spent[currency] = (spent[currency] ?? 0) + value;
}

function foldVerdict({ counts }: RunFacts, { verdict }: Entry, more: number): void {
  counts.actions += more;
  if (verdict !== undefined) counts[verdict] += more;
}

function addToStrip(facts: RunFacts, entry: Entry, effect: number, more: number): void {
  const second = Math.floor(Date.parse(entry.at) / 1000);
  const kind = effect * VERDICTS.length + Math.max(VERDICTS.indexOf(entry.verdict ?? "allow"), 0);
  if (!Number.isFinite(second) || more <= 0) return;
  const { strip } = facts;
  for (let n = strip.length - 1; n >= 0; n -= 1) {
    const cell = strip[n];
    if (cell === undefined || cell[0] < second) break;
    if (cell[0] === second && cell[1] === kind) {
      cell[2] += more;
      return;
    }
  }
  strip.push([second, kind, more]);
  const start = strip.findIndex(([at]) => at >= second - STRIP_SECONDS);
  if (start > 0) strip.splice(0, start);
}

function gravest(effects: Json | undefined): number {
  const places = (Array.isArray(effects) ? effects : []).map((one) =>
    EFFECTS.findIndex((effect) => effect === one),
  );
  return Math.max(0, ...places);
}

/** Names of grants, and what passes without a person. What cannot be read gives nothing: the daemon had read it. */
function readTask(source: string): Pick<RunFacts, "grants" | "leave"> {
  const grants: string[] = [];
  const leave = { rules: 0, actions: 0 };
  for (const grant of listOf(dataOf(source)["grants"])) {
    if (typeof grant["name"] === "string") grants.push(grant["name"]);
    for (const { unattended } of listOf(grant["allow"])) {
      if (!isObject(unattended)) continue;
      leave.rules += 1;
      leave.actions += number(unattended["count"]);
    }
  }
  return { grants, leave };
}

function dataOf(source: string): { readonly [key: string]: Json } {
  try {
    const { value } = readYaml(source, "task.yaml", TASK_FILE);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function listOf(value: Json | undefined): readonly { readonly [key: string]: Json }[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function number(value: Json | undefined): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** How many there were, as one entry can say it. */
function whole(value: Json | undefined): number {
  return Math.min(Math.floor(number(value)), 1e9);
}

function text(value: Json | undefined): string {
  const whole = typeof value === "string" ? value : "";
  return whole.length <= TEXT_CHARS_MAX
    ? whole
    : `${whole.slice(0, TEXT_CHARS_MAX).toWellFormed()}…`;
}

function sinceOf({ seq, at }: Entry, said: string) {
  return { seq, at, text: text(said) };
}
