/**
 * One run, as the daemon has a worker serve it. Whatever the worker says about it is taken as a hostile
 * program's word: it is judged here again, by the run's own policy, and reaches this run only.
 *
 * @module
 */
import {
  canonicalJson,
  UNKNOWN_PROCESS,
  type Action,
  type Effect,
  type Event,
  type Process,
} from "../action/index.ts";
import { Fault, type Clock } from "../base/index.ts";
import {
  createConnectJudge,
  createNamePool,
  type CertificateAuthority,
  type ConnectJudge,
  type Connector,
  type FlowTuple,
  GATEWAY_LIMITS,
  type GatewayRun,
  REPEATING_MAX,
  type Held,
  type NamePool,
  type Verdict,
  type Way,
} from "../gateway/index.ts";
import { canonicalHost, judgeConnect, type Policy, type PolicyState } from "../policy/index.ts";
import { descriptorOf } from "../sys/index.ts";
import type { Describe } from "./describe.ts";
import type { Answers, SaidOfRun, SaidResolution } from "./protocol.ts";

/** Flows that a run may have at once, with those whose close is being written. */
const FLOWS_MAX = 2048;
/** Flows that are over and actions that have no outcome yet: what is on the way about them is no lie. */
const REMEMBERED_MAX = 4096;
const ATTRIBUTE_MS = 1000;
/** Actions that wait, of which the request did not come yet: their bodies are held in memory. */
const WAITING_MAX = 16;

/** A run that can be held still while nobody serves it. */
export interface HeldRun extends Omit<GatewayRun, "stands"> {
  /** What it has done, as far as that decides what may go on. */
  readonly policyState: PolicyState;
  /** Nobody's run, but what Cofferdam itself asks: served apart from all runs. */
  readonly isErrand?: true;
  /** Freezes it; `false` where it does not run yet, or not any more, or is frozen already. */
  freeze(why: string): Promise<boolean>;
  /** Undoes {@link freeze}. */
  thaw(): Promise<void>;
  stop(reason: string, detail: string): void;
}

export interface ServedPorts {
  readonly clock: Clock;
  readonly authority: Pick<CertificateAuthority, "leafFor">;
  /** The way out of this run; see {@link ConnectorPorts.unread}. */
  readonly connect: Connector;
}

interface Flow {
  process: Process;
  readonly attributed: Promise<void>;
  /** Resolves when its opening is on record; absent where it is not open. */
  recorded: Promise<unknown> | undefined;
  target: string;
  /** Allowed actions that only read and may repeat. */
  readonly repeating: Set<string>;
}

interface Waiting {
  readonly action: Action;
  readonly chunks: Buffer[];
  bytes: number;
}

/** A connected socket for the worker, and how to let go of it here. */
export interface Handed {
  readonly descriptor: number;
  close(): void;
}

/** One run, whichever worker has it. */
export class Served {
  readonly run: HeldRun;
  readonly pool: NamePool = createNamePool();
  readonly judge: ConnectJudge;
  readonly #ports: ServedPorts;
  readonly #describe: Describe;
  /** The policy that it began with; a later one is narrower. */
  readonly #first: Policy;
  readonly #flows = new Map<string, Flow>();
  readonly #closed = new Set<string>();
  /** Allowed actions without an outcome. */
  readonly #performed = new Set<string>();
  /** Allowed actions that only read, of which it may say that they repeat; the last ones. */
  readonly #repeatable = new Set<string>();
  /** Actions that wait for a person, of which the request is still to come. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #opens = new Set<Promise<unknown>>();
  #total = 0;
  /** Aborted when the worker that asked is gone. */
  #asking = new AbortController();

  /** @param describe by which what a worker described is described anew, elsewhere. */
  constructor(run: HeldRun, ports: ServedPorts, describe: Describe) {
    this.run = run;
    this.#describe = describe;
    this.#ports = ports;
    this.#first = run.policy;
    this.judge = createConnectJudge({ run, clock: ports.clock, pool: this.pool });
  }

