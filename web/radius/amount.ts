/** Amounts that may be without bound. */
import type { BlastAmount } from "../../src/api/index.ts";
import { countText } from "../parts/index.ts";

export function amountText(amount: BlastAmount): string {
  return amount === "unbounded" ? "any" : countText(amount);
}

export function isMore(a: BlastAmount, b: BlastAmount): boolean {
  if (b === "unbounded") return false;
  return a === "unbounded" || a > b;
}

/** Whether a change makes it worse. */
export function changeTone(before: BlastAmount, after: BlastAmount): "worse" | "better" | "same" {
  if (before === after) return "same";
  return isMore(after, before) ? "worse" : "better";
}
