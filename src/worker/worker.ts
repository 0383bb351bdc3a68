/**
 * A live worker: it is handed runs, its questions are answered, and it is ended when it lies, hangs, or
 * floods.
 *
 * @module
 */
import type { z } from "zod";
import type { Action } from "../action/index.ts";
import { findEntry } from "../catalog/index.ts";
import { describeError, Fault, isFault, type Log } from "../base/index.ts";
import type { Asked, Credentialed, Held } from "../gateway/index.ts";
import { launchWorker, type Launched, type LaunchOptions } from "./launch.ts";
import {
  saidSchema,
  type Order,
  type Said,
  type SaidFault,
  type SaidHeld,
  type SaidOfRun,
  type SaidVerdict,
} from "./protocol.ts";
import type { DescribeContext, DescribedAction } from "./describe.ts";
import { defined, type Handed, type Served } from "./served.ts";

/** Questions that are answered at once; above, the worker's words stay with it until some are. */
const UNANSWERED_MAX = 2048;
/** What the daemon has to say and a worker does not read. */
const UNREAD_BYTES_MAX = 32 << 20;
const RECHECK_MS = 2000;
const PING_MS = 5000;
/** A worker that answers nothing for 20 s parses something without end. */
const PINGS_MISSED_MAX = 4;

/** An answer with a socket. */
class Delivery {
  readonly handed: Handed;
  readonly value: unknown;

  constructor(handed: Handed, value: unknown) {
    this.handed = handed;
    this.value = value;
  }
}

/** Where a message is not as it must be, in words of ours alone. */
function whereOf({ issues }: z.ZodError): string {
  const [{ code, path } = { code: "", path: [] }] = issues;
  return `${code} at ${JSON.stringify(path)}`;
}

export type ListenerKind = "tcp" | "dns";

export interface WorkerOptions extends LaunchOptions {
  /** How often it is asked whether it still listens, and how long it may take to cut; tests have shorter ones. */
  readonly pingMs?: number;
  readonly recheckMs?: number;
}

/** One worker process. */
export class Worker {
  readonly pid: number;
  /** Resolves with why it is gone. */
  readonly gone: Promise<string>;
  readonly #launched: Launched;
  readonly #log: Log;
  readonly #served = new Map<string, Served>();
  /** Runs that it had: their last words may still be on the way. */
  readonly #past = new Set<string>();
  readonly #stopping = new Map<string, () => void>();
  /** Who waits for which run's flows to be looked at again, in the order of asking. */
  readonly #rechecks = new Map<string, ((cut: number) => void)[]>();
  /** Requests that it was told to send, and who waits for what comes of them. */
  readonly #performing = new Map<number, { readonly run: string; resolve(asked: Asked): void }>();
  /** What it was told to read, and who waits for what that is. */
  readonly #describing = new Map<number, (action: DescribedAction) => void>();
  #nextPerformance = 0;
  readonly #watch: NodeJS.Timeout;
  readonly #recheckMs: number;
  #lie: string | undefined;
  #unanswered = 0;
  #pingsMissed = 0;