  get flows(): { readonly open: number; readonly total: number } {
    return { open: this.#flows.size, total: this.#total };
  }

  /** A connection has come. @throws {Fault} `worker.lie` for what an honest worker never says. */
  async attribute({ flow, tuple }: Extract<SaidOfRun, { say: "attribute" }>): Promise<null> {
    await this.#begin(flow, tuple).attributed;
    return null;
  }

  denied({ denial }: Extract<SaidOfRun, { say: "denied" }>): Promise<void> {
    const flow = this.#flows.get(denial.flow ?? "");
    return inTurn(flow, (process) => this.run.denied({ ...defined(denial), process }));
  }

  finding({ kind, detail, of }: Extract<SaidOfRun, { say: "finding" }>): Promise<void> {
    return inTurn(this.#flows.get(of.flow ?? ""), (process) => {
      const by = of.flow === undefined ? {} : { process };
      this.run.finding(kind, detail, { ...defined(of), ...by });
    });
  }

  /** @throws {Fault} `worker.lie` */
  async intend(said: Extract<SaidOfRun, { say: "intend" }>): Promise<Verdict> {
    const flow = this.#flowOf(said.flow);
    if (flow.recorded === undefined) throw lie("an action on a flow that is not open");
    await flow.recorded; // INV-9: in the order of what happened.
    const { wallMs, monoMs } = this.#ports.clock.now();
    const at = new Date(wallMs).toISOString();
    const action = { ...said.action, run: this.run.id, at, monoMs, cause: flow.process };
    const verdict = await this.run.intend(action, said.flow);
    if (verdict.verdict === "allow") {
      remember(this.#performed, action.id);
      if (isReading([...verdict.effects, ...action.effects])) remember(this.#repeatable, action.id);
    }
    if (verdict.verdict === "confirm") this.#waits(action);
    return verdict;
  }

  /** @throws {Fault} `worker.lie` */
  spool({ action, chunk }: Extract<SaidOfRun, { say: "spool" }>): void {
    const waiting = this.#waiting.get(action);
    if (waiting === undefined) throw lie("the body of an action that does not wait");
    const bytes = Buffer.from(chunk, "base64");
    waiting.bytes += bytes.length;
    if (waiting.bytes > GATEWAY_LIMITS.spoolBytes) throw lie("a body longer than may be stored");
    waiting.chunks.push(bytes);
  }

  /**
   * An action that waits for a person. INV-63: what the person sees is made here from the very bytes that
   * are stored, and must be what the worker had judged.
   *
   * @throws {Fault} `worker.lie`
   */
  async hold(said: Extract<SaidOfRun, { say: "hold" }>): Promise<SaidResolution> {
    const waiting = this.#waiting.get(said.action);
    this.#waiting.delete(said.action);
    if (waiting === undefined) throw lie("a person for an action that does not wait for one");
    const { hasBody, ...rest } = said.held;
    const body = hasBody ? { body: Buffer.concat(waiting.chunks) } : {};
    const held: Held = { ...rest, ...body };
    const { action } = waiting;
    const grant = this.run.policy.grants.find(({ name }) => name === action.system);
    if (grant === undefined) throw lie("an action of no grant");
    const at = { wallMs: Date.parse(action.at), monoMs: action.monoMs };
    const entry = this.run.entryOf(grant.system);
    const context = { run: this.run.id, at, grant, own: entry, cause: action.cause };
    const own = { ...(await this.#describe(held, context)), id: action.id };
    if (canonicalJson(own) !== canonicalJson(action)) throw lie("another action than it described");
    const resolution = await this.run.hold(held, own, said.flow, said.waitMs);
    if (resolution.kind !== "answered") return resolution;
    const { answer } = resolution;
    return { ...resolution, answer: { ...answer, body: answer.body.toString("base64") } };
  }

  #waits(action: Action): void {
    this.#waiting.set(action.id, { action, chunks: [], bytes: 0 });
    // A worker that never says what is to become of them holds no memory with them.
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= WAITING_MAX) break;
      this.#waiting.delete(oldest);
    }
  }

  /** @throws {Fault} `worker.lie` */
  async record(said: Extract<SaidOfRun, { say: "record" }>): Promise<unknown> {
    const { event } = said;
    const { type, flow: id } = event;
    if (type === "dns") {
      if (id !== undefined) throw lie("a question for a name has no flow");
      return this.run.record({ ...defined(event), type });
    }
    if (type === "outcome") {
      const { action = "" } = event;
      if (!this.#performed.delete(action)) throw lie("an outcome of no action");
      // Behind what was said of its flow before it: the calls in an answer.
      const flow = this.#flows.get(id ?? "");
      return inTurn(flow, () => this.run.record({ ...defined(event), type }));
    }
    const flow = this.#flowOf(id);
    if (type === "repeat") {
      // How often is all that is not judged one by one.
      const ids = [event.action ?? "", ...Object.keys(event.data?.["of"] ?? {})];
      if (ids.some((one) => !flow.repeating.has(one))) throw lie("a repetition of what may not");
      return this.run.record({ ...defined(event), type });
    }
    if (type === "flow.open") {
      if (flow.recorded !== undefined) throw lie("a flow opened twice");
      flow.target = event.target ?? "";
      const write = () => this.run.record({ ...defined(event), process: flow.process, type });
      flow.recorded = this.#opening(flow.attributed.then(write));
      return flow.recorded;
    }
    if (flow.recorded === undefined) throw lie(`${type} of a flow that is not open`);
    if (type !== "flow.close") {
      const { data, ...rest } = event;
      // The same JSON; zod's type of it has members that may be undefined.
      const told = { ...defined(rest), data: data as NonNullable<Event["data"]> };
      return inTurn(flow, (process) => this.run.record({ ...told, process }));
    }
    this.#flows.delete(id ?? "");
    remember(this.#closed, id ?? "");
    return inTurn(flow, (process) => this.run.record({ ...defined(event), process, type }));
  }

  /** @throws {Fault} `worker.lie` */
  repeats({ flow: id, action, may }: Extract<SaidOfRun, { say: "repeats" }>): void {
    const flow = this.#flows.get(id);
    if (flow === undefined) return; // It is over, and so is what could repeat on it.
    if (!may) flow.repeating.delete(action);
    else if (!this.#repeatable.delete(action)) throw lie("an action that only reads to repeat");
    else if (flow.repeating.add(action).size > REPEATING_MAX)
      throw lie("more to repeat than it may");
  }

  /** Keeps `write` among what must be on record before a connection leaves. */
  #opening(write: Promise<unknown>): Promise<unknown> {
    this.#opens.add(write);
    write.then(
      () => void this.#opens.delete(write),
      () => {}, // It stays: what cannot be recorded lets nothing leave any more.
    );
    return write;
  }

  /** @throws {Fault} `worker.lie` for a place that the run never was granted. */
  requireGranted({ host, port }: Way): void {
    const before = judgeConnect(this.#first, { host, address: "", port });
    if (before.kind === "grant" && canonicalHost(host) === host) return;
    throw lie(`a connection to ${JSON.stringify(host)}:${port}, which is not granted`);
  }

  /**
   * Connects to a granted place. INV-43: the run's own policy says where, not the worker.
   *
   * @throws {Fault} `worker.lie` for a place that is not granted; those of the connector.
   */
  async dial({ host, port }: Way): Promise<Handed> {
    this.requireGranted({ host, port });
    const decision = judgeConnect(this.run.policy, { host, address: "", port });
    if (decision.kind !== "grant") {
      // The policy has become narrower while the worker was asking: no lie.
      throw new Fault("gateway.revoked", `${host}:${port} is not granted any more`);
    }
    const { tls, dial, proxy, name, ca } = decision.grant;
    if (ca !== undefined && this.run.authorities?.has(name) !== true) {
      throw new Fault("gateway.ca", `the authority of grant ${name} was not read`);
    }
    const to = {
      host,
      port,
      tls,
      ...(dial === undefined ? {} : { dial }),
      ...(proxy === undefined ? {} : { proxy }),
    };
    const { signal } = this.#asking;
    await Promise.all(this.#opens); // INV-9
    const socket = await this.#ports.connect(to, signal);
    if (signal.aborted) {
      socket.destroy();
      throw new Fault("gateway.aborted", "the worker is gone");
    }
    return { descriptor: descriptorOf(socket), close: () => void socket.destroy() };
  }

  /** @throws {Fault} `worker.lie` for a name that the run never asked for. */
  leaf({ host }: Extract<SaidOfRun, { say: "leaf" }>): Answers["leaf"] {
    if (!this.pool.has(host))
      throw lie(`a certificate for ${JSON.stringify(host)}, which the run did not ask for`);
    return this.#ports.authority.leafFor(host);
  }

  /** @throws {Fault} `worker.lie` */
  name({ host }: Extract<SaidOfRun, { say: "name" }>): null {
    if (canonicalHost(host) !== host || this.pool.has(host))
      throw lie("a name that is none, or known");
    if (this.pool.addressFor(host, 4) === undefined) throw lie("more names than the pool has");
    return null;
  }

  /** Its worker is gone: whatever was open is cut, and on record as such. */
  async cut(why: string): Promise<void> {
    this.#asking.abort();
    this.#asking = new AbortController();
    const open = [...this.#flows];
    this.#flows.clear();
    this.#closed.clear();
    this.#performed.clear();
    this.#repeatable.clear();
    const closes = open.flatMap(([id, { recorded, target, process }]) =>
      recorded !== undefined
        ? this.run.record({ type: "flow.close", flow: id, target, process, data: { reason: why } })
        : [],
    );
    await Promise.allSettled(closes); // The run's own `record` ends the run where the ledger cannot.
  }

  #begin(id: string, tuple: FlowTuple): Flow {
    if (this.#flows.has(id)) throw lie("two flows of one name");
    if (this.#flows.size >= FLOWS_MAX) throw lie("more flows than a run may have");
    this.#total += 1;
    const { promise: late, resolve } = Promise.withResolvers<Process>();
    const timer = setTimeout(() => resolve(UNKNOWN_PROCESS), ATTRIBUTE_MS);
    // Attribution explains; it does not decide: what fails here is unknown, and said to be.
    const asked = this.run.attribute(tuple, id).catch(() => UNKNOWN_PROCESS);
    const flow: Flow = {
      process: UNKNOWN_PROCESS,
      attributed: Promise.race([asked, late]).then((process) => {
        clearTimeout(timer);
        flow.process = process;
      }),
      recorded: undefined,
      target: "",
      repeating: new Set(),
    };
    this.#flows.set(id, flow);
    return flow;
  }

  #flowOf(id: string | undefined): Flow {
    const flow = this.#flows.get(id ?? "");
    if (flow !== undefined) return flow;
    if (this.#closed.has(id ?? "")) throw new Fault("worker.flow", "the flow is over");
    throw lie("a flow that is not the run's");
  }
}

/**
 * Does `act` behind the record of `flow`, in the order in which it was asked for: entries of one flow come
 * as they happened. A flow that is over has no process that is known any more.
 */
function inTurn<T>(flow: Flow | undefined, act: (process: Process) => T | Promise<T>): Promise<T> {
  if (flow === undefined) return Promise.resolve(act(UNKNOWN_PROCESS));
  return (flow.recorded ?? flow.attributed).then(() => act(flow.process));
}

function isReading(effects: readonly Effect[]): boolean {
  return effects.every((effect) => effect === "read" || effect === "read-private");
}

/** Adds `item`; the one that is longest in makes room. */
function remember(set: Set<string>, item: string): void {
  set.add(item);
  for (const oldest of set) {
    if (set.size <= REMEMBERED_MAX) break;
    set.delete(oldest);
  }
}

function lie(what: string): Fault {
  return new Fault("worker.lie", `a worker asked for ${what}`);
}

/** The same without members that are `undefined`, which zod's types allow and JSON never has. */
export function defined<T extends object>(
  value: T,
): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return value as { [Key in keyof T]: Exclude<T[Key], undefined> };
}
