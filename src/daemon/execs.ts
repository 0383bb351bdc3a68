/**
 * Commands in runs that live: begun on record, streamed to whoever asked, ended when that one goes.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { ExecInfo, ExecLine, ExecStart } from "../api/index.ts";
import { createId, describeError, Fault, type Clock, type Log } from "../base/index.ts";
import type { AgentStreams, Execution, ExecutionEnd } from "../sandbox/index.ts";
import type { Run } from "./run.ts";
import { briefArguments } from "./recorder.ts";

/** Commands of one run at once; native/exec.c has room for no more. */
const LIVE_MAX = 250;
/** Of output that its caller has not taken; then the command waits. */
const QUEUED_BYTES_MAX = 256 << 10;
/** What a piece of it takes besides its bytes, about: who writes them one by one fills no memory by that. */
const PIECE_BYTES = 256;
/** Streams of one run that are read on for nobody; of more, those longest read break. */
const LEFT_MAX = 128;
/** How long all of a command may outlive its cancelling, before its run is ended for it. */
const CANCEL_MS_MAX = 5000;

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
  /** Resolves when it has ended; {@link Execs.close} is to be called behind it. */
  readonly ended: Promise<ExecutionEnd>;
  cancel(reason: "cancelled" | "timeout"): void;
  /** Puts its end on record, with the bytes that came out. */
  close(exit: ExecutionEnd, bytes: Readonly<Record<string, number>>): Promise<ExecLine>;
}

async function* linesOf(
  begun: Begun,
  output: Output,
  gone: AbortSignal,
  left: (streams: readonly Readable[]) => void,
): AsyncIterable<ExecLine> {
  const cancel = () => begun.cancel("cancelled");
  gone.addEventListener("abort", cancel, { once: true });
  if (gone.aborted) cancel();
  let isOver = false;
  let last: ExecLine | undefined;
  try {
    yield { type: "started", exec: begun.exec, entry: begun.entry };
    yield* output.until(begun.ended);
    isOver = true;
  } finally {
    gone.removeEventListener("abort", cancel);
    if (!isOver) cancel();
    const exit = await begun.ended;
    left(output.forget());
    last = await begun.close(exit, output.bytes);
  }
  yield last;
}

/** The commands of all runs. */
export class Execs {
  readonly #live = new Map<string, Map<string, Live>>();
  /** By run: what commands left behind hold open. */
  readonly #left = new Map<string, Set<Readable>>();
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
    let entry: number | undefined;
    const cancel = (why: "cancelled" | "timeout") => {
      reason ??= why;
      execution.cancel();
      escalation ??= setTimeout(() => this.#escalate(run, info), CANCEL_MS_MAX).unref();
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
      clearTimeout(escalation); // Nothing of it began: there is nothing that its run would be ended for.
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
    execution.go();
    return {
      exec,
      entry,
      streams,
      ended: execution.ended,
      cancel,
      close: async (exit, bytes) => {
        clearTimeout(timer);
        clearTimeout(escalation);
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
        if (run.alive)
          await run.record({ type: "exec.end", data: { exec, ...ended, ...bytes, durationMs } });
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
    return linesOf(begun, new Output(streams), gone, (left) => this.#leave(run.id, left));
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

  /** What cannot be ended is not left running for nobody: its run is ended with it. */
  #escalate(run: Run, { exec }: ExecInfo): void {
    if (run.info.state !== "running") return; // One that stands still ends it when it goes on.
    this.#log.warn("exec.uncancelled", { run: run.id, exec });
    run.stop("sandbox", `${exec} could not be ended within ${CANCEL_MS_MAX / 1000} s`);
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

/** What a command says, as it comes, with no more of it in memory than a little. */
class Output {
  readonly bytes = { stdout: 0, stderr: 0 };
  readonly #streams: readonly Readable[];
  readonly #queue: ExecLine[] = [];
  #queuedBytes = 0;
  #open = 0;
  #wake: () => void = () => {};

  constructor(streams: Begun["streams"]) {
    const named =
      streams.kind === "terminal"
        ? ([["stdout", streams.terminal]] as const)
        : ([
            ["stdout", streams.stdout],
            ["stderr", streams.stderr],
          ] as const);
    this.#streams = named.map(([, stream]) => stream);
    for (const [name, stream] of named) {
      this.#open += 1;
      stream.on("data", (chunk: Buffer) => {
        this.bytes[name] += chunk.length;
        this.#queuedBytes += PIECE_BYTES + chunk.length;
        this.#queue.push({ type: name, data: chunk.toString("base64") });
        if (this.#queuedBytes > QUEUED_BYTES_MAX) for (const one of this.#streams) one.pause();
        this.#wake();
      });
      stream.once("error", () => stream.destroy()); // Its end as well; what came before was passed on.
      stream.once("close", () => {
        this.#open -= 1;
        this.#wake();
      });
    }
  }

  /** All that comes until `ended`, and what stood in the pipes then. */
  async *until(ended: Promise<unknown>): AsyncIterable<ExecLine> {
    let isOver = false;
    void ended.then(() => {
      isOver = true;
      this.#wake();
    });
    for (;;) {
      const line = this.#queue.shift();
      if (line !== undefined) {
        yield line;
        if (this.#queue.length > 0) continue;
        this.#queuedBytes = 0;
        for (const one of this.#streams) one.resume();
      } else if (this.#open === 0 && isOver) return;
      else if (isOver) {
        // What the command wrote stood in its pipes when it ended, and a turn of the loop reads what stands there. What
        // it left behind may hold them for ever, and is not waited for.
        await turn();
        await turn();
        if (this.#queue.length === 0) return;
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Reads on for nobody: what the command left behind may write, and must not be held up or ended by that. */
  forget(): readonly Readable[] {
    for (const stream of this.#streams) {
      stream.removeAllListeners("data");
      stream.resume();
    }
    this.#queue.length = 0;
    return this.#streams;
  }
}