  private constructor(launched: Launched, options: WorkerOptions) {
    const { log, pingMs = PING_MS, recheckMs = RECHECK_MS } = options;
    this.#recheckMs = recheckMs;
    this.#launched = launched;
    this.#log = log;
    this.pid = launched.pid;
    this.#watch = setInterval(() => this.#ping(), pingMs).unref();
    this.gone = launched.gone.then((how) => {
      clearInterval(this.#watch);
      for (const stopped of this.#stopping.values()) stopped();
      // Whatever was open is cut with it.
      for (const waiting of this.#rechecks.values()) for (const told of waiting) told(0);
      return this.#lie ?? how;
    });
  }

  /** Starts one. @throws {Fault} as {@link launchWorker}. */
  static async start(options: WorkerOptions, authorities: readonly string[]): Promise<Worker> {
    // Nothing is heard before the seal is proved, and then this has run on.
    let worker: Worker | undefined;
    const launched = await launchWorker(options, { hear: (line) => worker?.hear(line) });
    worker = new Worker(launched, options);
    worker.#tell({ order: "begin", authorities });
    return worker;
  }

  /** Hands a run over: from here on the worker may speak of it. */
  serve(served: Served): void {
    const { id, policy, policyState: state, authorities } = served.run;
    const systems = policy.grants.flatMap(({ system }) =>
      findEntry(system) === undefined ? (served.run.entryOf(system) ?? []) : [],
    );
    this.#served.set(id, served);
    const names = served.pool.names();
    const vouchers = [...(authorities ?? [])];
    this.#tell({
      order: "serve",
      run: id,
      policy,
      state,
      authorities: vouchers,
      names,
      systems,
      hostKey: served.run.hostKey ?? "",
      placeholders: served.run.placeholders.given,
    });
  }

  /** Has it serve what arrives at `descriptor`, of which the caller keeps its own. */
  listen(run: string, kind: ListenerKind, descriptor: number): void {
    if (this.#hand(descriptor)) this.#tell({ order: "listen", run, kind });
  }

  /**
   * Has it cut what the run's rules of now do not let be; resolves with how many flows that were. One that
   * does not answer is ended, and all of its flows with it (INV-32).
   */
  async recheck(run: string, cutAll?: string): Promise<number> {
    const served = this.#served.get(run);
    if (served === undefined) return 0;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#rechecks.set(run, [...(this.#rechecks.get(run) ?? []), resolve]);
    const { policy, policyState: state } = served.run;
    const all = cutAll === undefined ? {} : { cutAll };
    this.#tell({ order: "recheck", run, policy, state, ...all });
    const late = setTimeout(
      () => this.kill("it does not cut what is no longer granted"),
      this.#recheckMs,
    );
    try {
      return await promise;
    } finally {
      clearTimeout(late);
    }
  }

  /**
   * Has it send `request`; rejects where it is gone before it has told what came of it.
   *
   * @throws {Fault} `worker.gone`: whether anything was sent is not known then.
   */
  perform(
    run: string,
    { body, ...rest }: Held,
    credential?: Credentialed,
    look = false,
  ): Promise<Asked> {
    const p = this.#nextPerformance++;
    const { promise, resolve, reject } = Promise.withResolvers<Asked>();
    this.#performing.set(p, { run, resolve });
    const whole = body === undefined ? {} : { body: body.toString("base64") };
    this.#tell({
      order: "perform",
      run,
      p,
      held: { ...rest, ...whole },
      ...(look ? { look } : {}),
      ...(credential === undefined ? {} : { credential }),
    });
    void this.gone.then((why) =>
      reject(new Fault("worker.gone", `the worker that was to send it ended: ${why}`)),
    );
    return promise.finally(() => this.#performing.delete(p));
  }

  /**
   * Has it tell what action `held` is.
   *
   * @throws {Fault} `worker.gone` where it ends by that.
   */
  async describe(held: Held, { grant, own, ...rest }: DescribeContext): Promise<Action> {
    const p = this.#nextPerformance++;
    const { promise, resolve, reject } = Promise.withResolvers<DescribedAction>();
    this.#describing.set(p, resolve);
    const { body, facts, ...said } = held;
    const whole = body === undefined ? {} : { body: body.toString("base64") };
    const theirs = own === undefined ? {} : { own };
    const asked = { ...said, ...whole } as SaidHeld;
    this.#tell({ order: "describe", p, held: asked, facts, grant, ...theirs });
    void this.gone.then((why) =>
      reject(new Fault("worker.gone", `the worker that was to read it ended: ${why}`)),
    );
    try {
      const { run, at, cause } = rest;
      const when = { at: new Date(at.wallMs).toISOString(), monoMs: at.monoMs };
      return { ...(await promise), run, ...when, cause };
    } finally {
      this.#describing.delete(p);
    }
  }

  #performed({ run, p, asked }: Extract<SaidOfRun, { say: "performed" }>): void {
    const waiting = this.#performing.get(p);
    if (waiting?.run !== run) throw new Fault("worker.lie", "it performed what nobody asked for");
    const { answer } = asked;
    const outcome = defined(asked.outcome);
    waiting.resolve({
      outcome,
      answer: answer && { ...answer, body: Buffer.from(answer.body, "base64") },
    });
  }

