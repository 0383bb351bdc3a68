/**
 * Ties what a run does to the tool call behind it.
 *
 * A tool call counts only where the harness was given it: in an answer of the model to a process that no tool call
 * started. A process belongs to a call if its words are the call's command, or it descends from such a process; what
 * fits no call, or several alike, is tied to none rather than to a guess. Every tie says how it is known and how
 * surely (src/action/cause.ts).
 *
 * @module
 */
import type { Cause, Event, Process } from "../action/index.ts";
import { asksOf, type Asks, type Command } from "./asks.ts";
import { Steps, type Step } from "./steps.ts";
import { executes, isWithin, wordsOf, type Words } from "./match.ts";

/** What ties one run's events. */
export interface Joiner {
  /** Takes the next event of the run; gives what it belongs to, or nothing where that is not known. */
  observe(event: Omit<Event, "at" | "monoMs">): Cause | undefined;
}

type Tie = NonNullable<Cause["call"]>;
type Source = Tie["source"];

interface Call {
  readonly id: string;
  readonly name: string;
  readonly source: Source;
  readonly asks: Asks;
  /** Until the agent tells the model what it gave. */
  open: boolean;
  /** A process that executes it was seen. */
  started: boolean;
  /** What is left of its processes when they are many. */
  past?: Tie;
}

interface Tied {
  readonly call: Call;
  readonly tie: Tie;
  /** The parent when it was tied: a pid that is used again has another. */
  readonly parent: number | undefined;
}

/** A command that somebody had the run execute, and the step that it is of. */
interface Executed {
  readonly id: string;
  readonly step: Cause["step"];
}

/** Commands of which what they left behind is known as theirs. */
const EXECS_MAX = 4096;
const OPEN_MAX = 256; // Of what was read, and as many of what is claimed.
const SPANS_MAX = 1024;
const CALL_STEPS_MAX = 4096;
const TIED_MAX = 8192;
/** Processes of which only the call is remembered, behind those that are tied. */
const PAST_MAX = 32_768;
/** How sure a tie is at most, where it rests on what the agent's side says. */
const CLAIM_CONFIDENCE_MAX = 0.5;
/** Characters of a process that are compared with open commands, one by one: the newest calls go first. */
const COMPARED_CHARS_MAX = 1 << 20;
const SOURCES: ReadonlySet<string> = new Set(["model", "mcp", "hook", "trace"]);

export function createJoiner(): Joiner {
  return new RunJoiner();
}

class RunJoiner implements Joiner {
  /** The open ones, by source and id: the newest last. */
  readonly #open = new Map<string, Call>();
  /** Processes that a model answered and that no tool call started, and what those descend from. */
  readonly #harness = new Set<number>();
  /** Calls by the span that the agent's side says is theirs. */
  readonly #spans = new Map<string, Call>();
  readonly #tied = new Map<number, Tied>();
  /** Those before, with their parents: whoever starts many processes does not become the harness by that. */
  readonly #past = new Map<number, { readonly tie: Tie; readonly parent: number | undefined }>();
  /** There were more: from then on whoever is not known as of the harness is not of it. */
  #isLossy = false;
  readonly #steps = new Steps();
  /** The step in which a call was read, by source and id. */
  readonly #callSteps = new Map<string, Step>();
  /** Commands that somebody had the run execute, by the number of their keeper. */
  readonly #execs = new Map<number, Executed>();
  /** Those under way, by their ids. */
  readonly #underWay = new Map<string, Executed>();

  observe(event: Omit<Event, "at" | "monoMs">): Cause | undefined {
    const call = this.#callOf(event);
    const exec = this.#execOf(event);
    const step = event.cause?.step ?? this.#stepOf(event, call, exec);
    const cause = {
      ...event.cause,
      ...(call === undefined ? {} : { call }),
      ...(exec === undefined ? {} : { exec: exec.id }),
      ...(step === undefined ? {} : { step }),
    };
    return Object.keys(cause).length === 0 ? undefined : cause;
  }

  #execOf({ type, process: by, data = {} }: Omit<Event, "at" | "monoMs">): Executed | undefined {
    if (type === "exec") return this.#began(data);
    if (type === "exec.end") return this.#over(data);
    if (by === undefined) return undefined;
    const line = [by, ...by.ancestors];
    // A keeper is a child of process 1, the last of the line; one of that number elsewhere is another process.
    const at = line.findIndex(({ pid }, n) => n >= line.length - 2 && this.#execs.has(pid));
    return at < 0 ? undefined : this.#execs.get(line[at]?.pid ?? -1);
  }

