/**
 * One session of a broker: the connection of a run to a granted place, and all that its broker may do with it.
 * Judging, recording, holding and denying are the same for every protocol, and are here.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import { UNKNOWN_VERB, type Event, type FindingKind, type Json } from "../action/index.ts";
import { assert, Fault, type Clock, type Log } from "../base/index.ts";
import { CANARY } from "../detect/index.ts";
import { canonicalHost, grantFor, isProbe, routeOf, type Grant } from "../policy/index.ts";
import type { Lease } from "../vault/index.ts";
import type {
  Asking,
  Judged,
  Session,
  SessionBroker,
  SessionRefusal,
  Told,
  Way,
} from "./brokers/broker.ts";
import { findBroker } from "./brokers/index.ts";
import type { Allowed } from "./allowed.ts";
import type { Denial } from "./denial.ts";
import { destinationOf } from "./destination.ts";
import type { Dialer } from "./dialer.ts";
import type { FlowRecord } from "./flow-record.ts";
import { strictest } from "./http-action.ts";
import type { GatewayLimits } from "./limits.ts";
import type {
  GatewayPorts,
  GatewayRun,
  HeldOperation,
  Resolution,
  Terminal,
  TerminalRecord,
} from "./ports.ts";
import { CANARY_USED, isCanary } from "./placeholders.ts";
import { recordTool } from "./tool-events.ts";
import { Repeats } from "./repeats.ts";
import {
  actionOfConnecting,
  actionOfOperation,
  completeAction,
  protocolOf,
} from "./session-action.ts";

export interface SessionPorts {
  readonly run: GatewayRun;
  readonly ports: GatewayPorts;
  readonly limits: GatewayLimits;
  readonly dialer: Dialer;
}

/** Serves one connection of a run by `broker`; resolves when it is over. */
export async function serveSession(
  broker: SessionBroker,
  at: SessionPlace,
  shared: SessionPorts,
): Promise<void> {
  const session = new GatewaySession(at, shared);
  try {
    await broker.serve(session);
  } finally {
    session.close();
  }
}

interface SessionPlace {
  readonly flow: FlowRecord;
  readonly grant: Grant;
  readonly host: string;
  readonly port: number;
  /** Of one within another one's connection: who speaks there, and what both share. */
  readonly within?: { readonly client: Socket; readonly outer: GatewaySession };
}

class GatewaySession implements Session {
  readonly client: Socket;
  readonly grant: Grant;
  readonly options: Json;
  readonly host: string;
  readonly port: number;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly log: Log;
  lastWord?: (text: string) => boolean;
  readonly #flow: FlowRecord;
  readonly #shared: SessionPorts;
  readonly #gone = new AbortController();
  /** Ends of what was allowed and goes on, by its action. */
  readonly #standing = new Map<string, () => void>();
  readonly #ways: Socket[] = [];
  readonly #repeats: Repeats;
  readonly #inner: GatewaySession[] = [];
  readonly #leavesNothing: boolean;

