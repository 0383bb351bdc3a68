/**
 * A home with a past: made-up runs of several tasks, written through the ledger itself, the same for the same seed.
 *
 * A tenth of the runs is told as still living; a daemon that opens the home knows only those that ended (their `run.json`),
 * so such runs are shown as the record last told them.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../../src/action/index.ts";
import type { RunInfo } from "../../../src/api/index.ts";
import { systemClock } from "../../../src/base/index.ts";
import { openLedger, type Ledger } from "../../../src/ledger/index.ts";
import { Random } from "./random.ts";
import { endOf, storyOf, type Course, type Draft } from "./story.ts";
import { SAMPLE_TASKS, type SampleTask } from "./tasks.ts";

export interface SampleOptions {
  readonly runs: number;
  /** Entries in all, at least 30 a run. */
  readonly events: number;
  readonly seed?: number;
  /** When the last entry is; by default now. */
  readonly nowMs?: number;
  /** Over how long it went; by default two hours. */
  readonly spanMs?: number;
  /** Whether all have ended, as in a home that no daemon serves. */
  readonly isOver?: boolean;
}

export interface SampleRun {
  readonly run: string;
  readonly task: string;
  readonly course: Course;
}

/** Appends that are under way at once. */
const AT_ONCE = 2048;
/** Entries at the end of a run that belong to its end. */
const END_ENTRIES = 10;

/** Makes the home at `root`; its ledger is closed when this resolves. */
export async function sampleHome(
  root: string,
  options: SampleOptions,
): Promise<readonly SampleRun[]> {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const ledger = await openLedger({
    dir: join(root, "ledger"),
    keys: join(root, "keys"),
    clock: systemClock,
  });
  try {
    return await fill(root, ledger, options);
  } finally {
    await ledger.close();
  }
}

/** Part of its entries come in the last minutes, as when one looks at what happens now. */
const LATE_ENTRIES = 0.12;
const LATE_TIME = 0.02;

/** Which share of the time has passed at which share of the entries. */
function paceOf(share: number): number {
  const early = 1 - LATE_ENTRIES;
  if (share <= early) return (share / early) * (1 - LATE_TIME);
  return Math.min(1, 1 - LATE_TIME + ((share - early) / LATE_ENTRIES) * LATE_TIME);
}

interface Live {
  readonly run: string;
  readonly task: SampleTask;
  readonly course: Course;
  readonly story: Iterator<Draft>;
  readonly first: { seq: number; at: string };
  left: number;
  last: { seq: number; at: string };
}

async function fill(
  root: string,
  ledger: Ledger,
  { runs, events, seed = 7, nowMs = Date.now(), spanMs = 7_200_000, isOver = false }: SampleOptions,
): Promise<readonly SampleRun[]> {
  const random = new Random(seed);
  const shares = Array.from({ length: runs }, () => 0.3 + random.next());
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const all = shares.map((share, n) =>
    liveOf(n, runs, Math.max(30, Math.floor((share / whole) * events)), random, isOver),
  );
  const startMs = nowMs - spanMs;
  const total = all.reduce((sum, { left }) => sum + left, 0);
  let open = [...all];
  let waiting: Promise<number>[] = [];
  for (let n = 0; open.length > 0; n += 1) {
    const atMs = startMs + Math.floor(spanMs * paceOf(n / total));
    // Not all at once: runs come one after another, and some are still there at the end.
    const begun = Math.max(1, Math.ceil(open.length * Math.min(1, 0.25 + (1.2 * n) / total)));
    const live = open[random.below(begun)];
    if (live === undefined) break;
    const next = live.story.next();
    live.left -= 1;
    if (next.done === true) {
      open = open.filter((one) => one !== live);
      continue;
    }
    const at = new Date(atMs).toISOString();
    const event: Event = { ...next.value, at, monoMs: atMs - startMs, run: live.run };
    const seq = ledger.size;
    if (live.first.at === "") Object.assign(live.first, { seq, at });
    live.last = { seq, at };
    waiting.push(ledger.append(event));
    if (waiting.length === AT_ONCE) {
      await Promise.all(waiting);
      await ledger.checkpoint();
      waiting = [];
    }
  }
  await Promise.all(waiting);
  for (const live of all) if (isOver || isEnded(live.course)) saveRun(root, live);
  return all.map(({ run, task, course }) => ({ run, task: task.task, course }));
}

function isEnded(course: Course): boolean {
  return course === "ended" || course === "incident";
}

function courseOf(n: number, runs: number, isOver: boolean): Course {
  if (n === Math.floor(runs / 2)) return "incident";
  const fromEnd = runs - 1 - n;
  if (isOver || fromEnd >= Math.max(3, Math.ceil(runs / 10))) return "ended";
  return (["waits", "calm", "paused"] as const)[fromEnd % 3] ?? "calm";
}

function liveOf(n: number, runs: number, entries: number, random: Random, isOver: boolean): Live {
  const task = SAMPLE_TASKS[n % SAMPLE_TASKS.length] ?? random.pick(SAMPLE_TASKS);
  const course = courseOf(n, runs, isOver);
  return {
    run: `r-${String(n).padStart(4, "0")}${random.id(10)}`,
    task,
    course,
    story: until(entries - END_ENTRIES, storyOf(task, random), endOf(course, task, random)),
    first: { seq: 0, at: "" },
    left: entries,
    last: { seq: 0, at: "" },
  };
}

function* until(count: number, story: Iterable<Draft>, end: Iterable<Draft>): Generator<Draft> {
  let n = 0;
  for (const draft of story) {
    if (n >= count) break;
    n += 1;
    yield draft;
  }
  yield* end;
}

/** What a daemon that ended the run would have left. */
function saveRun(root: string, { run, task, course, first, last }: Live): void {
  const end =
    course === "incident"
      ? { reason: "finding", detail: "tunnel: ssh in the connection to updates.example.net:443" }
      : { reason: "exited", code: 0 };
  const info: RunInfo = {
    run,
    task: task.task,
    purpose: task.purpose,
    state: "ended",
    command: [...task.command],
    workspace: task.workspace,
    workspaceMode: "overlay",
    startedAt: first.at,
    endedAt: last.at,
    end,
    entries: { first: first.seq, last: last.seq },
    counts: { flows: 1, actions: 1, denials: 1, findings: course === "incident" ? 1 : 0 },
  };
  const folder = join(root, "runs", run);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "run.json"), JSON.stringify(info), { mode: 0o600 });
  writeFileSync(join(folder, "task.yaml"), task.source, { mode: 0o600 });
}
