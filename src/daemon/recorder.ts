/**
 * One run's way to the ledger: stamps both clocks, counts, merges floods, and keeps the run's own
 * entry numbers. The only place of the daemon where a run's events become entries.
 *
 * @module
 */
import type { Event, Process } from "../action/index.ts";
import type { Clock } from "../base/index.ts";
import { createJoiner } from "../cause/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { Deeds } from "./deeds.ts";
import { Reasons } from "./reasons.ts";
import { EventBudget, IntentPace } from "./event-budget.ts";

/** An event before the recorder stamps it. */
export type RunEvent = Omit<Event, "at" | "monoMs" | "run">;

/** How long what merged waits at least, and while the run floods; the end of the run waits for neither. */
const DRAIN_MS = 1_000;
const DRAIN_FLOODED_MS = 10_000;
/** Types that a hostile run can cause without limit, and that merge. */
const BUDGETED: ReadonlySet<Event["type"]> = new Set(["denial", "dns", "process.start", "finding"]);
/** The same of a model's answers, apart: a build that starts many processes costs no tool call its entry. */
const TOOLS: ReadonlySet<Event["type"]> = new Set(["model", "tool.call", "tool.result"]);
/** Types that cannot merge: they stand before an act, which waits for them. Others follow from these. */
const PACED: ReadonlySet<Event["type"]> = new Set(["flow.open", "action"]);

/** Numbers that `ps` shows. */
export interface Counts {
  flows: number;
  actions: number;
  denials: number;
  findings: number;
}

const COUNTED: Readonly<Partial<Record<Event["type"], keyof Counts>>> = {
  "flow.open": "flows",
  action: "actions",
  denial: "denials",
  finding: "findings",
};

/** Records the events of run `run`. */
export class Recorder {
  readonly run: string;
  readonly counts: Counts = { flows: 0, actions: 0, denials: 0, findings: 0 };
  readonly entries = { first: -1, last: -1 };
  readonly deeds = new Deeds();
  readonly reasons = new Reasons();
  readonly #joiner = createJoiner();
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #budget = new EventBudget<RunEvent>();
  readonly #toolBudget = new EventBudget<RunEvent>();
  readonly #failed: (error: unknown) => void;
  readonly #pace = new IntentPace();
  readonly #waiting = new Set<() => void>();
  /** Told when the time between two held calls of the run shall be another: it floods, or no longer. */
  onHold: (holdMs: number) => void = () => {};
  /** Shown every event as it comes, also one that merges; gives what follows from it, to be done behind its entry. */
  watch: (event: Event) => (() => void) | undefined = () => undefined;
  #holdMs = 0;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  /** `failed` is told when the ledger cannot take an entry: the run must then end. */
  constructor(run: string, ledger: Ledger, clock: Clock, failed: (error: unknown) => void) {
    this.run = run;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Writes one event, or merges it with its equals when the run floods; gives its number, or -1. */
  async record(said: RunEvent, options: { sync?: boolean } = {}): Promise<number> {
    const cause = this.#joiner.observe(said);
    const event = cause === undefined ? said : { ...said, cause };
    const counter = COUNTED[event.type];
    const count = countOf(event);
    if (counter !== undefined) this.counts[counter] += count;
    this.deeds.note(event);
    this.reasons.note(event);
    const follow = this.watch(this.#stamped(event));
    const key = keyOf(event);
    const isTool = TOOLS.has(event.type);
    if (isTool || BUDGETED.has(event.type)) {
      const budget = isTool ? this.#toolBudget : this.#budget;
      const admission = budget.admit(key, event, this.#clock.now().monoMs, count);
      this.#press();
      if (admission === "merge") {
        follow?.(); // A flood of its own hides nothing.
        return -1;
      }
    }
    if (PACED.has(event.type)) await this.#turn();
    const appended = this.#append(event, options);
    follow?.(); // Taken behind it: the ledger keeps the order of the calls.
    return appended;
  }

  /** Records and goes on: the order is that of the calls, and a failure ends the run. */
  note(event: RunEvent): void {
    this.record(event).catch(this.#failed);
  }

  /** From here on nothing waits for its turn: the run is ending. */
  hurry(): void {
    this.#ending = true;
    for (const go of this.#waiting) go();
  }

  /** The run did not end after all: its command is started again. */
  goOn(): void {
    this.#ending = false;
  }

  /** What something that is told elsewhere belongs to: an approval's entries outlive the run. */
  causeOf(about: RunEvent): Event["cause"] {
    return this.#joiner.observe(about);
  }

  /** Writes out what was merged. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { first, count } of [...this.#budget.drain(), ...this.#toolBudget.drain()]) {
      const data = { ...first.data, merged: count };
      await this.#append(count === 1 ? first : { ...first, data }, {});
    }
    this.#press();
  }

  /** Slows the run as its budget says, and sees to it that what merged is written some time. */
  #press(): void {
    const { monoMs } = this.#clock.now();
    const holdMs = Math.max(this.#budget.holdMs(monoMs), this.#toolBudget.holdMs(monoMs));
    if (holdMs !== this.#holdMs) this.onHold(holdMs);
    this.#holdMs = holdMs;
    const hasMerged = this.#budget.hasMerged || this.#toolBudget.hasMerged;
    if (this.#ending || (holdMs === 0 && !hasMerged)) return;
    const drain = () => void this.flush().catch(this.#failed);
    this.#timer ??= setTimeout(drain, holdMs === 0 ? DRAIN_MS : DRAIN_FLOODED_MS).unref();
  }

  /** Resolves when an intent of a run that writes too many may be written. */
  async #turn(): Promise<void> {
    const waitMs = this.#pace.take(this.#clock.now().monoMs);
    if (waitMs === 0 || this.#ending) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, waitMs).unref();
      this.#waiting.add(go);
    });
  }

  async #append(event: RunEvent, options: { sync?: boolean }): Promise<number> {
    const seq = await this.#ledger.append(this.#stamped(event), options);
    if (this.entries.first < 0) this.entries.first = seq;
    this.entries.last = Math.max(this.entries.last, seq);
    return seq;
  }

  #stamped(event: RunEvent): Event {
    const { wallMs, monoMs } = this.#clock.now();
    return { ...event, at: new Date(wallMs).toISOString(), monoMs, run: this.run };
  }
}

/** What makes two events equal: entries of two steps, or of two calls' commands, never merge into one. */
function keyOf({ type, rule = "", target = "", process, cause }: RunEvent): string {
  const { trajectory = "", episode = "", step = "" } = cause?.step ?? {};
  const who = process?.exe ?? "";
  return JSON.stringify([type, rule, target, who, trajectory, episode, step]);
}

/** How many equal events `event` stands for already. */
function countOf(event: RunEvent): number {
  const merged = event.data?.["merged"];
  return typeof merged === "number" ? merged : 1;
}

const ARGV_MAX = 32;
const TEXT_MAX = 512;

/** Arguments as far as an entry has room for them. */
export function briefArguments(argv: readonly string[]): string[] {
  return argv
    .slice(0, ARGV_MAX)
    .map((word) => (word.length > TEXT_MAX ? `${word.slice(0, TEXT_MAX)}…` : word));
}

/** A process without what an entry has no room for. */
export function briefProcess(process: Process): Process {
  return {
    ...process,
    argv: briefArguments(process.argv),
    ancestors: process.ancestors.map((node) => ({
      ...node,
      argv: briefArguments(node.argv).slice(0, 8),
    })),
  };
}
