/**
 * The shortest way to something: the steps of a cheapest derivation, in an order in which somebody could take them.
 *
 * @module
 */
import type { Fact } from "./program.ts";
import type { Solution } from "./solve.ts";
import { printAtom, said } from "./text.ts";

/** One step. */
export interface PathStep {
  /** Of the rule: `sudo`. */
  readonly rule: string;
  /** What somebody does: "deploy becomes root on web1 by sudo". */
  readonly says: string;
  /** What holds after it: `code_on("web1", root)`. */
  readonly gives: string;
  /** What it rests on, besides the steps before. */
  readonly facts: readonly PathFact[];
  /** Where it is written that this is so. */
  readonly source: string;
}

export interface PathFact {
  /** `sudo("web1", deploy, root)` */
  readonly fact: string;
  readonly says: string;
  readonly from: string;
  readonly isAssumed: boolean;
  /** How many must say yes to it. */
  readonly persons: number;
  readonly change?: string;
}

/** A way to `atom`; no steps where it is a fact itself. */
export function pathTo(solution: Solution, atom: number): readonly PathStep[] {
  const steps: PathStep[] = [];
  let grounds: PathFact[] = [];
  for (const one of derivationOf(solution, [atom])) {
    const instance = solution.bestOf(one);
    const rule =
      instance === undefined ? undefined : solution.program.rules[solution.ruleOf(instance)];
    if (instance === undefined || rule === undefined) continue;
    const body = solution.bodyOf(instance);
    grounds.push(...body.flatMap((part) => factsBehind(solution, part)));
    // What is only said in another way is no step, but what it rests on belongs to the next one.
    if (rule.isFree) continue;
    const facts = grounds;
    grounds = [];
    steps.push({
      rule: rule.name,
      says: saysOf(solution, instance),
      gives: printAtom(solution.predicateOf(one), solution.termsOf(one)),
      facts,
      source: rule.source,
    });
  }
  return steps;
}

/** Facts that a cheapest derivation of `atom` rests on, each once. */
export function groundsOf(solution: Solution, atom: number): readonly Fact[] {
  return derivationOf(solution, [atom]).flatMap((one) => factBehind(solution, one) ?? []);
}

/** How many must say yes on a cheapest way to `atom`; a yes that is used twice counts once. */
export function personsFor(solution: Solution, atom: number): number {
  return groundsOf(solution, atom).reduce((sum, { persons }) => sum + persons, 0);
}

/** The fact that states `atom` at the least cost, where none of the rules does better. */
function factBehind(solution: Solution, atom: number): Fact | undefined {
  if (solution.bestOf(atom) !== undefined) return undefined;
  return [...solution.factsOf(atom)].sort(
    (a, b) => a.persons - b.persons || Number(a.isAssumed) - Number(b.isAssumed),
  )[0];
}

/**
 * Atoms of cheapest derivations of `atoms`, each once and after what it rests on. Cheapest derivations have no cycles: a
 * body is final first.
 */
export function derivationOf(solution: Solution, atoms: readonly number[]): readonly number[] {
  const done = new Set<number>();
  const order: number[] = [];
  const stack = [...atoms].reverse().map((atom) => ({ atom, isOpen: false }));
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (done.has(top.atom)) stack.pop();
    else if (top.isOpen) {
      stack.pop();
      done.add(top.atom);
      order.push(top.atom);
    } else {
      top.isOpen = true;
      const instance = solution.bestOf(top.atom);
      const body = instance === undefined ? [] : solution.bodyOf(instance);
      for (const part of [...body].reverse())
        if (!done.has(part)) stack.push({ atom: part, isOpen: false });
    }
  }
  return order;
}

/** The fact that `atom` is, for people; none where a rule gives it. */
export function factsBehind(solution: Solution, atom: number): readonly PathFact[] {
  const fact = factBehind(solution, atom);
  const declared = solution.program.facts.get(solution.predicateOf(atom));
  if (fact === undefined || declared === undefined) return [];
  const bindings = new Map(declared.arguments.map((name, at) => [name, fact.terms[at] ?? ""]));
  const { from, isAssumed, persons, change } = fact;
  return [
    {
      fact: printAtom(fact.predicate, fact.terms),
      says: said(declared.says, bindings),
      ...{ from, isAssumed, persons },
      ...(change === undefined ? {} : { change }),
    },
  ];
}

/** What somebody does by `instance`. */
export function saysOf(solution: Solution, instance: number): string {
  const rule = solution.program.rules[solution.ruleOf(instance)];
  return said(rule?.says ?? "", bindingsOf(solution, instance));
}

/** What the variables of a rule are in one of its instances. */
function bindingsOf(solution: Solution, instance: number): ReadonlyMap<string, string | number> {
  const rule = solution.program.rules[solution.ruleOf(instance)];
  const bindings = new Map<string, string | number>();
  for (const [position, part] of solution.bodyOf(instance).entries()) {
    const terms = solution.termsOf(part);
    for (const [at, term] of (rule?.body[position]?.terms ?? []).entries()) {
      if ("variable" in term) bindings.set(term.variable, terms[at] ?? "");
    }
  }
  return bindings;
}
