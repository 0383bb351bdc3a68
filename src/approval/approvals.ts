/**
 * Approvals: who asks, who decides, and what may be performed, once. Each step is on record before it takes
 * effect, and on disk before it is told of; a daemon that dies anywhere performs nothing twice and forgets
 * nothing (INV-57).
 *
 * @module
 */
import { EventEmitter } from "node:events";
import type { Action, Json } from "../action/index.ts";
import { assert, createId, describeError, Fault, type Clock } from "../base/index.ts";
import {
  codeOf,
  headOf,
  leaveEnds,
  type Approval,
  type ApprovalRequest,
  type ApprovalSummary,
  type Spool,
  type Step,
  type StoredAnswer,
} from "./approval.ts";
import { ANYBODY, isProven, type Deciders, type Decision } from "./deciders.ts";
import { changedSince, lost, otherAction, samePerson, wrongCode } from "./faults.ts";
import { isOver, mayFollow, type ApprovalState } from "./machine.ts";
import { Store, type Change } from "./store.ts";

/** Requests of one run that wait at once; an agent that asks for more is asked to wait itself. */
export const WAITING_MAX = 100;
const SWEEP_MS = 1000;

export interface ApprovalsOptions {
  readonly file: string;
  readonly clock: Clock;
  /** Writes a step down; rejects where that cannot be, and then the step is not taken. */
  record(approval: Approval, step: Step): Promise<void>;
  /** Who may decide, asked anew each time; without it, whoever reaches us. @throws {Fault} nobody decides then. */
  deciders?(): Deciders;
}

export class Approvals {
  readonly #store: Store;
  readonly #options: ApprovalsOptions;
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #sweeper: NodeJS.Timeout;
  /** Conversations that may begin and did not yet. */
  readonly #leaves = new Set<string>();
  /** Decisions are taken one after another: two persons at once are a first and a second. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws {Fault} `approval.store` */
  constructor(options: ApprovalsOptions) {
    this.#options = options;
    this.#store = new Store(options.file);
    this.#sweeper = setInterval(() => void this.sweep().catch(() => {}), SWEEP_MS).unref();
  }

  /** For retention, which removes what is old, and for copies. */
  get kept(): Pick<Store, "database" | "forgetRun"> {
    return this.#store;
  }

  /** What a dead daemon left under way: nobody knows what became of it, so it is never tried again. */
  async recover(): Promise<void> {
    for (const { id, state, limits } of this.#store.list(false)) {
      if (state === "approved" && limits.leaveMs !== undefined) this.#leaves.add(id);
      if (state !== "performing") continue;
      const approval = this.show(id);
      const reason =
        "the daemon ended while it was performed: it is not known whether it was; look at the system itself";
      await this.#step(approval, ["performing"], { state: "failed", reason });
    }
  }

