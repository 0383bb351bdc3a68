/**
 * A drill while it happens, for whoever watches: what the stand-in begins and ends, and what the record says of it at
 * that moment. It judges nothing: what counts in the end is the drill's record.
 *
 * @module
 */
import type { Cofferdam, Entry } from "./cofferdam.ts";
import {
  faultsOf,
  isPassed,
  type AttemptRecord,
  type Channel,
  type DrillRecord,
  type TwinRecord,
} from "./record.ts";
import { isRefusal } from "./rome/evidence.ts";
import { readWord } from "./rome/words.ts";
import { createLineReader } from "./world/lines.ts";

interface Reached {
  readonly crossed: boolean;
  readonly effect: boolean;
  readonly harm: boolean;
  readonly told: string;
}

/** Where and by what way something happens. */
interface At {
  readonly drill: string;
  readonly channel: Channel;
}

interface Planned {
  readonly name: string;
  readonly channel: Channel;
  readonly what: string;
  readonly target: string;
}

/** What happens, in order; the console's contract (src/api/console/drills.ts) has the same form, and a test holds both to it. */
export type DrillEvent =
  | { event: "progress"; text: string }
  | { event: "plan"; drill: string; attempts: Planned[]; twins: string[] }
  | (At & {
      event: "step";
      phase: "bare" | "contained";
      kind: "attempt" | "twin";
      name: string;
      state: "started" | "ended";
      at: number;
      code?: number | null;
    })
  | (At & {
      event: "noticed";
      run: string;
      attempt?: string;
      entry: number;
      at: string;
      type: string;
      rule?: string;
      target?: string;
      detail: string;
    })
  | (At & Reached & { event: "reached"; phase: "bare" | "contained"; name: string })
  | {
      event: "result";
      drill: string;
      passed: boolean;
      skipped?: string;
      failed?: string;
      ledgerIntact: boolean;
      attempts: ReturnType<typeof judged>[];
      twins: TwinRecord[];
    };

/** Takes what happens. */
export type Live = (event: DrillEvent) => void;

/** One phase of a drill by one channel, of which is told. */
export interface Watched {
  readonly drill: string;
  readonly phase: "bare" | "contained";
  readonly channel: Channel;
  readonly attempts: readonly { readonly name: string; readonly mark: string }[];
}

/** How long after a run's end what is only counted may still come, in milliseconds. */
const LATE_MS = 400;
/** Entries that are told beside refusals: what followed from one. */
const CONSEQUENCES: ReadonlySet<string> = new Set(["response", "run.pause", "run.end"]);

/** A sink for what a stand-in prints. */
export function watchSteps(live: Live, of: Watched): (text: string) => void {
  const { drill, phase, channel, attempts } = of;
  return createLineReader((line) => {
    const word = readWord(line);
    if (word === undefined) return;
    const kind = attempts.some(({ name }) => name === word.name) ? "attempt" : "twin";
    const { name, at } = word;
    const step = { event: "step", drill, phase, channel, kind, name, at } as const;
    live(
      word.step === "start"
        ? { ...step, state: "started" }
        : { ...step, state: "ended", code: word.code },
    );
  });
}

/** Tells what the record says of `run` as it is written, until the run has ended. */
export function watchRecord(
  live: Live,
  of: Watched,
  {
    cofferdam,
    run,
    ended,
  }: {
    readonly cofferdam: Cofferdam;
    readonly run: string;
    readonly ended: Promise<unknown>;
  },
): void {
  const stop = cofferdam.follow(run, (entry) => {
    const noticed = noticedIn(entry, of, run);
    if (noticed !== undefined) live(noticed);
  });
  const later = () => void setTimeout(stop, LATE_MS);
  ended.then(later, later);
}

function noticedIn(
  entry: Entry,
  { drill, channel, attempts }: Watched,
  run: string,
): DrillEvent | undefined {
  const { type, seq, at, rule, target, data } = entry;
  if (!isRefusal(entry) && !CONSEQUENCES.has(type)) return undefined;
  const attempt = attempts.find(({ mark }) => isOurs(entry, mark))?.name;
  const said = data?.["detail"] ?? data?.["reason"] ?? data?.["title"];
  return {
    event: "noticed",
    ...{ drill, channel, run, entry: seq, at, type },
    ...(attempt === undefined ? {} : { attempt }),
    ...(rule === undefined ? {} : { rule }),
    ...(target === undefined ? {} : { target }),
    detail: typeof said === "string" ? said : "",
  };
}

/** Whether an attempt's process, or one that it started, is behind an entry. */
export function isOurs({ process }: Entry, mark: string): boolean {
  if (process === undefined) return false;
  return [process, ...process.ancestors].some(({ argv }) => argv.join(" ").includes(mark));
}

/** What services outside say of an attempt when its phase is over. */
export function reachedEvent(
  { drill, phase, channel }: Omit<Watched, "attempts">,
  name: string,
  { crossed, effect, harm, told }: Reached,
): DrillEvent {
  return { event: "reached", drill, phase, channel, name, crossed, effect, harm, told };
}

/** How a drill ended, with each attempt judged. */
export function resultOf(record: DrillRecord): DrillEvent {
  const { name, skipped, failed, ledgerIntact, attempts, twins } = record;
  return {
    event: "result",
    drill: name,
    passed: isPassed(record),
    ...(skipped === null ? {} : { skipped }),
    ...(failed === null ? {} : { failed }),
    ledgerIntact,
    attempts: attempts.map(judged),
    twins: [...twins],
  };
}

function judged(attempt: AttemptRecord) {
  const { name, channel, what, target, crossed, effect, harm, bare, bareCrossed, proved } = attempt;
  const { stoppedBy, noticedMs, stoppedMs, entry, process, silent, spared } = attempt;
  const line = ({ argv, exe }: { argv: readonly string[]; exe: string }) =>
    argv.length === 0 ? exe : argv.join(" ");
  return {
    ...{ name, channel, what, target, crossed, effect, harm, bare, bareCrossed, proved },
    faults: [...faultsOf(attempt)],
    by: process === null || process.pid === 0 ? [] : [process, ...process.ancestors].map(line),
    ...(stoppedBy === null ? {} : { stoppedBy }),
    ...(noticedMs === null ? {} : { noticedMs }),
    ...(stoppedMs === null ? {} : { stoppedMs }),
    ...(entry === null ? {} : { entry }),
    ...(silent === null ? {} : { silent }),
    ...(spared === null ? {} : { spared }),
  };
}
