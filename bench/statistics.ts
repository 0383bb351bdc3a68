/**
 * What is made of repeated measurements: medians, since one disturbed repetition must not count, and
 * ratios of pairs that were measured next to each other, since machines drift.
 *
 * @module
 */
import { Fault } from "../src/base/index.ts";

/** The middle of `values`, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined || values.some((one) => !Number.isFinite(one))) {
    throw new Fault("bench.values", `no median of ${JSON.stringify(values)}`);
  }
  return (upper + lower) / 2;
}

/** The least of `values` that `share` of them do not exceed: 0.99 is what one in a hundred exceeds. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (found !== undefined && values.every(Number.isFinite)) return found;
  throw new Fault("bench.values", `no quantile of ${JSON.stringify(values)}`);
}

/** The median of `values[n] / others[n]`: both of one round, so drift of the machine cancels out. */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, n) => value / (others[n] ?? Number.NaN)));
}

/**
 * Takes every measurement once a round, `rounds` times over, in turns from either end: what comes
 * second in one round comes first in the next. One round before them is for warming up.
 */
export async function inTurns<Name extends string>(
  rounds: number,
  measurements: Readonly<Record<Name, () => number | Promise<number>>>,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(measurements) as Name[];
  const taken = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const value = await measurements[name]();
      if (round > 0) taken[name].push(value);
    }
  }
  return taken;
}
