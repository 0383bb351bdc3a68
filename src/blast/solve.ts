/**
 * What follows from facts by rules, and at what cost: best-first evaluation of Horn clauses.
 *
 * Every atom gets the least cost of deriving it, (persons who must say yes, steps), compared in that order and summed over
 * a derivation, by Knuth's generalization of Dijkstra's algorithm (Inf. Proc. Letters 6, 1977) over the AND/OR graph of
 * rule instances. The graph is made while it is walked: an atom whose cost is final meets those that were before it, and
 * each rule instance comes up once, when the last atom of its body is final. With indexes for all look-ups of all rules
 * (plan.ts) the work is that of the instances, times the logarithm of the queue.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { Heap } from "./heap.ts";
import { plansOf, type Place, type Plan, type Step } from "./plan.ts";
import type { Constant, Fact, Program } from "./program.ts";

/** More is refused: an answer that was cut short would be too small. */
export const INSTANCES_MAX = 5_000_000;

/** What follows. Atoms and instances are numbers from 0. */
export interface Solution {
  readonly program: Program;
  /** Every atom that holds, cheapest first. */
  readonly order: readonly number[];
  /** Atoms of `predicate`, cheapest first. */
  of(predicate: string): readonly number[];
  /** The number of an atom that holds. */
  find(predicate: string, terms: readonly Constant[]): number | undefined;
  predicateOf(atom: number): string;
  termsOf(atom: number): readonly Constant[];
  /** How many persons must say yes at least. */
  personsOf(atom: number): number;
  /** How many steps a cheapest derivation has; one that is used twice counts twice. */
  stepsOf(atom: number): number;
  /** Facts that state it. */
  factsOf(atom: number): readonly Fact[];
  /** The instance by which it follows at the least cost; `undefined` where a fact is as cheap. */
  bestOf(atom: number): number | undefined;
  /** All instances that make it hold. */
  instancesOf(atom: number): readonly number[];
  readonly instances: number;
  ruleOf(instance: number): number;
  bodyOf(instance: number): readonly number[];
}

/** Derives everything. @throws {Fault} `blast.limit` where there are more than {@link INSTANCES_MAX} instances. */
export function solve(program: Program, facts: readonly Fact[]): Solution {
  const solver = new Solver(program);
  for (const fact of program.axioms) solver.state(fact);
  for (const fact of facts) solver.state(fact);
  solver.run();
  return solver;
}

class Solver implements Solution {
  readonly program: Program;
  readonly order: number[] = [];
  readonly #constants: Constant[] = [];
  readonly #constantNumbers = new Map<Constant, number>();
  readonly #predicates: string[] = [];
  readonly #predicateNumbers = new Map<string, number>();
  readonly #plans: Plan[][] = [];
  readonly #indexes: Index[][] = [];
  readonly #byPredicate: number[][] = [];
  /** Of atoms: the key, predicate, arguments, cost, best instance, whether final. */
  readonly #numbers = new Map<string, number>();
  readonly #predicate: number[] = [];
  readonly #terms: (readonly number[])[] = [];
  readonly #persons: number[] = [];
  readonly #steps: number[] = [];
  readonly #best: number[] = [];
  readonly #isFinal: boolean[] = [];
  readonly #facts = new Map<number, Fact[]>();
  readonly #heads: (number[] | undefined)[] = [];
  /** Of instances. */
  readonly #rule: number[] = [];
  readonly #bodyAt: number[] = [];
  readonly #bodies: number[] = [];
  readonly #queue = new Heap<Offer>(isBefore);
  readonly #ruleSteps: number[];

