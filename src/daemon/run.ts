/**
 * One run, from its task to its end: its state, what its parts tell each other, and how it is stopped.
 * How it comes to life stands in start.ts.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Action, FindingKind, Process } from "../action/index.ts";
import { encodeFrame, type Frame, type RunEnd, type RunInfo } from "../api/index.ts";
import { describeError, Fault, type Clock, type Log } from "../base/index.ts";
import { CANARY } from "../detect/index.ts";
import {
  CANARY_USED,
  denialLine,
  intentOf,
  isCanary,
  mayTellCanary,
  type Denial,
  type EventDraft,
  type FindingSubject,
  type FlowTuple,
  type Held,
  type Placeholders,
  type Resolution,
  type Verdict,
} from "../gateway/index.ts";
import {
  decide,
  printPublished,
  type Allowance,
  type Policy,
  type PolicyState,
  type Task,
} from "../policy/index.ts";
import { findEntry, type Entry } from "../catalog/index.ts";
import type { OwnSystem } from "../systems/index.ts";
import type { Desk } from "./desk.ts";
import { withLease, type Lending } from "./lending.ts";
import type { HeldRun } from "../worker/index.ts";
import { ConsoleBuffer } from "./console-buffer.ts";
import { meansOf } from "./means.ts";
import { denialEvent, describeEnd, refusedCanary, WITHHELD, type JsonValue } from "./run-events.ts";
import { briefProcess, type Recorder } from "./recorder.ts";
import { Responder } from "./responses.ts";
import type { RunLineage } from "./run-lineage.ts";
import { Rules } from "./rules.ts";
import { Standstill } from "./standstill.ts";
import { appendDenial, saveInfo, type RunFiles } from "./run-files.ts";
import type { Parts, RunOptions } from "./run-parts.ts";

const DENIALS_FILE_LINES_MAX = 10_000; // The file helps the agent; the ledger is the record.

/** A run that lives in this daemon; also what the gateway sees of it. */
export class Run implements HeldRun {
  readonly id: string;
  readonly authorities: ReadonlyMap<string, string>;
  readonly own: ReadonlyMap<string, OwnSystem>;
  readonly files: RunFiles;
  readonly recorder: Recorder;
  readonly console: ConsoleBuffer;
  /** Resolves once, when the run has ended and everything about it is recorded. */
  readonly ended: Promise<RunEnd>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #desk: Desk;
  /** What it borrows. */
  readonly lending: Lending;
  readonly #rules: Rules;
  readonly lineage: RunLineage;
  readonly #responder: Responder;
  #info: RunInfo;
  #parts: Parts | undefined;
  #stopping: RunEnd | undefined;
  readonly #stopped = Promise.withResolvers<void>();
  #lifetime: NodeJS.Timeout | undefined;
  /** The latest of what a viewer says once for all: a new attempt is told it, too. */
  readonly #said = new Map<Frame["type"], Frame>();
  #denialLines = 0;
  #agent = false;
  readonly #standstill: Standstill;
  #running = Promise.withResolvers<void>();
  #resolveEnded: (end: RunEnd) => void = () => {};

