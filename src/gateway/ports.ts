/**
 * What the gateway needs from outside: the run it serves, and the world. The daemon provides both.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Action, Event, FindingKind, Process } from "../action/index.ts";
import type { Clock, Log } from "../base/index.ts";
import type { Decision, Policy } from "../policy/index.ts";
import type { Endpoint } from "../sys/index.ts";
import type { Denial } from "./denial.ts";
import type { NamePool } from "./dns/index.ts";
import type { GatewayLimits } from "./limits.ts";
import type { CertificateAuthority } from "./tls/index.ts";
import type { UpstreamTrust } from "./upstream-trust.ts";

/** A connection as the agent's own socket knows it: `local` is the agent's end, `remote` where it meant to go. */
export interface FlowTuple {
  readonly family: 4 | 6;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** What a finding is about. */
export interface FindingSubject {
  readonly flow?: string;
  readonly target?: string;
  readonly process?: Process;
  readonly route?: string;
}

/** An event without what the recorder adds. */
export type EventDraft = Omit<Event, "at" | "monoMs" | "run">;

/** One run, as the gateway sees it. */
export interface GatewayRun {
  readonly id: string;
  /** The policy of now; it may become narrower while the run lives. */
  readonly policy: Policy;
  /** PEM of each grant's `ca:` file as it was when the run started, by the grant's name. */
  readonly authorities?: ReadonlyMap<string, string>;
  /** Judges, and keeps the state that the next judgement needs. */
  decide(action: Action): Decision;
  /** Whether what was allowed before is still granted: the policy may have been narrowed since. */
  stands(action: Action): boolean;
  /** Everything that follows from a denial: the run's denials file, stickiness, the ledger. */
  denied(denial: Denial): void;
  attribute(flow: FlowTuple): Promise<Process>;
  /** Resolves when the entry is written; with `sync`, when it is on disk. */
  record(event: EventDraft, options?: { readonly sync?: boolean }): Promise<number>;
  finding(kind: FindingKind, detail: string, of: FindingSubject): void;
}

/** The world, as the gateway sees it. */
export interface GatewayPorts {
  readonly clock: Clock;
  readonly authority: CertificateAuthority;
  /** Real name resolution; asked for granted names only. */
  resolve(host: string): Promise<readonly string[]>;
  /** Cofferdam's own endpoints, refused whatever a grant says; port 0 stands for every port. */
  ownAddresses(): readonly Endpoint[];
  readonly log: Log;
  /** Where a redirected connection was going; the kernel's answer by default. */
  readonly originalDestination?: (socket: Socket) => Endpoint;
  /** The run's names; one of its own by default. */
  readonly pool?: NamePool;
  readonly limits?: Partial<GatewayLimits>;
  /** Who may vouch for upstreams; the system's authorities, read once per process, by default. */
  readonly trust?: UpstreamTrust;
}
