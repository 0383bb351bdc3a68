/**
 * The workers of a daemon: which run is where, and what follows when one dies. A run's flows are cut, it
 * is frozen, another worker takes its listeners over, and it goes on. A run that was being parsed when a
 * worker died is moved to one of its own, so that a second death names the culprit: it is killed.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { getCACertificates } from "node:tls";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import { describeError, Fault } from "../base/index.ts";
import type { Asked, Credentialed, Gateway, Held, HeldOperation } from "../gateway/index.ts";
import type { Policy } from "../policy/index.ts";
import { closeDescriptor } from "../sys/index.ts";
import type { Describe, DescribeContext } from "./describe.ts";
import type { Loads } from "./launch.ts";
import { Served, type HeldRun, type ServedPorts } from "./served.ts";
import { Worker, type ListenerKind, type WorkerOptions } from "./worker.ts";

const SHARED_MAX = 4;
/** Workers that serve one suspect each; above, suspects share again. Each takes some 70 MB. Of either load. */
const ALONE_MAX = 8;
/** Workers that serve errands of Cofferdam's own, each its own; above, errands share, but never with a run. */
const ERRANDS_MAX = 4;
const DEATHS_MAX = 2;
const STOP_MS = 5000;

export interface WorkersOptions extends WorkerOptions {
  /** Workers that runs share; by default one for each core, at least 2. */
  readonly shared?: number;
  /** Who may vouch for upstreams; the system's authorities by default. */
  readonly authorities?: () => readonly string[];
}

/** The workers of one daemon. */
export interface Workers {
  /** Starts the first worker ahead of the first run; a failure is told to that run. */
  warm(): void;
  /**
   * Serves `run` with a worker.
   *
   * @throws {Fault} where no worker can be started or proved.
   */
  serve(run: HeldRun, ports: ServedPorts): Promise<ServedGateway>;
  /** Tells what action stored bytes are; the daemon reads none of them itself (INV-75). */
  readonly describe: Describe;
  /** The processes there are, and the runs of each. */
  list(): readonly { readonly pid: number; readonly runs: readonly string[] }[];
  close(): Promise<void>;
}

/**
 * `alone`: a suspect, and nobody else. `errand`: what Cofferdam asks itself, with credentials of its own. `reader`:
 * tells the daemon what stored bytes are, and serves nobody.
 */
type SlotUse = "shared" | "alone" | "errand" | "reader";

interface Slot {
  readonly use: SlotUse;
  readonly loads: Loads;
  readonly holds: Set<Hold>;
  worker: Promise<Worker> | undefined;
  live: Worker | undefined;
}

/** A run and its listeners, which stay the daemon's whichever worker serves them. */
interface Hold {
  readonly served: Served;
  readonly listeners: { readonly kind: ListenerKind; readonly descriptor: number }[];
  slot: Slot | undefined;
  /** Whether the slot's worker was told of the run. */
  attached: boolean;
  deaths: number;
  over: boolean;
}

