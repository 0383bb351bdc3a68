/**
 * Commands in runs that live: begun on record, streamed to whoever asked, ended when that one goes.
 *
 * @module
 */
import type { Readable } from "node:stream";
import type { ExecInfo, ExecLine, ExecStart } from "../api/index.ts";
import { createId, describeError, Fault, type Clock, type Log } from "../base/index.ts";
import type { AgentStreams, Execution, ExecutionEnd } from "../sandbox/index.ts";
import type { Run } from "./run.ts";
import { Output, type Piece } from "./exec-output.ts";
import { briefArguments } from "./recorder.ts";

/** Commands of one run at once; native/exec.c has room for no more. */
const LIVE_MAX = 250;
/** Streams of one run that are read on for nobody; of more, those longest read break. */
const LEFT_MAX = 128;
/** How long all of a command may outlive its cancelling, before its run is ended for it. */
const CANCEL_MS_MAX = 5000;
/** And so many times that, as long as others of its run that were cancelled end. */
const CANCEL_WAITS_MAX = 12;

/** What a command was begun for: on record, and why it ends. */
interface Live {
  readonly info: ExecInfo;
  readonly execution: Execution;
  cancel(reason: "cancelled" | "timeout"): void;
}

/** Of a command that is none of its caller's own: a file that is read or written. */
export interface Purpose {
  readonly file: { readonly op: string; readonly path: string };
}

/** A command that has begun. */
export interface Begun {
  readonly exec: string;
  /** Its number on the record. */
  readonly entry: number;
  readonly streams: Exclude<AgentStreams, { readonly kind: "none" }>;
  /** Resolves when it has ended, or is cancelled and stands still with its run; {@link Begun.close} is to be called behind it. */
  readonly ended: Promise<ExecutionEnd>;
  cancel(reason: "cancelled" | "timeout"): void;
  /** What it says until it has ended; once. Where nobody takes it, it waits. */
  said(): AsyncIterable<Piece>;
  /** Puts its end on record, with the bytes that came out, and those that went in where they were counted. */
  close(exit: ExecutionEnd, bytes?: { readonly stdin: number }): Promise<ExecLine>;
}

async function* linesOf(begun: Begun, gone: AbortSignal): AsyncIterable<ExecLine> {
  const cancel = () => begun.cancel("cancelled");
  gone.addEventListener("abort", cancel, { once: true });
  if (gone.aborted) cancel();
  let isOver = false;
  let last: ExecLine | undefined;
  try {
    yield { type: "started", exec: begun.exec, entry: begun.entry };
    for await (const { name, chunk } of begun.said()) {
      yield { type: name, data: chunk.toString("base64") };
    }
    isOver = true;
  } finally {
    gone.removeEventListener("abort", cancel);
    if (!isOver) cancel();
    last = await begun.close(await begun.ended);
  }
  yield last;
}

/** The commands of all runs. */
export class Execs {
  readonly #live = new Map<string, Map<string, Live>>();
  /** By run: what commands left behind hold open. */
  readonly #left = new Map<string, Set<Readable>>();
  /** How many commands of a run were cancelled and have ended. */
  readonly #cancelled = new WeakMap<Run, number>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #settle: (run: string) => void;

  /** @param settle puts on record what a run used until now, with the step that was under way */
  constructor(clock: Clock, log: Log, settle: (run: string) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#settle = settle;
  }

