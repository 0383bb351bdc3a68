/**
 * A row of the bench: one figure beside its floor (what the machine or a simpler tool needs anyway) or
 * its peer, and whether the goal was met.
 *
 * @module
 */
import { median, medianRatio } from "./statistics.ts";

/** What a figure is held against. */
export interface Goal {
  readonly of: "value" | "ratio";
  readonly must: "<" | "<=" | ">=";
  readonly be: number;
}

/** As in `--json`. */
export interface Row {
  /** PART/FIGURE. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floorOrPeer: { readonly name: string; readonly value: number } | null;
  /** `value` to the floor or peer: the median of the rounds' ratios. */
  readonly ratio: number | null;
  /** For example `ratio <= 2`; null where the figure only explains another. */
  readonly goal: string | null;
  readonly met: boolean | null;
}

export interface RowInput {
  readonly name: string;
  readonly unit: string;
  /** One value a round. */
  readonly values: readonly number[];
  /** What it is compared with, one value a round, of the same rounds. */
  readonly against?: { readonly name: string; readonly values: readonly number[] };
  readonly goal?: Goal;
}

/** The row of a figure. */
export function createRow({ name, unit, values, against, goal }: RowInput): Row {
  const value = median(values);
  const ratio = against === undefined ? null : medianRatio(values, against.values);
  return {
    name,
    value: rounded(value),
    unit,
    floorOrPeer:
      (against && { name: against.name, value: rounded(median(against.values)) }) || null,
    ratio: ratio === null ? null : rounded(ratio),
    goal: goal === undefined ? null : `${goal.of} ${goal.must} ${goal.be}`,
    met: goal === undefined ? null : isMet(goal, goal.of === "value" ? value : ratio),
  };
}

/** Judged before rounding. A ratio without a peer meets nothing. */
function isMet(goal: Goal, figure: number | null): boolean {
  if (figure === null) return false;
  if (goal.must === "<") return figure < goal.be;
  return goal.must === "<=" ? figure <= goal.be : figure >= goal.be;
}

/** Four digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
