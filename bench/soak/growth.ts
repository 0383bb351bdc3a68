/**
 * Whether something grows: how much a figure gains for each cycle, by a line through what was seen.
 *
 * @module
 */

/** A figure as it stood after so many cycles. */
export interface Point {
  readonly cycles: number;
  readonly value: number;
}

/** How far a figure may grow. */
export interface Bound {
  /** For each cycle, by a line through the second half of what was seen. */
  readonly perCycle: number;
  /** What it may differ by over that half all the same: counts stand still, memory breathes. */
  readonly slack: number;
}

/** What became of a figure. */
export interface Growth {
  readonly first: number;
  readonly last: number;
  readonly perCycle: number;
  readonly bound: Bound;
  readonly isHeld: boolean;
}

/** Judges `points` by their second half: in the first, pools, caches and heaps fill up. */
export function growthOf(points: readonly Point[], bound: Bound): Growth {
  const half = points.slice(Math.floor(points.length / 2));
  const [begun, ended] = [half.at(0), half.at(-1)];
  const [first, last] = [points.at(0), points.at(-1)];
  if (!begun || !ended || !first || !last || half.length < 3) {
    // Two points are a line through anything.
    return { first: Number.NaN, last: Number.NaN, perCycle: Number.NaN, bound, isHeld: false };
  }
  const perCycle = slopeOf(half);
  const gained = perCycle * (ended.cycles - begun.cycles);
  const allowed = bound.perCycle * (ended.cycles - begun.cycles) + bound.slack;
  return { first: first.value, last: last.value, perCycle, bound, isHeld: gained <= allowed };
}

/** The slope of the line of least squares. */
function slopeOf(points: readonly Point[]): number {
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(({ cycles }) => cycles), mean(({ value }) => value)];
  const both = points.reduce((sum, { cycles, value }) => sum + (cycles - x) * (value - y), 0);
  const square = points.reduce((sum, { cycles }) => sum + (cycles - x) ** 2, 0);
  return square === 0 ? 0 : both / square;
}