  /** A command's is certain; a call's where the process executes just that; else src/cause/steps.ts says. */
  #stepOf(
    event: Omit<Event, "at" | "monoMs">,
    call: Tie | undefined,
    exec: Executed | undefined,
  ): Cause["step"] {
    const { type, process: by, data = {} } = event;
    if (type === "step") {
      const stated = stepOf(data);
      if (stated !== undefined) this.#steps.state(stated);
      return this.#steps.now;
    }
    const read = call?.by === "argv" ? this.#callSteps.get(`${call.source} ${call.id}`) : undefined;
    const known =
      exec?.step ?? (read === undefined ? this.#onlyOf(by) : { ...read, by: "call" as const });
    if (type === "process.start" && by !== undefined && !this.#harness.has(by.pid))
      this.#steps.started(by, known);
    return this.#steps.of(event, known);
  }

  /** Of what no process is known for, as a question to the resolver: the one command's that is under way. */
  #onlyOf(by: Process | undefined): Cause["step"] {
    const [only, ...others] = by === undefined ? this.#underWay.values() : [];
    return only !== undefined && others.length === 0 ? only.step : undefined;
  }

  #over({ exec }: NonNullable<Event["data"]>): Executed | undefined {
    const ended = typeof exec === "string" ? this.#underWay.get(exec) : undefined;
    if (ended !== undefined) this.#underWay.delete(ended.id);
    return ended;
  }

  #began({ exec, pid, step }: NonNullable<Event["data"]>): Executed | undefined {
    if (typeof exec !== "string" || typeof pid !== "number") return undefined;
    const said = stepOf(step) ?? this.#steps.now;
    const begun = { id: exec, step: said && { ...said, by: "exec" as const } };
    this.#underWay.set(exec, begun);
    this.#execs.delete(pid);
    this.#execs.set(pid, begun);
    if (this.#execs.size > EXECS_MAX) this.#execs.delete(this.#execs.keys().next().value ?? -1);
    return begun;
  }

  #callOf({ type, target, process: by, data = {} }: Omit<Event, "at" | "monoMs">): Tie | undefined {
    if (type === "step") return undefined;
    if (type === "tool.call") return this.#opened(data, by);
    if (type === "tool.result") return this.#closed(data, by);
    if (type === "model") return this.#asked(by);
    if (by === undefined || by.pid === 0) return undefined;
    if (type === "process.start") return this.#started(by);
    const from = this.#lineage(by)?.tie ?? this.#pastOf(by);
    // What a process uses is its own doing: no call is behind it for being the only one that is open.
    if (type === "usage") return from;
    return from ?? this.#spanned(data) ?? this.#ownOf(target, by);
  }

  #opened(data: NonNullable<Event["data"]>, by: Process | undefined): Tie | undefined {
    const { call: id, name, source, input } = data;
    if (typeof id !== "string" || typeof name !== "string" || !isSource(source)) return undefined;
    // What a tool call's own process has a model say is that call's doing, and no call.
    const caller = this.#asked(by);
    if (caller !== undefined) return caller;
    if (by !== undefined && by.pid !== 0 && !this.#harness.has(by.pid)) return undefined;
    const call = { id, name, source, asks: asksOf(input), open: true, started: false };
    const key = `${source} ${id}`;
    const span = spanOf(data);
    if (span !== undefined) {
      this.#spans.set(span, call);
      if (this.#spans.size > SPANS_MAX) this.#spans.delete(this.#spans.keys().next().value ?? "");
    }
    this.#open.delete(key);
    this.#open.set(key, call);
    this.#callSteps.delete(key);
    if (this.#steps.now !== undefined) this.#callSteps.set(key, this.#steps.now);
    if (this.#callSteps.size > CALL_STEPS_MAX)
      this.#callSteps.delete(this.#callSteps.keys().next().value ?? "");
    // Each kind on its own: what the agent's side says makes nothing forgotten that was read.
    const alike = [...this.#open].filter(([, one]) => isClaim(one) === isClaim(call));
    for (const [oldest, forgotten] of alike.slice(0, -OPEN_MAX)) {
      forgotten.open = false;
      this.#open.delete(oldest);
    }
    return tieOf(call, "argv", 1);
  }

  #closed(data: NonNullable<Event["data"]>, by: Process | undefined): Tie | undefined {
    const { call: id, source = "model" } = data;
    if (typeof id !== "string" || !isSource(source)) return undefined;
    const caller = this.#asked(by);
    if (caller !== undefined) return caller;
    const key = `${source} ${id}`;
    const call = this.#open.get(key);
    if (call === undefined) return undefined;
    call.open = false;
    this.#open.delete(key);
    return tieOf(call, "argv", 1);
  }

  /** A process that spoke to a model: what started it, or it is of the harness. */
  #asked(by: Process | undefined): Tie | undefined {
    if (by === undefined || by.pid === 0) return undefined;
    const from = this.#lineage(by)?.tie ?? this.#pastOf(by);
    if (from === undefined && !this.#isLossy && this.#harness.size < TIED_MAX) {
      const line = [by, ...by.ancestors].map(({ pid }) => pid);
      for (const pid of line) this.#harness.add(pid);
      this.#steps.harness(line);
    }
    return from;
  }

  /** A process executes something: what it is tied to from now on. */
  #started(by: Process): Tie | undefined {
    if (this.#harness.has(by.pid)) return undefined;
    const words = wordsOf(by.argv);
    const from = this.#lineage(by);
    const told = this.#matching(words);
    if (told !== undefined && (from === undefined || !from.call.open || told.call === from.call))
      return this.#tie(by, told.call, told.tie);
    if (from?.call.open === true) return this.#tie(by, from.call, lineageOf(from.tie));
    // A shell that lives on is told the next command by its input: what it starts is within that.
    const within = this.#within(words);
    if (within !== undefined) return this.#tie(by, within, tieOf(within, "argv", 0.9));
    if (from !== undefined) return this.#tie(by, from.call, lineageOf(from.tie));
    const naming = this.#theOne(
      ({ asks }) => isTool(asks) && by.argv.some((word) => asks.texts.has(word)),
    );
    return naming === undefined
      ? this.#pastOf(by)
      : this.#tie(by, naming, tieOf(naming, "argv", 0.8));
  }

  #matching(words: Words): { readonly call: Call; readonly tie: Tie } | undefined {
    const fit = (command: Command) => executes(words, command);
    return tryEach(this.#groups(), (open) => matchIn(newestOf(open, words), fit));
  }

  #within(words: Words): Call | undefined {
    return this.#theOne(({ asks }) => asks.commands.some((command) => isWithin(words, command)));
  }

  /** The one open call that fits; none where there are several. */
  #theOne(fits: (call: Call) => boolean): Call | undefined {
    return tryEach(this.#groups(), (open) => {
      const [call, ...others] = open.filter(fits);
      return others.length === 0 ? call : undefined;
    });
  }

  /** What was read outside of the agent's reach goes before what its side says. */
  #groups(): readonly (readonly Call[])[] {
    const open = [...this.#open.values()];
    return [open.filter((call) => !isClaim(call)), open.filter(isClaim)];
  }

  /** What the request itself says it is for. */
  #spanned(data: NonNullable<Event["data"]>): Tie | undefined {
    const call = this.#spans.get(spanOf(data) ?? "");
    return call === undefined ? undefined : tieOf(call, "claim", CLAIM_CONFIDENCE_MAX);
  }

  /** What is asked for by a process that no call started: the harness itself, or a server of tools that it keeps. */
  #ownOf(target: string | undefined, by: Process): Tie | undefined {
    const host = target === undefined ? "" : hostOf(target);
    const naming = this.#theOne(({ asks }) => asks.hosts.has(host));
    if (naming !== undefined) return tieOf(naming, "argv", 0.9);
    // The harness has reasons of its own, the model's next answer above all.
    if (this.#harness.has(by.pid)) return undefined;
    const only = this.#theOne(({ asks }) => isTool(asks));
    return only === undefined ? undefined : tieOf(only, "only", 0.5);
  }

  /** What the process or the nearest of its ancestors is tied to. */
  #lineage(by: Process): Tied | undefined {
    const line = [by, ...by.ancestors];
    for (const [at, { pid }] of line.entries()) {
      const tied = this.#tied.get(pid);
      if (tied === undefined) continue;
      // At the end of the line parents are left out (src/provenance): there the pid has to do.
      const parent = line[at + 1]?.pid;
      if (tied.parent === parent || parent === undefined) return at === 0 ? tied : descendant(tied);
    }
    return undefined;
  }

  /** The call that it, or the nearest of its ancestors, was of long ago. */
  #pastOf(by: Process): Tie | undefined {
    const line = [by, ...by.ancestors];
    for (const [at, { pid }] of line.entries()) {
      if (this.#harness.has(pid)) return undefined;
      const past = this.#past.get(pid);
      const parent = line[at + 1]?.pid;
      if (past !== undefined && (past.parent === parent || parent === undefined)) return past.tie;
    }
    return undefined;
  }

  #tie(by: Process, call: Call, tie: Tie): Tie {
    call.started = true;
    this.#tied.delete(by.pid);
    this.#tied.set(by.pid, { call, tie, parent: by.ancestors[0]?.pid });
    if (this.#tied.size > TIED_MAX) this.#passOldest();
    return tie;
  }

  #passOldest(): void {
    for (const [pid, { call, parent }] of this.#tied) {
      this.#tied.delete(pid);
      call.past ??= tieOf(call, "lineage", 0.5);
      this.#past.delete(pid);
      this.#past.set(pid, { tie: call.past, parent });
      break;
    }
    for (const pid of this.#past.keys()) {
      if (this.#past.size <= PAST_MAX) return;
      this.#past.delete(pid);
      this.#isLossy = true;
    }
  }
}

