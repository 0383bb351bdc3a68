/**
 * Watches: what a person approved to take effect later is read when it was performed, again shortly before its
 * time and right after it. Where it is not what it was, or cannot be read, it is stopped (F18, INV-72).
 *
 * Each step is on disk before it is taken, so that a daemon that dies anywhere goes on from there; what stops is
 * sent a second time only where nobody knows whether the first was sent.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Action, Json } from "../action/index.ts";
import type { Approval, Approvals, StoredAnswer } from "../approval/index.ts";
import { describeError, isFault, visibleLine, type Clock, type Log } from "../base/index.ts";
import {
  ANSWER,
  isHidden,
  laterOf,
  readFact,
  type CatalogRequest,
  type Entry,
  type Facts,
  type Later,
  type LaterState,
} from "../catalog/index.ts";
import { requestBeside, type Asked, type HeldRequest } from "../gateway/index.ts";
import { changesSince, keep, WatchStore, type Watch } from "./watch-store.ts";

/** What is used to speak to the system of an approval: its grant and credential, by a worker. */
export interface Hand {
  readonly held: HeldRequest;
  ask(request: HeldRequest): Promise<Asked>;
  /** The action that `request` is. */
  actionOf(request: HeldRequest): Promise<Action>;
  close(): Promise<void>;
}

export interface WatchPorts {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly approvals: Pick<Approvals, "show" | "tellLater">;
  /** The request of an approval as its system's entry reads it; no entry, nothing to watch. */
  requestOf(
    approval: Approval,
  ): { readonly entry: Entry; readonly request: CatalogRequest } | undefined;
  open(approval: Approval): Promise<Hand>;
  /** On record before it is sent, and what came of it after. */
  recordAction(approval: Approval, action: Action, reason: string): Promise<void>;
  recordOutcome(approval: Approval, action: Action, outcome: Asked["outcome"]): Promise<void>;
  /** Tells whoever looks at the run, if it lives. */
  notice(run: string, text: string): void;
}

export interface WatchOptions {
  /** How long before its time it is compared; where that is nearer than twice this, half way. */
  readonly leadMs?: number;
  /** How long after its time it is compared. */
  readonly afterMs?: number;
  /** A second read follows the first that failed. */
  readonly againMs?: number;
  /** What does not answer within this cannot be read. */
  readonly readMs?: number;
  /** What does not answer within this may have been stopped or not. */
  readonly stopMs?: number;
}

const LEAD_MS = 30_000;
const AFTER_MS = 2000;
const AGAIN_MS = 2000;
const READ_TRIES_MAX = 2;
const READ_MS = 8000; // Twice this is less than the lead.
const STOP_MS = 30_000;
/** After a kill nobody knows whether the first was sent. */
const STOP_TRIES_MAX = 2;
/** Clocks are set, and machines sleep: it is looked at least this often what time it is. */
const LOOK_MS_MAX = 60_000;
const AT_ONCE_MAX = 8;
/** What still waits after its time is looked at again, at growing intervals, this long. */
const OVERDUE_MS_MAX = 7 * 864e5;
const OVERDUE_LOOK_MS_MAX = 36e5;

export class Watches {
  readonly #ports: WatchPorts;
  readonly #options: Required<WatchOptions>;
  readonly #store: WatchStore;
  readonly #busy = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @throws {Fault} `daemon.watches` */
  constructor(ports: WatchPorts, options: WatchOptions = {}) {
    this.#ports = ports;
    const usual = { leadMs: LEAD_MS, afterMs: AFTER_MS, againMs: AGAIN_MS };
    this.#options = { ...usual, readMs: READ_MS, stopMs: STOP_MS, ...options };
    this.#store = new WatchStore(ports.file);
  }

  /** For retention, which asks what is watched, and for copies. */
  get kept(): Pick<WatchStore, "database" | "get"> {
    return this.#store;
  }

