/**
 * What runs use, sampled: `usage` events, from which misuse of compute is told.
 *
 * One timer looks at all runs, a few at a time, so that neither many runs nor slow ones hold the daemon up. Looking
 * decides nothing: what cannot be read is left out of the event, or named in it, and is never a zero.
 *
 * @module
 */
import { setImmediate as breathe } from "node:timers/promises";
import type { Process } from "../action/index.ts";
import { describeError, type Clock, type Log } from "../base/index.ts";
import {
  GPU_LOOK_MS,
  GpuReader,
  ProcessMeter,
  type BusyProcess,
  type Gpu,
  type GpuMeter,
  type GpuUse,
  type Limits,
} from "../sandbox/index.ts";
import type { Passing } from "../policy/index.ts";
import { GpuTime, type GpuTaken } from "./gpu-time.ts";
import { GpuUsers } from "./gpu-users.ts";
import type { RunEvent } from "./recorder.ts";

const LOOK_MS = GPU_LOOK_MS;
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
  /** It has used so much more of processor or GPU time. */
  spent(what: Passing, ms: number): void;
  /** GPU time in seconds that it may use, over all attempts; absent where its task sets none. */
  gpuSecondsMax?(): number | undefined;
  /** It has used more than that. */
  exceeded?(why: string): void;
  /** What its process `pid` is, in seconds at most; nothing where that is not known. */
  describe?(pid: number): Promise<Process | undefined>;
}

interface Look {
  readonly atMs: number;
  readonly cpuMs: number | undefined;
}

type ToldUse = Omit<GpuUse, "shares">;

interface Said {
  readonly atMs: number;
  readonly cores: number;
  readonly memory: number;
  readonly gpus: readonly ToldUse[];
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
  /** Until when GPU time is charged, and how the GPUs were used then; nothing before the first look. */
  gpuMs: number;
  gpuUses: readonly GpuUse[] | undefined;
  readonly gpuUsers: GpuUsers;
}