/** Those of `open` that `words` are compared with: whoever floods the calls may tie nothing, but holds up nobody. */
function newestOf(open: readonly Call[], { chars }: Words): readonly Call[] {
  let left = COMPARED_CHARS_MAX;
  const from = open.findLastIndex(({ asks }) => (left -= chars * asks.commands.length) < 0);
  return open.slice(from + 1);
}

/** The call of `open` whose command fits best; of several with the same command the first that nothing executes yet. */
function matchIn(
  open: readonly Call[],
  fit: (command: Command) => number,
): { readonly call: Call; readonly tie: Tie } | undefined {
  let best: { calls: Call[]; text: string; sure: number } | undefined;
  for (const call of open) {
    for (const command of call.asks.commands) {
      const sure = fit(command);
      if (sure === 0) continue;
      if (best !== undefined && command.bare === best.text) best.calls.push(call);
      else if (best === undefined || command.bare.length > best.text.length)
        best = { calls: [call], text: command.bare, sure };
      break; // Longest first.
    }
  }
  if (best === undefined) return undefined;
  const [first, ...others] = best.calls;
  if (first === undefined) return undefined;
  if (others.length === 0) return { call: first, tie: tieOf(first, "argv", best.sure) };
  const call = best.calls.find(({ started }) => !started) ?? first;
  return { call, tie: tieOf(call, "time", 1 / best.calls.length) };
}