  constructor(options: RunOptions) {
    this.#info = options.info;
    this.id = options.info.run;
    this.#rules = new Rules(options.task, options.policy, options.unattended, options.inherited);
    this.lineage = options.lineage;
    this.authorities = options.authorities;
    this.own = options.own;
    this.#desk = options.desk;
    this.lending = options.lending;
    this.files = options.files;
    this.recorder = options.recorder;
    this.console = new ConsoleBuffer(options.held);
    this.#clock = options.clock;
    this.#log = options.log;
    this.#responder = new Responder(meansOf(this, options.beyond), options.clock);
    this.#standstill = new Standstill({
      id: this.id,
      state: () => this.#info.state,
      shows: (state, why) => {
        const { pauseReason: _, ...rest } = this.#info;
        this.#info = rest;
        this.#update(why === undefined ? { state } : { state, pauseReason: why });
      },
      record: (event, recording) => this.recorder.record(event, recording),
      notice: (text) => this.console.notice(text),
      pause: async () => this.#parts?.pause(),
      resume: async () => this.#parts?.resume(),
      runs: () => Promise.race([this.#running.promise, this.#stopped.promise]),
      resumed: () => this.#responder.resumed(),
    });
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    saveInfo(this.files, this.#info);
  }

  /** What `ps` shows now. */
  get info(): RunInfo {
    const { counts, entries } = this.recorder;
    const first = Math.max(entries.first, 0);
    return {
      ...this.#info,
      counts: { ...counts },
      entries: { first, last: Math.max(entries.last, 0) },
    };
  }

  get task(): Task {
    return this.#rules.task;
  }

  get policy(): Policy {
    return this.#rules.policy;
  }

  /** It has ended, or was told to. */
  get isEnding(): boolean {
    return this.#stopping !== undefined || !this.alive;
  }

  get alive(): boolean {
    return this.#info.state !== "ended";
  }

  /** Takes the living parts: from here on the run can be paused and killed. */
  begin(parts: Parts, pid: number): void {
    this.#parts = parts;
    const { lifetimeMs } = this.task;
    const isOver = () => this.stop("lifetime", `its lifetime of ${lifetimeMs / 1000} s is over`);
    this.#lifetime ??= setTimeout(isOver, lifetimeMs);
    this.#info = { ...this.#info, state: "running", pid };
    this.#running.resolve();
    this.#standstill.begin().catch((error: unknown) => this.stop("sandbox", describeError(error)));
    for (const frame of this.#said.values()) void parts.input(frame);
    // A denial or a kill may have come while the parts were still being put together.
    if (this.#stopping !== undefined) this.#kill();
  }

  /** From here on what happens is the agent's doing; before, it was the proofs', which record themselves. */
  release(): void {
    this.#agent = true;
  }

  /**
   * Waits until the command, which ended with `end`, shall be started again; false where it shall not,
   * since the run was stopped meanwhile.
   */
  async awaitRestart(end: JsonValue, waitMs: number): Promise<boolean> {
    if (this.#stopping !== undefined) return false;
    const attempt = this.#info.attempt ?? 1;
    this.#parts = undefined;
    this.#running = Promise.withResolvers();
    const { pid: _, ...rest } = this.#info;
    this.#info = rest;
    this.#update({ state: "starting", attempt: attempt + 1 });
    await this.record({ type: "run.restart", data: { attempt, end, waitMs } }, { sync: true });
    this.console.notice(`attempt ${attempt} failed; it starts again in ${waitMs / 1000} s`);
    const wait = Promise.withResolvers<void>();
    const timer = setTimeout(wait.resolve, waitMs);
    await Promise.race([wait.promise, this.#stopped.promise]);
    clearTimeout(timer);
    await Promise.race([this.#standstill.open(), this.#stopped.promise]);
    this.#agent = false; // What was found until here is of the attempt before.
    const found = this.#standstill.renew();
    if (found !== undefined)
      this.stop("finding", `${found}; its command had ended before it could be paused`);
    if (this.#stopping === undefined) this.recorder.goOn();
    return this.#stopping === undefined;
  }

  /**
   * Records the end, and tells it; called once, by whoever saw the last process go. `tidy` gives back
   * what the run held, when its viewers know already: {@link ended} waits for it.
   */
  async finish(
    end: RunEnd,
    usage: JsonValue = null,
    tidy: () => Promise<unknown> = async () => {},
  ): Promise<void> {
    if (!this.alive) return;
    const final = this.#stopping ?? end;
    clearTimeout(this.#lifetime);
    this.#info = { ...this.#info, state: "ended", end: final, endedAt: this.#now() };
    try {
      await this.recorder.flush();
      const { counts } = this.recorder;
      // Written, as INV-11 has it, and durable within a tenth of a second as every entry is.
      await this.recorder.record({
        type: "run.end",
        data: { end: describeEnd(final), ...counts, usage },
      });
    } catch (error) {
      this.#log.warn("run.end.unrecorded", { run: this.id, error: describeError(error) });
    }
    this.console.end(encodeFrame("exit", JSON.stringify(final)));
    try {
      saveInfo(this.files, this.info); // For daemons to come; its rename may wait for the disk's journal.
      await tidy();
    } finally {
      this.#resolveEnded(final);
    }
  }

  /** Ends the run for `reason`; the record of it comes with the last process's end. */
  stop(reason: string, detail: string): void {
    if (!this.alive || this.#stopping !== undefined) return;
    this.#stopping = { reason, detail };
    this.#stopped.resolve();
    this.#kill();
  }

  /** @throws {Fault} `daemon.state` */
  async pause(reason: string): Promise<void> {
    await this.#standstill.pause(reason);
  }

  /** The same for what was found, as soon as it runs. */
  async standStill(reason: string): Promise<void> {
    await this.#standstill.found(reason);
  }

  /** Bytes on disk that are its doing: none before it has its parts. */
  async written(): Promise<number> {
    return (await this.#parts?.written()) ?? 0;
  }

  /** A person lets it go on. @throws {Fault} `daemon.state` */
  async resume(): Promise<void> {
    await this.#standstill.resume();
  }

  /** Its lineage is paused: it stands still when this resolves, if it runs; else it does not begin. */
  close = (lineage: string, why: string) => this.#standstill.close(lineage, why);
  reopen = (lineage: string) => this.#standstill.reopen(lineage);

  /** Freezes what runs, until {@link thaw}; `false` where nothing does. */
  async freeze(why: string): Promise<boolean> {
    return await this.#standstill.freeze("worker", why);
  }

  /** Has it stand still while `work` is done. @throws {Fault} `daemon.state` where it lives and nothing holds it still. */
  async still<T>(why: string, work: () => Promise<T>): Promise<T> {
    const by = Symbol(why); // Several may, each by itself.
    const isOurs = await this.#standstill.freeze(by, why);
    if (!isOurs && this.alive) {
      throw new Fault("daemon.state", `${this.id} is ${this.info.state}: it cannot be held still`, {
        hint: "try again in a moment",
      });
    }
    try {
      return await work();
    } finally {
      if (isOurs) await this.#standstill.thaw(by);
    }
  }

  /** Undoes {@link freeze}, but not what else holds it. */
  async thaw(): Promise<void> {
    await this.#standstill.thaw("worker");
  }

  /** Takes a grant back at once. @throws {Fault} `daemon.no_such_grant` */
  async revoke(grant: string): Promise<void> {
    const what = `the grant ${grant} was revoked`;
    await this.#tighten(what, { by: "revoke", grant }, () => this.#rules.revoke(grant));
  }

  /** From now on a person decides over every change but writes to the grants of `except`. */
  async confirmAll(why: string, except: readonly string[]): Promise<void> {
    const what = "whatever changes something waits for a person now";
    const change = () => this.#rules.confirmAll(why, except);
    await this.#tighten(what, { by: "finding", why }, change);
  }

  /** Cuts every established flow; tells how many. */
  async cut(why: string): Promise<number> {
    return (await this.#parts?.recheck(why)) ?? 0;
  }

  /** What runs in it; none before it has its parts. */
  pids(): readonly number[] {
    return this.#parts?.pids() ?? [];
  }

  /** Replaces the task by a narrower one at once. @throws {Fault} `daemon.wider` */
  async narrow(task: Task, said: Readonly<Record<string, string>>): Promise<void> {
    await this.#tighten("narrowed", said, () => this.#rules.narrow(task));
  }

  /** A person lets more of the same through: on record before it holds, since it widens. */
  async allow(allowance: Allowance): Promise<void> {
    const { id, system, verb, count } = allowance;
    const until = new Date(allowance.untilMs).toISOString();
    const reason = `${id} lets ${count} more ${verb} through until ${until}`;
    const limits = {
      ...(allowance.recipientsMax === undefined ? {} : { recipients: allowance.recipientsMax }),
      ...(allowance.amount === undefined ? {} : { amount: { ...allowance.amount } }),
    };
    const data = { digest: this.policy.digest, reason, by: "approval", approval: id, ...limits };
    await this.record({ type: "policy", system, data }, { sync: true });
    this.#rules.allow(allowance);
    await this.#parts?.recheck(); // Its worker knows of it before the agent can use it.
    this.console.notice(reason);
  }

  /** Takes back what {@link allow} let through with approval `id`; it holds before it is recorded. */
  async disallow(id: string): Promise<void> {
    if (!this.#rules.disallow(id)) return;
    await this.#parts?.recheck();
    const reason = `${id} was taken back, and the leave for more that came with it`;
    const data = { digest: this.policy.digest, reason, by: "approval", approval: id };
    await this.record({ type: "policy", data }, { sync: true });
    this.console.notice(reason);
  }

  /** The change holds before it is recorded: less access is never held up by the record. */
  async #tighten(
    what: string,
    said: Readonly<Record<string, string>>,
    change: () => void,
  ): Promise<void> {
    if (this.#parts === undefined || !this.alive) this.living();
    const before = this.policy.digest;
    change();
    this.#parts?.keepGranted();
    const cut = (await this.#parts?.recheck()) ?? 0;
    await this.#desk.recheck(this, this.policy, this.#rules.state);
    const { digest } = this.policy;
    const revoked = this.#rules.revoked;
    const publish = this.task.publish.map(printPublished);
    this.#update({ policy: digest, narrowed: true, revoked, publish });
    const reason = `${what}; ${cut} connection${cut === 1 ? " was" : "s were"} cut`;
    const data = { digest, before, cut, reason, ...said };
    await this.record({ type: "policy", data }, { sync: true });
    this.console.notice(reason);
  }

  attach(viewer: Duplex): void {
    this.console.attach(viewer, {
      frame: (frame) => {
        if (frame.type === "stdin-end" || frame.type === "resize")
          this.#said.set(frame.type, frame);
        return this.#parts?.input(frame);
      },
    });
  }

  // What the gateway asks.

  async intend(action: Action, flow: string): Promise<Verdict> {
    const { decision, isMore } = this.#rules.decide(action);
    const first = this.#saysCanary(action)
      ? { ...decision, ...refusedCanary }
      : this.lineage.judge(action, decision);
    // What was open before could carry out what was read since: it is cut before this is answered.
    if (isMore) void this.#parts?.recheck();
    const { state: _, ...rest } = first;
    const decided = this.lineage.isCounted ? { ...rest, once: true as const } : rest;
    const verdict = await withLease(this.lending, this.policy, action, decided);
    const { event, sync } = intentOf(action, verdict, flow);
    await this.record(event, { sync });
    return this.#responder.isWithheld(action.id) ? { ...decided, ...WITHHELD } : verdict;
  }

  /** Whether a run uses what was planted in it; noticed here, and refused by whoever asks. */
  #saysCanary({ id, kind, target, fields, cause }: Action): boolean {
    if (mayTellCanary(kind)) return false;
    const said = `${target}\n${JSON.stringify(fields)}`;
    if (!this.placeholders.find(said).some(isCanary)) return false;
    const of = { target, process: cause, action: id, detector: CANARY.name, score: 1 };
    this.finding("exfiltration", `${CANARY_USED}: ${target}`, of, said);
    return true;
  }

  /** A program that is given what was planted in the run: whoever started it has read it. */
  noteArguments(process: Process): void {
    const said = process.argv.join("\n");
    if (!this.placeholders.find(said).some(isCanary)) return;
    const of = { target: process.exe, process, detector: CANARY.name, score: 0.8 };
    this.finding("exfiltration", `${CANARY_USED}: ${process.exe} is given it`, of, said);
  }

  get placeholders(): Placeholders {
    return this.lending.placeholders;
  }

  get hostKey(): string {
    return this.lending.hostKey;
  }

  async hold(held: Held, action: Action, _flow: string, waitMs?: number): Promise<Resolution> {
    // A rule of the task file may say more of what it does: that is what a person decides over. The policy may
    // have become narrower since it was judged.
    const { verdict, effects, reason } = decide(this.policy, this.policyState, action);
    if (verdict === "deny") return { kind: "denied", approval: "", reason };
    return await this.#desk.hold(this, held, { action, effects }, waitMs);
  }

  entryOf(kind: string): Entry | undefined {
    return findEntry(kind) ?? this.own.get(kind)?.entry;
  }

  /** What it has done, as far as that decides what may go on. */
  get policyState(): PolicyState {
    return this.#rules.state;
  }

  denied(denial: Denial): void {
    if (!this.#agent) return;
    const process = briefProcess(denial.process);
    if (this.#denialLines < DENIALS_FILE_LINES_MAX) {
      this.#denialLines += 1;
      appendDenial(this.files, denialLine(denial, this.#now()));
    }
    const { target, route, effect } = denial;
    this.recorder.note(denialEvent(denial, process));
    if (denial.waits === true || denial.probes === true) return;
    const { monoMs } = this.#clock.now();
    const attempt = { target, route, monoMs, ...(effect === undefined ? {} : { effect }) };
    const detail = this.lineage.denied(attempt, this.#rules.noteDenial(attempt));
    if (detail !== undefined) this.finding("sticky", detail, { target, process, route });
  }

  async attribute(flow: FlowTuple): Promise<Process> {
    if (this.#parts === undefined) throw new Fault("daemon.state", "the run is not there yet");
    return briefProcess(await this.#parts.attribute(flow));
  }

  async record(event: EventDraft, options: { readonly sync?: boolean } = {}): Promise<number> {
    try {
      return await this.recorder.record(event, options);
    } catch (error) {
      // INV-9: no record, no access. The caller fails closed; the run ends.
      this.stop("ledger", `the record cannot be written: ${describeError(error)}`);
      throw error;
    }
  }

  /** `said`: what a planted credential was found in. */
  finding(kind: FindingKind, detail: string, of: FindingSubject, said = of.target): void {
    if (!this.#agent) return;
    const planted = of.detector === CANARY.name ? this.lineage.planted(said ?? "") : "";
    this.#responder.found({ kind, detail: `${detail}${planted}`, of });
  }

  /** The same, of which was told not long ago. */
  foundAgain(kind: FindingKind, action: string | undefined): void {
    this.#responder.again(kind, action);
  }

  #kill(): void {
    this.#parts?.kill().catch((error: unknown) => {
      this.#log.warn("run.kill.failed", { run: this.id, error: describeError(error) });
    });
  }

  /** Its parts. @throws {Fault} `daemon.state` where it does not run. */
  living(): Parts {
    if (this.#parts !== undefined && this.#info.state === "running") return this.#parts;
    throw new Fault("daemon.state", `${this.id} is ${this.#info.state}, not running`);
  }

  #update(change: Partial<RunInfo>): void {
    this.#info = { ...this.#info, ...change };
    saveInfo(this.files, this.info);
  }

  #now(): string {
    return new Date(this.#clock.now().wallMs).toISOString();
  }
}
