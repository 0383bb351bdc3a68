/**
 * May this run connect there? Asked twice: when the kernel holds the `connect` (so that a refused port
 * does not look open), and again when the connection arrives, since what the kernel showed was only a
 * claim. Both go through here, so that a refusal is recorded and counted in one place.
 *
 * @module
 */
import { isIPv6 } from "node:net";
import { UNKNOWN_PROCESS, type FindingKind, type Process } from "../action/index.ts";
import type { Clock } from "../base/index.ts";
import { judgeConnect, routeOf, type ConnectDecision } from "../policy/index.ts";
import type { Endpoint } from "../sys/index.ts";
import { isMetadataAddress, isMetadataName } from "./addresses.ts";
import { allowedInstead } from "./denial.ts";
import type { NamePool } from "./dns/index.ts";
import type { GatewayRun } from "./ports.ts";
import { INITIAL_SCAN, noteRefused } from "./scan.ts";

/** The name server that a run's resolv.conf names. */
export const RESOLVER_ADDRESS = "10.255.0.53";
const DNS_PORT = 53;
const ONLY_TCP = "nothing but TCP and DNS leaves a run";

/** By what a run tried to reach something. */
export type Transport = "tcp" | "udp" | "icmp" | "other";

/** What the kernel is told. Port and name refusals look like a closed port, addresses like a firewall. */
export type ConnectErrno = 0 | "ECONNREFUSED" | "EACCES";

export interface ConnectJudgement {
  readonly errno: ConnectErrno;
  /** The name behind the address, where it is one of the pool's. */
  readonly host?: string;
  /** Absent where nothing leaves the run anyway: its own loopback, its resolver. */
  readonly decision?: ConnectDecision;
}

/** Whom a refusal is about. */
export interface Attempt {
  readonly process: Process;
  readonly flow?: string;
  /** How many equal ones; 1 by default. */
  readonly count?: number;
}

/** Packets that the run's network refused, or a socket that the system-call filter did. */
export interface Unheard {
  readonly transport: Transport;
  readonly count: number;
  /** Where only their number is known, absent. */
  readonly to?: Endpoint;
  readonly process?: Process;
}

/** How often something was refused below the level of a flow. */
export type RefusalCounts = Readonly<Record<Transport, number>>;

export interface ConnectJudge {
  /** Judges and records nothing. */
  look(to: Endpoint, transport: Transport): ConnectJudgement;
  /** Records that `to` was refused: denial, and what findings come of it. */
  refused(to: Endpoint, transport: Transport, judgement: ConnectJudgement, by: Attempt): void;
  /** Records what was refused without being judged. */
  unheard(refusal: Unheard): void;
  counts(): RefusalCounts;
}

export interface ConnectJudgePorts {
  readonly run: Pick<GatewayRun, "policy" | "denied" | "finding">;
  readonly clock: Clock;
  readonly pool: NamePool;
}

export function createConnectJudge({ run, clock, pool }: ConnectJudgePorts): ConnectJudge {
  let scan = INITIAL_SCAN;
  const counts = { tcp: 0, udp: 0, icmp: 0, other: 0 };

  function look(to: Endpoint, transport: Transport): ConnectJudgement {
    const address = unmapped(to.address);
    if (isOwnLoopback(address)) return { errno: 0 };
    if (to.port === DNS_PORT && address === RESOLVER_ADDRESS) return { errno: 0 };
    const host = pool.hostOf(address);
    // libc connects a datagram socket to every address it found, only to sort them (RFC 6724). No
    // packet follows, and one that did would find nobody: the run's network holds only `lo`.
    if (transport === "udp" && host !== undefined && to.port !== DNS_PORT)
      return { errno: 0, host };
    const named = host === undefined ? {} : { host };
    const decision =
      transport !== "tcp" || to.port === DNS_PORT
        ? notTcp(to, transport)
        : judgeConnect(run.policy, { ...named, address, port: to.port });
    if (decision.kind !== "refuse") return { errno: 0, ...named, decision };
    return { errno: host === undefined ? "EACCES" : "ECONNREFUSED", ...named, decision };
  }

  function refused(
    to: Endpoint,
    transport: Transport,
    { host, decision }: ConnectJudgement,
    by: Attempt,
  ): void {
    if (decision === undefined || decision.kind === "grant") return;
    counts[transport] += by.count ?? 1;
    const address = unmapped(to.address);
    const target = host ?? address;
    // Without the family: clients try IPv6 and IPv4 of a name by themselves, which is one route.
    const route = routeOf({ protocol: transport, port: to.port });
    const { process, flow, count } = by;
    const about = { ...(flow !== undefined && { flow }), process, route };
    const find = (kind: FindingKind, detail: string) =>
      run.finding(kind, detail, { target: `${target}:${to.port}`, ...about });
    // An explained name is denied when it has asked something; that is told by the flow.
    if (decision.kind === "refuse") {
      run.denied({
        system: "none",
        target,
        rule: decision.rule,
        title: "The connection is not granted",
        reason: decision.reason,
        allowed: allowedInstead(run.policy, host),
        ...(count !== undefined && { count }),
        ...about,
      });
    }
    if (isMetadataAddress(address) || (host !== undefined && isMetadataName(host))) {
      find("metadata", `${target} is where a cloud hands out credentials`);
    }
    if (to.port === DNS_PORT)
      find("resolver", `a resolver of its own, ${target}, over ${transport}`);
    // Packets to a name are what a client of QUIC tries of itself, with any name.
    if (decision.kind !== "refuse" || (count !== undefined && host !== undefined)) return;
    const { monoMs } = clock.now();
    const noted = noteRefused(scan, { destination: target, port: to.port, monoMs });
    scan = noted.state;
    if (noted.finding !== undefined) find("scan", noted.finding);
  }

  return {
    look,
    refused,
    unheard({ transport, count, to, process = UNKNOWN_PROCESS }) {
      if (to !== undefined) {
        const host = pool.hostOf(unmapped(to.address));
        const judgement = { errno: "EACCES", decision: notTcp(to, transport) } as const;
        refused(to, transport, host === undefined ? judgement : { ...judgement, host }, {
          process,
          count,
        });
        return;
      }
      counts[transport] += count;
      run.denied({
        system: "none",
        target: transport,
        route: transport,
        rule: `no-${transport}`,
        title: "Only TCP and DNS leave a run",
        reason: ONLY_TCP,
        allowed: allowedInstead(run.policy, undefined),
        process,
        count,
      });
    },
    counts: () => ({ ...counts }),
  };
}

function notTcp(to: Endpoint, transport: Transport): ConnectDecision {
  if (to.port === DNS_PORT) {
    const reason = `names are resolved by ${RESOLVER_ADDRESS} only`;
    return { kind: "refuse", rule: "resolver", reason };
  }
  return {
    kind: "refuse",
    rule: `no-${transport}`,
    reason: ONLY_TCP,
  };
}

/** 127/8 and ::1 are the run's own, and so are the unspecified addresses: Linux takes them for it. */
function isOwnLoopback(address: string): boolean {
  return /^127\.|^0\.0\.0\.0$/.test(address) || address === "::1" || address === "::";
}

/** An IPv4 address in IPv6 dress is that IPv4 address. */
function unmapped(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return isIPv6(address) && mapped !== undefined ? mapped : address;
}
