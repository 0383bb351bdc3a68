/**
 * Whoever performs what a person approved: to a worker it is a run like any other, with one grant, one
 * request, and no agent.
 *
 * @module
 */
import { UNKNOWN_PROCESS, type Process } from "../action/index.ts";
import { Fault, type Log } from "../base/index.ts";
import { findEntry, type Entry } from "../catalog/index.ts";
import type { Attempt } from "../gateway/index.ts";
import { initialPolicyState, type Policy } from "../policy/index.ts";
import type { HeldRun } from "../worker/index.ts";

/** What it may do. */
export interface Given {
  readonly policy: Policy;
  readonly authorities: ReadonlyMap<string, string>;
  /** Its system, where that is one of the user's own. */
  readonly own: Entry | undefined;
}

export class Performer implements HeldRun {
  readonly id: string;
  readonly policy: Policy;
  readonly policyState = initialPolicyState;
  readonly isErrand = true;
  readonly authorities: ReadonlyMap<string, string>;
  readonly placeholders = { given: [], find: () => [] };
  /** What left this host for it. */
  readonly attempts: Attempt[] = [];
  readonly #own: Entry | undefined;
  readonly #log: Log;

  constructor(id: string, given: Given, log: Log) {
    this.id = id;
    this.policy = given.policy;
    this.authorities = given.authorities;
    this.#own = given.own;
    this.#log = log;
  }

  entryOf(kind: string): Entry | undefined {
    return findEntry(kind) ?? (this.#own?.system === kind ? this.#own : undefined);
  }

  intend(): Promise<never> {
    return Promise.reject(new Fault("worker.lie", "an approval that has agents"));
  }

  hold(): Promise<never> {
    return Promise.reject(new Fault("worker.lie", "an approval that has agents"));
  }

  denied(): void {}

  attribute(): Promise<Process> {
    return Promise.resolve(UNKNOWN_PROCESS);
  }

  record(): Promise<never> {
    return Promise.reject(new Fault("worker.lie", "an approval that records flows"));
  }

  finding(kind: string, detail: string): void {
    this.#log.warn("approval.finding", { approval: this.id, kind, detail });
  }

  freeze(): Promise<boolean> {
    return Promise.resolve(false);
  }

  thaw(): Promise<void> {
    return Promise.resolve();
  }

  dialled(attempt: Attempt): void {
    this.attempts.push(attempt);
  }

  stop(): void {}
}
