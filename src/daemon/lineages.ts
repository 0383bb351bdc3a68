/**
 * Lineages: the runs of one job, one agent or one secret are one thing. They stand still together, have one budget, and
 * what one of them is refused is refused to all of them.
 *
 * INV-242: a lineage that is paused has no run that goes on and begins none, until it is resumed, by whatever daemon.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { Action, Event, FindingKind, LineageKey } from "../action/index.ts";
import type { LineageInfo } from "../api/index.ts";
import { describeError, Fault, type Clock, type Log } from "../base/index.ts";
import { CANARY } from "../detect/index.ts";
import type { FindingSubject } from "../gateway/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  initialPolicyState,
  NO_LINEAGE_RULES,
  noteDenial,
  shareOf,
  type DeniedAttempt,
  type LineageRules,
  type PolicyState,
  type Passing,
} from "../policy/index.ts";
import { Canaries } from "./canary.ts";
import { KEPT_MAX, LineageStore } from "./lineage-store.ts";
import { LineageUses } from "./lineage-uses.ts";

/** Denied targets that are remembered as tried by several ways. */
const STICKY_MAX = 512;

/** A run, as far as its lineages move it. */
export interface Member {
  readonly id: string;
  readonly alive: boolean;
  readonly ended: Promise<unknown>;
  /** Stands still when it resolves, if it runs; else it does not begin. */
  close(lineage: LineageKey, why: string): Promise<void>;
  reopen(lineage: LineageKey): Promise<void>;
  stop(reason: string, detail: string): void;
  finding(kind: FindingKind, detail: string, of: FindingSubject): void;
}

interface Lineage {
  readonly members: Set<Member>;
  readonly uses: LineageUses | undefined;
  denials: PolicyState;
  readonly sticky: Set<string>;
}

export interface LineagesPorts {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  /** What `lineages.yaml` says now. @throws {Fault} where it is there and cannot be understood. */
  rules(): LineageRules;
  /** The lineages of a run that has ended; none where nobody knows it any more. */
  everOf(run: string): readonly LineageKey[];
  /** Lineages of which anything is kept. */
  readonly most?: number;
}

export class Lineages {
  readonly #ports: LineagesPorts;
  readonly #store: LineageStore;
  readonly #lineages = new Map<LineageKey, Lineage>();
  readonly #keys = new Map<string, readonly LineageKey[]>();
  readonly #members = new Map<string, Member>();
  /** Told when a lineage is let go on: what waited for that is looked at again. */
  onResumed: () => void = () => {};
  #rules: LineageRules = NO_LINEAGE_RULES;

