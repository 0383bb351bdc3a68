/**
 * The bookkeeping of one connection: its open and close in the ledger, what it was refused, what was
 * noticed about it, and the one way to cut it.
 *
 * @module
 */
import type { Socket } from "node:net";
import {
  UNKNOWN_PROCESS,
  type Action,
  type Effect,
  type FindingKind,
  type Process,
} from "../action/index.ts";
import { createId, describeError, isFault, type Clock, type Log } from "../base/index.ts";
import { findingOf } from "../detect/index.ts";
import { judgeConnect, routeOf, type Grant } from "../policy/index.ts";
import { descriptorOf, resetOnClose } from "../sys/index.ts";
import type { FirstBytesProtocol } from "../wire/index.ts";
import { Allowed } from "./allowed.ts";
import { allowedInstead, type Denial } from "./denial.ts";
import type { FindingSubject, GatewayRun } from "./ports.ts";
import type { WireBytes } from "./upstream-agent.ts";

/** What is refused, and how it was tried; the rest of a {@link Denial} is the flow's. */
export interface FlowDenial {
  readonly system?: string;
  readonly target: string;
  readonly route: string;
  readonly effect?: Effect;
  readonly rule: string;
  readonly title: string;
  readonly reason: string;
  readonly action?: string;
  readonly waits?: true;
  readonly probes?: true;
}

/** Closes `socket` at once with a reset, whether or not its peer reads. */
export function tearSocket(socket: Socket): void {
  if (socket.destroyed) return;
  try {
    resetOnClose(descriptorOf(socket));
  } catch (error) {
    // Its descriptor is gone already: then only Node's side is left to close, and how does not show.
    if (!isFault(error, "sys.call")) throw error;
  } finally {
    socket.destroy();
  }
}

/** How long a client has to read why its session ends. */
const LAST_WORD_MS = 1000;
const NO_BYTES: WireBytes = { sent: 0, received: 0 };

export interface FlowOptions {
  readonly run: GatewayRun;
  readonly clock: Clock;
  readonly log: Log;
  /** The agent's side. */
  readonly socket: Socket;
}

/** One connection of a run. */
export class FlowRecord {
  readonly id: string;
  readonly socket: Socket;
  /** Where it meant to go, for a person: "docs.example.com:443". */
  target = "unknown";
  /** The canonical name behind the address, where there is one. */
  host: string | undefined;
  port = 0;
  process: Process = UNKNOWN_PROCESS;
  /** By which it came in, where it is granted. */
  grant: Grant | undefined;
  /** What has passed on the other side. */
  upstreamBytes: () => WireBytes = () => NO_BYTES;
  /** What of it goes on after its outcome: of a session. */
  allowed = new Allowed();
  /** Ends a session in its protocol's own way; false where nothing can be said in the middle of something. */
  lastWord: (() => boolean) | undefined;
  /** Resolves when the connection is closed and its `flow.close` is written. */
  readonly closed: Promise<void>;
  readonly #run: GatewayRun;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #startMs: number;
  /** What was allowed on this connection and goes on. */
  readonly #standing = new Map<Action, boolean>();
  #opened: Promise<unknown> = Promise.resolve();
  #isOpen = false;
  #isEnding = false;
  #reason: string | undefined;
  #noticedMs: number | undefined;

