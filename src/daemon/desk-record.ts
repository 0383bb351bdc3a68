/**
 * What becomes of approvals, on record: each step of one, and what is done on a yes.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { codeOf, type Approval, type Step } from "../approval/index.ts";
import type { Clock } from "../base/index.ts";
import type { Asked, Attempt } from "../gateway/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { findProtocol } from "../protocols/index.ts";
import { outOf } from "../worker/index.ts";
import { causeIn } from "./pins.ts";

export class DeskRecord {
  readonly #clock: Clock;
  readonly #ledger: Ledger;

  constructor(clock: Clock, ledger: Ledger) {
    this.#clock = clock;
    this.#ledger = ledger;
  }

  async step(approval: Approval, step: Step): Promise<void> {
    const { action, id, run, by, createdMs } = approval;
    const { state, reason, by: who, later } = step;
    await this.#append({
      type: "approval",
      run,
      ...causeIn(approval),
      system: action.system,
      target: action.target,
      action: action.id,
      data: {
        approval: id,
        state,
        verb: action.verb,
        effects: [...action.effects],
        digest: action.digest,
        code: codeOf(action),
        // What is known of an operation only after it was judged is on record with the card.
        ...(state === "requested" && isSession(action) ? { fields: action.fields } : {}),
        ...(who === undefined ? {} : { by: who, before: [...by] }),
        ...(reason === undefined ? {} : { reason }),
        ...(later === undefined ? {} : { later }),
        waitedMs: this.#clock.now().wallMs - createdMs,
      },
    });
  }

  async action(approval: Approval, action: Action, reason: string): Promise<void> {
    const { id, run } = approval;
    const { kind, verb, effects, summary, fields, digest, system, target } = action;
    const amount = action.impact?.amount;
    await this.#append({
      type: "action",
      verdict: "allow",
      rule: `approval.${id}`,
      run,
      ...causeIn(approval),
      system,
      target,
      action: action.id,
      data: {
        ...{ kind, verb, effects: [...effects], summary, fields, digest, reason },
        ...(amount === undefined ? {} : { amount: { ...amount } }),
      },
    });
  }

  async outcome(
    approval: Approval,
    action: Action,
    outcome: Asked["outcome"],
    attempts: readonly Attempt[] = [],
  ): Promise<void> {
    const { id, run } = approval;
    const { system, target } = action;
    const { failure, ...rest } = outcome;
    const out = attempts.length === 0 ? {} : { out: outOf(attempts) };
    const data = {
      approval: id,
      ...rest,
      ...(failure === undefined ? {} : { ...failure }),
      ...out,
    };
    const of = { run, ...causeIn(approval), system, target, action: action.id };
    await this.#append({ type: "outcome", ...of, data });
  }

  /** On disk before it is acted upon: what a person decided is never lost. */
  async #append(event: Omit<Parameters<Ledger["append"]>[0], "at" | "monoMs">): Promise<void> {
    const { wallMs, monoMs } = this.#clock.now();
    await this.#ledger.append(
      { ...event, at: new Date(wallMs).toISOString(), monoMs },
      { sync: true },
    );
  }
}

export function isSession({ kind }: Action): boolean {
  return findProtocol(kind) !== undefined;
}
