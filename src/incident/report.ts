/**
 * What is told of a run: a plain summary, what was attempted and what became of it, the worst that was possible, what was
 * found and what it is called elsewhere, a timeline, evidence, and what was blackened. Made of the run's entries alone, by
 * templates that name facts: no model writes any of it.
 *
 * @module
 */
import type { Json } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import type { Task } from "../policy/index.ts";
import { answerAll, readAttempts, successOf, type Answer, type Attempt } from "./attempts.ts";
import { endOf, textOf } from "./describe.ts";
import { aboutFinding, drillOf, type About, type DetectorLookup } from "./ids.ts";
import { redactEntries, type Redaction } from "./redact.ts";
import { readTimeline, type Timeline } from "./timeline.ts";
import { listed, words, type Words } from "./words.ts";
import { worstCase, type VerbLookup } from "./worst-case.ts";

/** Most entries whose proofs go with a report. */
export const CITED_MAX = 400;

export interface ReportOptions {
  readonly run: string;
  /** The task by the file's text on record, as {@link taskSourceOf} gives it; undefined where it cannot be read. */
  readonly task: Task | undefined;
  readonly verbsOf: VerbLookup;
  readonly detectorOf: DetectorLookup;
  /** Blackens mail addresses and the names of those who decided, too. */
  readonly persons: boolean;
  /** Cofferdam's version. */
  readonly version: string;
}

/** What a kind of finding, or a detector, found. */
export interface Found extends About {
  readonly kind: string;
  readonly detector: string;
  readonly count: number;
  readonly entries: readonly number[];
  readonly score: number | undefined;
  readonly detail: string;
}

/** What was done through a system by its grant. */
export interface Done {
  readonly system: string;
  readonly verb: string;
  readonly effects: readonly string[];
  readonly count: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly first: number;
}

/** A file beside the record, by what the record says of it. */
export interface Kept {
  readonly what: "evidence" | "recording";
  readonly name: string;
  readonly sha256: string;
  readonly entry: number;
}

/** What was checked of the entries that a report cites. */
export interface Proofs {
  /** Entries whose proofs hold. */
  readonly proven: readonly number[];
  /** What does not hold, and why; empty where everything does. */
  readonly broken: readonly { readonly entry: number | undefined; readonly why: string }[];
  readonly size: number;
  readonly root: string;
  readonly key: string;
}

export interface Report {
  readonly run: string;
  readonly version: string;
  readonly title: Words;
  readonly startedAt: string;
  readonly endedAt: string | undefined;
  /** Number of the first and last entry, and how many there are. */
  readonly entries: { readonly first: number; readonly last: number; readonly count: number };
  readonly summary: readonly Words[];
  readonly answers: Readonly<Record<"attempted" | "crossed" | "effect" | "harm", Answer>>;
  readonly attempts: readonly Attempt[];
  readonly done: readonly Done[];
  readonly worst: readonly Words[];
  readonly found: readonly Found[];
  readonly timeline: Timeline;
  readonly kept: readonly Kept[];
  readonly redactions: readonly Redaction[];
  /** Entries that are not told whole: a proof of one must not hold its bytes. */
  readonly touched: ReadonlySet<number>;
  readonly drills: readonly { readonly drill: string; readonly kinds: readonly string[] }[];
  readonly models: readonly string[];
  /** Entries that are cited, whose proofs go with the report. */
  readonly cited: readonly number[];
  /** The entries as they may be told, for the formats that list events. */
  readonly told: readonly Entry[];
}

/** The task file's text in `entries`, and the name it had; undefined where it is not on record whole. */
export function taskSourceOf(
  entries: readonly Entry[],
): { readonly source: string; readonly file: string; readonly atMs: number } | undefined {
  const entry = entries.find(
    ({ type, data }) => type === "policy" && data?.["source"] !== undefined,
  );
  const { source, file, ledger_cut: cut } = entry?.data ?? {};
  if (typeof source !== "string" || typeof file !== "string" || cut !== undefined) return undefined;
  return { source, file, atMs: Date.parse(entry?.at ?? "") };
}