  constructor({ run, clock, log, socket }: FlowOptions) {
    const now = clock.now();
    this.id = createId("f", now.wallMs);
    this.socket = socket;
    this.#run = run;
    this.#clock = clock;
    this.#log = log;
    this.#startMs = now.monoMs;
    // A socket's errors all end in its close; which side broke it shows in the reason.
    socket.on("error", (error: NodeJS.ErrnoException) => this.because(`socket: ${error.code}`));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => void this.#close().finally(resolve));
    });
  }

  /** Writes `flow.open` of `process`; nothing of the flow may leave before this resolves (INV-9). */
  async open(process: Promise<Process>, data: Record<string, string | number>): Promise<void> {
    this.#isOpen = true;
    this.#opened = process.then((known) => {
      this.process = known;
      return this.#run.record({ type: "flow.open", ...this.#common(), data });
    });
    await this.#opened;
  }

  /** Names why the connection is about to close; the first name stays. */
  because(reason: string): void {
    this.#reason ??= reason;
  }

  /** Closes at once, and so that the agent's side sees a reset rather than an orderly end. */
  cut(reason: string): void {
    this.because(reason);
    tearSocket(this.socket);
  }

  /**
   * Notes that `action` was allowed, by a person where `isApproved`, and goes on, until the result is called. Between the verdict and this
   * the policy may have become narrower: then the connection is cut at once.
   */
  stands(action: Action, isApproved = false): () => void {
    if (!this.#run.stands(action, isApproved)) this.cut("no longer granted");
    this.#standing.set(action, isApproved);
    return () => void this.#standing.delete(action);
  }

  /** INV-32: ends the connection where the policy of now would not let it be; tells whether it did. */
  recheck(): boolean {
    if (this.grant === undefined || this.socket.destroyed || this.#isEnding) return false;
    const { host, port, grant } = this;
    const now = judgeConnect(this.#run.policy, { host, address: "", port });
    const isSame = now.kind === "grant" && isSameWay(grant, now.grant);
    const stands = (one: readonly [Action, boolean]) => this.#run.stands(...one);
    if (isSame && [...this.#standing].every(stands) && this.allowed.stands(this.#run)) return false;
    this.#end(now.kind === "grant" ? "no longer granted" : `no longer granted: ${now.reason}`);
    return true;
  }

  #end(reason: string): void {
    this.#isEnding = true;
    this.because(reason);
    if (this.lastWord?.() !== true) tearSocket(this.socket);
    else setTimeout(() => tearSocket(this.socket), LAST_WORD_MS).unref();
  }

  /** Refuses something on this flow: the run's denials file, stickiness, the ledger. */
  deny(denial: FlowDenial): Denial {
    const full: Denial = {
      system: "none",
      ...denial,
      allowed: allowedInstead(this.#run.policy, this.host),
      process: this.process,
      flow: this.id,
    };
    this.#run.denied(full);
    return full;
  }

  /** Starts the time that `stoppedMs` measures: something must be stopped now. */
  notice(): void {
    this.#noticedMs ??= this.#clock.now().monoMs;
  }

  /** Names misbehaviour seen on this flow. */
  find(kind: FindingKind, detail: string, more: Partial<FindingSubject> = {}): void {
    this.notice();
    const of = { ...more, flow: this.id, target: this.target, process: this.process };
    this.#run.finding(kind, detail, { ...of, route: this.#route("tcp") });
  }

  /**
   * Closes a flow whose bytes are not what was granted, and says so: a finding and a denial.
   * `where` says which layer they were in: "in the connection", "inside TLS".
   */
  offend(protocol: FirstBytesProtocol, detail: string, where: string): void {
    const title = "The connection does not speak the granted protocol";
    const reason = `${protocol} ${where} to ${this.target}: ${detail}`;
    this.find(findingOf(protocol), reason);
    const target = this.host ?? this.target;
    const rule = `protocol.${protocol}`;
    this.deny({ target, route: this.#route(protocol), rule, title, reason });
    this.cut(`not the granted protocol: ${protocol} ${where}`);
  }

  #route(protocol: string): string {
    return routeOf({ protocol, port: this.port });
  }

  #common() {
    return { target: this.target, flow: this.id, process: this.process };
  }

  async #close(): Promise<void> {
    const { monoMs } = this.#clock.now();
    // A connection that was never announced (over the limit, torn at once) has nothing to close.
    if (!this.#isOpen) return;
    const upstream = this.upstreamBytes();
    const stopped = this.#noticedMs === undefined ? undefined : monoMs - this.#noticedMs;
    try {
      await this.#opened;
      await this.#run.record({
        type: "flow.close",
        ...this.#common(),
        data: {
          bytesOut: this.socket.bytesRead,
          bytesIn: this.socket.bytesWritten,
          upstreamOut: upstream.sent,
          upstreamIn: upstream.received,
          durationMs: rounded(monoMs - this.#startMs),
          reason: this.#reason ?? "closed by the client",
          // From the moment an offence was noticed until nothing of the flow was left.
          ...(stopped === undefined ? {} : { stoppedMs: rounded(stopped) }),
          ...(this.#noticedMs === undefined
            ? {}
            : { noticedMs: rounded(this.#noticedMs - this.#startMs) }),
        },
      });
    } catch (error) {
      // The run's own `record` ends the run when the ledger cannot write; the flow is already gone.
      this.#log.warn("flow.close.unrecorded", { flow: this.id, error: describeError(error) });
    }
  }
}

/** Whether a connection made by `old` is one that `grant` would have made, whatever it lets be asked. */
function isSameWay(old: Grant, grant: Grant): boolean {
  const way = ({ rule: _r, hosts: _h, ports: _p, rules: _a, pairs: _f, ...rest }: Grant) =>
    JSON.stringify(rest);
  return old === grant || way(old) === way(grant);
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
