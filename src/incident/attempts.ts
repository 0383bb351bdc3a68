/**
 * What of a run's record was an attempt, and what became of each: attempted, crossed, had an effect, did harm are four
 * separate answers, because "blocked" hides which of them was meant (as in the drills' record).
 *
 * An answer rests on entries. Where they do not tell, it is "unknown"; harm is never told from a record, except that
 * what reached nothing outside harmed nothing there.
 *
 * @module
 */
import type { Entry } from "../api/index.ts";
import { commandOf, numberOf, textOf } from "./describe.ts";
import { brief, listed, listedSome, words, type Words } from "./words.ts";

export interface Answer {
  readonly value: "yes" | "no" | "unknown";
  readonly why: Words;
}

/** One thing that a process went for, of all entries that are about it. */
export interface Attempt {
  /** The finding's kind, or the rule that refused it. */
  readonly kind: string;
  readonly detector: string;
  readonly score: number | undefined;
  readonly details: readonly string[];
  readonly targets: readonly string[];
  readonly by: Words;
  readonly cause: Entry["cause"];
  readonly findings: readonly number[];
  readonly refusals: readonly number[];
  /** How often it was found, or refused where it was not; merged ones count. */
  readonly count: number;
  readonly attempted: Answer;
  readonly crossed: Answer;
  readonly effect: Answer;
  readonly harm: Answer;
  /** What stopped it, each with its entry. */
  readonly held: readonly { readonly entry: number; readonly what: Words }[];
  /** Milliseconds by the recorder's monotonic clock since the process started, or since its flow opened. */
  readonly noticedMs: number | undefined;
  readonly stoppedMs: number | undefined;
  readonly since: "process" | "flow" | undefined;
  /** The entries that it is told from. */
  readonly entries: readonly number[];
}

/** Kinds of findings about what cannot have crossed where no flow and no action is named: nothing leaves otherwise. */
const AT_THE_BORDER: ReadonlySet<string> = new Set([
  "scan",
  "metadata",
  "resolver",
  "escape",
  "sticky",
]);
const DETAILS_MAX = 3;

interface Group {
  readonly kind: string;
  readonly detector: string;
  readonly pid: number;
  readonly findings: Entry[];
  readonly refusals: Entry[];
  readonly flows: Set<string>;
  readonly actions: Set<string>;
}

/** All that the answers look up, read once. */
interface Index {
  readonly opens: ReadonlyMap<string, Entry>;
  readonly closes: ReadonlyMap<string, Entry>;
  readonly outcomes: ReadonlyMap<string, Entry>;
  readonly actions: ReadonlyMap<string, Entry>;
  /** What was allowed on a flow, less what stands for the whole connection. */
  readonly allowedOn: ReadonlyMap<string, readonly string[]>;
  readonly starts: ReadonlyMap<number, Entry>;
  /** By the number of the finding's entry. */
  readonly responses: ReadonlyMap<number, readonly Entry[]>;
}

/** The attempts in `entries`, in the order in which they were noticed. */
export function readAttempts(entries: readonly Entry[]): readonly Attempt[] {
  const index = indexOf(entries);
  const groups = new Map<string, Group>();
  const byFlow = new Map<string, Set<Group>>();
  const byPid = new Map<number, Set<Group>>();
  const note = (group: Group, { flow, action, process }: Entry) => {
    if (action !== undefined) group.actions.add(action);
    if (flow !== undefined) {
      group.flows.add(flow);
      byFlow.set(flow, (byFlow.get(flow) ?? new Set()).add(group));
    }
    const pid = process?.pid ?? 0;
    if (pid > 0) byPid.set(pid, (byPid.get(pid) ?? new Set()).add(group));
  };
  for (const entry of entries.filter(({ type }) => type === "finding")) {
    const kind = textOf(entry.data, "finding") || "unknown";
    const group = groupOf(groups, entry, kind, textOf(entry.data, "detector"));
    group.findings.push(entry);
    note(group, entry);
  }
  for (const entry of entries.filter(isRefusal)) {
    // One refusal may be what held several attempts: a sweep is a scan, and a search for another way.
    const known = byFlow.get(entry.flow ?? "") ?? byPid.get(entry.process?.pid ?? 0);
    const found = [...(known ?? [])].filter(({ findings }) => findings.length > 0);
    const those = found.length > 0 ? found : [groupOf(groups, entry, refusedBy(entry), "")];
    for (const group of those) {
      group.refusals.push(entry);
      note(group, entry);
    }
  }
  return [...groups.values()]
    .map((group) => attemptOf(group, index))
    .toSorted((one, other) => (one.entries[0] ?? 0) - (other.entries[0] ?? 0));
}

