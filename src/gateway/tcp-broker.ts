/**
 * Connections that nobody judges inside: `splice` (TLS that passes through) and `opaque` (any protocol).
 *
 * One Action stands for the whole connection, recorded before a byte leaves. Of a splice the name in
 * the ClientHello must be the granted one, in the open, and both sides must go on in TLS records. Of an
 * opaque connection each side's first bytes are named: tunnels, mining and TLS are closed unless the
 * grant names them. Here servers may speak first: they are dialled at once. docs/decisions/0047.
 *
 * @module
 */
import type { Socket } from "node:net";
import { digestOf, type Action } from "../action/index.ts";
import { createId, describeError, isFault, type Clock } from "../base/index.ts";
import type { Side } from "../detect/index.ts";
import { GATED_PROTOCOLS, routeOf, type Grant } from "../policy/index.ts";
import {
  classifyFirstBytes,
  createStratumWatch,
  createTlsRecordWatch,
  FIRST_BYTES_MAX,
  type FirstBytesProtocol,
} from "../wire/index.ts";
import type { Destination, Dialer } from "./dialer.ts";
import type { FlowRecord } from "./flow-record.ts";
import type { GatewayLimits } from "./limits.ts";
import type { GatewayPorts, GatewayRun, Verdict } from "./ports.ts";
import { createFlowSight } from "./flow-sight.ts";
import { relay, type Sight } from "./relay.ts";

export interface TcpBrokerPorts {
  readonly run: GatewayRun;
  readonly ports: GatewayPorts;
  readonly limits: GatewayLimits;
  readonly dialer: Dialer;
}

/** A granted connection whose name, and for a splice whose hello, is right. */
export interface TcpClient {
  readonly flow: FlowRecord;
  readonly grant: Grant;
  readonly to: Destination;
}

/** Judges, records, dials and relays; resolves when the connection is over. */
export async function serveTcp(client: TcpClient, shared: TcpBrokerPorts): Promise<void> {
  const { flow, grant, to } = client;
  const { run, ports, dialer } = shared;
  const { wallMs, monoMs } = ports.clock.now();
  const action = describe(client, { run: run.id, wallMs, monoMs });
  const gone = new AbortController();
  flow.socket.once("close", () => gone.abort());
  const decision = await run.intend(action, flow.id);
  if (decision.verdict !== "allow") {
    refuse(client, decision, action);
    return;
  }
  const done = flow.stands(action);
  try {
    if (flow.socket.destroyed) return; // Cut, or gone, while it was being written.
    const upstream = await dialer.dial({ ...to, tls: false, isRelayed: true }, gone.signal);
    flow.upstreamBytes = () => ({
      sent: upstream.raw.bytesWritten,
      received: upstream.raw.bytesRead,
    });
    await carry(flow, upstream.raw, { grant, limits: shared.limits, clock: ports.clock });
  } catch (error) {
    if (!isFault(error)) throw error;
    flow.cut(`not connected: ${describeError(error)}`);
    await run.record({
      type: "outcome",
      system: grant.name,
      target: action.target,
      flow: flow.id,
      action: action.id,
      data: { code: error.code, detail: describeError(error) },
    });
  } finally {
    done();
  }
}

interface Carried {
  readonly grant: Grant;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
}

function carry(flow: FlowRecord, raw: Socket, { grant, limits, clock }: Carried): Promise<void> {
  if (flow.socket.destroyed) raw.destroy();
  const sights = grant.kind === "splice" ? spliceSights(flow) : opaqueSights(flow, grant, clock);
  const idleMs = limits.exchangeIdleMs;
  return relay(flow.socket, raw, { ...sights, idleMs, cut: (why) => flow.because(why) });
}

interface Sights {
  readonly out: Sight;
  readonly back: Sight;
}

function spliceSights(flow: FlowRecord): Sights {
  const sight = (): Sight => {
    const records = createTlsRecordWatch();
    return (chunk) => {
      const why = records.push(chunk);
      if (why === undefined) return undefined;
      const { protocol } = classifyFirstBytes(chunk.subarray(0, FIRST_BYTES_MAX));
      const name = protocol === "http" || protocol === "tls" ? "unknown" : protocol;
      return offend(flow, name, why, "in a spliced connection");
    };
  };
  return { out: sight(), back: sight() };
}

/** Only tunnels, mining and TLS are refused by name: what else it may be is what the grant is for. */
function opaqueSights(flow: FlowRecord, grant: Grant, clock: Clock): Sights {
  const closed = new Set<string>(
    GATED_PROTOCOLS.filter((protocol) => !grant.protocols.includes(protocol)),
  );
  const flowSight = createFlowSight(flow, grant, clock);
  const sight = (from: Side): Sight => {
    const mining = closed.has("stratum") ? createStratumWatch() : undefined;
    let head: Buffer | undefined = Buffer.alloc(0);
    return (chunk) => {
      if (head !== undefined) {
        head = Buffer.concat([head, chunk.subarray(0, FIRST_BYTES_MAX - head.length)]);
        const { protocol, certain, detail } = classifyFirstBytes(head);
        if (closed.has(protocol)) {
          const hint = protocol === "tls" ? "; TLS to a granted name is `splice: true`" : "";
          return offend(flow, protocol, `${detail}${hint}`, "in an opaque connection");
        }
        if (certain || head.length >= FIRST_BYTES_MAX) head = undefined;
      }
      const hit = mining?.push(chunk);
      if (hit !== undefined) return offend(flow, "stratum", hit.detail, "in an opaque connection");
      flowSight(from, chunk);
      return undefined;
    };
  };
  return { out: sight("client"), back: sight("server") };
}

function offend(flow: FlowRecord, protocol: FirstBytesProtocol, detail: string, where: string) {
  flow.offend(protocol, detail, where);
  return `not the granted protocol: ${protocol} ${where}`;
}

function describe(
  { flow, grant, to }: TcpClient,
  { run, wallMs, monoMs }: { run: string; wallMs: number; monoMs: number },
): Action {
  const { host, port } = to;
  const fields = { host, port, carried: grant.kind };
  return {
    id: createId("a", wallMs),
    run,
    at: new Date(wallMs).toISOString(),
    monoMs,
    system: grant.name,
    kind: "tcp",
    verb: "connect",
    // It may carry anything anywhere: at least what a write to that system is.
    effects: ["write"],
    target: `${host}:${port}`,
    summary: `Opens a connection to ${host}:${port} that is not inspected (${grant.kind})`,
    fields,
    digest: digestOf(fields),
    cause: flow.process,
  };
}

function refuse({ flow, grant }: TcpClient, decision: Verdict, action: Action): void {
  const { reason, hint, rule, verdict } = decision;
  flow.deny({
    system: grant.name,
    target: action.target,
    route: routeOf({ verb: "connect", port: flow.port, protocol: grant.kind }),
    effect: "write",
    rule,
    title: verdict === "confirm" ? "This waits for a person" : "This connection is not granted",
    reason: hint === undefined ? reason : `${reason}; ${hint}`,
    action: action.id,
  });
  flow.cut(`denied: ${rule}`);
}