  /**
   * `approval` is about to be sent: if it can take effect later it is known of from here on.
   *
   * @throws {Fault} `daemon.watches`: then it must not be sent.
   */
  sending(approval: Approval): void {
    if (this.#laterOf(approval) === undefined) return;
    this.#store.add(approval.id, this.#thingOf(approval, {}));
  }

  /** The system answered. */
  answered(approval: Approval, { status, body, isCut }: StoredAnswer): void {
    const watch = this.#store.get(approval.id);
    if (watch === undefined) return;
    if (status >= 400 && status < 500) return this.#store.remove(watch.id);
    const answer = isCut ? undefined : readFact(body);
    const part = this.#laterOf(approval)?.answerOf(answer) ?? {};
    const thing = this.#thingOf(approval, { [ANSWER]: part });
    this.#store.change(watch, { state: "answered", answer: part, thing });
  }

  /** Does what is due, and comes back when something is. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const now = this.#nowMs();
    const idle = this.#list().filter(({ id }) => !this.#busy.has(id));
    const due = idle.filter((one) => isDue(one, now));
    const coming = idle.filter((one) => !isDue(one, now)).map(({ nextMs }) => nextMs - now);
    for (const watch of due.slice(0, Math.max(0, AT_ONCE_MAX - this.#busy.size)))
      this.#begin(watch);
    // What could not be done now is tried again then, too.
    const waitMs = Math.min(...coming, LOOK_MS_MAX);
    this.#timer = setTimeout(() => this.look(), waitMs).unref();
  }

  /** What cannot be read now, for want of a disk, is looked for again. */
  #list(): readonly Watch[] {
    try {
      return this.#store.list();
    } catch (error) {
      this.#ports.log.warn("watch.list", { error: describeError(error) });
      return [];
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#busy.values());
    this.#store.close();
  }

  #begin(watch: Watch): void {
    const work = this.#take(watch)
      .catch((error: unknown) => {
        this.#ports.log.warn("watch.step", { approval: watch.id, error: describeError(error) });
        return false;
      })
      .then((isDone) => {
        this.#busy.delete(watch.id);
        // What failed within us is tried again at the next look, not at once.
        if (isDone) this.look();
      });
    this.#busy.set(watch.id, work);
  }

