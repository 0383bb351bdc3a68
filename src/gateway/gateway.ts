/**
 * The gateway of one run: takes over its listeners, and gives every connection a life of its own.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import { UNKNOWN_PROCESS, type Process } from "../action/index.ts";
import { CANARY, LeavingWatch } from "../detect/index.ts";
import { describeError } from "../base/index.ts";
import { internetFamily, originalDestination, type Endpoint } from "../sys/index.ts";
import {
  createConnectJudge,
  type ConnectJudgement,
  type RefusalCounts,
  type Transport,
  type Unheard,
} from "./connect-judge.ts";
import { ask, type Asked } from "./collected-client.ts";
import type { Credentialed } from "./credential.ts";
import { destinationOf } from "./destination.ts";
import { createDialer } from "./dialer.ts";
import {
  createNamePool,
  createResolver,
  serveDnsUdp,
  type NamePool,
  type Resolver,
} from "./dns/index.ts";
import { beginFlow, type FlowPorts } from "./flow.ts";
import { tearSocket, type FlowRecord } from "./flow-record.ts";
import { createHttpBroker } from "./http-broker.ts";
import { createHttp2Broker } from "./http2-broker.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { requestOf } from "./held.ts";
import { CANARY_USED, isCanary, namesIn } from "./placeholders.ts";
import { http1Upstream } from "./http1-upstream.ts";
import { lookAgain, performOperation } from "./errand.ts";
import {
  isOperation,
  type GatewayPorts,
  type GatewayRun,
  type Held,
  type HeldOperation,
} from "./ports.ts";
import { UpstreamAgent } from "./upstream-agent.ts";
import { systemTrust } from "./upstream-trust.ts";

/** How a gateway is doing. */
export interface GatewayStats {
  readonly open: number;
  readonly total: number;
  /** Connections above the limit, torn at once. */
  readonly torn: number;
  readonly refused: RefusalCounts;
}

/** The only way out of one run. */
export interface Gateway {
  /** Serves connections that arrive at the listening TCP socket `fd`, which it then owns. */
  acceptTcp(fd: number): void;
  /** Answers DNS on the bound UDP socket `fd`, which it then owns. */
  acceptDns(fd: number): void;
  /**
   * Judges a connect that the kernel holds. Where it is refused, that is recorded as `by`'s doing; where
   * it may go on, the flow that follows is judged again and records itself.
   */
  judgeConnect(to: Endpoint, transport: Transport, by?: Process): ConnectJudgement;
  /** Records what the run's network or its system-call filter refused by itself. */
  refusedUnheard(refusal: Unheard): void;
  /** Cuts every flow that the run's policy of now would not grant, or every one, if it says why; tells how many. */
  recheck(cutAll?: string): number;
  /** Sends what a person approved, on a connection of its own. Never rejects. */
  perform(held: Held, credential?: Credentialed): Promise<Asked>;
  /** Reads again the facts of an operation that a person approved. Never rejects. */
  look(held: HeldOperation, credential?: Credentialed): Promise<HeldOperation["facts"]>;
  stats(): GatewayStats;
  /** Cuts every flow, closes the listeners, and resolves when every close is recorded. */
  close(): Promise<void>;
}

