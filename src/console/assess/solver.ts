/**
 * Threads that work out task files: what fifty thousand facts lead to takes a second of JavaScript, in which the console
 * shall go on. While somebody types, each text stands in for the one before: a job whose asker has gone is not begun, and
 * one that runs is given a moment to end before its thread is ended, since a thread costs more than most jobs.
 *
 * @module
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { Fault } from "../../base/index.ts";
import type { Answered, Job, Places } from "./jobs.ts";

const THREADS_MAX = 2;
/** Jobs that wait, of all tabs, and of those of one session. */
export const WAITING_MAX = 64;
export const WAITING_OWN_MAX = 24;
/** Heap of one thread, in MiB. */
const HEAP_MIB = 1024;
const JOB_MS_MAX = 60_000;
const GRACE_MS = 400;
const extension = extname(import.meta.url);
const PROGRAM = new URL(`./thread${extension}`, import.meta.url);

/** What a thread says of a job; the class of a fault does not cross. */
export type Report =
  | { readonly answer: unknown }
  | { readonly fault: { readonly code: string; readonly message: string; readonly hint?: string } }
  | { readonly bug: string };

/** For whom a job is done, and until when. */
export interface Whose {
  readonly session: string;
  readonly signal: AbortSignal;
}

interface Asked {
  readonly job: Job;
  readonly session: string;
  readonly settle: PromiseWithResolvers<unknown>;
}

interface Seat {
  readonly worker: Worker;
  asked: Asked | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Solver {
  readonly #places: Places;
  readonly #program: URL;
  readonly #seats = new Set<Seat>();
  #waiting: readonly Asked[] = [];

  /** Ends its threads when `closing` is aborted. */
  constructor(places: Places, closing: AbortSignal, program: URL = PROGRAM) {
    const { root, rules, facts, catalog } = places;
    this.#places = { root, rules, facts, catalog };
    this.#program = program;
    closing.addEventListener("abort", () => this.#close(), { once: true });
  }

  /**
   * @throws {Fault} of the job itself; `console.solver` where its thread died or took too long; `console.solver_busy`;
   *   `console.gone` where `signal` says so.
   */
  async ask<One extends Job>(job: One, { session, signal }: Whose): Promise<Answered<One["kind"]>> {
    if (signal.aborted) throw gone();
    const own = this.#waiting.filter((one) => one.session === session).length;
    if (this.#waiting.length >= WAITING_MAX || own >= WAITING_OWN_MAX) {
      throw new Fault("console.solver_busy", `${own} of your task files wait to be worked out`, {
        hint: "try again in a moment",
      });
    }
    const asked: Asked = { job, session, settle: Promise.withResolvers<unknown>() };
    const forget = () => this.#forget(asked);
    signal.addEventListener("abort", forget, { once: true });
    this.#waiting = [...this.#waiting, asked];
    this.#serve();
    try {
      return (await asked.settle.promise) as Answered<One["kind"]>; // A thread answers a job in its kind.
    } finally {
      signal.removeEventListener("abort", forget);
    }
  }

  #serve(): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined) return;
      const seat = [...this.#seats].find(({ asked }) => asked === undefined) ?? this.#newSeat();
      if (seat === undefined) return;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      seat.asked = next;
      seat.timer = setTimeout(() => this.#end(seat), JOB_MS_MAX);
      seat.worker.ref();
      seat.worker.postMessage(next.job, []);
    }
  }

  /** Who has no thread comes before whoever has one: nobody is kept waiting by how much another asks. */
  #next(): Asked | undefined {
    const served = new Set([...this.#seats].map(({ asked }) => asked?.session));
    return this.#waiting.find(({ session }) => !served.has(session)) ?? this.#waiting[0];
  }

  #newSeat(): Seat | undefined {
    if (this.#seats.size >= THREADS_MAX) return undefined;
    const worker = new Worker(this.#program, {
      workerData: this.#places,
      trackUnmanagedFds: false, // Descriptors are opened and closed by calls that Node does not see.
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    const seat: Seat = { worker, asked: undefined, timer: undefined };
    worker.on("message", (report: Report) => {
      const { asked } = seat;
      this.#free(seat);
      if (asked !== undefined) settle(asked, report);
      this.#serve();
    });
    worker.on("error", () => this.#end(seat));
    worker.on("exit", () => this.#end(seat));
    this.#seats.add(seat);
    return seat;
  }

  #free(seat: Seat): void {
    clearTimeout(seat.timer);
    seat.asked = undefined;
    seat.worker.unref();
  }

  /** Its thread is no more: what it was at is not answered, and others go on. */
  #end(seat: Seat): void {
    if (!this.#seats.delete(seat)) return;
    const { asked } = seat;
    this.#free(seat);
    void seat.worker.terminate();
    asked?.settle.reject(
      new Fault("console.solver", "how bad it could get could not be worked out", {
        hint: "state fewer facts, or ask fewer systems; `cofferdam blast` shows what there is",
      }),
    );
    this.#serve();
  }

  #forget(asked: Asked): void {
    asked.settle.reject(gone());
    this.#waiting = this.#waiting.filter((one) => one !== asked);
    const seat = [...this.#seats].find((one) => one.asked === asked);
    if (seat === undefined) return;
    clearTimeout(seat.timer);
    seat.timer = setTimeout(() => this.#end(seat), GRACE_MS);
  }

  #close(): void {
    for (const {
      settle: { reject },
    } of this.#waiting)
      reject(gone());
    this.#waiting = [];
    for (const seat of this.#seats) this.#end(seat);
  }
}

function settle({ settle: { resolve, reject } }: Asked, report: Report): void {
  if ("answer" in report) resolve(report.answer);
  else if ("bug" in report) reject(new Error(report.bug));
  else {
    const { code, message, hint } = report.fault;
    reject(new Fault(code, message, hint === undefined ? {} : { hint }));
  }
}

function gone(): Fault {
  return new Fault("console.gone", "whoever asked has gone");
}