  constructor({ flow, grant, host, port, within }: SessionPlace, shared: SessionPorts) {
    this.#leavesNothing = findBroker(grant.system)?.leavesNothing === true;
    this.#flow = flow;
    this.#shared = shared;
    this.client = within?.client ?? flow.socket;
    this.grant = grant;
    this.options = protocolOf(grant).options;
    this.host = host;
    this.port = port;
    this.limits = shared.limits;
    this.clock = shared.ports.clock;
    this.log = shared.ports.log;
    this.#repeats = within === undefined ? new Repeats(shared.run, flow.id) : within.outer.#repeats;
    this.client.once("close", () => {
      this.#gone.abort();
      // Ahead of the flow's own end in the record.
      if (within === undefined) this.#repeats.close();
    });
    if (within !== undefined) return; // The outer one counts, and ends.
    const all = () => this.#withInner().flatMap((session) => session.#ways);
    flow.lastWord = () => {
      const isSaid = this.lastWord?.(OVER) === true;
      for (const session of this.#withInner()) session.#gone.abort();
      for (const way of all()) way.destroy();
      return isSaid;
    };
    flow.upstreamBytes = () => ({
      sent: all().reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
      received: all().reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    });
  }

  get run(): string {
    return this.#shared.run.id;
  }

  #withInner(): readonly GatewaySession[] {
    return [this, ...this.#inner.flatMap((session) => session.#withInner())];
  }

  share(allowed: Allowed): boolean {
    if (!allowed.stands(this.#shared.run)) return false;
    this.#flow.allowed = allowed;
    return true;
  }

  get hostKey(): string | undefined {
    return this.#shared.run.hostKey;
  }

  async leaf(): Promise<SecureContext> {
    return await this.#shared.ports.authority.contextFor(this.host);
  }

  async connect(): Promise<Way> {
    const { run, ports, dialer } = this.#shared;
    const { host, port, grant } = this;
    this.#mustGoOn();
    const action = actionOfConnecting({ host, port }, this.#context());
    const decision = await run.intend(action, this.#flow.id, { host, port });
    const judged = { asking: { operation: null }, action, decision };
    if (decision.verdict !== "allow") {
      const { text } = this.deny(judged);
      throw new Fault("gateway.denied", text);
    }
    const done = this.#flow.stands(action);
    try {
      const made = await decision.connection;
      const to = { ...destinationOf(grant, { host, port }, run), tls: false, isRelayed: true };
      const dialled = { ...to, flow: this.#flow.id, ...(made === undefined ? {} : { made }) };
      const { raw } = await dialer.dial(dialled, this.#gone.signal);
      this.#follow(raw);
      this.#standing.set(action.id, done);
      const lease: Lease | undefined = decision.lease;
      await this.outcome(judged, { connected: true });
      return { socket: raw, lease };
    } catch (error) {
      this.#standing.set(action.id, done);
      const code = error instanceof Fault ? error.code : "internal";
      await this.outcome(judged, { code });
      ports.log.info("gateway.session.connect", { flow: this.#flow.id, code });
      throw error;
    }
  }

  /** Whatever way out there is ends with the session. */
  #follow(raw: Socket): void {
    this.#ways.push(raw);
    raw.on("error", () => {}); // Ends in its close.
    if (this.#gone.signal.aborted) raw.destroy();
  }

  secure(socket: Socket): Promise<TLSSocket> {
    const { dialer, run } = this.#shared;
    const { host, port, grant } = this;
    const to = { ...destinationOf(grant, { host, port }, run), tls: true, alpn: [] };
    return dialer.secure(socket, to, this.#gone.signal);
  }

  async judge(asking: Asking): Promise<Judged> {
    const { run } = this.#shared;
    this.#mustGoOn();
    const action = actionOfOperation(this.#heldOf(asking), this.#context());
    let decision = await run.intend(action, this.#flow.id);
    const { operation, body = "" } = asking;
    const said = [JSON.stringify(operation), body];
    if (
      decision.verdict !== "deny" &&
      said.some((one) => run.placeholders.find(one).some(isCanary))
    ) {
      const about = { detector: CANARY.name, score: 1, action: action.id };
      this.#flow.find("exfiltration", `${CANARY_USED}: ${action.target}`, about);
      decision = { ...decision, verdict: "deny", rule: CANARY.name, reason: CANARY_USED };
    }
    if (decision.verdict === "allow") {
      this.#standing.set(action.id, this.#flow.stands(action));
      if (!this.#leavesNothing) this.#flow.allowed.add(action, run.policy);
    }
    this.#mustGoOn();
    return { asking, action, decision };
  }

  #mustGoOn(): void {
    if (this.client.destroyed) throw new Fault("gateway.aborted", "the client left");
    if (this.#gone.signal.aborted) throw new Fault("gateway.aborted", OVER);
  }

  async complete({ action: before, decision }: Judged, asking: Asking): Promise<Judged> {
    assert(decision.verdict === "confirm", "what does not wait is whole");
    const action = completeAction(before, this.#heldOf(asking), this.#context());
    return action === undefined ? await this.judge(asking) : { asking, action, decision };
  }

  /** What repeats is kept for the connection: of a session within it, apart from the others'. */
  #keyOf(key: string): string {
    return `${this.host}:${this.port} ${key}`;
  }

  repeats(key: string): boolean {
    return this.#repeats.has(this.#keyOf(key));
  }

  remember(key: string, { action, decision }: Judged): void {
    this.#repeats.add(this.#keyOf(key), action, decision);
  }

  async hold({ asking, action }: Judged, waitMs?: number): Promise<Resolution> {
    const { run } = this.#shared;
    return await run.hold(this.#heldOf(asking), action, this.#flow.id, waitMs);
  }

  async recordTerminal({ action }: Judged, terminal: Terminal): Promise<TerminalRecord> {
    return await this.#shared.run.recording(action.id, this.#flow.id, terminal);
  }

  async enter(judged: Judged): Promise<Resolution> {
    const resolution = await this.hold(judged);
    if (resolution.kind === "answered") {
      const { action } = judged;
      this.#standing.set(action.id, this.#flow.stands(action, true));
    }
    return resolution;
  }

  async outcome({ action }: Judged, data: Readonly<Record<string, Json>>): Promise<void> {
    const done = this.#standing.get(action.id);
    assert(done !== undefined, "what was allowed has one outcome");
    this.#standing.delete(action.id);
    done();
    const durationMs = Math.round(this.clock.now().monoMs - action.monoMs);
    await this.#shared.run.record({
      type: "outcome",
      system: action.system,
      target: action.target,
      flow: this.#flow.id,
      action: action.id,
      data: { ...data, durationMs },
    });
  }

  note(
    { action }: Judged,
    type: "tool.call" | "tool.result",
    data: NonNullable<Event["data"]>,
  ): void {
    recordTool({ run: this.#shared.run, flow: this.#flow, action }, type, data);
  }

  deny({ action, decision }: Judged, resolution?: Resolution, instead?: string): Told {
    const said = (...parts: readonly (string | undefined)[]) =>
      parts.filter((part) => part !== undefined).join("; ");
    const { effects, rule, verdict, reason, hint } = decision;
    const common = {
      system: action.system,
      target: action.target,
      route: this.#route(action.verb),
      // What is not understood counts as everything, and was meant as nobody knows what.
      ...(action.verb === UNKNOWN_VERB ? {} : { effect: strictest(effects) }),
      ...(isProbe(action) ? { probes: true as const } : {}),
      action: action.id,
    };
    if (resolution?.kind === "denied" && resolution.approval === "") {
      const { reason: why } = resolution;
      return this.#told({ ...common, rule, title: "This is not granted any more", reason: why });
    }
    if (resolution !== undefined && resolution.kind !== "answered") {
      const isPending = resolution.kind === "pending";
      return this.#told({
        ...common,
        ...(isPending ? { waits: true as const } : {}),
        rule: isPending ? "approval-pending" : "approval-denied",
        title: isPending ? "This waits for a person" : "A person did not allow this",
        reason: said(resolution.reason, instead),
      });
    }
    return this.#told({
      ...common,
      rule,
      title: verdict === "confirm" ? "Nobody can be asked about this" : "This is not granted",
      reason: said(reason, instead, hint),
    });
  }

  refuse({ rule, title, reason, target }: SessionRefusal): Told {
    const route = this.#route(rule);
    const about = target ?? `${this.host}:${this.port}`;
    return this.#told({ system: this.grant.name, target: about, route, rule, title, reason });
  }

  #told(denial: Parameters<FlowRecord["deny"]>[0]): Told {
    const told: Denial = this.#flow.deny(denial);
    return { denial: told, text: textOf(told) };
  }

  within(place: {
    readonly host: string;
    readonly port: number;
  }): ((client: Socket) => Session) | undefined {
    const { policy } = this.#shared.run;
    const { port } = place;
    const host = canonicalHost(place.host);
    const grant = host === undefined ? undefined : grantFor(policy, host, port);
    if (host === undefined || grant?.kind !== "session" || grant.revoked === true) return undefined;
    if (grant.system !== this.grant.system) return undefined;
    return (client) => {
      const at = { flow: this.#flow, grant, host, port, within: { client, outer: this } };
      const inner = new GatewaySession(at, this.#shared);
      this.#inner.push(inner);
      return inner;
    };
  }

  find(kind: FindingKind, detail: string): void {
    this.#flow.find(kind, detail);
  }

  cut(reason: string): void {
    if (this.client === this.#flow.socket) {
      this.#flow.cut(reason);
      return;
    }
    this.#flow.because(reason);
    this.client.destroy();
  }

  because(reason: string): void {
    this.#flow.because(reason);
  }

  close(): void {
    for (const inner of this.#inner) inner.close();
    if (this.client === this.#flow.socket) this.#repeats.close();
    for (const done of this.#standing.values()) done();
    this.#standing.clear();
    for (const way of this.#ways) way.destroy();
  }

  #heldOf({ operation, body, facts = {} }: Asking): HeldOperation {
    const { host, port } = this;
    return { host, port, operation, facts, ...(body === undefined ? {} : { body }) };
  }

  #context() {
    const at = this.clock.now();
    return { run: this.#shared.run.id, at, grant: this.grant, cause: this.#flow.process };
  }

  #route(verb: string): string {
    return routeOf({ verb, port: this.port, protocol: this.grant.system });
  }
}

const OVER = "what this connection did is not granted any more; connect again for what is";
const TEXT_CHARS_MAX = 600;

/** One line without control characters: it stands in error messages of many protocols. */
function textOf({ title, rule, reason }: Denial): string {
  const text = `Cofferdam: ${title} (${rule}): ${reason}`;
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").slice(0, TEXT_CHARS_MAX);
}
