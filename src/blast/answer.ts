/**
 * The answer: for each outcome how bad it could get, unattended and with an approver fooled, and the shortest way there.
 *
 * @module
 */
import { groundsOf, pathTo, type PathStep } from "./path.ts";
import { UNBOUNDED, type Program } from "./program.ts";
import type { Solution } from "./solve.ts";

/** A bound; `unbounded` where nothing is known to bound it. */
export type Amount = number | typeof UNBOUNDED;

export interface Outcome {
  readonly name: string;
  readonly says: string;
  /** How much is possible without a person. */
  readonly unattended: Amount;
  /** How much where whoever is asked says yes. */
  readonly approverFooled: Amount;
  /** The shortest way: the unattended one, where there is one. */
  readonly path: readonly PathStep[];
  /** What it happens to, nearest first. */
  readonly objects: readonly OutcomeObject[];
}

export interface OutcomeObject {
  readonly object: string;
  /** The most, without a person and with all yeses. */
  readonly unattended: Amount;
  readonly approverFooled: Amount;
  /** How many persons must say yes on the shortest way. */
  readonly persons: number;
  readonly path: readonly PathStep[];
}

export interface Answer {
  /** One plain sentence. */
  readonly sentence: string;
  readonly outcomes: readonly Outcome[];
  /** What was not asked, and counts at its worst; each once. */
  readonly assumptions: readonly string[];
}

const OBJECTS_MAX = 200;

/** Answers from what follows. */
export function answerOf(solution: Solution): Answer {
  const outcomes = [...solution.program.outcomes.keys()].map((name) => outcomeOf(solution, name));
  return {
    sentence: sentenceOf(outcomes, solution.program),
    outcomes,
    assumptions: assumptionsOf(solution),
  };
}

function outcomeOf(solution: Solution, name: string): Outcome {
  const byObject = new Map<string, number[]>();
  for (const atom of solution.of(name)) {
    const object = String(solution.termsOf(atom)[0]);
    byObject.set(object, [...(byObject.get(object) ?? []), atom]);
  }
  const objects = [...byObject].map(([object, atoms]) => objectOf(solution, object, atoms));
  const total = (which: "unattended" | "approverFooled") =>
    objects.reduce<Amount>((sum, one) => added(sum, one[which]), 0);
  return {
    name,
    says: solution.program.outcomes.get(name)?.says ?? name,
    unattended: total("unattended"),
    approverFooled: total("approverFooled"),
    path: objects[0]?.path ?? [],
    objects: objects.slice(0, OBJECTS_MAX),
  };
}

/** `atoms` are of one object, cheapest first. */
function objectOf(solution: Solution, object: string, atoms: readonly number[]): OutcomeObject {
  const [first = -1] = atoms;
  const amountOf = (atom: number) => amount(solution.termsOf(atom)[1]);
  const alone = atoms.filter((atom) => solution.personsOf(atom) === 0);
  const most = (some: readonly number[]) =>
    some.reduce<Amount>((max, atom) => larger(max, amountOf(atom)), 0);
  const persons = groundsOf(solution, first).reduce((sum, fact) => sum + fact.persons, 0);
  return {
    object,
    unattended: most(alone),
    approverFooled: most(atoms),
    persons,
    path: pathTo(solution, first),
  };
}

function amount(term: unknown): Amount {
  return typeof term === "number" ? term : UNBOUNDED;
}

function larger(a: Amount, b: Amount): Amount {
  return a === UNBOUNDED || b === UNBOUNDED ? UNBOUNDED : Math.max(a, b);
}

function added(a: Amount, b: Amount): Amount {
  return a === UNBOUNDED || b === UNBOUNDED ? UNBOUNDED : a + b;
}

function sentenceOf(outcomes: readonly Outcome[], _program: Program): string {
  const told = (which: "unattended" | "approverFooled") =>
    outcomes
      .filter((one) => one[which] !== 0 && one.name !== "compute_usable")
      .map((one) => `${one[which] === UNBOUNDED ? "any number of" : one[which]} ${one.says}`);
  const alone = told("unattended");
  const fooled = told("approverFooled");
  const worst = alone.length === 0 ? "nothing that counts" : alone.join(", ");
  if (fooled.join() === alone.join())
    return `Without a person, at worst: ${worst}; an approver who is fooled changes nothing.`;
  return `Without a person, at worst: ${worst}; with an approver fooled: ${fooled.join(", ")}.`;
}

/** Assumptions that anything answered rests on. */
function assumptionsOf(solution: Solution): readonly string[] {
  const told = new Set<string>();
  for (const name of solution.program.outcomes.keys()) {
    for (const atom of solution.of(name).slice(0, OBJECTS_MAX)) {
      for (const { isAssumed, from } of groundsOf(solution, atom)) if (isAssumed) told.add(from);
    }
  }
  return [...told].sort();
}
