/**
 * What a broker of a session protocol is. It turns the bytes of a connection into operations, has each judged
 * before it takes effect, and performs what was allowed; what waits for a person it hands over whole, and
 * later performs the stored operation on a connection of its own.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import type { Action, Event, FindingKind, Json } from "../../action/index.ts";
import type { Clock, Log } from "../../base/index.ts";
import type { Grant } from "../../policy/index.ts";
import type { Lease } from "../../vault/index.ts";
import type { Allowed } from "../allowed.ts";
import type { Asked } from "../collected-client.ts";
import type { Denial } from "../denial.ts";
import type { GatewayLimits } from "../limits.ts";
import type { HeldOperation, Resolution, Terminal, TerminalRecord, Verdict } from "../ports.ts";

/** An operation with what it depends on. */
export interface Asking {
  readonly operation: Json;
  /** Bytes that belong to it, whole; at most {@link GatewayLimits.spoolBytes}. */
  readonly body?: Buffer;
  /** What was looked up; see `Surroundings.facts`. */
  readonly facts?: Readonly<Record<string, Json>>;
}

/** An operation that was judged, and is on record with its verdict. */
export interface Judged {
  readonly asking: Asking;
  readonly action: Action;
  readonly decision: Verdict;
}

/** A connection to the granted place; nothing was said on it yet. */
export interface Way {
  readonly socket: Socket;
  /** What to log in with, where the grant names a credential. */
  readonly lease: Lease | undefined;
}

/** Where operations are performed: for a run's session, and for what a person approved. */
export interface Place {
  readonly grant: Grant;
  /** The grant's `with:`, as the protocol's options leave it. */
  readonly options: Json;
  /** The granted name: what the server must prove to be. */
  readonly host: string;
  readonly port: number;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Speaks TLS on `socket` and resolves when the server has proved to be {@link host} (INV-14).
   *
   * @throws {Fault} `gateway.certificate`, `gateway.upstream_tls`
   */
  secure(socket: Socket): Promise<TLSSocket>;
}

