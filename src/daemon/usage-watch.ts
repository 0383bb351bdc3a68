/**
 * What runs use, sampled: `usage` events, from which misuse of compute is told.
 *
 * One timer looks at all runs, a few at a time, so that neither many runs nor slow ones hold the daemon up. Looking
 * decides nothing: what cannot be read is left out of the event, or named in it, and is never a zero.
 *
 * @module
 */
import { setImmediate as breathe } from "node:timers/promises";
import { describeError, type Clock, type Log } from "../base/index.ts";
import {
  GpuReader,
  ProcessMeter,
  type BusyProcess,
  type Gpu,
  type GpuMeter,
  type GpuUse,
  type Limits,
} from "../sandbox/index.ts";
import type { RunEvent } from "./recorder.ts";

const LOOK_MS = 10_000;
/** However little changes, what is used is on record once a minute: at the look that is nearest. */
const SAY_MS = 60_000 - LOOK_MS / 2;
/** A shorter time says little about processors. */
const SPAN_MS_MIN = 1_000;
/** What is worth an entry: cores, a share of a GPU, a share of the memory and at least so many bytes. */
const CORES_STEP = 0.25;
const GPU_STEP = 0.1;
const MEMORY_STEP = 0.25;
const MEMORY_BYTES_STEP = 16 * 2 ** 20;
/** From so many cores on it is looked which processes they are. */
const BUSY_CORES = 0.25;
const BUSIEST = 3;
/** How long runs are looked at before others have their turn. */
const TURN_MS = 5;

/** A run, as far as its use is looked at. */
export interface UsedRun {
  readonly id: string;
  readonly gpus: readonly Gpu[];
  readonly limits: Pick<Limits, "usage" | "pids">;
  isRunning(): boolean;
  note(event: RunEvent): void;
  /** It has used so much more of processor time. */
  spent(cpuMs: number): void;
}

interface Look {
  readonly atMs: number;
  readonly cpuMs: number | undefined;
}

interface Said {
  readonly atMs: number;
  readonly cores: number;
  readonly memory: number;
  readonly gpus: readonly GpuUse[];
  readonly busiest: readonly BusyProcess[];
}

interface Watched {
  readonly run: UsedRun;
  readonly processes: ProcessMeter;
  readonly gpus: GpuMeter;
  /** Absent from when it stood still until it is looked at again. */
  last: Look | undefined;
  said: Said | undefined;
  /** How much processor time was told of. */
  chargedMs: number;
}