/** Samples what runs use. */
export class UsageWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #reader: GpuReader;
  readonly #watched = new Set<Watched>();
  /** By run: an attempt to start again begins no new budget. */
  readonly #gpuTimes = new Map<string, GpuTime>();
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
      gpuMs: this.#nowMs,
      gpuUses: undefined,
      gpuUsers: new GpuUsers(run.describe?.bind(run), () => this.#described(one)),
    };
    if (run.gpus.length > 0 && !this.#gpuTimes.has(run.id))
      this.#gpuTimes.set(run.id, new GpuTime());
    this.#watched.add(one);
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS).unref();
    return () => {
      this.#chargeLast(one);
      if (this.#watched.has(one)) this.#settle(one, true);
      this.#watched.delete(one);
      if (this.#watched.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Run `id` begins another step: GPU time until now is of the one before, and is on record with it. */
  settle(id: string): void {
    for (const one of this.#watched) if (one.run.id === id) this.#settle(one);
  }

  /** The run is over. */
  forget(id: string): void {
    this.#gpuTimes.delete(id);
  }

  /** Nothing is read anew: until here the GPUs were used as at the last look. */
  #settle(one: Watched, isLast = false): void {
    const { run } = one;
    const time = this.#gpuTimes.get(run.id);
    if (time === undefined) return;
    this.#chargeGpu(one, one.gpuUses ?? run.gpus.map(({ number }) => ({ gpu: number, pids: [] })));
    this.#tell(run, time.take(isLast));
  }

  /** It is known, or known not to be known, whose time it was that an entry had to leave out. */
  #described(one: Watched): void {
    const time = this.#gpuTimes.get(one.run.id);
    if (time?.keeps === true && this.#watched.has(one)) this.#tell(one.run, time.take());
  }

  /** Entries of GPU time alone: they are no samples, so what they do not say is not a zero. */
  #tell(run: UsedRun, { known, rest }: GpuTaken): void {
    for (const { process, spent } of known)
      run.note({ type: "usage", process, data: { spanMs: 0, ...spent } });
    if (rest !== undefined) run.note({ type: "usage", data: { spanMs: 0, ...rest } });
  }

  #chargeGpu(one: Watched, uses: readonly GpuUse[]): void {
    const { run } = one;
    const time = this.#gpuTimes.get(run.id);
    if (time === undefined) return;
    const atMs = this.#nowMs;
    const spanMs = Math.max(0, atMs - one.gpuMs);
    const ms = time.charge(uses, spanMs, (pid) => one.gpuUsers.of(pid));
    one.gpuMs = atMs;
    if (ms > 0) run.spent("gpuMs", ms);
    const most = run.gpuSecondsMax?.();
    if (most === undefined || time.seconds <= most) return;
    run.exceeded?.(`it used ${Math.round(time.seconds)} s of GPU time, and ${most} s are granted`);
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
      // What it had given to a GPU may go on while it stands still: until it did, at least.
      if (one.last !== undefined) this.#chargeGpu(one, one.gpuUses ?? []);
      one.gpuMs = this.#nowMs;
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

  /** It is over: what it used since the last look, where that can still be read. */
  #chargeLast(one: Watched): void {
    try {
      this.#chargeCpu(one, one.run.limits.usage().cpuMs);
    } catch (error) {
      this.#log.warn("usage.unread", { run: one.run.id, error: describeError(error) });
    }
  }

  /** Tells what it used since it was told last; without control groups a process's time goes with it. */
  #chargeCpu(one: Watched, cpuMs: number | undefined): void {
    const more = (cpuMs ?? 0) - one.chargedMs;
    one.chargedMs = cpuMs ?? one.chargedMs;
    if (more > 0) one.run.spent("cpuMs", more);
  }

  #sample(one: Watched): void {
    const { run, last } = one;
    const atMs = this.#nowMs;
    if (last !== undefined && atMs - last.atMs < SPAN_MS_MIN) return;
    const { cpuMs, memoryBytes, pids: count, writtenBytes } = run.limits.usage();
    one.last = { atMs, cpuMs };
    this.#chargeCpu(one, cpuMs);
    const spanMs = last === undefined ? undefined : atMs - last.atMs;
    const cores = coresSince(last, one.last);
    const isBusy = (cores ?? 0) >= BUSY_CORES;
    if (!isBusy) one.processes.forget();
    const pids = isBusy || run.gpus.length > 0 ? run.limits.pids() : [];
    const uses = one.gpus.use(pids, atMs);
    const gpus = uses.map(rounded);
    one.gpuUsers.look(
      pids,
      uses.flatMap((use) => use.pids),
    );
    this.#chargeGpu(one, uses);
    one.gpuUses = uses;
    if (spanMs === undefined) return;
    const users = gpus.flatMap((gpu) => gpu.pids.slice(0, BUSIEST));
    const busiest = one.processes.look(pids, atMs, isBusy ? BUSIEST : 0, users);
    const now: Said = { atMs, cores: cores ?? 0, memory: memoryBytes ?? 0, gpus, busiest };
    if (one.said !== undefined && !isNews(one.said, now)) return;
    one.said = now;
    const { known = [], rest } = this.#gpuTimes.get(run.id)?.take() ?? {};
    this.#tell(run, { known, rest: undefined });
    run.note({
      type: "usage",
      data: {
        spanMs: Math.round(spanMs),
        ...(cores === undefined ? {} : { cpu: cores }),
        ...(memoryBytes === undefined ? {} : { memory: memoryBytes }),
        ...(writtenBytes === undefined ? {} : { disk: writtenBytes }),
        ...(count === undefined ? {} : { pids: count }),
        ...rest,
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

/** Shares of processes are told as time (gpu-time.ts). */
function rounded({ shares, ...use }: GpuUse): ToldUse {
  void shares;
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
function isOther(said: ToldUse | undefined, { busy, unread }: ToldUse): boolean {
  if (said?.unread !== unread || (said?.busy === undefined) !== (busy === undefined)) return true;
  return Math.abs((busy ?? 0) - (said?.busy ?? 0)) >= GPU_STEP - 1e-9;
}
