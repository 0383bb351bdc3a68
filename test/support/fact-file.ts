/**
 * What `cofferdam probe` found, read from a home as `cofferdam blast` reads it.
 *
 * @module
 */
import { join } from "node:path";
import type { Constant, Fact } from "../../src/blast/index.ts";
import { readFacts, readRules } from "../../src/probe/index.ts";

export interface FactFile {
  readonly facts: readonly Fact[];
  /** Whether it is so, told or assumed. */
  has(predicate: string, ...terms: readonly Constant[]): boolean;
  /** The amounts that are said of `object`. */
  amounts(predicate: string, object: string): readonly Constant[];
}

/** The facts of the home in `state`, or these. */
export function factFile(state: string | readonly Fact[]): FactFile {
  const facts =
    typeof state === "string"
      ? readFacts(join(state, "facts"), readRules(join(state, "rules")))
      : state;
  return {
    facts,
    has: (predicate, ...terms) =>
      facts.some(
        (fact) => fact.predicate === predicate && fact.terms.join("\0") === terms.join("\0"),
      ),
    amounts: (predicate, object) =>
      facts.flatMap((fact) =>
        fact.predicate === predicate && fact.terms[0] === object ? fact.terms.slice(1) : [],
      ),
  };
}