/** A person's no counts as a refusal, and what a rule denied; what waits is none. */
function isRefusal({ type, verdict, rule, data }: Entry): boolean {
  if (type === "denial") return rule !== "approval-pending";
  if (type === "approval") return data?.["state"] === "denied";
  return type === "action" && verdict === "deny";
}

function refusedBy({ type, rule = "unknown" }: Entry): string {
  return type === "approval" ? "a person's no" : rule;
}

/** Findings are told apart by their process; refusals that nothing was found in by their program, of which many may run. */
function groupOf(groups: Map<string, Group>, entry: Entry, kind: string, detector: string): Group {
  const { process, target = "" } = entry;
  const pid = process?.pid ?? 0;
  const isFound = entry.type === "finding";
  const who = pid === 0 ? `of ${target}` : isFound ? String(pid) : (process?.exe ?? "");
  const key = `${kind} ${detector} ${who}`;
  const known = groups.get(key);
  if (known !== undefined) return known;
  const sets = { flows: new Set<string>(), actions: new Set<string>() };
  const group = { kind, detector, pid, findings: [], refusals: [], ...sets };
  groups.set(key, group);
  return group;
}

function indexOf(entries: readonly Entry[]): Index {
  const opens = new Map<string, Entry>();
  const closes = new Map<string, Entry>();
  const outcomes = new Map<string, Entry>();
  const actions = new Map<string, Entry>();
  const allowedOn = new Map<string, string[]>();
  const starts = new Map<number, Entry>();
  const responses = new Map<number, Entry[]>();
  for (const entry of entries) {
    const { type, flow, action, data } = entry;
    if (type === "flow.open" && flow !== undefined) opens.set(flow, entry);
    if (type === "flow.close" && flow !== undefined) closes.set(flow, entry);
    if (type === "outcome" && action !== undefined) outcomes.set(action, entry);
    if (type === "action" && action !== undefined) actions.set(action, entry);
    const isPart = entry.verdict === "allow" && data?.["kind"] !== "tcp";
    if (type === "action" && isPart && flow !== undefined && action !== undefined) {
      const all = allowedOn.get(flow) ?? [];
      all.push(action);
      allowedOn.set(flow, all);
    }
    const { pid } = entry.process ?? {};
    if (type === "process.start" && pid !== undefined) starts.set(pid, entry);
    const of = type === "response" ? numberOf(data, "finding") : undefined;
    if (of !== undefined) responses.set(of, [...(responses.get(of) ?? []), entry]);
  }
  return { opens, closes, outcomes, actions, allowedOn, starts, responses };
}

function attemptOf(group: Group, index: Index): Attempt {
  const all = [...group.findings, ...group.refusals].toSorted((a, b) => a.seq - b.seq);
  const [first] = all;
  const details = group.findings.map(({ data }) => textOf(data, "detail"));
  const reasons = group.refusals.map(({ data }) => textOf(data, "reason"));
  const targets = [...new Set(all.flatMap(({ target }) => target ?? []))];
  const scores = group.findings.flatMap(({ data }) => numberOf(data, "score") ?? []);
  const asked = [...group.actions].flatMap((id) => index.actions.get(id) ?? []);
  const process = [...all, ...asked].find((one) => (one.process?.pid ?? 0) > 0)?.process;
  const closes = [...group.flows].flatMap((flow) => index.closes.get(flow) ?? []);
  const held = heldBy(group, index, closes);
  const crossed = crossedOf(group, index);
  const effect = effectOf(group, index, crossed);
  const counted = (entry: Entry) => numberOf(entry.data, "merged") ?? 1;
  return {
    kind: group.kind,
    detector: group.detector,
    score: scores.length === 0 ? undefined : Math.max(...scores),
    details: [...new Set(details.length > 0 ? details : reasons)].slice(0, DETAILS_MAX),
    targets,
    by: commandOf(process),
    cause: all.find(({ cause }) => cause !== undefined)?.cause,
    findings: group.findings.map(({ seq }) => seq),
    refusals: group.refusals.map(({ seq }) => seq),
    count: (group.findings.length > 0 ? group.findings : all).reduce(
      (sum, one) => sum + counted(one),
      0,
    ),
    attempted: {
      value: "yes",
      why: words`entry ${first?.seq ?? 0} is about it: ${listedSome(targets, 3)}`,
    },
    crossed,
    effect,
    harm: harmOf(crossed, effect),
    held,
    ...timesOf(group, index, closes, all),
    entries: [
      ...new Set([
        ...group.findings.slice(0, 2).map(({ seq }) => seq),
        ...group.refusals.slice(0, 2).map(({ seq }) => seq),
        ...held.map(({ entry }) => entry),
        ...closes.slice(0, 2).map(({ seq }) => seq),
      ]),
    ].toSorted((a, b) => a - b),
  };
}