  /** Takes its next step; false where there was none to take. */
  async #take(watch: Watch): Promise<boolean> {
    const approval = this.#approvalOf(watch);
    if (approval === undefined) return false;
    switch (watch.state) {
      case "sending":
        return await this.#lost(watch, approval);
      case "answered":
        return await this.#first(watch, approval);
      case "waiting":
        return await this.#compare(watch, approval);
      case "stopping":
        return await this.#stop(watch, approval);
      case "told":
        await this.#ports.approvals.tellLater(watch.id, watch.end, watch.why);
        this.#store.remove(watch.id);
        return true;
      default:
        return watch.state satisfies never;
    }
  }

  /** Nobody knows whether it was performed. What waits there now was never compared, so it is not left. */
  async #lost(watch: Watch, approval: Approval): Promise<boolean> {
    if (approval.state === "performing") return false;
    if (approval.state !== "failed") {
      this.#store.remove(watch.id);
      return true;
    }
    const state = await this.#read(watch, approval);
    if (state?.waits !== true) this.#store.remove(watch.id);
    else this.#toStop(watch, `${approval.reason}. What waits there was never compared`);
    return true;
  }

  /** What stands there right after it was performed is what the person approved. */
  async #first(watch: Watch, approval: Approval): Promise<boolean> {
    if (approval.state === "performing") return false;
    const state = await this.#read(watch, approval);
    const { thing } = watch;
    const said = Date.parse(approval.action.impact?.takesEffectAt ?? "");
    const now = this.#nowMs();
    for (const other of thing === "" ? [] : this.#store.about(thing, watch.id)) {
      this.#tell(other, "replaced", `${watch.id} was approved since, and is about the same`);
    }
    if (state === undefined) {
      if (said > now) this.#toStop(watch, `it takes effect at ${at(said)}, and it cannot be read`);
      else
        this.#tell(
          watch,
          "unread",
          `${approval.reason}; what it left cannot be read, so it is not compared`,
        );
      return true;
    }
    if (!state.waits) {
      this.#store.remove(watch.id);
      return true;
    }
    const dueMs = state.at === undefined ? said : Date.parse(state.at);
    if (Number.isNaN(dueMs)) {
      this.#toStop(watch, "it is not said when it takes effect, so it cannot be compared then");
      return true;
    }
    const kept = keep(state.values);
    const nextMs = this.#nextOf(dueMs, now);
    this.#store.change(watch, { state: "waiting", kept, dueMs, nextMs });
    const text = `${approval.reason}; it takes effect at ${at(dueMs)}, and is compared until then`;
    await this.#ports.approvals.tellLater(watch.id, "watched", text);
    return true;
  }

  async #compare(watch: Watch, approval: Approval): Promise<boolean> {
    if (this.#isOvertaken(watch)) return false;
    const state = await this.#read(watch, approval);
    if (this.#isOvertaken(watch)) return false;
    const now = this.#nowMs();
    const { dueMs, looks } = watch;
    const isAfter = now >= dueMs;
    const late =
      isAfter && looks === 0 ? `compared only at ${at(now)}, after its time (${at(dueMs)}): ` : "";
    if (state === undefined) {
      this.#toStop(watch, `${late}it cannot be read any more, so nobody knows what takes effect`);
      return true;
    }
    if (state.isWithdrawn) {
      if (isAfter) this.#tell(watch, "withdrawn", `${late}it was taken back: ${state.standing}`);
      else this.#wait(watch, dueMs + this.#options.afterMs);
      return true;
    }
    const changes = changesSince(watch.kept, keep(state.values), isHidden);
    if (changes.length > 0) {
      this.#toStop(watch, `${late}it is not what was approved: ${changes.slice(0, 5).join("; ")}`);
    } else if (!state.waits && !isAfter) {
      this.#toStop(watch, `it does not wait for its time any more: ${state.standing}`);
    } else if (!isAfter) {
      this.#wait(watch, dueMs + this.#options.afterMs);
    } else if (!state.waits) {
      this.#tell(watch, "unchanged", `${late}it took effect at ${at(dueMs)} as it was approved`);
    } else if (now - dueMs < OVERDUE_MS_MAX) {
      const more = Math.min(Math.max(now - dueMs, this.#options.afterMs), OVERDUE_LOOK_MS_MAX);
      this.#wait(watch, now + more);
    } else {
      this.#tell(
        watch,
        "overdue",
        `it waits still, long after ${at(dueMs)}; nobody compares it now`,
      );
    }
    return true;
  }

  /** Sends what stops it, as an action of its own. */
  async #stop(watch: Watch, approval: Approval): Promise<boolean> {
    if (watch.tries >= STOP_TRIES_MAX) {
      return this.#end(watch, approval, notStopped("it is not known whether that was sent"));
    }
    const tried = this.#store.change(watch, { tries: watch.tries + 1 });
    let came: Came;
    try {
      came = await this.#sendStops(tried, approval);
    } catch (error) {
      came = notStopped(describeError(error));
    }
    return this.#end(tried, approval, came);
  }

  #end(watch: Watch, { run, action }: Approval, { isStopped, text }: Came): boolean {
    const why = `${watch.why}; ${text}`;
    this.#tell(watch, isStopped ? "stopped" : "not-stopped", why);
    this.#ports.notice(run, `\u0007${watch.id} (${action.summary}): ${why}`);
    return true;
  }

  async #sendStops(watch: Watch, approval: Approval): Promise<Came> {
    const stops = this.#laterOf(approval)?.stops(factsOf(watch)) ?? [];
    if (stops.length === 0) return notStopped("its answer does not say where it is");
    const hand = await this.#ports.open(approval);
    try {
      const said: string[] = [];
      for (const stop of stops) {
        const request = requestBeside(hand.held, stop);
        const action = await hand.actionOf(request);
        await this.#ports.recordAction(approval, action, `stops ${approval.id}: ${watch.why}`);
        const { outcome, answer } = await within(this.#options.stopMs, hand.ask(request));
        await this.#ports.recordOutcome(approval, action, outcome);
        const status = answer?.status;
        if (status !== undefined && status >= 200 && status < 300) {
          const text = `it was stopped: ${action.summary} (the system answered ${status})`;
          return { isStopped: true, text };
        }
        said.push(`${status ?? outcome.failure?.detail ?? "no answer"}`);
      }
      return notStopped(said.join(", then "));
    } finally {
      await hand.close();
    }
  }

  /** The state as it is now; read once more where that fails. */
  async #read(watch: Watch, approval: Approval): Promise<LaterState | undefined> {
    for (let tries = 1; ; tries += 1) {
      const state = await this.#readOnce(watch, approval).catch((error: unknown) => {
        this.#ports.log.warn("watch.read", { approval: watch.id, error: describeError(error) });
        return undefined;
      });
      if (state !== undefined || tries === READ_TRIES_MAX) return state;
      await pause(this.#options.againMs);
    }
  }

  async #readOnce(watch: Watch, approval: Approval): Promise<LaterState | undefined> {
    const later = this.#laterOf(approval);
    const facts: Record<string, Json> = factsOf(watch);
    if (later?.target(later.reads[0] ?? "", facts) === undefined) return undefined;
    const hand = await this.#ports.open(approval);
    try {
      for (const name of later.reads) {
        const target = later.target(name, facts);
        if (target === undefined) return undefined;
        if (target === null) continue;
        const request = requestBeside(hand.held, { method: "GET", target });
        const { answer } = await within(this.#options.readMs, hand.ask(request));
        const fact = answer?.status === 200 && !answer.isCut ? readFact(answer.body) : undefined;
        if (fact === undefined) return undefined;
        facts[name] = fact;
      }
      return later.state(facts);
    } finally {
      await hand.close();
    }
  }

  #laterOf(approval: Approval): Later | undefined {
    const read = this.#ports.requestOf(approval);
    return read && laterOf(read.entry, read.request);
  }

  /** What it is about: where it is read; empty where its answer has not said yet. */
  #thingOf(approval: Approval, facts: Facts): string {
    const later = this.#laterOf(approval);
    const target = later?.target(later.reads[0] ?? "", facts);
    return typeof target !== "string" ? "" : `${new URL(approval.action.target).origin}${target}`;
  }

  /** Whether another approval of the same is under way, or took its place: then it is not what was approved. */
  #isOvertaken({ id, thing }: Watch): boolean {
    if (this.#store.get(id)?.state !== "waiting") return true;
    const others = thing === "" ? [] : this.#store.about(thing, id);
    return others.some(({ state }) => state === "sending" || state === "answered");
  }

  /** The approval; nothing is watched of one that is not there any more. */
  #approvalOf({ id }: Watch): Approval | undefined {
    try {
      return this.#ports.approvals.show(id);
    } catch (error) {
      if (!isFault(error, "approval.none")) throw error;
      this.#ports.log.warn("watch.none", { approval: id });
      this.#store.remove(id);
      return undefined;
    }
  }

  /** Shortly before its time; half way where that is near. */
  #nextOf(dueMs: number, now: number): number {
    if (dueMs <= now) return dueMs + this.#options.afterMs;
    return dueMs - Math.min(this.#options.leadMs, Math.ceil((dueMs - now) / 2));
  }

  #wait(watch: Watch, nextMs: number): void {
    this.#store.change(watch, { nextMs, looks: watch.looks + 1 });
  }

  #toStop(watch: Watch, why: string): void {
    this.#store.change(watch, { state: "stopping", why: visibleLine(why) });
  }

  #tell(watch: Watch, end: string, why: string): void {
    this.#store.change(watch, { state: "told", end, why: visibleLine(why) });
  }

  #nowMs(): number {
    return this.#ports.clock.now().wallMs;
  }
}

/** What came of stopping it. */
interface Came {
  readonly isStopped: boolean;
  readonly text: string;
}

function notStopped(why: string): Came {
  return { isStopped: false, text: `it could not be stopped (${why}): look at the system itself` };
}

function isDue({ state, nextMs }: Watch, now: number): boolean {
  return state !== "waiting" || nextMs <= now;
}

function factsOf({ answer }: Watch): Record<string, Json> {
  return { [ANSWER]: answer };
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}

/** What did not come in time did not come: a server that holds a read up would hold up the stop. */
function within(ms: number, asked: Promise<Asked>): Promise<Asked> {
  const failure = { code: "daemon.slow", detail: `no answer within ${ms / 1000} s` };
  const slow: Asked = { outcome: { bytesOut: 0, bytesIn: 0, failure }, answer: undefined };
  return Promise.race([asked, pause(ms, slow, { ref: false })]);
}
