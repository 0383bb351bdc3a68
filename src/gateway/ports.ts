/**
 * What the gateway needs from outside: the run it serves, and the world. The daemon provides both.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { Action, Event, FindingKind, Json, Process } from "../action/index.ts";
import type { Entry, Facts } from "../catalog/index.ts";
import type { Clock, Log } from "../base/index.ts";
import type { GivenPlaceholder, Lease, PlaceholderFinder } from "../vault/index.ts";
import type { Decision, Policy } from "../policy/index.ts";
import type { Endpoint } from "../sys/index.ts";
import type { CollectedAnswer } from "./collected-client.ts";
import type { Connector } from "./connector.ts";
import type { Denial } from "./denial.ts";
import type { NamePool } from "./dns/index.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { Origin } from "./http-request.ts";
import type { GatewayLimits } from "./limits.ts";
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
  readonly action?: string;
  readonly cause?: Event["cause"];
  /** Who noticed it, of those that have a name (docs/reference/detectors.md), and how sure that is: 0 to 1. */
  readonly detector?: string;
  readonly score?: number;
}

/** An event without what the recorder adds. */
export type EventDraft = Omit<Event, "at" | "monoMs" | "run">;

/** A request that waits for a person: all of it, as it would be sent. */
export interface HeldRequest extends Origin {
  readonly method: string;
  /** Request target in origin form. */
  readonly target: string;
  /** End-to-end fields without `Host` and framing. */
  readonly headers: RawHeaders;
  /** Absent where the request has none. */
  readonly body?: Buffer;
  /** What look-ups found when it was judged. */
  readonly facts: Facts;
}

/** An operation of a session protocol that waits for a person: all of it, as it would be performed. */
export interface HeldOperation {
  readonly host: string;
  readonly port: number;
  readonly operation: Json;
  /** Bytes that belong to it. Absent where it has none. */
  readonly body?: Buffer;
  /** What look-ups found when it was judged. */
  readonly facts: Readonly<Record<string, Json>>;
}

/** Whatever waits for a person. */
export type Held = HeldRequest | HeldOperation;

/** Reports whether `held` is an operation of a session protocol. */
export function isOperation<Some extends object>(
  held: Some,
): held is Extract<Some, { readonly operation: unknown }> {
  return "operation" in held;
}

/** What became of a request that waited. */
export type Resolution =
  /** It was performed, and this is what the system answered. `note` tells the agent what a person changed. */
  | {
      readonly kind: "answered";
      readonly approval: string;
      readonly answer: CollectedAnswer;
      readonly note?: string;
    }
  | { readonly kind: "pending"; readonly approval: string; readonly reason: string }
  /** `approval` is empty where nobody was asked: it is not granted any more. */
  | { readonly kind: "denied"; readonly approval: string; readonly reason: string };

/** What was decided; the state that it left stays with whoever decides. */
export type Verdict = Omit<Decision, "state"> & {
  /** Of an allowed request whose grant names a credential. */
  readonly lease?: Lease;
  /** It was allowed this once: what comes again is counted one by one, and asked for again. */
  readonly once?: true;
  /** Of an allowed one for which a connection was asked along, where whoever decides makes them. */
  readonly connection?: Promise<Socket>;
};

/** A granted place, as {@link Destination} names it. */
export interface Way {
  readonly host: string;
  readonly port: number;
}

/** A terminal's size in characters, each at least 1, and what it says it is (`TERM`). */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  readonly term?: string | undefined;
}

/** Where what a terminal shows is recorded. */
export interface TerminalRecord {
  /**
   * Resolves when `bytes` are recorded; only then may they be shown (INV-129).
   *
   * @throws {Fault} `recording.full`, `recording.write`: the terminal must end.
   */
  shows(bytes: Buffer): Promise<void>;
  resizes(terminal: Terminal): Promise<void>;
}

/** What stands for credentials in a run, and a way to find it in what the run says. */
export interface Placeholders extends PlaceholderFinder {
  readonly given: readonly GivenPlaceholder[];
}

/** One run, as the gateway sees it. */
export interface GatewayRun {
  readonly id: string;
  /** The policy of now; it may become narrower while the run lives. */
  readonly policy: Policy;
  /** PEM (PKCS 8, Ed25519) of the host key that SSH clients of the run know. */
  readonly hostKey?: string;
  /** PEM of each grant's `ca:` file as it was when the run started, by the grant's name. */
  readonly authorities?: ReadonlyMap<string, string>;
  /**
   * Judges `action` of flow `flow`, and resolves when it is on record with its verdict (INV-9).
   *
   * @param way where it would go, if there is no connection yet: one may come with the verdict.
   * @throws where it could not be recorded: then nothing may leave.
   */
  intend(action: Action, flow: string, way?: Way): Promise<Verdict>;
  /**
   * Has a person decide over `action`, which {@link intend} said waits for one; resolves when it was
   * performed or denied, or when the agent has waited long enough: as long as its task says, or `waitMs`
   * where that is less.
   */
  hold(held: Held, action: Action, flow: string, waitMs?: number): Promise<Resolution>;
  /** What stands for credentials in the run. */
  readonly placeholders: Placeholders;
  /** What the catalog knows of systems of this kind; `undefined` for plain HTTP. */
  entryOf(kind: string): Entry | undefined;
  /**
   * Whether what was allowed before is still granted: the policy may have been narrowed since. `isApproved`: it was
   * allowed by a person.
   */
  stands(action: Action, isApproved?: boolean): boolean;
  /** Everything that follows from a denial: the run's denials file, stickiness, the ledger. */
  denied(denial: Denial): void;
  /**
   * Says that `action` of `flow`, which was allowed and only reads, may repeat from here on, or not any more; only
   * of those that may are `repeat` entries taken.
   */
  repeats?(flow: string, action: string, mayRepeat: boolean): void;
  /**
   * Begins the recording of a terminal that the allowed `action` of `flow` opens; it ends with the action's outcome.
   *
   * @throws {Fault} `recording.full`, `recording.write`, `worker.recording`: then no terminal is opened.
   */
  recording(action: string, flow: string, terminal: Terminal): Promise<TerminalRecord>;
  /** Which process opened `flow`, known from here on by the name `id`. */
  attribute(flow: FlowTuple, id: string): Promise<Process>;
  /** Resolves when the entry is written; with `sync`, when it is on disk. */
  record(event: EventDraft, options?: { readonly sync?: boolean }): Promise<number>;
  finding(kind: FindingKind, detail: string, of: FindingSubject): void;
}

/** The world, as the gateway sees it. */
export interface GatewayPorts {
  readonly clock: Clock;
  /** What answers TLS as a host that the run asked for. */
  readonly authority: { contextFor(host: string): SecureContext | Promise<SecureContext> };
  /** The way out. */
  readonly connect: Connector;
  readonly log: Log;
  /** Where a redirected connection was going; the kernel's answer by default. */
  readonly originalDestination?: (socket: Socket) => Endpoint;
  /** The run's names; one of its own by default. */
  readonly pool?: NamePool;
  /** Pends while a name that was given out is not yet known to whoever judges connects elsewhere. */
  readonly namesTold?: () => Promise<void> | undefined;
  readonly limits?: Partial<GatewayLimits>;
  /** Who may vouch for upstreams; the system's authorities, read once per process, by default. */
  readonly trust?: UpstreamTrust;
}