/** Makes the gateway of `run`; it does nothing until it is given descriptors. */
export function createGateway(run: GatewayRun, ports: GatewayPorts): Gateway {
  const limits: GatewayLimits = { ...GATEWAY_LIMITS, ...ports.limits };
  const { clock, log } = ports;
  const pool = ports.pool ?? createNamePool();
  const judge = createConnectJudge({ run, clock, pool });
  const resolver = createRunResolver(run, pool, ports);
  const trust = ports.trust ?? systemTrust();
  const dialer = createDialer({ limits, trust, connect: ports.connect });
  const leaving = new LeavingWatch((text) => namesIn(run, text));
  const broker = createHttpBroker({ run, clock, log, limits, leaving });
  const http2 = createHttp2Broker({ run, clock, log, limits, leaving });
  const shared: FlowPorts = {
    run,
    ports,
    limits,
    resolver,
    judge,
    dialer,
    broker,
    http2,
    originalDestination: ports.originalDestination ?? originalDestination,
  };
  const flows = new Set<FlowRecord>();
  const servers: Server[] = [];
  const closers: (() => void)[] = [];
  const counts = { total: 0, torn: 0 };

  function accept(socket: Socket): void {
    counts.total += 1;
    if (flows.size >= limits.flows) {
      counts.torn += 1;
      socket.on("error", () => {});
      tearSocket(socket);
      return;
    }
    const flow = beginFlow(socket, shared);
    flows.add(flow);
    void flow.closed.then(() => flows.delete(flow));
  }

  return {
    acceptTcp(fd) {
      // Half open, so that a client that has said its last word still gets its answer.
      const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
      server.on("error", (error) => log.warn("gateway.listen", { error: describeError(error) }));
      server.listen({ fd });
      servers.push(server);
    },
    acceptDns(fd) {
      closers.push(serveDnsUdp(fd, resolver, internetFamily(fd)));
    },
    judgeConnect(to, transport, by = UNKNOWN_PROCESS) {
      const judgement = judge.look(to, transport);
      if (judgement.errno !== 0) judge.refused(to, transport, judgement, { process: by });
      return judgement;
    },
    refusedUnheard: (refusal) => judge.unheard(refusal),
    recheck(cutAll) {
      if (cutAll === undefined) return [...flows].filter((flow) => flow.recheck()).length;
      const open = [...flows];
      for (const flow of open) flow.cut(cutAll);
      return open.length;
    },
    look: (held, credential) => lookAgain(held, credential?.lease, { run, ports, limits, dialer }),
    async perform(held, credential) {
      if (isOperation(held)) {
        return await performOperation(held, credential?.lease, { run, ports, limits, dialer });
      }
      const grant = run.policy.grants.find(
        ({ ports: granted, kind }) => kind === "http" && granted.includes(held.port),
      );
      if (grant === undefined) {
        const failure = { code: "gateway.revoked", detail: "nothing is granted there any more" };
        return { outcome: { bytesOut: 0, bytesIn: 0, failure }, answer: undefined };
      }
      const agent = new UpstreamAgent(dialer, destinationOf(grant, held, run));
      try {
        const upstream = http1Upstream(agent, limits, { open: 1, free: 0 });
        return await ask(
          upstream,
          { request: requestOf(held), body: held.body, credential },
          limits,
        );
      } finally {
        agent.destroy();
      }
    },
    stats: () => ({ open: flows.size, ...counts, refused: judge.counts() }),
    async close() {
      for (const server of servers) server.close();
      for (const close of closers) close();
      const closing = [...flows].map((flow) => {
        flow.cut("the run ended");
        return flow.closed;
      });
      await Promise.all(closing);
    },
  };
}

/** The run's resolver, with what it is asked in the ledger and what is odd about that as findings. */
function createRunResolver(
  run: GatewayRun,
  pool: NamePool,
  { clock, log, namesTold }: GatewayPorts,
): Resolver {
  return createResolver({
    pool,
    clock,
    ...(namesTold === undefined ? {} : { settled: namesTold }),
    onQuestion({ name, type, rcode, answer, transport, from }) {
      const asked = { name, type, rcode, answer: [...answer], transport };
      const data = from === undefined ? asked : { ...asked, port: from.port };
      run.record({ type: "dns", target: name, data }).catch((error: unknown) => {
        // The run's own `record` ends the run; the answer named an address of its own pool only.
        log.warn("gateway.dns.unrecorded", { error: describeError(error) });
      });
      // In one label or cut over several; it went nowhere, since nothing is asked outside.
      if (run.placeholders.find(`${name}\n${name.replaceAll(".", "")}`).some(isCanary)) {
        const of = { target: name, route: "dns", detector: CANARY.name, score: 1 };
        run.finding("exfiltration", `${CANARY_USED} in a question to the resolver`, of);
      }
    },
    onOdd({ kind, detail, count, suspicious }) {
      log.info("gateway.dns.odd", { run: run.id, kind, count });
      if (suspicious)
        run.finding("resolver", `${kind}, ${count} times: ${detail}`, { route: "dns" });
    },
  });
}