export function createWorkers(options: WorkersOptions): Workers {
  const { log } = options;
  const count = options.shared ?? Math.min(SHARED_MAX, Math.max(2, availableParallelism()));
  const reader = newSlot("reader", "grammars");
  const shared = (loads: Loads) => Array.from({ length: count }, () => newSlot("shared", loads));
  const slots: Slot[] = [reader, ...shared("nothing"), ...shared("brokers")];
  let vouchers: readonly string[] | undefined;
  let closing = false;

  function workerOf(slot: Slot): Promise<Worker> {
    return (slot.worker ??= start(slot));
  }

  async function start(slot: Slot): Promise<Worker> {
    try {
      vouchers ??= (options.authorities ?? systemAuthorities)();
      const worker = await Worker.start({ ...options, loads: slot.loads }, vouchers);
      log.info("worker.ready", { pid: worker.pid, use: slot.use });
      slot.live = worker;
      void worker.gone.then((why) => buried(slot, worker, why));
      return worker;
    } catch (error) {
      slot.worker = undefined;
      throw error;
    }
  }

  /**
   * A suspect alone, any other where the fewest are. What Cofferdam asks itself is sent with credentials that no run
   * is lent, so never by a worker that a run could have taken over (INV-74).
   */
  function slotFor(hold: Hold): Slot {
    const loads = loadsFor(hold.served.run.policy);
    if (hold.served.run.isErrand === true) {
      return apart("errand", loads, ERRANDS_MAX) ?? emptiest(slotsOf("errand", loads));
    }
    const alone = hold.deaths > 0 ? apart("alone", loads, ALONE_MAX) : undefined;
    if (alone !== undefined) return alone;
    const all = slotsOf("shared", loads);
    const live = all.filter((slot) => slot.live !== undefined);
    // A run does not wait for one more worker where one is there.
    return emptiest(live.length > 0 ? live : all);
  }

  function slotsOf(use: SlotUse, loads: Loads): readonly Slot[] {
    return slots.filter((slot) => slot.use === use && slot.loads === loads);
  }

  /** A slot for one alone, where there are fewer than `max` of its use. */
  function apart(use: SlotUse, loads: Loads, max: number): Slot | undefined {
    if (slotsOf(use, loads).length >= max) return undefined;
    const slot = newSlot(use, loads);
    slots.push(slot);
    return slot;
  }

  /** Starts one more shared worker where all that are there have runs: the next run finds it. */
  function startAhead(): void {
    const all = slotsOf("shared", "nothing");
    const next = all.find((slot) => slot.worker === undefined);
    const isNeeded = all.every((slot) => slot.worker === undefined || slot.holds.size > 0);
    if (closing || next === undefined || !isNeeded) return;
    workerOf(next).catch((error: unknown) => {
      log.warn("worker.start.failed", { error: describeError(error) }); // Told to whoever needs it.
    });
  }

  async function place(hold: Hold): Promise<void> {
    const slot = slotFor(hold);
    hold.slot = slot;
    slot.holds.add(hold);
    try {
      const worker = await workerOf(slot);
      startAhead();
      if (hold.over || hold.slot !== slot) return;
      worker.serve(hold.served);
      hold.attached = true;
      log.info("worker.serves", { pid: worker.pid, run: hold.served.run.id, use: slot.use });
      for (const { kind, descriptor } of hold.listeners) {
        worker.listen(hold.served.run.id, kind, descriptor);
      }
    } catch (error) {
      leave(hold);
      throw error;
    }
  }

  function leave(hold: Hold): void {
    const { slot } = hold;
    hold.slot = undefined;
    hold.attached = false;
    if (slot === undefined) return;
    slot.holds.delete(hold);
    if (slot.use === "shared" || slot.holds.size > 0) return;
    slots.splice(slots.indexOf(slot), 1);
    slot.live?.kill("nobody needs it");
  }

  function buried(slot: Slot, worker: Worker, why: string): void {
    slot.worker = undefined;
    slot.live = undefined;
    const holds = [...slot.holds].filter((hold) => !hold.over);
    for (const hold of slot.holds) leave(hold);
    if (closing || holds.length === 0) return;
    log.warn("worker.died", {
      pid: worker.pid,
      why,
      runs: holds.map(({ served }) => served.run.id),
    });
    // Whose bytes were in its hands; where nobody's show, it may have been anybody's.
    const busy = holds.filter(({ served }) => served.flows.open > 0);
    for (const hold of busy.length > 0 ? busy : holds) hold.deaths += 1;
    for (const hold of holds) {
      recover(hold, why).catch((error: unknown) => {
        hold.served.run.stop("worker", `no worker serves it: ${describeError(error)}`);
      });
    }
  }

  async function recover(hold: Hold, why: string): Promise<void> {
    const { run } = hold.served;
    const cause = `the worker that parsed its traffic ended (${why})`;
    const frozen = await run.freeze(cause);
    await hold.served.cut(cause);
    if (hold.deaths >= DEATHS_MAX) {
      const detail = `${cause} for the second time`;
      run.finding("escape", detail, { process: UNKNOWN_PROCESS });
      run.stop("worker", detail);
      return;
    }
    if (hold.over) return;
    await place(hold);
    if (frozen) await run.thaw();
  }

  /** By one that serves nobody: what it reads can reach no run and no credential through it. */
  async function describe(held: Held, context: DescribeContext): Promise<Action> {
    if (closing) throw new Fault("worker.gone", "the daemon stops");
    return await (await workerOf(reader)).describe(held, context);
  }

  return {
    describe,
    warm: startAhead,
    async serve(run, ports) {
      const hold: Hold = {
        served: new Served(run, ports, describe),
        listeners: [],
        slot: undefined,
        attached: false,
        deaths: 0,
        over: false,
      };
      await place(hold);
      return gatewayOf(hold, () => leave(hold));
    },
    list: () =>
      slots.flatMap(({ live, holds }) =>
        live === undefined
          ? []
          : [{ pid: live.pid, runs: [...holds].map(({ served }) => served.run.id) }],
      ),
    async close() {
      closing = true;
      await Promise.allSettled(slots.flatMap((slot) => slot.worker ?? [])); // One may be starting still.
      const live = slots.flatMap((slot) => slot.live ?? []);
      for (const worker of live) worker.kill("the daemon stops");
      await Promise.all(live.map((worker) => worker.gone));
    },
  };
}

