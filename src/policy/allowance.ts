/**
 * Allowances: what a person lets through for the rest of a run after having seen one of it. Always of one
 * system and verb, with a count and an end; never for what administers.
 *
 * @module
 */
import type { Action, Effect } from "../action/index.ts";

/** Leave for more of the same. */
export interface Allowance {
  /** The approval that it came with. */
  readonly id: string;
  readonly system: string;
  readonly verb: string;
  /** What the one that was seen does: no other may do more. */
  readonly effects: readonly Effect[];
  /** How many actions are left. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly untilMs: number;
  /** How many different recipients, over all of them. */
  readonly recipientsMax?: number;
  /** How much money is left. */
  readonly amount?: { readonly currency: string; readonly value: string };
  /** Who was reached by it so far. */
  readonly reached: readonly string[];
}

/** The allowance after `action`, or `undefined` where it does not cover it. */
export function useAllowance(
  allowance: Allowance,
  action: Action,
  nowMs: number,
): Allowance | undefined {
  const { system, verb, effects, count, untilMs, recipientsMax, amount, reached } = allowance;
  if (action.system !== system || action.verb !== verb || action.parts !== undefined)
    return undefined;
  // Written so that a time which cannot be read counts as too late.
  if (count < 1 || !(nowMs < untilMs) || action.effects.includes("administer")) return undefined;
  if (action.effects.some((effect) => !effects.includes(effect))) return undefined;
  const { impact } = action;
  const all = [...new Set([...reached, ...(impact?.recipients ?? [])])];
  // Whom it reaches must be known where that is limited, or limited where it is known.
  if (
    action.effects.includes("send") &&
    (impact?.recipients === undefined || recipientsMax === undefined)
  ) {
    return undefined;
  }
  if (recipientsMax !== undefined && all.length > recipientsMax) return undefined;
  const next = { ...allowance, count: count - 1, reached: all };
  if (!action.effects.includes("spend") && impact?.amount === undefined) return next;
  const spent = impact?.amount;
  if (spent === undefined || amount === undefined || spent.currency !== amount.currency)
    return undefined;
  const left = subtract(amount.value, spent.value);
  return left === undefined ? undefined : { ...next, amount: { ...amount, value: left } };
}

/** `a - b` of decimals as text, exactly; `undefined` below zero or where one is none. */
function subtract(a: string, b: string): string | undefined {
  const form = /^(\d{1,40})(?:\.(\d{1,40}))?$/;
  const [one, other] = [form.exec(a), form.exec(b)];
  if (one === null || other === null) return undefined;
  const digits = Math.max(one[2]?.length ?? 0, other[2]?.length ?? 0);
  const scaled = (match: RegExpExecArray) =>
    BigInt(`${match[1]}${(match[2] ?? "").padEnd(digits, "0")}`);
  const left = scaled(one) - scaled(other);
  if (left < 0n) return undefined;
  const text = String(left).padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
