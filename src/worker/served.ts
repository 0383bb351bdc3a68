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
  type Event,
  type Process,
} from "../action/index.ts";
import { Fault, type Clock } from "../base/index.ts";
import {
  GATEWAY_LIMITS,
  createConnectJudge,
  createNamePool,
  type CertificateAuthority,
  type ConnectJudge,
  type Attempt,
  type Connector,
  type FlowTuple,
  type EventDraft,
  type GatewayRun,
  isOperation,
  isSameDeed,
  mayRepeat,
  REPEATING_MAX,
  type Held,
  type NamePool,
  type Terminal,
  type Verdict,
  type Way,
} from "../gateway/index.ts";
import { canonicalHost, judgeConnect, type Policy, type PolicyState } from "../policy/index.ts";
import { dataOf, type RecordedAction, type Recording } from "../recording/index.ts";
import { descriptorOf } from "../sys/index.ts";
import type { Describe } from "./describe.ts";
import { forget, remember } from "./remembered.ts";
import { outOf, ownless, WaysOut } from "./ways-out.ts";
import { Waiting } from "./waiting.ts";
import type { Answers, SaidOfRun, SaidResolution } from "./protocol.ts";

/** Flows that a run may have at once, with those whose close is being written. */
const FLOWS_MAX = 2048;
/** Terminals of one run that are recorded at once: each holds a file open. */
const RECORDED_MAX = 64;
/** A run that can be held still while nobody serves it. */
export interface HeldRun extends Omit<GatewayRun, "stands" | "recording"> {
  /** What it has done, as far as that decides what may go on. */
  readonly policyState: PolicyState;
  /** Nobody's run, but what Cofferdam itself asks: served apart from all runs. */
  readonly isErrand?: true;
  /** Freezes it; `false` where it does not run yet, or not any more, or is frozen already. */
  freeze(why: string): Promise<boolean>;
  /** Undoes {@link freeze}. */
  thaw(): Promise<void>;
  /** Of an errand, which records no flows: a connection was dialled for it. */
  dialled?(attempt: Attempt): void;
  stop(reason: string, detail: string): void;
}

export interface ServedPorts {
  readonly clock: Clock;
  readonly authority: Pick<CertificateAuthority, "leafFor">;
  /** The way out of this run; see {@link ConnectorPorts.unread}. */
  readonly connect: Connector;
  /** Where its terminals are recorded; absent where it may open none. */
  readonly recordings?: RunRecordings;
}

/** The recordings of one run. */
export interface RunRecordings {
  begin(about: Omit<RecordedAction, "run" | "runBytes">, terminal: Terminal): Promise<Recording>;
  /** Told when what `recording` came to is on record. */
  settle(recording: Recording): Promise<void>;
}

/** As much of an allowed action as its recording tells. */
type Performed = Pick<RecordedAction, "system" | "target" | "title">;