function crossedOf({ kind, flows, actions, findings, refusals }: Group, index: Index): Answer {
  const unknown: Words[] = [];
  for (const id of actions) {
    const allowed = index.actions.get(id)?.verdict === "allow";
    if (!allowed) continue;
    const outcome = index.outcomes.get(id);
    if (outcome === undefined)
      unknown.push(words`action ${id} was allowed and has no outcome on record`);
    else if (!neverSent(outcome)) {
      return { value: "yes", why: words`action ${id} was allowed and sent (entry ${outcome.seq})` };
    }
  }
  for (const flow of flows) {
    const close = index.closes.get(flow);
    const out = numberOf(close?.data, "upstreamOut");
    const back = numberOf(close?.data, "upstreamIn");
    if (close === undefined || out === undefined || back === undefined) {
      unknown.push(words`how flow ${flow} ended is not on record`);
    } else if (out + back > 0 && index.allowedOn.get(flow)?.some((id) => !actions.has(id))) {
      // Its bytes are those of other actions, too. What names a refused action of its own was never sent.
      const about = [...findings, ...refusals].filter((entry) => entry.flow === flow);
      const isRefused = about.every(({ action }) => action !== undefined);
      if (!isRefused) unknown.push(words`flow ${flow} carried what was allowed, too`);
    } else if (out + back > 0) {
      const why = words`${out} bytes of flow ${flow} reached the other side and ${back} came back (entry ${close.seq})`;
      return { value: "yes", why };
    }
  }
  if (unknown.length > 0) return { value: "unknown", why: joined(unknown) };
  if (flows.size > 0)
    return { value: "no", why: ["no byte of its connections reached the other side"] };
  if (actions.size > 0)
    return { value: "no", why: ["its actions were not allowed, and nothing of them was sent"] };
  if (refusals.length > 0)
    return { value: "no", why: ["it was refused before a connection was made"] };
  if (AT_THE_BORDER.has(kind)) {
    return { value: "no", why: ["no connection is tied to it, and there is no other way out"] };
  }
  return { value: "unknown", why: ["the finding names no connection and no action"] };
}

function neverSent({ data }: Entry): boolean {
  return /^gateway\.(?:connect|resolve)/.test(textOf(data, "code"));
}

function effectOf({ actions }: Group, index: Index, crossed: Answer): Answer {
  if (crossed.value === "no")
    return { value: "no", why: ["nothing of it reached a system outside"] };
  const done = [...actions].flatMap((id) => {
    const outcome = index.outcomes.get(id);
    return outcome === undefined ? [] : [{ id, outcome, how: successOf(outcome) }];
  });
  const worked = done.find(({ how }) => how === "succeeded");
  if (worked !== undefined) {
    return {
      value: "yes",
      why: words`action ${worked.id} succeeded (entry ${worked.outcome.seq})`,
    };
  }
  if (
    done.length > 0 &&
    done.length === actions.size &&
    done.every(({ how }) => how === "failed")
  ) {
    return { value: "no", why: ["the system refused or failed each of its actions"] };
  }
  return { value: "unknown", why: ["what the other side did with it is not on record"] };
}

function harmOf(crossed: Answer, effect: Answer): Answer {
  if (crossed.value === "no" && effect.value === "no") {
    return {
      value: "no",
      why: ["nothing outside was reached; what it used of this machine is in the run's end"],
    };
  }
  return { value: "unknown", why: ["a record of what passed does not tell what it was worth"] };
}