/** One connection of a run, identified and granted, of which no byte was read. */
export interface Session extends Place {
  /** Whose it is: for what a broker keeps beyond one connection, and must keep apart by run. */
  readonly run: string;
  /** The agent's side. */
  readonly client: Socket;
  /** PEM (PKCS 8) of the run's own SSH host key, which stands in its known hosts. */
  readonly hostKey: string | undefined;
  /** What answers TLS as {@link host} towards the agent; see `acceptTls`. */
  leaf(): Promise<SecureContext>;
  /**
   * Connects to the granted place: an action of its own (the verb `session`), judged and on record first.
   * Once per session; more are new actions. Whoever calls it closes the socket.
   *
   * @throws {Fault} `gateway.denied` where it may not be (the denial is told already); those of the dialer.
   */
  connect(): Promise<Way>;
  /**
   * Has an operation judged; resolves when it is on record with its verdict (INV-9). What is allowed is
   * performed by the broker, which then tells its {@link outcome}.
   */
  judge(asking: Asking): Promise<Judged>;
  /**
   * Adds to what {@link judge} said waits for a person what is known only after that: what it would do, its input.
   * One judgement stays one, unless it turns out to do another thing than was judged: that is judged anew.
   */
  complete(judged: Judged, whole: Asking): Promise<Judged>;
  /**
   * Whether an operation that only reads and has the same `key` was allowed by the policy of now: then it may
   * go at once, and is counted; the counts are on record within a second (docs/decisions/0270). A key must
   * stand for everything that the judgement depends on.
   */
  repeats(key: string): boolean;
  /** Makes `judged`, which was allowed and only reads, known to {@link repeats}. */
  remember(key: string, judged: Judged): void;
  /**
   * Has a person decide over what {@link judge} said waits for one: all of it is stored first. The agent waits as
   * long as its task says, or `waitMs` where that is less; 0 is: stored, and not waited for.
   */
  hold(judged: Judged, waitMs?: number): Promise<Resolution>;
  /**
   * Begins the recording of a terminal that `judged` opens; {@link outcome} ends it.
   *
   * @throws {Fault} `recording.full`, `recording.write`: then no terminal may be opened.
   */
  recordTerminal(judged: Judged, terminal: Terminal): Promise<TerminalRecord>;
  /**
   * As {@link hold}, of a conversation (its description says so): nobody performs it. Where it is `answered` a person
   * lets it begin, here and once, as if it were allowed: its {@link outcome} is told.
   */
  enter(judged: Judged): Promise<Resolution>;
  /** What became of what was allowed. Exactly once for each; `data` holds no secret. */
  outcome(judged: Judged, data: Readonly<Record<string, Json>>): Promise<void>;
  /** An entry on a tool that was called by what was judged, or on what came of it; on its way at once. */
  note(judged: Judged, type: "tool.call" | "tool.result", data: NonNullable<Event["data"]>): void;
  /**
   * Refuses what was judged: denials file, stickiness, ledger. `text` of the result is for the agent, and so is
   * `instead`: what would make it possible.
   */
  deny(judged: Judged, resolution?: Resolution, instead?: string): Told;
  /** Refuses what is no operation: a forwarding, a replication, bytes that are not the protocol's. */
  refuse(refusal: SessionRefusal): Told;
  /**
   * Makes sessions at another granted place of the same protocol, for a client that speaks within this
   * connection: what an SSH client asks of a jump host. They end with this one. `undefined` where nothing is
   * granted there.
   */
  within?(place: {
    readonly host: string;
    readonly port: number;
  }): ((client: Socket) => Session) | undefined;
  /**
   * Has `allowed` kept instead of what was allowed on this connection alone; false where the policy of now would not
   * let all of it be.
   */
  share(allowed: Allowed): boolean;
  /**
   * Ends the session with `text` in the protocol's own form; set by its broker. Called once, when what was allowed
   * is not granted any more; the server is not reached after it. False where nothing can be said, in the middle of
   * an answer: then the connection is cut.
   */
  lastWord?: (text: string) => boolean;
  /** Names misbehaviour: an event of its own, to which the task may respond. */
  find(kind: FindingKind, detail: string): void;
  /** Ends the connection at once, and says why in the record. */
  cut(reason: string): void;
  /** Names why the connection is about to end; the broker ends it itself. */
  because(reason: string): void;
}

/** What is refused that is no operation. */
export interface SessionRefusal {
  /** Names the rule: `ssh.tcpip-forward`. */
  readonly rule: string;
  readonly title: string;
  readonly reason: string;
  /** What it was about; the granted place by default. */
  readonly target?: string;
}

/** A denial, and what the agent is told of it. */
export interface Told {
  readonly denial: Denial;
  /** One line: what was denied, by which rule, what to do instead. */
  readonly text: string;
}

/** A stored operation's way: one connection, already made. */
export interface Errand extends Place {
  readonly held: HeldOperation;
  readonly way: Way;
}

/** The broker of one protocol; stateless: all that it keeps is in its sessions. */
export interface SessionBroker {
  readonly system: string;
  /** Nothing of an operation goes on when its outcome is told: no narrower policy need end a session for it. */
  readonly leavesNothing?: true;
  /**
   * Reads again the facts of a stored operation, before it is performed; absent where no operation has any.
   * What cannot be read is left out, and then it is not what a person saw.
   */
  look?(errand: Errand): Promise<HeldOperation["facts"]>;
  /** Serves `session` until its connection is over. What it throws cuts the connection. */
  serve(session: Session): Promise<void>;
  /**
   * Performs a stored operation, exactly as it was stored. Never rejects. The answer's `status` is 200 where the
   * system did it, else 500; `body` is the broker's own form, which its `serve` reads from the resolution.
   */
  perform(errand: Errand): Promise<Asked>;
}