  list(run: string): ExecInfo[] {
    return [...(this.#live.get(run)?.values() ?? [])].map(({ info }) => info);
  }

  /** @throws {Fault} `daemon.no_such_exec` where it has ended, or never was. */
  get(run: string, exec: string): Execution {
    return this.#find(run, exec).execution;
  }

  cancel(run: string, exec: string): void {
    this.#find(run, exec).cancel("cancelled");
  }

  /**
   * Begins a command: on record before its first instruction (INV-220).
   *
   * @throws {Fault} `daemon.state`, `daemon.execs`, `sandbox.exec`
   */
  async begin(run: Run, start: ExecStart, purpose?: Purpose): Promise<Begun> {
    const parts = run.living();
    if ((this.#live.get(run.id)?.size ?? 0) >= LIVE_MAX) {
      throw new Fault("daemon.execs", `${LIVE_MAX} commands of ${run.id} are under way`, {
        hint: "wait for one of them, or cancel it",
      });
    }
    const { argv, label, step } = start;
    const { wallMs, monoMs } = this.#clock.now();
    const exec = createId("x", wallMs);
    const info: ExecInfo = {
      exec,
      argv: briefArguments(argv),
      ...(label === undefined ? {} : { label }),
      ...(step === undefined ? {} : { step }),
      startedAt: new Date(wallMs).toISOString(),
    };
    const execution = await parts.exec(start);
    const { streams } = execution;
    // Looked up only now: who ended meanwhile may have been the last of the one before.
    const of = this.#live.get(run.id) ?? new Map<string, Live>();
    this.#live.set(run.id, of);
    let reason: "cancelled" | "timeout" | undefined;
    let escalation: NodeJS.Timeout | undefined;
    const stands = Promise.withResolvers<ExecutionEnd>();
    const over = Promise.race([execution.ended, stands.promise]);
    void execution.ended.then(() => {
      if (escalation === undefined) return;
      clearInterval(escalation);
      this.#cancelled.set(run, (this.#cancelled.get(run) ?? 0) + 1);
    });
    let entry: number | undefined;
    const cancel = (why: "cancelled" | "timeout") => {
      reason ??= why;
      execution.cancel();
      escalation ??= this.#escalate(run, info, (problem) => stands.resolve({ problem }));
    };
    try {
      if (streams.kind === "none") throw new Fault("sandbox.exec", "a command without streams");
      of.set(exec, { info, execution, cancel });
      if (step !== undefined) this.#settle(run.id);
      entry = await run.record({
        type: "exec",
        target: argv[0] ?? "",
        data: {
          exec,
          argv: info.argv,
          pid: execution.keeperPid,
          ...(label === undefined ? {} : { label }),
          ...(step === undefined ? {} : { step }),
          ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
          ...(purpose === undefined ? {} : { file: purpose.file }),
        },
      });
      run.living(); // It may have been paused since: where signals do that, what begins now would go on.
    } catch (error) {
      clearInterval(escalation); // Nothing of it began: there is nothing that its run would be ended for.
      execution.cancel();
      of.delete(exec);
      if (of.size === 0) this.#live.delete(run.id);
      // It is on record as begun: without an end, what comes later would be told as its.
      if (entry !== undefined && run.alive) {
        const detail = describeError(error);
        const data = { exec, signal: "SIGKILL", reason: "not-started", detail, durationMs: 0 };
        // What cannot be recorded ends the run, where it is recorded.
        await run
          .record({ type: "exec.end", data: { ...data, stdout: 0, stderr: 0 } })
          .catch(() => {});
      }
      if (streams.kind === "pipes") for (const one of pipesOf(streams)) one.destroy();
      if (streams.kind === "terminal") streams.terminal.destroy();
      throw error;
    }
    const timer =
      start.timeoutMs === undefined
        ? undefined
        : setTimeout(() => cancel("timeout"), start.timeoutMs);
    const output = new Output(streams);
    execution.go();
    return {
      exec,
      entry,
      streams,
      ended: over,
      cancel,
      said: () => output.until(over),
      close: async (exit, bytes) => {
        this.#leave(run.id, output.forget());
        clearTimeout(timer);
        of.delete(exec);
        if (of.size === 0) this.#live.delete(run.id);
        // Nobody has input for what it left behind, and an end that nobody reads tells of no close.
        if (streams.kind === "pipes") streams.stdin.destroy();
        const { problem, withRun, ...how } = exit;
        const own = problem === undefined ? ("exited" as const) : ("not-started" as const);
        const ended = {
          ...how,
          reason: withRun === true || run.isEnding ? ("run" as const) : (reason ?? own),
          ...(problem === undefined ? {} : { detail: problem }),
        };
        const durationMs = Math.round(this.#clock.now().monoMs - monoMs);
        // Its run's end may be on record already: then that is the end of this, too.
        if (run.alive && step !== undefined) this.#settle(run.id);
        if (run.alive) {
          const data = { exec, ...ended, ...output.bytes, ...bytes, durationMs };
          await run.record({ type: "exec.end", data });
        }
        return { type: "ended", ...ended };
      },
    };
  }

  /** `run.exec`: begins a command; what it says, until it ends. A caller that goes cancels it. */
  async stream(run: Run, start: ExecStart, gone: AbortSignal): Promise<AsyncIterable<ExecLine>> {
    const begun = await this.begin(run, start);
    const { streams } = begun;
    const input = streams.kind === "terminal" ? streams.terminal : streams.stdin;
    input.on("error", () => {}); // A command that closes its input is no failure of ours.
    if (start.stdin !== undefined) input.write(Buffer.from(start.stdin, "base64"));
    if (start.interactive !== true && streams.kind !== "terminal") input.end();
    return linesOf(begun, gone);
  }

  /** What a hostile run left behind can hold streams of every command open; each is a descriptor of the daemon's. */
  #leave(run: string, streams: readonly Readable[]): void {
    const left = this.#left.get(run) ?? new Set<Readable>();
    for (const stream of streams) {
      if (stream.closed) continue;
      this.#left.set(run, left);
      left.add(stream);
      stream.once("close", () => {
        left.delete(stream);
        if (left.size === 0 && this.#left.get(run) === left) this.#left.delete(run);
      });
      const [oldest] = left;
      if (oldest === undefined || left.size <= LEFT_MAX) continue;
      left.delete(oldest); // Now: another may leave before it has closed.
      oldest.destroy();
    }
  }

  /**
   * What cannot be ended is not left running for nobody: its run is ended with it. A run that stands still ends it when
   * it goes on, which may be never: `giveUp` is called, so that nobody waits for what a person or a finding holds.
   */
  #escalate(run: Run, { exec }: ExecInfo, giveUp: (why: string) => void): NodeJS.Timeout {
    const isStill = () => {
      const { state, pauseReason } = run.info;
      if (state === "paused") giveUp(`its run stands still: ${pauseReason ?? "it is paused"}`);
      return state === "paused";
    };
    let stood = isStill();
    let ended = this.#cancelled.get(run);
    let waits = 0;
    const timer = setInterval(() => {
      const isNew = stood; // From here on it has all of the time.
      stood = isStill();
      if (stood || isNew) return;
      // Of many that are cancelled at once each is ended in its turn.
      const before = ended;
      ended = this.#cancelled.get(run);
      waits += 1;
      if (ended !== before && waits < CANCEL_WAITS_MAX) return;
      clearInterval(timer);
      this.#log.warn("exec.uncancelled", { run: run.id, exec });
      run.stop("sandbox", `${exec} could not be ended within ${CANCEL_MS_MAX / 1000} s`);
    }, CANCEL_MS_MAX);
    return timer.unref();
  }

  #find(run: string, exec: string): Live {
    const found = this.#live.get(run)?.get(exec);
    if (found !== undefined) return found;
    throw new Fault("daemon.no_such_exec", `${run} has no command ${exec} under way`);
  }
}

function pipesOf({ stdin, stdout, stderr }: Extract<AgentStreams, { readonly kind: "pipes" }>) {
  return [stdin, stdout, stderr];
}