interface Recorded {
  readonly about: Omit<RecordedAction, "run" | "runBytes">;
  readonly begun: Promise<Recording>;
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
  readonly #performed = new Map<string, Performed>();
  /** Terminals that are recorded, by the action that opened them. */
  readonly #recorded = new Map<string, Recorded>();
  /** Recordings that are over, and not on record yet. */
  readonly #sealing = new Set<Promise<unknown>>();
  /** Allowed actions that only read, of which it may say that they repeat; the last ones. */
  readonly #repeatable = new Set<string>();
  /** Actions that wait for a person, of which the request is still to come. */
  readonly #waiting = new Waiting();
  readonly #opens = new Set<Promise<unknown>>();
  readonly #out = new WaysOut((flow, out) => void this.#tellOut(flow, out));
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
      this.#perform(action);
      if (mayRepeat(verdict, action)) remember(this.#repeatable, action.id);
    }
    if (verdict.verdict === "confirm") this.#waiting.add(action);
    return verdict;
  }

  /** From here on `action` has an outcome. */
  #perform({ id, system, target, summary }: Action): void {
    const [place = "", title = ""] = [target, summary].map((text) => text.slice(0, 500));
    this.#performed.set(id, { system, target: place, title });
    forget(this.#performed);
  }

  /** @throws {Fault} `worker.lie` */
  spool({ action, chunk }: Extract<SaidOfRun, { say: "spool" }>): void {
    const wrong = this.#waiting.spool(action, Buffer.from(chunk, "base64"));
    if (wrong !== undefined) throw lie(wrong);
  }

  /**
   * An action that waits for a person. INV-63: what the person sees is made here from the very bytes that
   * are stored, and must be what the worker had judged; of an operation more may be known by now, as long as it
   * does the same (INV-131).
   *
   * @throws {Fault} `worker.lie`, `worker.waiting`
   */
  async hold(said: Extract<SaidOfRun, { say: "hold" }>): Promise<SaidResolution> {
    const waiting = this.#waiting.take(said.action);
    if (waiting === undefined) throw lie("a person for an action that does not wait for one");
    const { hasBody, ...rest } = said.held;
    const body = hasBody ? { body: waiting.body } : {};
    const held: Held = { ...rest, ...body };
    const { action } = waiting;
    const grant = this.run.policy.grants.find(({ name }) => name === action.system);
    if (grant === undefined) throw lie("an action of no grant");
    const at = { wallMs: Date.parse(action.at), monoMs: action.monoMs };
    const entry = this.run.entryOf(grant.system);
    const context = { run: this.run.id, at, grant, own: entry, cause: action.cause };
    const own = { ...(await this.#describe(held, context)), id: action.id };
    const isIt = isOperation(held)
      ? isSameDeed(own, action)
      : canonicalJson(own) === canonicalJson(action);
    if (!isIt) throw lie("another action than it described");
    const resolution = await this.run.hold(held, own, said.flow, said.waitMs);
    if (resolution.kind !== "answered") return resolution;
    // A conversation is let in here, and has an outcome.
    if (typeof own.fields["conversation"] === "string") this.#perform(own);
    const { answer } = resolution;
    return { ...resolution, answer: { ...answer, body: answer.body.toString("base64") } };
  }

  /** @throws {Fault} `worker.lie` */
  async record(said: Extract<SaidOfRun, { say: "record" }>): Promise<unknown> {
    const event = ownless(said.event);
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
      return inTurn(flow, () => this.#outcome({ ...defined(event), type }, action));
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
    const data = { ...event.data, ...this.#out.take(id ?? "") };
    return inTurn(flow, (process) => this.run.record({ ...defined(event), data, process, type }));
  }

  /** An entry of its own about ways out, of which no other has told in time. */
  async #tellOut(id: string, out: ReturnType<typeof outOf>): Promise<void> {
    const flow = this.#flows.get(id);
    const of = flow && { target: flow.target, flow: id, process: flow.process };
    await this.run.record({ type: "flow.out", ...of, data: { out } }).catch(() => {}); // Which ended the run.
  }

  /**
   * Begins to record the terminal of an allowed action. Which, when and in what words is the daemon's to say (INV-43).
   *
   * @throws {Fault} `worker.lie`; those of the recordings.
   */
  async recording({
    flow,
    action,
    terminal,
  }: Extract<SaidOfRun, { say: "recording" }>): Promise<null> {
    const performed = this.#performed.get(action);
    if (performed === undefined) throw lie("a recording of what was not allowed");
    if (this.#recorded.has(action)) throw lie("two recordings of one action");
    this.#flowOf(flow);
    const { recordings } = this.#ports;
    if (recordings === undefined || this.#recorded.size >= RECORDED_MAX) {
      const most = recordings === undefined ? "no terminal" : `${RECORDED_MAX} terminals`;
      throw new Fault("worker.recording", `${most} can be recorded at once here`);
    }
    const about = { ...performed, action, flow };
    const begun = recordings.begin(about, terminal);
    this.#recorded.set(action, { about, begun });
    await begun.catch((error: unknown) => {
      this.#recorded.delete(action);
      throw error;
    });
    return null;
  }

  /** @throws {Fault} `worker.lie`; those of the recording. */
  async recorded({ action, what }: Extract<SaidOfRun, { say: "recorded" }>): Promise<null> {
    const recorded = this.#recorded.get(action);
    if (recorded === undefined) {
      if (this.#closed.has(action)) throw new Fault("worker.flow", "the recording is over");
      throw lie("what no terminal shows");
    }
    const recording = await recorded.begun;
    if ("output" in what) await recording.shows(Buffer.from(what.output, "base64"));
    else await recording.resizes(what);
    return null;
  }

  /** An outcome, with what was recorded of its action: by the daemon's own word only (INV-130). */
  #outcome({ data, ...event }: EventDraft, action: string, end?: string): Promise<unknown> {
    const { recording: _, ...rest } = data ?? {};
    const said = { ...rest, ...this.#out.take(event.flow ?? "") };
    const recorded = this.#recorded.get(action);
    if (recorded === undefined) return this.run.record({ ...event, data: said });
    this.#recorded.delete(action);
    remember(this.#closed, action);
    const sealing = this.#seal(recorded, { ...event, data: said }, end);
    this.#sealing.add(sealing);
    return sealing.finally(() => this.#sealing.delete(sealing));
  }

  async #seal({ begun }: Recorded, event: EventDraft, end?: string): Promise<unknown> {
    const recording = await begun;
    const data = { ...event.data, recording: dataOf(await recording.seal(end)) };
    const seq = await this.run.record({ ...event, data });
    await this.#ports.recordings?.settle(recording);
    return seq;
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
  async dial({ host, port, flow }: Way & { readonly flow?: string | undefined }): Promise<Handed> {
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
    const socket = await this.#ports.connect(to, signal, (attempt) => this.#dialled(flow, attempt));
    if (signal.aborted) {
      socket.destroy();
      throw new Fault("gateway.aborted", "the worker is gone");
    }
    return { descriptor: descriptorOf(socket), close: () => void socket.destroy() };
  }

  #dialled(flow: string | undefined, attempt: Attempt): void {
    if (this.run.isErrand === true) this.run.dialled?.(attempt);
    else if (this.#flows.has(flow ?? "")) this.#out.note(flow ?? "", attempt);
    else void this.#tellOut(flow ?? "", outOf([attempt])); // Its flow is over already.
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
    for (const [action, { about }] of this.#recorded) {
      const { system, target, flow } = about;
      const data = { failed: "worker" };
      const event = { type: "outcome", system, target, flow, action, data } as const;
      // A failure has ended the run, or is told to whoever began it; waited for below.
      this.#outcome(event, action, why).catch(() => {});
    }
    const closes = open.flatMap(([id, { recorded, target, process }]) =>
      recorded !== undefined
        ? this.run.record({
            type: "flow.close",
            flow: id,
            target,
            process,
            data: { reason: why, ...this.#out.take(id) },
          })
        : [],
    );
    await Promise.allSettled([...this.#sealing, ...closes]); // The run's own `record` ends the run where the ledger cannot.
  }

  #begin(id: string, tuple: FlowTuple): Flow {
    if (this.#flows.has(id)) throw lie("two flows of one name");
    if (this.#flows.size >= FLOWS_MAX) throw lie("more flows than a run may have");
    this.#total += 1;
    const { promise: late, resolve } = Promise.withResolvers<Process>();
    const timer = setTimeout(() => resolve(UNKNOWN_PROCESS), GATEWAY_LIMITS.attributeMs);
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

function lie(what: string): Fault {
  return new Fault("worker.lie", `a worker asked for ${what}`);
}

/** The same without members that are `undefined`, which zod's types allow and JSON never has. */
export function defined<T extends object>(
  value: T,
): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return value as { [Key in keyof T]: Exclude<T[Key], undefined> };
}