function tieOf({ id, name, source }: Call, by: Tie["by"], confidence: number): Tie {
  if (!isClaim({ source })) return { id, name, source, by, confidence };
  const most = Math.min(confidence, CLAIM_CONFIDENCE_MAX);
  return { id, name, source, by: "claim", confidence: most };
}

/** W3C Trace Context's parent id, where an event carries one. */
function spanOf(data: NonNullable<Event["data"]>): string | undefined {
  const { trace } = data;
  if (typeof trace !== "object" || trace === null || Array.isArray(trace)) return undefined;
  const { spanId } = trace;
  return typeof spanId === "string" ? spanId : undefined;
}

/** Whether it is only the agent's side that says so. */
function isClaim({ source }: Pick<Call, "source">): boolean {
  return source === "hook" || source === "trace";
}

function tryEach<From, To>(
  froms: readonly From[],
  attempt: (from: From) => To | undefined,
): To | undefined {
  for (const from of froms) {
    const to = attempt(from);
    if (to !== undefined) return to;
  }
  return undefined;
}

function lineageOf(tie: Tie): Tie {
  return tie.by === "argv" ? { ...tie, by: "lineage" } : tie;
}

function descendant(tied: Tied): Tied {
  return { ...tied, tie: lineageOf(tied.tie) };
}

/** A tool of the agent's own or of a server, rather than a command. */
function isTool({ commands }: Asks): boolean {
  return commands.length === 0;
}

/** Of `https://Host:port/path`, `host:port` or `host`. */
function hostOf(target: string): string {
  const at = target.indexOf("://");
  const rest = at < 0 ? target : target.slice(at + 3);
  return (/^[A-Za-z0-9.-]*/.exec(rest)?.[0] ?? "").toLowerCase();
}

function stepOf(said: unknown): Cause["step"] {
  if (typeof said !== "object" || said === null) return undefined;
  const { trajectory, episode, step } = said as Readonly<Record<string, unknown>>;
  return typeof trajectory === "string" && typeof episode === "string" && typeof step === "number"
    ? { trajectory, episode, step }
    : undefined;
}

function isSource(value: unknown): value is Source {
  return typeof value === "string" && SOURCES.has(value);
}