/** Samples what runs use. */
export class UsageWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #reader: GpuReader;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(clock: Clock, log: Log, reader = new GpuReader()) {
    this.#clock = clock;
    this.#log = log;
    this.#reader = reader;
  }

  /** Looks at `run` from here on, until the returned function is called. */
  watch(run: UsedRun): () => void {
    const one: Watched = {
      run,
      processes: new ProcessMeter(),
      gpus: this.#reader.meter(run.gpus),
      last: { atMs: this.#nowMs, cpuMs: run.limits.usage().cpuMs },
      said: undefined,
      chargedMs: 0,
    };
    this.#watched.add(one);
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS).unref();
    return () => {
      this.#charge(one, run.limits.usage().cpuMs);
      this.#watched.delete(one);
      if (this.#watched.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Looks at every run once; not while an earlier look goes on. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const asks = [...this.#watched].some(
        ({ run }) => GpuReader.asks(run.gpus) && run.isRunning(),
      );
      if (asks) await this.#reader.look();
      let turnMs = performance.now();
      for (const one of [...this.#watched]) {
        if (performance.now() - turnMs > TURN_MS) {
          await breathe();
          turnMs = performance.now();
        }
        if (this.#watched.has(one)) this.#lookAt(one);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  get #nowMs(): number {
    return this.#clock.now().monoMs;
  }

  #lookAt(one: Watched): void {
    const { run } = one;
    if (!run.isRunning()) {
      // The time that it stands still is none in which it used little.
      one.last = undefined;
      one.processes.forget();
      return;
    }
    try {
      this.#sample(one);
    } catch (error) {
      this.#log.warn("usage.unread", { run: run.id, error: describeError(error) });
    }
  }

  /** Tells what it used since it was told last; without control groups a process's time goes with it. */
  #charge(one: Watched, cpuMs: number | undefined): void {
    const more = (cpuMs ?? 0) - one.chargedMs;
    one.chargedMs = cpuMs ?? one.chargedMs;
    if (more > 0) one.run.spent(more);
  }

  #sample(one: Watched): void {
    const { run, last } = one;
    const atMs = this.#nowMs;
    if (last !== undefined && atMs - last.atMs < SPAN_MS_MIN) return;
    const { cpuMs, memoryBytes, pids: count, writtenBytes } = run.limits.usage();
    one.last = { atMs, cpuMs };
    this.#charge(one, cpuMs);
    const spanMs = last === undefined ? undefined : atMs - last.atMs;
    const cores = coresSince(last, one.last);
    const isBusy = (cores ?? 0) >= BUSY_CORES;
    if (!isBusy) one.processes.forget();
    const pids = isBusy || run.gpus.length > 0 ? run.limits.pids() : [];
    const gpus = one.gpus.use(pids, atMs).map(rounded);
    if (spanMs === undefined) return;
    const users = gpus.flatMap((gpu) => gpu.pids.slice(0, BUSIEST));
    const busiest = one.processes.look(pids, atMs, isBusy ? BUSIEST : 0, users);
    const now: Said = { atMs, cores: cores ?? 0, memory: memoryBytes ?? 0, gpus, busiest };
    if (one.said !== undefined && !isNews(one.said, now)) return;
    one.said = now;
    run.note({
      type: "usage",
      data: {
        spanMs: Math.round(spanMs),
        ...(cores === undefined ? {} : { cpu: cores }),
        ...(memoryBytes === undefined ? {} : { memory: memoryBytes }),
        ...(writtenBytes === undefined ? {} : { disk: writtenBytes }),
        ...(count === undefined ? {} : { pids: count }),
        ...(gpus.length === 0
          ? {}
          : { gpus: gpus.map((gpu) => ({ ...gpu, pids: [...gpu.pids] })) }),
        ...(busiest.length === 0
          ? {}
          : { busiest: busiest.map((each) => ({ ...each, parents: [...each.parents] })) }),
      },
    });
  }
}

/** Processors used between two looks, to hundredths; nothing where nobody counts them. */
function coresSince(last: Look | undefined, { atMs, cpuMs }: Look): number | undefined {
  if (last?.cpuMs === undefined || cpuMs === undefined) return undefined;
  // Without control groups a process's time is gone with it.
  return Math.max(0, Math.round(((cpuMs - last.cpuMs) / (atMs - last.atMs)) * 100) / 100);
}

const PIDS_MAX = 8; // Of a GPU, in an event.

function rounded(use: GpuUse): GpuUse {
  const pids = use.pids.slice(0, PIDS_MAX);
  return use.busy === undefined
    ? { ...use, pids }
    : { ...use, pids, busy: Math.round(use.busy * 100) / 100 };
}

function isNews(said: Said, now: Said): boolean {
  const memory = Math.abs(now.memory - said.memory);
  return (
    now.atMs - said.atMs >= SAY_MS ||
    Math.abs(now.cores - said.cores) >= CORES_STEP ||
    // Which processes they are is known from the second busy look on.
    (now.busiest.length > 0 && said.busiest.length === 0) ||
    (memory >= MEMORY_BYTES_STEP && memory >= said.memory * MEMORY_STEP) ||
    now.gpus.some((gpu, at) => isOther(said.gpus[at], gpu))
  );
}

/** Also where it is known now and was not, or the other way round. */
function isOther(said: GpuUse | undefined, { busy, unread }: GpuUse): boolean {
  if (said?.unread !== unread || (said?.busy === undefined) !== (busy === undefined)) return true;
  return Math.abs((busy ?? 0) - (said?.busy ?? 0)) >= GPU_STEP - 1e-9;
}
