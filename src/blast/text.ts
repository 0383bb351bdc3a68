/**
 * Atoms and facts as they are written.
 *
 * @module
 */
import { printNumber } from "./amount.ts";
import { ANY } from "./names.ts";
import { UNBOUNDED, type Constant, type Fact } from "./program.ts";

const BARE = /^[a-z][A-Za-z0-9_-]*$/;

/** `sudo("web1.example", deploy, root)` */
export function printAtom(predicate: string, terms: readonly Constant[]): string {
  return `${predicate}(${terms.map(printConstant).join(", ")})`;
}

function printConstant(value: Constant): string {
  return typeof value === "number" || BARE.test(value) ? String(value) : quoted(value);
}

function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

/** A fact as a line of a fact file, which reads as the same fact. */
export function printFact({ predicate, terms, persons, isAssumed, from, change }: Fact): string {
  const annotations = [
    ...(persons === 1 ? ["@confirm"] : persons > 1 ? ["@four_eyes"] : []),
    ...(isAssumed ? ["@assumed"] : []),
    ...(from === "" ? [] : [`@from(${quoted(from)})`]),
    ...(change === undefined ? [] : [`@change(${quoted(change)})`]),
  ];
  return `${[printAtom(predicate, terms), ...annotations].join(" ")}.`;
}

/** `text` with what stands in braces filled in, in words: numbers with commas, `any` and `unbounded` as people say it. */
export function said(text: string, bindings: ReadonlyMap<string, Constant>): string {
  const own = bindings.get("Amount") === 1 ? text.replaceAll(PLURAL, "{Amount} $1$2") : text;
  return own.replaceAll(/\{([^}]*)\}(?=( [a-z])?)/g, (hole, name: string, more?: string) => {
    const value = bindings.get(name);
    if (value === undefined) return hole;
    if (typeof value === "number") return printNumber(value);
    if (value === UNBOUNDED) return more === undefined ? "any amount" : "any number of";
    return value === ANY ? "whatever there is" : value;
  });
}
const PLURAL = /\{Amount\} (customer )?(record|time)s\b/g;
