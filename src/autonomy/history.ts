/**
 * What runs of one task did, read from the record: every action with its verdict, what persons said of those that waited, and
 * what was found.
 *
 * @module
 */
import { z } from "zod";
import { effectSchema, UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import type { Entry } from "../api/index.ts";

/** One run of the task. */
export interface PastRun {
  readonly run: string;
  readonly startedMs: number;
  endedMs: number;
  /** What was found in it. */
  readonly findings: Finding[];
  /** The most that was seen at one time; absent where it was not sampled. */
  memoryBytes?: number;
  pids?: number;
}

export interface Finding {
  readonly seq: number;
  readonly kind: string;
  readonly detail: string;
  readonly atMs: number;
}

/** One action of a run. */
export interface PastAction {
  readonly seq: number;
  readonly run: string;
  readonly atMs: number;
  readonly verdict: "allow" | "confirm" | "deny";
  /** As it was judged; `undefined` where the entry does not say it whole. */
  readonly action: Action | undefined;
  readonly system: string;
  readonly verb: string;
  /** How often: of what repeats there is one entry with a count. */
  count: number;
  /** What persons said of it, where it waited. */
  approval?: Approved;
}

export interface Approved {
  readonly id: string;
  /** The last that is known: performed, denied, expired, ... */
  state: string;
  /** A person changed it before saying yes. */
  isEdited: boolean;
  /** Its yes was taken back before it was performed. */
  isTakenBack: boolean;
}

export interface History {
  readonly runs: readonly PastRun[];
  readonly actions: readonly PastAction[];
}

const KIND = z.looseObject({
  kind: z.string(),
  verb: z.string(),
  effects: z.array(effectSchema).min(1),
  summary: z.string().optional(),
  fields: z.record(z.string(), z.json()),
  digest: z.string().optional(),
  parts: z
    .array(
      z.looseObject({
        verb: z.string(),
        effects: z.array(effectSchema).min(1),
        object: z.array(z.string()).optional(),
        count: z.int().optional(),
      }),
    )
    .optional(),
});

/** Reads `entries`, in their order, of runs whose task is called `task`. */
export function historyOf(entries: Iterable<Entry>, task: string): History {
  const reader = new HistoryReader(task);
  for (const entry of entries) reader.read(entry);
  return reader.history;
}

/** Reads entries one after another, so that a long record need not be held. */
export class HistoryReader {
  readonly #task: string;
  readonly #runs = new Map<string, PastRun>();
  readonly #actions = new Map<string, PastAction>();

  constructor(task: string) {
    this.#task = task;
  }

  get history(): History {
    return { runs: [...this.#runs.values()], actions: [...this.#actions.values()] };
  }

  read(entry: Entry): void {
    const { type, run: id = "", data = {} } = entry;
    if (type === "run.start" && data["task"] === this.#task) {
      const startedMs = Date.parse(entry.at);
      this.#runs.set(id, { run: id, startedMs, endedMs: startedMs, findings: [] });
    }
    const run = this.#runs.get(id);
    if (run === undefined) return;
    run.endedMs = Math.max(run.endedMs, Date.parse(entry.at));
    if (type === "action") this.#action(entry, run);
    else if (type === "repeat") this.#repeat(entry);
    else if (type === "approval") this.#approval(entry);
    else if (type === "finding") run.findings.push(findingOf(entry));
    else if (type === "usage") used(entry, run);
  }

  #action(entry: Entry, { run }: PastRun): void {
    const { action: id = "", verdict, rule = "" } = entry;
    // What a person's yes has performed is told by its approval; what is Cofferdam's own is no use of the task's.
    if (verdict === undefined || this.#actions.has(id) || rule.startsWith("cofferdam.")) return;
    const data = KIND.safeParse(entry.data).data;
    this.#actions.set(id, {
      seq: entry.seq,
      run,
      atMs: Date.parse(entry.at),
      verdict,
      action: data === undefined ? undefined : actionOf(entry, data),
      system: entry.system ?? "",
      verb: data?.verb ?? "",
      count: 1,
    });
  }

  #repeat({ action = "", data = {} }: Entry): void {
    const known = this.#actions.get(action);
    const count = data["count"];
    if (known !== undefined && typeof count === "number") known.count += count;
  }

  #approval({ action: id = "", data = {} }: Entry): void {
    const action = this.#actions.get(id);
    if (action === undefined) return;
    const { state, approval, reason } = data;
    action.approval ??= { id: textOf(approval), state: "", isEdited: false, isTakenBack: false };
    const told = action.approval;
    if (typeof reason === "string" && reason.startsWith("edited: ")) told.isEdited = true;
    if (state === "cancelled" && told.state === "approved") told.isTakenBack = true;
    told.state = textOf(state);
  }
}

function actionOf(entry: Entry, data: z.infer<typeof KIND>): Action {
  const { kind, verb, effects, fields, parts, summary = "", digest = "" } = data;
  const { action: id = "", run = "", at, monoMs, system = "", target = "", process } = entry;
  return {
    ...{ id, run, at, monoMs, system, kind, verb, effects, target, summary, fields, digest },
    ...(parts === undefined
      ? {}
      : {
          parts: parts.map(({ verb: one, effects: does, object, count }) => ({
            ...{ verb: one, effects: does },
            ...(object === undefined ? {} : { object }),
            ...(count === undefined ? {} : { count }),
          })),
        }),
    cause: process ?? UNKNOWN_PROCESS,
  };
}

function findingOf({ seq, at, data = {} }: Entry): Finding {
  const { finding, detail } = data;
  return { seq, kind: textOf(finding), detail: textOf(detail), atMs: Date.parse(at) };
}

function used({ data = {} }: Entry, run: PastRun): void {
  const { memory, pids } = data;
  if (typeof memory === "number") run.memoryBytes = Math.max(run.memoryBytes ?? 0, memory);
  if (typeof pids === "number") run.pids = Math.max(run.pids ?? 0, pids);
}

/** A text of an entry; what is none says nothing. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