  constructor(program: Program) {
    this.program = program;
    const numbers = {
      predicate: (name: string) => this.#predicateOf(name),
      constant: (value: Constant) => this.#constantOf(value),
    };
    this.#ruleSteps = program.rules.map(({ isFree }) => (isFree ? 0 : 1));
    for (const [index, rule] of program.rules.entries()) {
      for (const plan of plansOf(rule, index, numbers)) {
        (this.#plans[plan.entry.predicate] ??= []).push(plan);
        for (const step of plan.rest) this.#indexFor(step);
      }
    }
  }

  state(fact: Fact): void {
    const terms = fact.terms.map((term) => this.#constantOf(term));
    const atom = this.#atom(this.#predicateOf(fact.predicate), terms);
    const known = this.#facts.get(atom);
    if (known === undefined) this.#facts.set(atom, [fact]);
    else known.push(fact);
    this.#offer(atom, fact.persons, 0, NONE);
  }

  run(): void {
    for (let least = this.#queue.pop(); least !== undefined; least = this.#queue.pop()) {
      const { atom } = least;
      if (this.#isFinal[atom] === true) continue; // It stood in the queue at a higher cost, too.
      this.#isFinal[atom] = true;
      this.order.push(atom);
      const predicate = this.#predicate[atom] ?? 0;
      (this.#byPredicate[predicate] ??= []).push(atom);
      const terms = this.#terms[atom] ?? [];
      for (const index of this.#indexes[predicate] ?? []) index.add(atom, terms);
      for (const plan of this.#plans[predicate] ?? []) this.#enter(plan, atom, terms);
    }
  }

  of(predicate: string): readonly number[] {
    const number = this.#predicateNumbers.get(predicate);
    return number === undefined ? [] : (this.#byPredicate[number] ?? []);
  }

  find(predicate: string, terms: readonly Constant[]): number | undefined {
    const number = this.#predicateNumbers.get(predicate);
    const known = terms.map((term) => this.#constantNumbers.get(term));
    if (number === undefined || known.includes(undefined)) return undefined;
    return this.#numbers.get(`${number}:${known.join()}`);
  }

  predicateOf(atom: number): string {
    return this.#predicates[this.#predicate[atom] ?? -1] ?? "";
  }

  termsOf(atom: number): readonly Constant[] {
    return (this.#terms[atom] ?? []).map((term) => this.#constants[term] ?? "");
  }

  personsOf(atom: number): number {
    return this.#persons[atom] ?? 0;
  }

  stepsOf(atom: number): number {
    return this.#steps[atom] ?? 0;
  }

  factsOf(atom: number): readonly Fact[] {
    return this.#facts.get(atom) ?? [];
  }

  bestOf(atom: number): number | undefined {
    const best = this.#best[atom] ?? NONE;
    return best === NONE ? undefined : best;
  }

  instancesOf(atom: number): readonly number[] {
    return this.#heads[atom] ?? [];
  }

  get instances(): number {
    return this.#rule.length;
  }

  ruleOf(instance: number): number {
    return this.#rule[instance] ?? 0;
  }

  bodyOf(instance: number): readonly number[] {
    return this.#bodies.slice(this.#bodyAt[instance], this.#bodyAt[instance + 1]);
  }

  /** Matches the rest of a rule's body with what was final before. */
  #enter(plan: Plan, atom: number, terms: readonly number[]): void {
    const slots = Array<number>(plan.slots).fill(NONE);
    if (!met(plan.entry, terms, slots)) return;
    const body = Array<number>(plan.rest.length + 1).fill(NONE);
    body[plan.entry.position] = atom;
    this.#match({ plan, slots, body, entered: atom }, 0);
  }

  #match(matching: Matching, at: number): void {
    const { plan, slots, body, entered } = matching;
    const step = plan.rest[at];
    if (step === undefined) {
      this.#conclude(plan, slots, body);
      return;
    }
    for (const atom of this.#indexFor(step).find(step, slots)) {
      // What meets two atoms of a body comes up twice, and counts the first time.
      if (atom === entered && step.position < plan.entry.position) continue;
      if (!met(step, this.#terms[atom] ?? [], slots)) continue;
      body[step.position] = atom;
      this.#match(matching, at + 1);
    }
  }

  #conclude(plan: Plan, slots: readonly number[], body: readonly number[]): void {
    const terms = plan.head.places.map((place) => valueOf(place, slots));
    const head = this.#atom(plan.head.predicate, terms);
    const instance = this.#rule.push(plan.rule) - 1;
    if (instance >= INSTANCES_MAX) {
      throw new Fault("blast.limit", `more than ${INSTANCES_MAX} steps are possible`, {
        hint: "state fewer facts: one for a kind of object instead of one for each",
      });
    }
    this.#bodyAt[instance] = this.#bodies.length;
    let persons = 0;
    let steps = this.#ruleSteps[plan.rule] ?? 1;
    for (const atom of body) {
      this.#bodies.push(atom);
      persons += this.#persons[atom] ?? 0;
      steps += this.#steps[atom] ?? 0;
    }
    this.#bodyAt[instance + 1] = this.#bodies.length;
    const heads = this.#heads[head];
    if (heads === undefined) this.#heads[head] = [instance];
    else heads.push(instance);
    this.#offer(head, persons, steps, instance);
  }

  /** A way to `atom`, taken where it is cheaper than what is known. */
  #offer(atom: number, persons: number, steps: number, instance: number): void {
    if (this.#isFinal[atom] === true) return;
    const known = { atom, persons: this.personsOf(atom), steps: this.stepsOf(atom) };
    if (!isBefore({ atom, persons, steps }, known)) return;
    this.#persons[atom] = persons;
    this.#steps[atom] = steps;
    this.#best[atom] = instance;
    this.#queue.push({ atom, persons, steps });
  }

  #atom(predicate: number, terms: readonly number[]): number {
    const key = `${predicate}:${terms.join()}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const atom = this.#predicate.push(predicate) - 1;
    this.#numbers.set(key, atom);
    this.#terms.push(terms);
    this.#persons.push(Infinity);
    this.#steps.push(Infinity);
    this.#best.push(NONE);
    return atom;
  }

  #constantOf(value: Constant): number {
    const known = this.#constantNumbers.get(value);
    if (known !== undefined) return known;
    const number = this.#constants.push(value) - 1;
    this.#constantNumbers.set(value, number);
    return number;
  }

  #predicateOf(name: string): number {
    const known = this.#predicateNumbers.get(name);
    if (known !== undefined) return known;
    const number = this.#predicates.push(name) - 1;
    this.#predicateNumbers.set(name, number);
    return number;
  }

  #indexFor(step: Step): Index {
    const indexes = (this.#indexes[step.predicate] ??= []);
    const by = step.known.map(({ argument }) => argument);
    const known = indexes.find((index) => index.isBy(by));
    if (known !== undefined) return known;
    const index = new Index(by);
    indexes.push(index);
    return index;
  }
}

const NONE = -1;

/** A way to an atom, at a cost. */
interface Offer {
  readonly atom: number;
  readonly persons: number;
  readonly steps: number;
}

function isBefore(a: Offer, b: Offer): boolean {
  return a.persons < b.persons || (a.persons === b.persons && a.steps < b.steps);
}

interface Matching {
  readonly plan: Plan;
  readonly slots: number[];
  readonly body: number[];
  readonly entered: number;
}

/** Binds what `terms` gives to `step`; whether it fits. */
function met(step: Step, terms: readonly number[], slots: number[]): boolean {
  for (const { argument, place } of step.known) {
    if (terms[argument] !== valueOf(place, slots)) return false;
  }
  for (const { argument, slot } of step.binds) slots[slot] = terms[argument] ?? NONE;
  return step.checks.every(({ argument, slot }) => terms[argument] === slots[slot]);
}

function valueOf(place: Place, slots: readonly number[]): number {
  return "slot" in place ? (slots[place.slot] ?? NONE) : place.constant;
}

/** Atoms of one predicate by the values of some of their arguments. */
class Index {
  readonly #by: readonly number[];
  readonly #atoms = new Map<string | number, number[]>();

  constructor(by: readonly number[]) {
    this.#by = by;
  }

  isBy(by: readonly number[]): boolean {
    return by.length === this.#by.length && by.every((argument, at) => argument === this.#by[at]);
  }

  add(atom: number, terms: readonly number[]): void {
    const key = keyOf(this.#by.map((argument) => terms[argument] ?? NONE));
    const known = this.#atoms.get(key);
    if (known === undefined) this.#atoms.set(key, [atom]);
    else known.push(atom);
  }

  find({ known }: Step, slots: readonly number[]): readonly number[] {
    return this.#atoms.get(keyOf(known.map(({ place }) => valueOf(place, slots)))) ?? [];
  }
}

function keyOf(values: readonly number[]): string | number {
  return values.length === 1 ? (values[0] ?? NONE) : values.join();
}
