/**
 * A run as a worker sees it: the same face that the gateway always has, with the daemon behind it.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Socket as NetSocket } from "node:net";
import type { SecureContext } from "node:tls";
import { UNKNOWN_PROCESS } from "../action/index.ts";
import { systemClock, type Log } from "../base/index.ts";
import {
  createNamePool,
  createGateway,
  isFresh,
  isOperation,
  leafContext,
  type Asked,
  type Connector,
  type FindingSubject,
  type Gateway,
  type GatewayRun,
  type Held,
  type HeldOperation,
  type Leaf,
  type NamePool,
  type UpstreamTrust,
} from "../gateway/index.ts";
import { findEntry } from "../catalog/index.ts";
import { isStanding, type Policy, type PolicyState } from "../policy/index.ts";
import { createPlaceholderFinder } from "../vault/index.ts";
import { faultOf, type Calls } from "./calls.ts";
import type { Order, SaidEvent, SaidOfRun } from "./protocol.ts";

const SPOOL_CHUNK_BYTES = 768 << 10;
type SaidFacts = Extract<SaidOfRun, { say: "hold" }>["held"]["facts"];
type ServeOrder = Extract<Order, { order: "serve" }>;

/** What all runs of a worker share. */
export interface Shared {
  readonly calls: Calls;
  readonly log: Log;
  readonly trust: UpstreamTrust;
}

/** A run that is served here. */
export interface RemoteRun {
  readonly gateway: Gateway;
  /** Takes the run's rules of now, and tells how many flows they cut. */
  recheck(rules: Rules & { readonly cutAll?: string }): number;
  /** Sends what the daemon says, and tells what came of it. */
  perform(order: Extract<Order, { order: "perform" }>): Promise<void>;
}

/** What decides whether something that was allowed may go on. */
interface Rules {
  readonly policy: Policy;
  readonly state: PolicyState;
}

/** Serves the run that `order` names. */
export function serveRun(order: ServeOrder, shared: Shared): RemoteRun {
  const { calls, log, trust } = shared;
  const names = createToldPool(order, calls);
  const rules: { now: Rules } = { now: order };
  const gateway = createGateway(remoteRun(order, rules, calls), {
    clock: systemClock,
    log,
    trust,
    pool: names.pool,
    namesTold: names.told,
    authority: createRemoteAuthority(order.run, calls),
    connect: createRemoteConnector(order.run, calls),
  });
  return {
    gateway,
    recheck(now) {
      rules.now = now;
      return gateway.recheck(now.cutAll);
    },
    async perform({ run, p, held: { body, ...said }, look, credential }) {
      const whole = body === undefined ? {} : { body: Buffer.from(body, "base64") };
      const held: Held = { facts: {}, ...said, ...whole };
      const { outcome, answer } =
        look === true && isOperation(held)
          ? asAnswer(await gateway.look(held, credential))
          : await gateway.perform(held, credential);
      const { failure, ...rest } = outcome;
      calls.note({
        say: "performed",
        run,
        p,
        asked: {
          outcome: { ...rest, ...(failure === undefined ? {} : { failure: { ...failure } }) },
          ...(answer === undefined
            ? {}
            : {
                answer: {
                  ...answer,
                  headers: [...answer.headers],
                  body: answer.body.toString("base64"),
                },
              }),
        },
      });
    },
  };
}

/** What is held, less its body and its facts, as it crosses. */
function saidOf(held: Held) {
  if (isOperation(held)) {
    const { host, port, operation } = held;
    return { host, port, operation: operation as SaidFacts[string] };
  }
  const { scheme, host, port, method, target, headers } = held;
  return { scheme, host, port, method, target, headers: [...headers] };
}

/** Facts as an answer, which is how they cross. */
function asAnswer(facts: HeldOperation["facts"]): Asked {
  const body = Buffer.from(JSON.stringify(facts));
  return {
    outcome: { bytesOut: 0, bytesIn: 0 },
    answer: { status: 200, headers: [], body, isCut: false },
  };
}

