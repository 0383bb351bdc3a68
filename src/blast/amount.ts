/**
 * How much: a whole number, or nothing that bounds it.
 *
 * @module
 */
import { UNBOUNDED, type Constant } from "./program.ts";

/** A bound; `unbounded` where nothing is known to bound it. */
export type Amount = number | typeof UNBOUNDED;

/** What a term of a fact says; anything that is no number bounds nothing. */
export function amountOf(term: Constant | undefined): Amount {
  return typeof term === "number" ? term : UNBOUNDED;
}

export function larger(a: Amount, b: Amount): Amount {
  return isMore(a, b) ? a : b;
}

export function added(a: Amount, b: Amount): Amount {
  return a === UNBOUNDED || b === UNBOUNDED ? UNBOUNDED : a + b;
}

/** Whether `a` is more than `b`. */
export function isMore(a: Amount, b: Amount): boolean {
  if (b === UNBOUNDED) return false;
  return a === UNBOUNDED || a > b;
}

/** `12,000`, or `unbounded`. */
export function printAmount(amount: Amount): string {
  return amount === UNBOUNDED ? UNBOUNDED : printNumber(amount);
}

/** With commas between thousands, in every locale. */
export function printNumber(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