/** A report of the run whose entries, all of them and in order, are `whole`. */
export function makeReport(whole: readonly Entry[], options: ReportOptions): Report {
  const { persons, run, version } = options;
  const { entries, redactions, touched } = redactEntries(whole, { persons });
  const start = entries.find(({ type }) => type === "run.start");
  const end = entries.findLast(({ type }) => type === "run.end");
  const attempts = readAttempts(entries);
  const found = foundIn(attempts, entries, options.detectorOf);
  const done = doneIn(entries);
  const kept = keptIn(entries);
  const answers = {
    attempted: answerAll(attempts, "attempted"),
    crossed: answerAll(attempts, "crossed"),
    effect: answerAll(attempts, "effect"),
    harm: answerAll(attempts, "harm"),
  };
  return {
    run,
    version,
    title: words`Run ${run}${start === undefined ? [] : words` of task ${textOf(start.data, "task")}`}`,
    startedAt: (start ?? entries[0])?.at ?? "",
    endedAt: end?.at,
    entries: { first: entries[0]?.seq ?? 0, last: entries.at(-1)?.seq ?? 0, count: entries.length },
    summary: summarise({ run, entries, start, end, attempts, answers, done, found }),
    answers,
    attempts,
    done,
    worst: worstCase(options.task, entries, options.verbsOf),
    found,
    timeline: readTimeline(entries),
    kept,
    redactions,
    touched,
    drills: drillsOf(attempts),
    models: [
      ...new Set(
        entries.flatMap(({ type, data }) => (type === "model" ? [textOf(data, "model")] : [])),
      ),
    ],
    cited: cite(entries, attempts, kept),
    told: entries,
  };
}

interface Facts {
  readonly run: string;
  readonly entries: readonly Entry[];
  readonly start: Entry | undefined;
  readonly end: Entry | undefined;
  readonly attempts: readonly Attempt[];
  readonly answers: Report["answers"];
  readonly done: readonly Done[];
  readonly found: readonly Found[];
}

function summarise({
  run,
  entries,
  start,
  end,
  attempts,
  answers,
  done,
  found,
}: Facts): readonly Words[] {
  const command = start?.data?.["command"];
  const told = Array.isArray(command) ? command.map(String).join(" ") : "unknown";
  const changing = done.filter(({ effects }) =>
    effects.some((effect) => !effect.startsWith("read")),
  );
  const count = (all: readonly Done[]) => all.reduce((sum, one) => sum + one.count, 0);
  return [
    start === undefined
      ? words`The record has no start of run ${run}; what follows is of the ${entries.length} entries that there are.`
      : words`The run executed ${told} from ${start.at} on. Its purpose: ${textOf(start.data, "purpose")}.`,
    end === undefined
      ? ["No end of it is on record: it goes on, or its daemon died."]
      : words`It ended at ${end.at}: ${endOf(end.data)}.`,
    attempts.length === 0
      ? [
          "Nothing was refused and nothing was found: there is no incident to report, and what follows is what the run did.",
        ]
      : words`${attempts.length} ${plural(attempts.length, "attempt", "attempts")} on record ${[attempts.length === 1 ? "was" : "were"]} refused or noticed: ${listed(kindsOf(attempts))}.`,
    ...(attempts.length === 0
      ? []
      : [
          words`${VERDICTS.crossed[answers.crossed.value]} ${VERDICTS.effect[answers.effect.value]} ${VERDICTS.harm[answers.harm.value]}`,
        ]),
    ...(found.length === 0
      ? []
      : [
          words`What was noticed: ${listed(found.map((one) => words`${one.kind}${one.detector === "" ? [] : words` by ${one.detector}`}`))}.`,
        ]),
    done.length === 0
      ? ["By its grants it did nothing."]
      : words`By its grants it did ${count(done)} ${plural(count(done), "action", "actions")}, ${count(changing)} of which could change something.`,
  ];
}

const VERDICTS: Readonly<Record<"crossed" | "effect" | "harm", Record<Answer["value"], Words>>> = {
  crossed: {
    yes: ["Something of what was attempted reached a system outside."],
    no: ["Nothing of what was attempted reached a system outside."],
    unknown: ["Whether something of what was attempted reached a system outside is not known."],
  },
  effect: {
    yes: ["It had an effect there."],
    no: ["It had no effect there."],
    unknown: ["Whether it had an effect is not known."],
  },
  harm: {
    yes: ["It did harm."],
    no: ["It did no harm there."],
    unknown: ["Whether it did harm a record cannot tell."],
  },
};

