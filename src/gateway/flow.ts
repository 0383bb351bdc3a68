/**
 * One connection's life: identify, judge, attribute, record, read its first bytes, and hand it to the
 * broker of what it is. Whatever is not what the grant says is closed and named (INV-6).
 *
 * @module
 */
import { isIPv6, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { UNKNOWN_PROCESS, type Process } from "../action/index.ts";
import { describeError, Fault, isFault } from "../base/index.ts";
import { routeOf, type ConnectDecision, type Grant } from "../policy/index.ts";
import type { Endpoint } from "../sys/index.ts";
import type { ClientHello } from "../wire/index.ts";
import type { ConnectJudge } from "./connect-judge.ts";
import { destinationOf } from "./destination.ts";
import type { Dialer } from "./dialer.ts";
import { serveDnsTcp, type Resolver } from "./dns/index.ts";
import { FlowRecord } from "./flow-record.ts";
import type { Access, HttpBroker } from "./http-broker.ts";
import type { GatewayLimits } from "./limits.ts";
import { readOpening, type Opening } from "./opening.ts";
import type { GatewayPorts, GatewayRun } from "./ports.ts";
import { findBroker } from "./brokers/index.ts";
import { serveSession } from "./session.ts";
import { serveTcp } from "./tcp-broker.ts";
import { acceptTls, ALERT_UNRECOGNIZED_NAME } from "./tls-front.ts";
import { UpstreamAgent } from "./upstream-agent.ts";

/** What every flow of a run shares. */
export interface FlowPorts {
  readonly run: GatewayRun;
  readonly ports: GatewayPorts;
  readonly limits: GatewayLimits;
  readonly resolver: Resolver;
  readonly judge: ConnectJudge;
  readonly dialer: Dialer;
  readonly broker: HttpBroker;
  readonly http2: HttpBroker;
  originalDestination(socket: Socket): Endpoint;
}

/** A connection that may go on: by a grant, or only to hear why not. */
type Admission = Extract<ConnectDecision, { kind: "grant" | "explain" }>;

/** Begins the life of a connection that was just accepted; the rest of it follows by itself. */
export function beginFlow(socket: Socket, shared: FlowPorts): FlowRecord {
  const { run, ports } = shared;
  const flow = new FlowRecord({ run, clock: ports.clock, log: ports.log, socket });
  live(flow, shared).catch((error: unknown) => {
    // Fail closed: whatever step failed, the connection is gone.
    ports.log.warn("gateway.flow.failed", { flow: flow.id, error: describeError(error) });
    flow.cut(isFault(error) ? `failed: ${error.code}` : "failed: internal");
  });
  return flow;
}

async function live(flow: FlowRecord, shared: FlowPorts): Promise<void> {
  const { judge } = shared;
  const to = shared.originalDestination(flow.socket);
  const judgement = judge.look(to, "tcp");
  const { host, decision } = judgement;
  flow.host = host;
  flow.port = to.port;
  if (decision?.kind === "grant") flow.grant = decision.grant;
  flow.target = host === undefined ? printEndpoint(to) : `${host}:${to.port}`;
  const data = { address: to.address, port: to.port, name: host ?? "", protocol: "tcp" };
  const opened = flow.open(attribute(flow, to, shared), data);
  // To look at the first bytes one need not know yet whose they are; to act on them, yes.
  const opening =
    flow.grant === undefined || flow.grant.kind === "opaque" || flow.grant.kind === "session"
      ? undefined
      : readOpening(flow.socket, shared.limits);
  await opened;
  if (decision === undefined) {
    // Our own resolver; the run's loopback is never redirected here, so nothing else is served.
    if (to.port === 53) serveDnsTcp(flow.socket, shared.resolver);
    else flow.cut("refused: the run's own loopback");
    return;
  }
  const by = { process: flow.process, flow: flow.id };
  if (decision.kind !== "grant") judge.refused(to, "tcp", judgement, by);
  if (decision.kind === "refuse" || host === undefined) {
    flow.notice();
    flow.cut(`refused: ${decision.kind === "refuse" ? decision.reason : "no name"}`);
    return;
  }
  const named = { host, port: to.port, decision, opening };
  const grant = decision.kind === "grant" ? decision.grant : undefined;
  if (grant?.kind === "session") await serveProtocol(flow, { host, port: to.port, grant }, shared);
  else if (grant !== undefined && grant.kind !== "http") {
    await serveUninspected(flow, named, grant, shared);
  } else await serveHttp(flow, named, shared);
}

/** Whoever speaks the grant's protocol reads the first bytes, or says them. */
async function serveProtocol(
  flow: FlowRecord,
  at: { readonly host: string; readonly port: number; readonly grant: Grant },
  shared: FlowPorts,
): Promise<void> {
  const broker = findBroker(at.grant.system);
  if (broker === undefined) {
    flow.cut(`nobody here speaks ${at.grant.system}`);
    return;
  }
  await serveSession(broker, { flow, ...at }, shared);
}

/** A splice must open with the granted name in the open; an opaque connection may open as it likes. */
async function serveUninspected(
  flow: FlowRecord,
  { host, port, opening: first }: Named,
  grant: Grant,
  shared: FlowPorts,
): Promise<void> {
  if (grant.kind === "splice") {
    const opening = await (first ?? readOpening(flow.socket, shared.limits));
    if (isOver(flow, opening)) return;
    if (opening.kind !== "tls") {
      const { protocol, detail } =
        opening.kind === "other"
          ? opening
          : { protocol: "http" as const, detail: "the grant says TLS" };
      flow.offend(protocol, detail, "in a spliced connection");
      return;
    }
    if (!isForName(flow, opening.hello, host)) return;
    if (opening.hello.ech) {
      refuseHello(flow, host, {
        rule: "tls.ech",
        title: "The TLS greeting hides a name",
        reason: "an encrypted ClientHello may name another site than the granted one",
      });
      return;
    }
  }
  const dial = grant.dial === undefined ? {} : { dial: grant.dial };
  await serveTcp({ flow, grant, to: { host, port, tls: false, flow: flow.id, ...dial } }, shared);
}

/** Which process this is; unknown is said, and does not hold the flow up for long. */
async function attribute(flow: FlowRecord, to: Endpoint, shared: FlowPorts): Promise<Process> {
  const { remoteAddress = "", remotePort = 0 } = flow.socket;
  const local = remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
  const asked = shared.run.attribute(
    {
      family: isIPv6(to.address) ? 6 : 4,
      localAddress: local,
      localPort: remotePort,
      remoteAddress: to.address,
      remotePort: to.port,
    },
    flow.id,
  );
  const { promise: late, resolve } = Promise.withResolvers<Process>();
  const timer = setTimeout(() => resolve(UNKNOWN_PROCESS), shared.limits.attributeMs);
  try {
    return await Promise.race([asked, late]);
  } catch (error) {
    shared.ports.log.warn("gateway.attribute.failed", {
      flow: flow.id,
      error: describeError(error),
    });
    return UNKNOWN_PROCESS; // Attribution explains; it does not decide.
  } finally {
    clearTimeout(timer);
  }
}

interface Named {
  readonly host: string;
  readonly port: number;
  readonly decision: Admission;
  /** The first bytes, where they are being read already. */
  readonly opening: Promise<Opening> | undefined;
}

/** Requires HTTP, in TLS where the grant says so; an explained name may come either way. */
async function serveHttp(flow: FlowRecord, named: Named, shared: FlowPorts): Promise<void> {
  const { decision, host, port } = named;
  const opening = await (named.opening ?? readOpening(flow.socket, shared.limits));
  if (isOver(flow, opening)) return;
  if (opening.kind === "other") {
    flow.offend(opening.protocol, opening.detail, "in the connection");
    return;
  }
  if (decision.kind === "grant" && decision.grant.tls !== (opening.kind === "tls")) {
    const wanted = decision.grant.tls ? "TLS" : "plain HTTP";
    const protocol = opening.kind === "http2" ? "http2-preface" : opening.kind;
    flow.offend(protocol, `the grant says ${wanted}`, "in the connection");
    return;
  }
  const access = accessOf(named, flow, shared);
  if (opening.kind === "http" || opening.kind === "http2") {
    const broker = opening.kind === "http" ? shared.broker : shared.http2;
    broker.serve(flow.socket, { flow, origin: { scheme: "http", host, port }, access });
    return;
  }
  if (!isForName(flow, opening.hello, host)) return;
  const stream = await endTls(flow, host, shared);
  if (stream === undefined) return;
  const inner = await readOpening(stream, shared.limits);
  if (isOver(flow, inner)) return;
  // What ALPN agreed on is what must come, and without ALPN that is HTTP/1.1.
  const wanted = stream.alpnProtocol === "h2" ? "http2" : "http";
  if (inner.kind === wanted) {
    const broker = wanted === "http" ? shared.broker : shared.http2;
    broker.serve(stream, { flow, origin: { scheme: "https", host, port }, access });
  } else if (inner.kind === "other") flow.offend(inner.protocol, inner.detail, "inside TLS");
  else if (inner.kind === "tls") flow.offend("tls", "TLS again", "inside TLS");
  else {
    const protocol = inner.kind === "http2" ? "http2-preface" : "http";
    flow.offend(protocol, `ALPN chose ${wanted === "http2" ? "h2" : "HTTP/1.1"}`, "inside TLS");
  }
}

/** Reports whether nothing more is to come, and closes. */
function isOver(
  flow: FlowRecord,
  opening: Opening,
): opening is Extract<Opening, { kind: "gone" | "silent" }> {
  if (opening.kind === "gone") {
    flow.because("the client left without a word");
    flow.socket.destroy();
    return true;
  }
  if (opening.kind !== "silent") return false;
  flow.cut("the client said nothing; servers that speak first need a grant with `opaque: true`");
  return true;
}

function accessOf({ decision, host, port }: Named, flow: FlowRecord, shared: FlowPorts): Access {
  if (decision.kind === "explain") {
    return { kind: "explain", rule: decision.rule, reason: decision.reason };
  }
  const { grant } = decision;
  const agent = new UpstreamAgent(shared.dialer, {
    ...destinationOf(grant, { host, port }, shared.run),
    flow: flow.id,
  });
  flow.upstreamBytes = () => agent.bytes();
  return { kind: "grant", grant, agent };
}

/** INV-8: the name in the hello is the name that was looked up. */
function isForName(flow: FlowRecord, hello: ClientHello, host: string): boolean {
  if (hello.serverName === host) return true;
  const said = hello.serverName === undefined ? "no name" : JSON.stringify(hello.serverName);
  refuseHello(flow, host, {
    rule: "tls.server_name",
    title: "The TLS name is not the name that was looked up",
    reason: `the ClientHello says ${said}, the connection is to ${host}`,
    said: hello.serverName,
  });
  return false;
}

function refuseHello(
  flow: FlowRecord,
  host: string,
  why: { rule: string; title: string; reason: string; said?: string | undefined },
): void {
  const { said, ...denial } = why;
  const route = routeOf({ protocol: "tls", port: flow.port, host: said });
  flow.deny({ target: host, route, ...denial });
  flow.notice();
  flow.because(`denied: ${why.rule}`);
  flow.socket.end(ALERT_UNRECOGNIZED_NAME, () => flow.socket.destroy());
}

async function endTls(
  flow: FlowRecord,
  host: string,
  { ports, limits }: FlowPorts,
): Promise<TLSSocket | undefined> {
  try {
    const context = await ports.authority.contextFor(host);
    return await acceptTls(flow.socket, context, limits.handshakeMs);
  } catch (error) {
    if (isFault(error, "gateway.untrusted")) refuseTrust(flow, host, error);
    else if (!isFault(error, "gateway.handshake")) throw error;
    ports.log.info("gateway.handshake", { flow: flow.id, error: describeError(error) });
    flow.because(describeError(error));
    flow.socket.destroy();
    return undefined;
  }
}

/** The agent should change its trust or ask for another grant, rather than try again. */
function refuseTrust(flow: FlowRecord, host: string, { message, hint }: Fault): void {
  const system = flow.grant === undefined ? {} : { system: flow.grant.name };
  flow.deny({
    ...system,
    target: host,
    route: routeOf({ protocol: "tls", port: flow.port }),
    rule: "tls.untrusted",
    title: "The client does not accept this run's certificates",
    reason: `the client answered our certificate for ${host} with ${message}: ${hint ?? ""}`,
  });
}

function printEndpoint({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