/** Which process it is stays with the daemon, which knows it by the flow; here it is only said whether. */
function remoteRun(
  { run, authorities, systems, placeholders, hostKey }: ServeOrder,
  rules: { readonly now: Rules },
  calls: Calls,
): GatewayRun {
  const finder = createPlaceholderFinder(placeholders);
  return {
    id: run,
    get policy() {
      return rules.now.policy;
    },
    stands: (action, isApproved) =>
      isStanding(rules.now.policy, rules.now.state, action, isApproved),
    authorities: new Map(authorities),
    hostKey,
    async attribute(tuple, flow) {
      // Waited for: of a connection that is cut at once nobody could say any more whose it was.
      await calls.ask("attribute", { run, flow, tuple });
      return UNKNOWN_PROCESS;
    },
    async intend(action, flow, way) {
      const { run: _run, at: _at, monoMs: _monoMs, cause: _cause, ...rest } = action;
      const dial = way === undefined ? {} : { dial: { host: way.host, port: way.port } };
      const { verdict, descriptor } = await calls.intend({ run, flow, action: rest, ...dial });
      const { dialled, ...decision } = verdict;
      if (descriptor !== undefined) {
        return { ...decision, connection: Promise.resolve(socketOf(descriptor, false)) };
      }
      if (dialled === undefined || dialled === "connected") return decision;
      return { ...decision, connection: Promise.reject(faultOf(dialled)) };
    },
    async hold(held, action, flow, waitMs) {
      const { body } = held;
      for (let at = 0; at < (body?.length ?? 0); at += SPOOL_CHUNK_BYTES) {
        const chunk = body?.subarray(at, at + SPOOL_CHUNK_BYTES).toString("base64") ?? "";
        calls.note({ say: "spool", run, action: action.id, chunk });
      }
      const hasBody = body !== undefined;
      const facts = held.facts as SaidFacts;
      const late = waitMs === undefined ? {} : { waitMs };
      const said = { ...saidOf(held), hasBody, facts };
      const asked = { run, flow, action: action.id, held: said, ...late };
      const resolution = await calls.ask("hold", asked);
      if (resolution.kind !== "answered") return resolution;
      const { answer } = resolution;
      return { ...resolution, answer: { ...answer, body: Buffer.from(answer.body, "base64") } };
    },
    async recording(action, flow, { columns, rows, term }) {
      const terminal = { columns, rows, ...(term === undefined ? {} : { term }) };
      await calls.ask("recording", { run, flow, action, terminal });
      return {
        async shows(bytes) {
          for (let at = 0; at < bytes.length; at += SPOOL_CHUNK_BYTES) {
            const output = bytes.subarray(at, at + SPOOL_CHUNK_BYTES).toString("base64");
            await calls.ask("recorded", { run, action, what: { output } });
          }
        },
        async resizes(to) {
          const what = { columns: to.columns, rows: to.rows };
          await calls.ask("recorded", { run, action, what });
        },
      };
    },
    placeholders: { given: placeholders, find: (content) => finder.find(content) },
    entryOf: (kind) => findEntry(kind) ?? systems.find(({ system }) => system === kind),
    record({ process: _process, ...draft }) {
      // The gateway asks for no other types than these; were it to, the daemon would refuse.
      const event = draft as SaidEvent;
      // Not waited for: the daemon lets nothing leave before what was said ahead of it is on record.
      // INV-140: the agent may act upon a tool call as soon as it has it.
      if (event.type === "tool.call") calls.noteNow({ say: "record", run, event });
      else calls.note({ say: "record", run, event });
      return Promise.resolve(-1);
    },
    repeats: (flow, action, may) => calls.note({ say: "repeats", run, flow, action, may }),
    denied: ({ process: _process, ...denial }) => calls.note({ say: "denied", run, denial }),
    finding: (kind, detail, { process: _process, ...of }: FindingSubject) =>
      calls.note({ say: "finding", run, kind, detail, of }),
  };
}

/** The run's names; the daemon must know one before the run may connect to it. */
function createToldPool({ run, names }: ServeOrder, calls: Calls) {
  const known = createNamePool();
  for (const name of names) known.addressFor(name, 4);
  const untold = new Set<Promise<unknown>>();
  const pool: NamePool = {
    hostOf: (address) => known.hostOf(address),
    has: (host) => known.has(host),
    names: () => known.names(),
    get size() {
      return known.size;
    },
    addressFor(host, family) {
      const before = known.size;
      const address = known.addressFor(host, family);
      if (known.size > before) {
        const telling = calls.ask("name", { run, host }).finally(() => untold.delete(telling));
        untold.add(telling);
      }
      return address;
    },
  };
  const told = () =>
    untold.size === 0
      ? undefined
      : Promise.all(untold).then(
          () => {},
          () => {},
        );
  return { pool, told };
}

const CONTEXTS_MAX = 512; // As many as the authority itself keeps ready.

/** Certificates come from the daemon, which keeps the authority's key. */
function createRemoteAuthority(run: string, calls: Calls) {
  const known = new Map<string, { readonly leaf: Leaf; readonly context: SecureContext }>();
  return {
    async contextFor(host: string): Promise<SecureContext> {
      const before = known.get(host);
      if (before !== undefined && isFresh(before.leaf, systemClock.now().wallMs))
        return before.context;
      const leaf = await calls.ask("leaf", { run, host });
      const context = leafContext(leaf);
      known.delete(host);
      known.set(host, { leaf, context });
      for (const oldest of known.keys()) {
        if (known.size <= CONTEXTS_MAX) break;
        known.delete(oldest);
      }
      return context;
    },
  };
}

/** Connections come from the daemon, which judges where they go; what the grant says is not asked of us. */
function createRemoteConnector(run: string, calls: Calls): Connector {
  return async ({ host, port, flow, isRelayed = false }, signal): Promise<Socket> => {
    const fd = await calls.dial({ run, host, port, ...(flow === undefined ? {} : { flow }) });
    const socket = socketOf(fd, isRelayed);
    if (signal.aborted) socket.destroy();
    return socket;
  };
}

function socketOf(fd: number, allowHalfOpen: boolean): Socket {
  return new NetSocket({ fd, readable: true, writable: true, allowHalfOpen }).setNoDelay(true);
}