/** Whether what an outcome is about was done, as far as its system's answer says so. */
export function successOf({ data = {} }: Entry): "succeeded" | "failed" | "unknown" {
  const { status, failed, code, result, answer, exit, delivered } = data;
  if (typeof status === "number") return status < 400 ? "succeeded" : "failed";
  if (typeof failed === "string" || typeof code === "string") return "failed";
  if (result === "failed" || result === "not opened" || answer === "error") return "failed";
  if (typeof exit === "number") return exit === 0 ? "succeeded" : "failed";
  if (result === "done" || answer === "ok" || delivered === true) return "succeeded";
  return "unknown";
}

function heldBy(group: Group, index: Index, closes: readonly Entry[]): Attempt["held"] {
  const rules = new Map<string, { entry: number; what: Words }>();
  for (const entry of group.refusals) {
    const { rule = "unknown", seq, data } = entry;
    if (entry.type === "approval") {
      rules.set("approval", {
        entry: seq,
        what: words`a person said no to ${textOf(data, "approval")}`,
      });
    } else if (!rules.has(rule)) {
      rules.set(rule, {
        entry: seq,
        what: words`rule ${rule}: ${textOf(data, "title") || textOf(data, "reason")}`,
      });
    }
  }
  const cuts = closes.filter(({ data }) => data?.["stoppedMs"] !== undefined).slice(0, 3);
  const answers = group.findings.flatMap(({ seq }) => index.responses.get(seq) ?? []);
  const done = answers.filter(({ data }) => Array.isArray(data?.["responses"]));
  return [
    ...rules.values(),
    ...cuts.map(({ seq, data, flow }) => ({
      entry: seq,
      what: words`flow ${flow ?? "unknown"} was cut: ${textOf(data, "reason")}`,
    })),
    ...done.map(({ seq, data }) => ({
      entry: seq,
      what: words`response ${listed([data?.["responses"] ?? []].flat().map(String))}, which held after ${numberOf(data, "withinMs") ?? ["unknown"]} ms`,
    })),
  ];
}

type Times = Pick<Attempt, "noticedMs" | "stoppedMs" | "since">;

/** By the monotonic clock alone: a wall clock may have been set meanwhile. */
function timesOf(
  group: Group,
  index: Index,
  closes: readonly Entry[],
  all: readonly Entry[],
): Times {
  const [first] = all;
  const opens = [...group.flows].flatMap((flow) => index.opens.get(flow) ?? []);
  const start = index.starts.get(group.pid);
  const isAfter = start !== undefined && first !== undefined && start.monoMs <= first.monoMs;
  const from = isAfter ? start : opens[0];
  if (from === undefined || first === undefined) {
    return { noticedMs: undefined, stoppedMs: undefined, since: undefined };
  }
  const since = (monoMs: number) => Math.max(0, Math.round(monoMs - from.monoMs));
  const isOver = closes.length === group.flows.size;
  const ends = [...closes, ...(group.flows.size === 0 ? group.refusals.slice(0, 1) : [])];
  const last =
    isOver && ends.length > 0 ? Math.max(...ends.map(({ monoMs }) => monoMs)) : undefined;
  return {
    noticedMs: since(first.monoMs),
    stoppedMs: last === undefined ? undefined : since(last),
    since: isAfter ? "process" : "flow",
  };
}

function joined(all: readonly Words[]): Words {
  return all.slice(0, 3).flatMap((one, at) => (at === 0 ? one : ["; ", ...one]));
}

/** One answer for all of `attempts`: yes if one is, unknown if one is not known. */
export function answerAll(
  attempts: readonly Attempt[],
  of: "attempted" | "crossed" | "effect" | "harm",
): Answer {
  const answers = attempts.map((attempt) => ({ attempt, answer: attempt[of] }));
  const count = (value: Answer["value"]) => answers.filter((one) => one.answer.value === value);
  if (attempts.length === 0) {
    return { value: "no", why: ["nothing was refused, and nothing was found"] };
  }
  const value = count("yes").length > 0 ? "yes" : count("unknown").length > 0 ? "unknown" : "no";
  const those = count(value);
  const kinds = [...new Set(those.map(({ attempt }) => brief(attempt.kind, 60)))];
  const why = words`${those.length} of ${attempts.length} (${listed(kinds)})`;
  const [one] = those;
  return {
    value,
    why: those.length === 1 && one !== undefined ? [...why, ": ", ...one.answer.why] : why,
  };
}