  #rechecked(run: string, cut = 0): void {
    const [first, ...rest] = this.#rechecks.get(run) ?? [];
    this.#rechecks.set(run, rest);
    first?.(cut);
  }

  /** Has it end a run; resolves when every close is on record, or the worker is gone. */
  async stop(run: string): Promise<void> {
    if (!this.#served.has(run)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopping.set(run, resolve);
    this.#tell({ order: "stop", run });
    await promise;
    this.#stopping.delete(run);
    this.forget(run);
  }

  /** Whatever it still says about `run` is not heard. */
  forget(run: string): void {
    if (this.#served.delete(run)) this.#past.add(run);
  }

  kill(why: string): void {
    this.#lie ??= why;
    this.#launched.kill();
  }

  /** Takes one line. What is not as it must be ends the worker. */
  hear(line: unknown): void {
    if (this.#lie !== undefined) return;
    if (!Array.isArray(line)) throw new Fault("worker.lie", "a line that is no list");
    for (const message of line) {
      const said = saidSchema.safeParse(message);
      if (said.success) this.#take(said.data);
      else throw new Fault("worker.lie", `no message: ${whereOf(said.error)}`);
    }
  }

  #take(said: Said): void {
    if (said.say === "pong") {
      this.#pingsMissed = 0;
      return;
    }
    if (said.say === "described") {
      const told = this.#describing.get(said.p);
      if (told === undefined) throw new Fault("worker.lie", "it describes what nobody asked about");
      told(defined(said.action));
      return;
    }
    const served = this.#served.get(said.run);
    if (served === undefined && this.#past.has(said.run)) {
      if ("n" in said) this.#refuse(said.n, new Fault("worker.run", "the run is over"));
      return;
    }
    if (served === undefined)
      throw new Fault("worker.lie", `it speaks of ${JSON.stringify(said.run)}, not of its own`);
    switch (said.say) {
      case "spool":
        served.spool(said);
        return;
      case "repeats":
        served.repeats(said);
        return;
      case "performed":
        this.#performed(said);
        return;
      case "denied":
        void this.#perform(undefined, served.denied(said));
        return;
      case "finding":
        void this.#perform(undefined, served.finding(said));
        return;
      case "rechecked":
        this.#rechecked(said.run, said.cut);
        return;
      case "stopped":
        this.#stopping.get(said.run)?.();
        return;
      case "record":
        void this.#perform(undefined, served.record(said));
        return;
      default:
        void this.#perform(said.n, this.#valueFor(said, served));
    }
  }

  /** Sees an answer to its end, and tells it where the worker waits for it. */
  async #perform(n: number | undefined, answer: Promise<unknown>): Promise<void> {
    if ((this.#unanswered += 1) === UNANSWERED_MAX) this.#launched.lines.hold();
    try {
      const value = await answer;
      if (n === undefined) return;
      if (value instanceof Delivery) this.#deliver(n, value);
      else this.#tell({ order: "answer", n, value });
    } catch (error) {
      if (isFault(error, "worker.lie")) this.kill(`a lie: ${error.message}`);
      else if (n !== undefined) this.#refuse(n, error);
      // What could not be recorded has ended its run already.
      else this.#log.warn("worker.record.failed", { error: describeError(error) });
    } finally {
      if ((this.#unanswered -= 1) === UNANSWERED_MAX / 2) this.#launched.lines.release();
    }
  }

  /** The socket and the word of it at once, so that sockets come in the order of the words. */
  #deliver(n: number, { handed, value }: Delivery): void {
    try {
      if (this.#hand(handed.descriptor)) this.#tell({ order: "answer", n, value });
    } finally {
      handed.close(); // The worker's own stays open.
    }
  }

  async #valueFor(said: Extract<SaidOfRun, { n: number }>, served: Served): Promise<unknown> {
    switch (said.say) {
      case "intend":
        return this.#intend(said, served);
      case "hold":
        return served.hold(said);
      case "attribute":
        return served.attribute(said);
      case "leaf":
        return served.leaf(said);
      case "name":
        return served.name(said);
      case "recording":
        return served.recording(said);
      case "recorded":
        return served.recorded(said);
      case "dial":
        return this.#dial(said, served);
    }
    const never: never = said;
    return never;
  }

  async #dial(said: Extract<SaidOfRun, { say: "dial" }>, served: Served): Promise<Delivery> {
    return new Delivery(await served.dial(said), "connected");
  }

  /** Judges, and where it is allowed and asked for connects: two questions, of which the second waits. */
  async #intend(
    said: Extract<SaidOfRun, { say: "intend" }>,
    served: Served,
  ): Promise<SaidVerdict | Delivery> {
    if (said.dial !== undefined) served.requireGranted(said.dial); // Ahead of anything of it.
    const verdict = await served.intend(said);
    if (said.dial === undefined || verdict.verdict !== "allow") return verdict;
    try {
      const handed = await served.dial({ ...said.dial, flow: said.flow });
      return new Delivery(handed, { ...verdict, dialled: "connected" });
    } catch (error) {
      if (isFault(error, "worker.lie")) throw error;
      return { ...verdict, dialled: this.#faultOf(error) };
    }
  }

  /** A failure of ours or the world's, told without what is not the worker's to know. */
  #faultOf(error: unknown): SaidFault {
    if (!isFault(error)) this.#log.warn("worker.answer.failed", { error: describeError(error) });
    const { code, message, hint } = isFault(error)
      ? error
      : new Fault("worker.answer", "the daemon could not do that");
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }

  #refuse(n: number, error: unknown): void {
    this.#tell({ order: "refusal", n, ...this.#faultOf(error) });
  }

  #hand(descriptor: number): boolean {
    try {
      this.#launched.hand(descriptor);
      return true;
    } catch (error) {
      this.kill(`it takes no sockets: ${describeError(error)}`);
      return false;
    }
  }

  #tell(order: Order): void {
    this.#launched.lines.send(order);
    if (this.#launched.lines.unsentBytes > UNREAD_BYTES_MAX) this.kill("it does not read");
  }

  #ping(): void {
    this.#pingsMissed += 1;
    if (this.#pingsMissed > PINGS_MISSED_MAX) this.kill("it hangs");
    else this.#tell({ order: "ping" });
  }
}