  /** @throws {Fault} `lineage.store` */
  constructor(ports: LineagesPorts) {
    this.#ports = ports;
    this.#store = new LineageStore(ports.file);
    this.canaries = new Canaries(this.#store.key("canary"));
  }

  /** What was planted in runs of this home. */
  readonly canaries: Canaries;

  /** The database of what is kept, to be copied. */
  get database(): LineageStore["database"] {
    return this.#store.database;
  }

  /** Places that runs share because they are meant to. */
  get shared(): readonly string[] {
    return this.#rules.shared;
  }

  /** The lineage of a secret of the vault that is called `name` there. */
  secretOf(name: string, fingerprint: string): LineageKey {
    return `credential:${this.#store.secret(name, fingerprint)}`;
  }

  /** The lineage of a secret that came in a variable. */
  passingOf(value: string, fingerprint: string | undefined): LineageKey {
    // With the vault closed nobody can tell whether it is in there: it is known by itself alone.
    const own = () => createHmac("sha256", this.#store.key("secrets")).update(value).digest("hex");
    return `credential:${this.#store.passing(fingerprint ?? own().slice(0, 12))}`;
  }

  /** `key` with the secret's own id where it was called by its name. */
  resolve(key: LineageKey): LineageKey {
    const name = /^credential:(.*)$/s.exec(key)?.[1];
    if (name === undefined) return key;
    return `credential:${this.#store.idOf(name) ?? name}`;
  }

  /** Passes where none of `keys` is paused. @throws {Fault} `lineage.paused` */
  requireOpen(keys: readonly LineageKey[]): void {
    const paused = this.pausedOf(keys);
    if (paused === undefined) return;
    throw new Fault(
      "lineage.paused",
      `${paused} is paused: ${this.#store.paused.get(paused)?.why}`,
      {
        hint: `no run of it begins until \`cofferdam resume --lineage ${paused}\``,
      },
    );
  }

  /** Which of `keys` is paused; `undefined` where none is. */
  pausedOf(keys: readonly LineageKey[]): LineageKey | undefined {
    return keys.find((key) => this.#store.paused.has(key));
  }

  /**
   * Takes `run` in, until it ends.
   *
   * @throws {Fault} `lineage.paused`; `lineage.full`; `policy.lineages` where `lineages.yaml` cannot be understood.
   */
  join(run: Member, keys: readonly LineageKey[]): void {
    this.#rules = this.#ports.rules();
    this.requireOpen(keys);
    // All before one: where the second is refused, the first has no member that nothing takes out again.
    for (const lineage of keys.map((key) => this.#take(key))) lineage.members.add(run);
    this.#keys.set(run.id, keys);
    this.#members.set(run.id, run);
    void run.ended.then(() => {
      this.#keys.delete(run.id);
      this.#members.delete(run.id);
      for (const key of keys) {
        const lineage = this.#lineages.get(key);
        lineage?.members.delete(run);
        if (lineage?.members.size === 0) this.#drop(key, lineage);
      }
    });
  }

  /** Tells the run `of`, where it lives, that `user` uses what was planted in it. */
  tell(of: string, user: string): void {
    const why = `what was planted in it, and is good for nothing, is used by ${user}`;
    this.#members.get(of)?.finding("exfiltration", why, { detector: CANARY.name, score: 1 });
  }

  /** Why `action` of a run of `keys` goes beyond a budget; else it is counted. @throws {Fault} `lineage.store` */
  admit(keys: readonly LineageKey[], action: Action): string | undefined {
    const limited = keys.flatMap((key) => {
      const lineage = this.#lineages.get(key);
      // What a person let through may be performed when no run of it lives any more.
      const uses = lineage === undefined ? this.#usesOf(key) : lineage.uses;
      return uses === undefined ? [] : [{ key, uses, isGone: lineage === undefined }];
    });
    if (limited.length === 0) return undefined;
    for (const { key, uses } of limited) {
      const lack = uses.lackFor(action);
      if (lack !== undefined) return `the budget of ${key}: ${lack}`;
    }
    for (const { uses, isGone } of limited) {
      uses.take(action);
      if (isGone) uses.settle();
    }
    return undefined;
  }

  /** Whether a budget of one of `keys` limits how many requests there are. */
  countRequests(keys: readonly LineageKey[]): boolean {
    return keys.some((key) => this.#lineages.get(key)?.uses?.budget.requests !== undefined);
  }

  /** Counts what is known only afterwards. */
  note(run: string, event: Event): void {
    for (const key of this.#keys.get(run) ?? []) this.#lineages.get(key)?.uses?.note(event);
  }

  /** `run` has used `ms` more of processor or GPU time; a lineage whose budget that is beyond stands still. */
  spent(run: string, what: Passing, ms: number): void {
    for (const key of this.#keys.get(run) ?? []) {
      const uses = this.#lineages.get(key)?.uses;
      uses?.spend(what, ms);
      const spent = uses?.spent;
      if (spent === undefined || this.#store.paused.has(key)) continue;
      const why = `the ${spent === "cpuMs" ? "processor" : "GPU"} time of ${key} is used up`;
      this.pause(key, why).catch((error: unknown) => {
        this.#ports.log.warn("lineage.pause", { lineage: key, error: describeError(error) });
      });
    }
  }

  /** Notes a denial of `run`; tells of which lineage it is one of several ways to what was denied before. */
  denied(run: string, attempt: DeniedAttempt, isOwn: boolean): LineageKey | undefined {
    let found: LineageKey | undefined;
    for (const key of this.#keys.get(run) ?? []) {
      const lineage = this.#lineages.get(key);
      if (lineage === undefined) continue;
      const { state, sticky } = noteDenial(lineage.denials, attempt);
      lineage.denials = state;
      if (lineage.sticky.has(attempt.target) || sticky) found ??= key;
      if (!sticky && !isOwn) continue;
      lineage.sticky.add(attempt.target);
      const [oldest = ""] = lineage.sticky;
      if (lineage.sticky.size > STICKY_MAX) lineage.sticky.delete(oldest);
    }
    return found;
  }

  /** The lineages of run `id`, which may have ended. */
  everOf(id: string): readonly LineageKey[] {
    return this.#keys.get(id) ?? this.#ports.everOf(id);
  }

  /** Whether a lineage of run `id`, which may have ended, is paused. */
  isHeld(id: string): boolean {
    return this.pausedOf(this.everOf(id)) !== undefined;
  }

  /** The lineages of the living run `id`. */
  keysOf(id: string): readonly LineageKey[] {
    return this.#keys.get(id) ?? [];
  }

  /**
   * Every run of it stands still when this resolves, and no other begins. That is written down before anything else, so
   * that no daemon forgets it; a run that cannot be stopped is ended.
   */
  async pause(called: LineageKey, why: string): Promise<Reached> {
    const key = this.resolve(called);
    const sinceMs = this.#ports.clock.now().monoMs;
    const members = this.#shut(key, why);
    await Promise.all(
      members.map((run) =>
        run.close(key, why).catch((error: unknown) => {
          if (run.alive)
            run.stop("finding", `${why}; and it cannot be paused: ${describeError(error)}`);
        }),
      ),
    );
    const withinMs = this.#ports.clock.now().monoMs - sinceMs;
    await this.#record(key, "paused", {
      reason: why,
      runs: members.length,
      withinMs: Math.round(withinMs),
    });
    return { lineage: key, runs: members.length, withinMs };
  }

  /** Lets it go on; on record before it holds, since it widens. @throws {Fault} `daemon.state` where it is not paused. */
  async resume(called: LineageKey): Promise<Reached> {
    const key = this.resolve(called);
    const sinceMs = this.#ports.clock.now().monoMs;
    if (!this.#store.paused.has(key)) {
      throw new Fault("daemon.state", `${key} is not paused`, {
        hint: "`cofferdam lineages` lists what is",
      });
    }
    this.#rules = this.#ports.rules();
    this.#reread();
    const members = [...(this.#lineages.get(key)?.members ?? [])]; // None joins while it is paused.
    const paused = this.#store.paused.get(key);
    await this.#record(key, "resumed", { runs: members.length });
    if (this.#store.paused.get(key) !== paused) {
      throw new Fault("daemon.state", `${key} was paused anew meanwhile`, {
        hint: "resume it once more where that is meant",
      });
    }
    this.#store.resume(key);
    // One that was killed meanwhile has nothing to go on with.
    await Promise.allSettled(members.map((run) => run.reopen(key)));
    this.onResumed();
    return {
      lineage: key,
      runs: members.length,
      withinMs: this.#ports.clock.now().monoMs - sinceMs,
    };
  }

  /** Ends every run of it; it stays paused, so that whoever starts them again does not. */
  async kill(called: LineageKey): Promise<Reached> {
    const key = this.resolve(called);
    const sinceMs = this.#ports.clock.now().monoMs;
    const why = `${key} was ended by hand`;
    const members = this.#shut(key, why);
    for (const run of members) run.stop("killed", why);
    await Promise.all(members.map((run) => run.ended));
    await this.#record(key, "killed", { runs: members.length });
    return {
      lineage: key,
      runs: members.length,
      withinMs: this.#ports.clock.now().monoMs - sinceMs,
    };
  }

  /** Those that live or are paused. */
  list(): readonly LineageInfo[] {
    this.#rules = this.#ports.rules();
    this.#reread();
    const keys = new Set([...this.#lineages.keys(), ...this.#store.paused.keys()]);
    return [...keys].sort().map((key) => this.#infoOf(key));
  }

  show(called: LineageKey): LineageInfo {
    this.#rules = this.#ports.rules();
    this.#reread();
    return this.#infoOf(this.resolve(called));
  }

  close(): void {
    for (const { uses } of this.#lineages.values()) uses?.settle();
    this.#store.close();
  }

  /** None begins from here on, whatever becomes of this daemon; gives those that live. @throws {Fault} `lineage.full` */
  #shut(key: LineageKey, why: string): readonly Member[] {
    const { paused } = this.#store;
    const { most = KEPT_MAX } = this.#ports;
    if (!paused.has(key) && paused.size >= most) {
      throw new Fault("lineage.full", `${most} lineages are paused already`, {
        hint: "resume some first",
      });
    }
    this.#store.pause(key, { atMs: this.#ports.clock.now().wallMs, why });
    return [...(this.#lineages.get(key)?.members ?? [])];
  }

  #infoOf(key: LineageKey): LineageInfo {
    const lineage = this.#lineages.get(key);
    const paused = this.#store.paused.get(key);
    const uses = lineage?.uses ?? this.#usesOf(key);
    const share = uses === undefined ? undefined : shareOf(uses.budget, uses.use);
    return {
      lineage: key,
      names: this.#namesOf(key).slice(1),
      runs: [...(lineage?.members ?? [])].map(({ id }) => id),
      ...(paused === undefined
        ? {}
        : { paused: { at: new Date(paused.atMs).toISOString(), why: paused.why } }),
      ...(uses === undefined || share === undefined ? {} : { share, budget: uses.lines() }),
    };
  }

  #namesOf(key: LineageKey): readonly LineageKey[] {
    const id = /^credential:(.*)$/s.exec(key)?.[1];
    const names = id === undefined ? [] : this.#store.namesOf(id);
    return [key, ...names.map((name) => `credential:${name}`)];
  }

  #usesOf(key: LineageKey): LineageUses | undefined {
    const budget = this.#rules.budgetOf(this.#namesOf(key));
    return budget === undefined ? undefined : new LineageUses(this.#store, key, budget);
  }

  #take(key: LineageKey): Lineage {
    const known = this.#lineages.get(key);
    if (known !== undefined) return known;
    const uses = this.#usesOf(key);
    const { most = KEPT_MAX } = this.#ports;
    if (uses !== undefined && uses.isNew && this.#store.size >= most) {
      throw new Fault("lineage.full", `${most} lineages have used up something of a budget`, {
        hint: "call jobs by names that come again, or give budgets to fewer",
      });
    }
    uses?.begin();
    const made = {
      members: new Set<Member>(),
      uses,
      denials: initialPolicyState,
      sticky: new Set<string>(),
    };
    this.#lineages.set(key, made);
    return made;
  }

  /** A budget that was changed holds for those that live. */
  #reread(): void {
    for (const [key, lineage] of this.#lineages) {
      const budget = this.#rules.budgetOf(this.#namesOf(key));
      if (JSON.stringify(budget, big) === JSON.stringify(lineage.uses?.budget, big)) continue;
      lineage.uses?.settle();
      const uses = this.#usesOf(key);
      uses?.begin();
      this.#lineages.set(key, { ...lineage, uses });
    }
  }

  #drop(key: LineageKey, { uses }: Lineage): void {
    try {
      uses?.settle();
    } catch (error) {
      // What was written ahead stands, which is more than was used.
      this.#ports.log.warn("lineage.settle", { lineage: key, error: describeError(error) });
    }
    this.#lineages.delete(key);
  }

  async #record(
    lineage: LineageKey,
    state: string,
    more: Readonly<Record<string, string | number>>,
  ) {
    const { wallMs, monoMs } = this.#ports.clock.now();
    const at = new Date(wallMs).toISOString();
    const data = { lineage, state, ...more };
    await this.#ports.ledger.append({ type: "lineage", at, monoMs, data }, { sync: true });
  }
}

/** What a change of a lineage came to. */
export interface Reached {
  readonly lineage: LineageKey;
  readonly runs: number;
  readonly withinMs: number;
}

function big(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  return value instanceof Map ? [...value] : value;
}