/** The face that the daemon has of a run's gateway, wherever its worker is. */
export interface ServedGateway extends Omit<Gateway, "recheck" | "perform" | "look"> {
  /** Cuts every flow that the run's policy of now would not grant; tells how many. */
  recheck(cutAll?: string): Promise<number>;
  /** Sends or performs `held`; rejects with `worker.gone` where it is not known whether that happened. */
  perform(held: Held, credential?: Credentialed): Promise<Asked>;
  /** Reads again the facts of an operation, in JSON as the answer's body. @throws {Fault} `worker.gone` */
  look(held: HeldOperation, credential?: Credentialed): Promise<Asked>;
}

function gatewayOf(hold: Hold, leave: () => void): ServedGateway {
  const { served, listeners } = hold;
  const send = async (held: Held, credential: Credentialed | undefined, look: boolean) => {
    const live = hold.slot?.live;
    if (live === undefined || !hold.attached) throw new Fault("worker.gone", "no worker serves it");
    return await live.perform(served.run.id, held, credential, look);
  };
  const accept = (kind: ListenerKind, descriptor: number) => {
    listeners.push({ kind, descriptor });
    if (hold.attached) hold.slot?.live?.listen(served.run.id, kind, descriptor);
  };
  return {
    acceptTcp: (fd) => accept("tcp", fd),
    acceptDns: (fd) => accept("dns", fd),
    judgeConnect(to, transport, by = UNKNOWN_PROCESS) {
      const judgement = served.judge.look(to, transport);
      if (judgement.errno !== 0) served.judge.refused(to, transport, judgement, { process: by });
      return judgement;
    },
    refusedUnheard: (refusal) => served.judge.unheard(refusal),
    recheck: async (cutAll) => (await hold.slot?.live?.recheck(served.run.id, cutAll)) ?? 0,
    perform: (held, credential) => send(held, credential, false),
    look: (held, credential) => send(held, credential, true),
    stats: () => ({ ...served.flows, torn: 0, refused: served.judge.counts() }),
    async close() {
      if (hold.over) return;
      hold.over = true;
      for (const { descriptor } of listeners.splice(0)) closeDescriptor(descriptor);
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, STOP_MS);
      await Promise.race([hold.slot?.live?.stop(served.run.id), late]);
      clearTimeout(timer);
      hold.slot?.live?.forget(served.run.id);
      await served.cut("the run ended"); // What a worker that is gone, or slow, did not close.
      leave();
    },
  };
}

function emptiest(slots: readonly Slot[]): Slot {
  return slots.reduce((best, slot) => (slot.holds.size < best.holds.size ? slot : best));
}

function newSlot(use: SlotUse, loads: Loads): Slot {
  return { use, loads, holds: new Set(), worker: undefined, live: undefined };
}

/** What whoever serves runs of `policy` must have loaded. A policy only becomes narrower. */
function loadsFor({ grants }: Policy): Loads {
  return grants.some(({ kind }) => kind === "session") ? "brokers" : "nothing";
}

/** The host's own store; Node's copy of Mozilla's where the host has none. */
function systemAuthorities(): readonly string[] {
  const system = getCACertificates("system");
  return [...new Set(system.length > 0 ? system : getCACertificates("bundled"))];
}