function plural(count: number, one: string, more: string): Words {
  return [count === 1 ? one : more];
}

function kindsOf(attempts: readonly Attempt[]): readonly Words[] {
  const counts = new Map<string, number>();
  for (const { kind } of attempts) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => words`${kind}${count === 1 ? [] : words` (${count})`}`);
}

function foundIn(
  attempts: readonly Attempt[],
  entries: readonly Entry[],
  lookup: DetectorLookup,
): readonly Found[] {
  const all = new Map<string, Found>();
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  for (const { kind, detector, findings, score, details } of attempts) {
    if (findings.length === 0) continue;
    const key = `${kind} ${detector}`;
    const known = all.get(key);
    const { data } = bySeq.get(findings[0] ?? -1) ?? {};
    const highest = Math.max(known?.score ?? -1, score ?? -1);
    all.set(key, {
      ...aboutFinding({ kind, detector, data }, lookup),
      kind,
      detector,
      count: (known?.count ?? 0) + findings.length,
      entries: [...(known?.entries ?? []), ...findings].slice(0, 10),
      score: highest < 0 ? undefined : highest,
      detail: known?.detail ?? details[0] ?? "",
    });
  }
  return [...all.values()];
}

function doneIn(entries: readonly Entry[]): readonly Done[] {
  const outcomes = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.type === "outcome" && entry.action !== undefined) outcomes.set(entry.action, entry);
  }
  const all = new Map<string, Done>();
  for (const { type, verdict, system = "", action = "", data, seq } of entries) {
    if (type !== "action" || verdict !== "allow") continue;
    const verb = textOf(data, "verb");
    const effects = [data?.["effects"] ?? []].flat().map(String);
    const key = `${system} ${verb} ${effects.join()}`;
    const { count = 0, succeeded = 0, failed = 0, first = seq } = all.get(key) ?? {};
    const outcome = outcomes.get(action);
    const how = outcome === undefined ? "unknown" : successOf(outcome);
    const sums = {
      count: count + 1,
      succeeded: succeeded + Number(how === "succeeded"),
      failed: failed + Number(how === "failed"),
    };
    all.set(key, { system, verb, effects, first, ...sums });
  }
  return [...all.values()];
}

function keptIn(entries: readonly Entry[]): readonly Kept[] {
  return entries.flatMap(({ type, data, seq }): Kept[] => {
    const { evidence, recording } = data ?? {};
    if (type === "response" && typeof evidence === "string") {
      return [
        { what: "evidence", name: evidence, sha256: textOf(data, "evidenceSha256"), entry: seq },
      ];
    }
    if (type !== "outcome" || !isObject(recording)) return [];
    return [
      {
        what: "recording",
        name: textOf(recording, "id"),
        sha256: textOf(recording, "sha256"),
        entry: seq,
      },
    ];
  });
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function drillsOf(attempts: readonly Attempt[]): Report["drills"] {
  const drills = new Map<string, Set<string>>();
  for (const { kind } of attempts) {
    const drill = drillOf(kind);
    if (drill !== undefined) drills.set(drill, (drills.get(drill) ?? new Set()).add(kind));
  }
  return [...drills].map(([drill, kinds]) => ({ drill, kinds: [...kinds] }));
}

const ALWAYS: ReadonlySet<Entry["type"]> = new Set([
  "policy",
  "run.start",
  "run.proved",
  "run.end",
]);

/** What the answers rest on comes first, so that no flood of others leaves it without proof. */
function cite(
  entries: readonly Entry[],
  attempts: readonly Attempt[],
  kept: readonly Kept[],
): readonly number[] {
  const all = new Set<number>([
    ...entries.filter(({ type }) => ALWAYS.has(type)).map(({ seq }) => seq),
    ...attempts.flatMap((attempt) => attempt.entries),
    ...kept.map(({ entry }) => entry),
    ...entries
      .filter(({ type }) => type === "response" || type === "approval")
      .map(({ seq }) => seq),
    ...numbersOf(attempts),
  ]);
  return [...all].slice(0, CITED_MAX).toSorted((a, b) => a - b);
}

function numbersOf(attempts: readonly Attempt[]): readonly number[] {
  return attempts.flatMap(({ findings, refusals }) => [...findings, ...refusals]);
}
