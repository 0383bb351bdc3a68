/**
 * Amounts of money as decimal text: no number of JavaScript's is ever made of one.
 *
 * @module
 */
import type { Impact } from "../action/index.ts";
import type { Route } from "./entry.ts";
import { textOf, valuesAt, type Sources } from "./values.ts";

export type Amount = NonNullable<Impact["amount"]>;

const DECIMAL = /^\d{1,30}(\.\d{1,30})?$/;

/** What a request moves by its route; `undefined` where that is not known for certain. */
export function amountOf({ amount }: Route, sources: Sources): Amount | undefined {
  if (amount === undefined) return undefined;
  const values = valuesAt(amount.value, sources).map(textOf);
  // Several amounts, unless all of them are moved: none is the one that is moved for certain.
  if (values.length > 1 && amount.sum !== true) return undefined;
  const isCode = /^[A-Z]{3,5}$/.test(amount.currency);
  const named = isCode ? [amount.currency] : valuesAt(amount.currency, sources).map(textOf);
  const [currency = "unknown", ...others] = [...new Set(named.map((name) => name.toUpperCase()))];
  if (others.length > 0) return undefined;
  const exponent = amount.exponents?.[currency] ?? amount.exponent;
  return sumOf(
    values.map((value) =>
      DECIMAL.test(value) ? { currency, value: shifted(value, exponent) } : undefined,
    ),
  );
}

/** The sum of `amounts`; `undefined` where one is missing or of another currency. */
export function sumOf(amounts: readonly (Amount | undefined)[]): Amount | undefined {
  const [first] = amounts;
  if (first === undefined) return undefined;
  const known = amounts.filter((one) => one?.currency === first.currency) as readonly Amount[];
  if (known.length < amounts.length) return undefined;
  const places = Math.max(...known.map(({ value }) => value.split(".")[1]?.length ?? 0));
  const units = known.map(({ value }) => {
    const [whole = "", part = ""] = value.split(".");
    return BigInt(whole + part.padEnd(places, "0"));
  });
  const total = units.reduce((sum, one) => sum + one, 0n).toString();
  return { currency: first.currency, value: shifted(total, places) };
}

/** `1250` with exponent 2 is `12.50`. */
export function shifted(value: string, exponent: number): string {
  if (exponent === 0 || value.includes(".")) return value;
  const digits = value.padStart(exponent + 1, "0");
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
