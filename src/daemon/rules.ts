/**
 * What a run may do now, and what it has done as far as that matters: the one place where either
 * changes. A policy only ever becomes narrower (INV-32).
 *
 * @module
 */
import { OWN_SYSTEM, type Action } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import {
  compileRunPolicy,
  decide,
  initialPolicyState,
  narrowPolicy,
  noteDenial,
  type Allowance,
  type Decision,
  type DeniedAttempt,
  type Policy,
  type PolicyState,
  type Task,
} from "../policy/index.ts";
import { leavesOf } from "./unattended-store.ts";

const ALLOWANCES_MAX = 100; // Of one run; the oldest goes.

/** What passed unattended in runs of this and former daemons, by leave. */
export interface UnattendedUses {
  of(leave: string): readonly number[];
  /** On disk when it returns. */
  add(leave: string, nowMs: number, times: number): void;
}

export class Rules {
  #task: Task;
  #policy: Policy;
  #state: PolicyState;
  readonly #uses: UnattendedUses;
  /** Of rules that say how much may pass in a time. */
  #leaves: ReadonlyMap<string, string>;

  constructor(
    task: Task,
    policy: Policy,
    uses: UnattendedUses,
    inherited: Partial<PolicyState> = {},
  ) {
    this.#state = { ...initialPolicyState, ...inherited };
    this.#task = task;
    this.#policy = policy;
    this.#uses = uses;
    this.#leaves = leavesOf(task);
  }

  get task(): Task {
    return this.#task;
  }

  get policy(): Policy {
    return this.#policy;
  }

  get state(): PolicyState {
    return this.#state;
  }

  /** Names of the grants that were taken back. */
  get revoked(): string[] {
    return this.#policy.grants.filter((grant) => grant.revoked).map((grant) => grant.name);
  }

  /**
   * `isMore`: private data of another system was read, so less may stand from now on.
   *
   * @throws {Fault} `daemon.unattended` where leave that is used up by it cannot be written down.
   */
  decide(action: Action): { readonly decision: Decision; readonly isMore: boolean } {
    const at = [...this.#leaves].map(([rule, leave]) => [rule, this.#uses.of(leave)] as const);
    const present = { ...this.#state, unattendedAt: Object.fromEntries(at) };
    const decision = decide(this.#policy, present, action);
    for (const [rule, leave] of this.#leaves) {
      const { [rule]: before = 0 } = present.unattendedUsed;
      const { [rule]: after = 0 } = decision.state.unattendedUsed;
      if (after > before) this.#uses.add(leave, Date.parse(action.at), after - before);
    }
    const isMore = decision.state.readPrivately.length > this.#state.readPrivately.length;
    this.#state = decision.state;
    return { decision, isMore };
  }

  /** A person lets more of the same through. */
  allow(allowance: Allowance): void {
    const allowances = [...this.#state.allowances.slice(-ALLOWANCES_MAX + 1), allowance];
    this.#state = { ...this.#state, allowances };
  }

  /** The yes that leave for more came with was taken back, and the leave with it; tells whether there was any. */
  disallow(id: string): boolean {
    const allowances = this.#state.allowances.filter((allowance) => allowance.id !== id);
    const isLess = allowances.length < this.#state.allowances.length;
    this.#state = { ...this.#state, allowances };
    return isLess;
  }

  /** From now on a person decides over every change; models of `except` may go on. What persons let through ends. */
  confirmAll(why: string, except: readonly string[]): void {
    this.#state = { ...this.#state, confirmAll: { why, except }, allowances: [] };
  }

  /** Notes a denial; tells whether several ways to one target were tried by now. */
  noteDenial(attempt: DeniedAttempt): boolean {
    const noted = noteDenial(this.#state, attempt);
    this.#state = noted.state;
    return noted.sticky;
  }

  /** Takes one grant back. @throws {Fault} `daemon.no_such_grant` */
  revoke(name: string): void {
    const names = this.#task.grants.map((grant) => grant.name);
    if (![...names, OWN_SYSTEM].includes(name)) {
      throw new Fault("daemon.no_such_grant", `the run has no grant ${JSON.stringify(name)}`, {
        hint: names.length === 0 ? "it has none" : `it has ${names.join(", ")}`,
      });
    }
    this.#policy = compileRunPolicy(this.#task, [...this.revoked, name]);
  }

  /** Replaces the task. @throws {Fault} `daemon.wider` where it would let the run do more than now. */
  narrow(task: Task): void {
    const present = { task: this.#task, policy: this.#policy, state: this.#state };
    const { policy, state, wider, counts } = narrowPolicy(present, task);
    if (wider.length > 0) {
      throw new Fault("daemon.wider", `the new policy could be wider: ${wider.join("; ")}`, {
        hint: "leave out what the run should lose, and change nothing else; a wider policy needs a new run",
      });
    }
    this.#task = task;
    this.#policy = policy;
    this.#state = state;
    // A rule that lost a part of what it covered has the leave of before.
    const leaves = [...counts].flatMap(([rule, from]) => {
      const leave = this.#leaves.get(from);
      return leave === undefined ? [] : [[rule, leave] as const];
    });
    this.#leaves = new Map(leaves);
  }
}
