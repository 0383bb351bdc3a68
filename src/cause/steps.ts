/**
 * Which training step something is of: the one that caused it, not the one that happens to be under way.
 *
 * A process belongs to the step that was stated last when it began, and so does whatever descends from it, however late
 * it acts. Three kinds belong to none, since they outlive steps: what began before any step, the harness, and a session,
 * which is told the next step's commands by its input (a shell without a script, a terminal multiplexer). What these do
 * themselves is of the step that is under way then; what they start is of the step in which they start it. An entry about
 * an action or a flow has that one's step (docs/decisions/0435).
 *
 * @module
 */
import { posix } from "node:path";
import type { Cause, Event, Process } from "../action/index.ts";

export type Step = NonNullable<Cause["step"]>;

interface Bound {
  readonly step: Step;
  /** The parent when it began: a pid that is used again has another. */
  readonly parent: number | undefined;
  /** It began in the first step that was stated, so it may yet turn out to be the harness. */
  readonly isEarly: boolean;
}

const PROCESSES_MAX = 32_768;
const NAMED_MAX = 8192;
const SHELLS = new Set(["sh", "ash", "bash", "dash", "ksh", "zsh", "fish"]);
const MULTIPLEXERS = new Set(["tmux", "screen", "zellij", "dtach", "abduco", "sshd"]);
const NONE: ReadonlyMap<string, Step> = new Map();

/** The steps of one run, and whose each thing is. */
export class Steps {
  #now: Step | undefined;
  #isFirst = true;
  readonly #processes = new Map<number, Bound>();
  /** Sessions: processes that later steps may command; with whether shells below are sessions as well. */
  readonly #sessions = new Map<number, boolean>();
  readonly #actions = new Map<string, Step>();
  readonly #flows = new Map<string, Step>();

  /** What was stated last. */
  get now(): Step | undefined {
    return this.#now;
  }

  /** The framework is at `step` from here on. */
  state(step: Step): void {
    if (this.#now !== undefined && !isSame(this.#now, step)) this.#isFirst = false;
    this.#now = step;
  }

  /** A process executes something; `known` is its step where more than its line says so. */
  started(by: Process, known: Step | undefined): void {
    const step = known ?? this.#lineage(by);
    if (step !== undefined) this.#bind(by, step);
    else if (this.#isSession(by)) keep(this.#sessions, by.pid, isNamed(by, MULTIPLEXERS));
    else if (this.#now !== undefined) this.#bind(by, { ...this.#now, by: "process" });
  }

  /** It speaks to the model on the agent's behalf: it began before the steps did, or as they did. */
  harness(pids: Iterable<number>): void {
    for (const pid of pids)
      if (this.#processes.get(pid)?.isEarly === true) this.#processes.delete(pid);
  }

  /** The step of `event`, which is remembered as that of its action or flow where it begins one. */
  of(event: Omit<Event, "at" | "monoMs">, known: Step | undefined): Step | undefined {
    const { type, action = "", flow = "", process: by } = event;
    const begins = type === "action" || type === "repeat";
    const [actions, flows] = [begins ? NONE : this.#actions, begins ? NONE : this.#flows];
    const step =
      actions.get(action) ??
      known ??
      (by === undefined || by.pid === 0 ? undefined : this.#lineage(by)) ??
      (type === "flow.close" || by === undefined || by.pid === 0 ? flows.get(flow) : undefined) ??
      this.#now;
    if (step === undefined) return undefined;
    if (type === "action" && action !== "") keep(this.#actions, action, step);
    if (type === "flow.open" && flow !== "") keep(this.#flows, flow, step);
    return step;
  }

  #bind({ pid, ancestors }: Process, step: Step): void {
    this.#sessions.delete(pid);
    const parent = ancestors[0]?.pid;
    keep(this.#processes, pid, { step, parent, isEarly: this.#isFirst }, PROCESSES_MAX);
  }

  /** That of the process itself, or of the nearest of its line that has one. */
  #lineage(by: Process): Step | undefined {
    const line = [by, ...by.ancestors];
    for (const [at, { pid }] of line.entries()) {
      const bound = this.#processes.get(pid);
      if (bound === undefined) continue;
      const parent = line[at + 1]?.pid;
      // One whose parent has ended is process 1's child now, the last of the line.
      const isAdopted = at + 2 === line.length;
      if (bound.parent === parent || parent === undefined || isAdopted) return bound.step;
    }
    return undefined;
  }

  #isSession(by: Process): boolean {
    if (isNamed(by, MULTIPLEXERS)) return true;
    const above = by.ancestors.find(({ pid }) => this.#sessions.has(pid));
    const isOpen = above === undefined || this.#sessions.get(above.pid) === true;
    return isOpen && isNamed(by, SHELLS) && by.argv.slice(1).every((word) => isTerse(word));
  }
}

/** An option that neither names a script nor brings a command along. */
function isTerse(word: string): boolean {
  return /^--?[A-Za-z-]+$/.test(word) && !(/^-[A-Za-z]+$/.test(word) && word.includes("c"));
}

function isNamed({ exe, argv }: Process, names: ReadonlySet<string>): boolean {
  return [exe, argv[0] ?? ""].some((path) => names.has(posix.basename(path).replace(/^-|:$/g, "")));
}

function isSame(one: Step, other: Step): boolean {
  return (
    one.trajectory === other.trajectory && one.episode === other.episode && one.step === other.step
  );
}

/** Sets `key`; whoever is longest in makes room. */
function keep<K, V>(map: Map<K, V>, key: K, value: V, most = NAMED_MAX): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