  /**
   * Asks for `request`; the very same that waits already is joined.
   *
   * @throws {Fault} `approval.too_many`, `approval.store`, and what {@link ApprovalsOptions.record} throws.
   */
  request(request: ApprovalRequest): Promise<Approval> {
    return this.#inTurn(async () => {
      const { run, action } = request;
      const known = this.#store.newest(run, action.digest);
      // A no stays a no, however often it is asked again; what nobody answered may be.
      if (known !== undefined && (!isOver(known.state) || known.state === "denied")) {
        this.#store.change(known.id, [known.state], { joins: known.joins + 1 });
        return this.show(known.id);
      }
      if (known?.state === "performed" && this.#store.hasAnswer(known.id))
        return this.show(known.id);
      if (this.#store.openOf(run) >= WAITING_MAX) {
        throw new Fault(
          "approval.too_many",
          `${WAITING_MAX} requests of this run wait for a person`,
          {
            hint: "wait until some are decided",
          },
        );
      }
      const createdMs = this.#nowMs();
      const id = createId("p", createdMs);
      const variantOf = this.#store.alike(run, action);
      const approval: Approval = {
        ...request,
        id,
        head: headOf(action),
        state: "requested",
        createdMs,
        expiresMs: createdMs + request.limits.expiresMs,
        notBeforeMs: 0,
        by: [],
        reason: "",
        note: "",
        variantOf,
        joins: 0,
      };
      await this.#options.record(approval, { state: "requested" });
      this.#store.add(id, request, { createdMs, variantOf });
      this.#tell(id);
      return this.show(id);
    });
  }

  /** Resolves with the approval once it is over, or as it is after `ms`. */
  async wait(id: string, ms: number): Promise<Approval> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (isOver(this.show(id).state)) resolve();
    };
    // It keeps no process alive: a daemon that was told to stop would otherwise stay for as long as a task holds.
    const timer = setTimeout(resolve, ms).unref();
    this.#events.on(id, look);
    try {
      look();
      await promise;
      return this.show(id);
    } finally {
      clearTimeout(timer);
      this.#events.off(id, look);
    }
  }

  list(all: boolean): readonly ApprovalSummary[] {
    return this.#store.list(all);
  }

  /** Of `people`, those that nothing performed at a system of `kind` has reached before. */
  strangers(kind: string, people: readonly string[]): readonly string[] {
    if (people.length === 0) return [];
    const known = this.#store.reached(kind);
    return people.filter((one) => !known.has(one));
  }

  /** The newest `max` of one run. */
  ofRun(run: string, max: number): readonly ApprovalSummary[] {
    return this.#store.ofRun(run, max);
  }

  /** @throws {Fault} `approval.none` */
  show(id: string): Approval {
    const approval = this.#store.get(id);
    if (approval === undefined) {
      throw new Fault("approval.none", `no approval ${JSON.stringify(id)}`, {
        hint: "`cofferdam approvals list` lists those that wait",
      });
    }
    return approval;
  }

  spool(id: string): Spool {
    const spool = this.#store.spool(this.show(id).id);
    if (spool === undefined) {
      throw new Fault("approval.gone", `what ${id} asked for is not kept any more`, {
        hint: "`cofferdam approvals list --all` tells what became of it, and the record has what was shown",
      });
    }
    return spool;
  }

  /** Calls `changed` with each approval that changes, until the result is called. */
  follow(changed: (approval: Approval) => void): () => void {
    const tell = (id: string) => changed(this.show(id));
    this.#events.on("any", tell);
    return () => void this.#events.off("any", tell);
  }

  /** A person has the whole card before them. */
  shown({ id, by }: Decision): Promise<void> {
    return this.#inTurn(async () => {
      const approval = this.show(id);
      if (approval.state !== "requested") return;
      await this.#step(approval, ["requested"], { state: "shown", by });
    });
  }

  /**
   * Says yes. `code` proves that it is said to the bytes that were shown, `digest` is of the action that
   * was shown or signed for; `also` is done once it holds, before anything is performed: where it fails, nothing is.
   *
   * @throws {Fault} `approval.not_listed`, `approval.code`, `approval.state`, `approval.same_person`
   */
  approve(
    { id, by, code, digest }: Decision & { readonly code: string; readonly digest?: string },
    also: (approval: Approval) => Promise<void> = async () => {},
  ): Promise<Approval> {
    return this.#inTurn(async () => {
      await this.#sweep();
      const approval = this.show(id);
      const { person, personOf } = this.#decider(by);
      this.#mustBe(approval, ["requested", "shown"]);
      if (digest !== undefined && digest !== approval.action.digest) throw changedSince(id);
      if (code.toLowerCase() !== codeOf(approval.action)) throw wrongCode(id, code);
      // Whoever was taken off the list meanwhile has said nothing that counts.
      const before = approval.by.filter((one) => personOf(one) !== undefined);
      if (before.some((one) => personOf(one) === person)) {
        throw samePerson(by, person);
      }
      const yes = [...before, by];
      if (approval.limits.needsTwo && yes.length < 2) {
        await this.#step(approval, ["requested", "shown"], { state: "shown", by }, { by: yes });
        return this.show(id);
      }
      const { undoMs, leaveMs } = approval.limits;
      const notBeforeMs = undoMs === 0 && leaveMs === undefined ? 0 : this.#nowMs() + undoMs;
      await this.#take(
        approval,
        ["requested", "shown"],
        { state: "approved", by },
        { by: yes, notBeforeMs },
      );
      if (leaveMs !== undefined) this.#leaves.add(id);
      try {
        await also(approval);
      } catch (error) {
        await this.#drop(approval, by, error);
        throw error;
      }
      this.#tell(id);
      return this.show(id);
    });
  }

  /**
   * Says no, or takes a yes back while it waits for its time.
   *
   * @throws {Fault} `approval.not_listed`, `approval.state`
   */
  deny({ id, by, reason }: Decision & { readonly reason: string }): Promise<Approval> {
    return this.#inTurn(async () => {
      const approval = this.show(id);
      this.#decider(by);
      this.#mustBe(approval, ["requested", "shown", "approved"]);
      const state = approval.state === "approved" ? "cancelled" : "denied";
      await this.#step(approval, [approval.state], { state, by, reason }, { by: [by] });
      return this.show(id);
    });
  }

  /**
   * Takes a yes back: the own one where it is the first of two, else all of it while it waits for its time. What
   * still waits for a decision is never denied by this (INV-190): whoever presses twice says no to nothing.
   *
   * @throws {Fault} `approval.not_listed`, `approval.state`, `approval.no_yes`
   */
  undo({ id, by }: Decision): Promise<Approval> {
    return this.#inTurn(async () => {
      const approval = this.show(id);
      const { person, personOf } = this.#decider(by);
      this.#mustBe(approval, ["requested", "shown", "approved"]);
      if (approval.state === "approved") {
        const reason = "its yes was taken back";
        await this.#step(approval, ["approved"], { state: "cancelled", by, reason }, { by: [by] });
        return this.show(id);
      }
      const left = approval.by.filter((one) => personOf(one) !== person);
      if (left.length === approval.by.length) {
        throw new Fault("approval.no_yes", `${by} has not said yes to ${id}`, {
          hint: "nothing is taken back; `cofferdam approvals deny` says no",
        });
      }
      const { state } = approval;
      await this.#options.record(approval, { state, by, reason: "took their yes back" });
      this.#store.change(id, [state], { by: left });
      this.#tell(id);
      return this.show(id);
    });
  }

  /**
   * Replaces what waits, and its `pin`, by what a person made of it; it is approved after that, by its new code.
   *
   * @throws {Fault} `approval.not_listed`; `approval.edit` where it would be another thing than was asked for.
   */
  edit(
    { id, by }: Decision,
    action: Action,
    body: Uint8Array,
    note: string,
    pin?: Json,
  ): Promise<Approval> {
    return this.#inTurn(async () => {
      const approval = this.show(id);
      this.#decider(by);
      this.#mustBe(approval, ["requested", "shown"]);
      const { action: before } = approval;
      const more = action.effects.filter((effect) => !before.effects.includes(effect));
      const isSame =
        action.system === before.system &&
        action.verb === before.verb &&
        action.target === before.target;
      if (!isSame || more.length > 0) throw otherAction();
      const reason = `edited: ${note}`;
      await this.#options.record({ ...approval, action }, { state: approval.state, by, reason });
      const kept = { action: { ...action, id: before.id }, note, pin: pin ?? approval.pin };
      this.#store.replace(id, kept, body);
      this.#tell(id);
      return this.show(id);
    });
  }

  /** Ends what waits of `run` and `isMeant`, since its grant was taken back. */
  cancel(run: string, isMeant: (approval: Approval) => boolean, reason: string): Promise<void> {
    return this.#inTurn(async () => {
      for (const { id, state, run: whose } of this.#store.list(false)) {
        if (whose !== run || state === "performing") continue;
        const approval = this.show(id);
        if (!isMeant(approval)) continue;
        await this.#step(approval, [approval.state], { state: "cancelled", reason });
      }
    });
  }

  /** Takes it to be performed; false where it is not to be, or not yet, or was taken. */
  consume(id: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const approval = this.show(id);
      if (approval.state !== "approved" || approval.notBeforeMs > this.#nowMs()) return false;
      if (this.#nowMs() >= leaveEnds(approval)) return false;
      await this.#options.record(approval, { state: "performing" });
      const isOurs = this.#store.consume(approval, this.#nowMs());
      if (isOurs) this.#tell(id);
      return isOurs;
    });
  }

  /** It was performed, and this is what the system answered. */
  performed(id: string, answer: StoredAnswer): Promise<void> {
    return this.#inTurn(async () => {
      const approval = this.show(id);
      const reason = `the system answered ${answer.status}`;
      await this.#options.record(approval, { state: "performed", reason });
      // What takes effect later is read again until then, and its content is needed for that.
      const effectMs = Date.parse(approval.action.impact?.takesEffectAt ?? "") || 0;
      const overMs = Math.max(this.#nowMs(), effectMs);
      const change = { state: "performed", reason, overMs } as const;
      if (!this.#store.finish(id, change, answer)) throw lost(approval);
      this.#tell(id);
    });
  }

  /** The conversation that it lets in has begun; what is said in it nobody knows here. */
  begun(id: string): Promise<void> {
    const reason = "it began, once";
    return this.#inTurn(() =>
      this.#step(this.show(id), ["performing"], { state: "performed", reason }),
    );
  }

  /** It was not performed, or nobody knows. */
  failed(id: string, reason: string): Promise<void> {
    return this.#inTurn(() =>
      this.#step(this.show(id), ["performing", "approved"], { state: "failed", reason }),
    );
  }

  /** What was seen, after it was performed, of an effect that lay ahead: its state stays what it is. */
  tellLater(id: string, later: string, reason: string): Promise<void> {
    return this.#inTurn(() => {
      const approval = this.show(id);
      const { state } = approval;
      return this.#step(approval, ["performed", "failed"], { state, later, reason });
    });
  }

  /** The answer, to the first who asks; `undefined` where there is none, or it was given. */
  takeAnswer(id: string): StoredAnswer | undefined {
    return this.#store.takeAnswer(id);
  }

  /** What nobody has answered in time is denied, and the content of what was over long ago goes. */
  sweep(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#sweep();
      this.#store.forget(this.#nowMs());
    });
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#store.close();
  }

  async #sweep(): Promise<void> {
    for (const { id } of this.#store.expired(this.#nowMs())) {
      const reason = "nobody answered in time";
      await this.#step(this.show(id), ["requested", "shown"], { state: "expired", reason });
    }
    for (const id of this.#leaves) {
      const approval = this.show(id);
      const isOpen = approval.state === "approved";
      if (isOpen && this.#nowMs() < leaveEnds(approval)) continue;
      this.#leaves.delete(id);
      const reason = "nobody came back for it in time; the approval is over";
      if (isOpen) await this.#step(approval, ["approved"], { state: "failed", reason });
    }
  }

  async #step(
    approval: Approval,
    from: readonly ApprovalState[],
    step: Step,
    more: Change = {},
  ): Promise<void> {
    await this.#take(approval, from, step, more);
    this.#tell(approval.id);
  }

  /** A yes whose leave could not be given. The store goes first: where nothing can be recorded, nothing is performed. */
  async #drop(approval: Approval, by: string, error: unknown): Promise<void> {
    const { id } = approval;
    const reason = `nothing was performed, since its leave was not given: ${describeError(error)}`;
    const step = { state: "cancelled", reason } as const;
    this.#store.change(id, ["approved"], { ...step, overMs: this.#nowMs() });
    try {
      await this.#options.record({ ...approval, state: "approved" }, { ...step, by });
    } finally {
      this.#tell(id);
    }
  }

  /** On record, then done; nobody is told yet. */
  async #take(
    approval: Approval,
    from: readonly ApprovalState[],
    step: Step,
    more: Change = {},
  ): Promise<void> {
    const { state, reason } = step;
    const isNext = state === approval.state || mayFollow(approval.state, state);
    assert(isNext, `${approval.state} to ${state}`);
    await this.#options.record(approval, step);
    const change = {
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(isOver(state) ? { overMs: this.#nowMs() } : {}),
      ...more,
    };
    if (!this.#store.change(approval.id, from, change)) throw lost(approval);
  }

  /** Whoever decides as `by`. @throws {Fault} `approval.not_listed` */
  #decider(by: string): Deciders & { readonly person: string } {
    const deciders = this.#options.deciders?.() ?? ANYBODY;
    if (deciders.needsProof === true && !isProven(by)) {
      throw new Fault("approval.proof", `${by} decides nothing here without a passkey`, {
        hint: "approvers.yaml says `passkeys: required`: sign in to `cofferdam console`, and decide there with your passkey",
      });
    }
    const person = deciders.personOf(by);
    if (person !== undefined) {
      return { person, personOf: (identity) => deciders.personOf(identity) };
    }
    throw new Fault("approval.not_listed", `${by} is nobody who may decide here`, {
      hint: "approvers.yaml lists who may; whoever looks after this Cofferdam changes it",
    });
  }

  #mustBe({ id, state }: Approval, states: readonly ApprovalState[]): void {
    if (states.includes(state)) return;
    throw new Fault("approval.state", `${id} is ${state}`, {
      hint: isOver(state) ? "nothing follows that" : "wait until it is over",
    });
  }

  #tell(id: string): void {
    this.#events.emit(id);
    this.#events.emit("any", id);
  }

  #nowMs(): number {
    return this.#options.clock.now().wallMs;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(act, act);
    this.#turn = next.catch(() => {});
    return next;
  }
}
