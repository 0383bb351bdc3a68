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
import { Chains, HASH_START, Ints, mixed, NONE } from "./ints.ts";
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

/** Derives everything. @throws {Fault} `blast.limit` where there are more than `instancesMax` instances. */
export function solve(
  program: Program,
  facts: readonly Fact[],
  instancesMax = INSTANCES_MAX,
): Solution {
  const solver = new Solver(program, instancesMax);
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
  readonly #entries: Entry[][] = [];
  readonly #indexes: Index[][] = [];
  readonly #byPredicate: number[][] = [];
  /** Of atoms: predicate, where its arguments stand, how many; cost, best and last instance, whether final. */
  readonly #numbers = new Chains();
  readonly #predicate = new Ints();
  readonly #termsAt = new Ints();
  readonly #terms = new Ints();
  readonly #persons: number[] = [];
  readonly #steps: number[] = [];
  readonly #best = new Ints();
  readonly #lastHead = new Ints();
  readonly #isFinal = new Ints();
  readonly #facts = new Map<number, Fact[]>();
  /** Of instances: rule, where its body stands, the one before it that has the same head. */
  readonly #rule = new Ints();
  readonly #bodyAt = new Ints();
  readonly #bodies = new Ints();
  readonly #sameHead = new Ints();
  readonly #queue = new Heap<Offer>(isBefore);
  readonly #ruleSteps: readonly number[];
  readonly #instancesMax: number;

  constructor(program: Program, instancesMax: number) {
    this.#instancesMax = instancesMax;
    this.program = program;
    const numbers = {
      predicate: (name: string) => this.#predicateOf(name),
      constant: (value: Constant) => this.#constantOf(value),
    };
    this.#ruleSteps = program.rules.map(({ isFree }) => (isFree ? 0 : 1));
    for (const [index, rule] of program.rules.entries()) {
      for (const plan of plansOf(rule, index, numbers)) {
        const indexes = plan.rest.map((step) => this.#indexFor(step));
        const slots = new Int32Array(plan.slots).fill(NONE);
        const body = new Int32Array(plan.rest.length + 1).fill(NONE);
        (this.#entries[plan.entry.predicate] ??= []).push({ plan, indexes, slots, body });
      }
    }
    this.#termsAt.push(0);
    this.#bodyAt.push(0);
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
      if (this.#isFinal.at(atom) === 1) continue; // It stood in the queue at a higher cost, too.
      this.#isFinal.set(atom, 1);
      this.order.push(atom);
      const predicate = this.#predicate.at(atom);
      (this.#byPredicate[predicate] ??= []).push(atom);
      for (const index of this.#indexes[predicate] ?? []) this.#addTo(index, atom);
      for (const entry of this.#entries[predicate] ?? []) {
        if (!this.#meets(entry.plan.entry, atom, entry.slots)) continue;
        entry.body[entry.plan.entry.position] = atom;
        this.#match(entry, atom, 0);
      }
    }
  }

  of(predicate: string): readonly number[] {
    const number = this.#predicateNumbers.get(predicate);
    return number === undefined ? [] : (this.#byPredicate[number] ?? []);
  }

  find(predicate: string, terms: readonly Constant[]): number | undefined {
    const number = this.#predicateNumbers.get(predicate);
    const known = terms.map((term) => this.#constantNumbers.get(term) ?? NONE);
    if (number === undefined || known.includes(NONE)) return undefined;
    const atom = this.#numberOf(number, known);
    return this.#isFinal.at(atom) === 1 ? atom : undefined;
  }

  predicateOf(atom: number): string {
    return this.#predicates[this.#predicate.at(atom)] ?? "";
  }

  termsOf(atom: number): readonly Constant[] {
    return this.#terms
      .slice(this.#termsAt.at(atom), this.#termsAt.at(atom + 1))
      .map((term) => this.#constants[term] ?? "");
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
    const best = this.#best.at(atom);
    return best === NONE ? undefined : best;
  }

  instancesOf(atom: number): readonly number[] {
    const instances: number[] = [];
    for (let one = this.#lastHead.at(atom); one !== NONE; one = this.#sameHead.at(one)) {
      instances.push(one);
    }
    return instances.reverse();
  }

  get instances(): number {
    return this.#rule.length;
  }

  ruleOf(instance: number): number {
    return this.#rule.at(instance);
  }

  bodyOf(instance: number): readonly number[] {
    return this.#bodies.slice(this.#bodyAt.at(instance), this.#bodyAt.at(instance + 1));
  }

  /** Meets the rest of a rule's body, from step `at` on, with what was final before. */
  #match(entry: Entry, entered: number, at: number): void {
    const { plan, indexes, slots, body } = entry;
    const step = plan.rest[at];
    const index = indexes[at];
    if (step === undefined || index === undefined) {
      this.#conclude(entry);
      return;
    }
    const { chains } = index;
    let hash = HASH_START;
    for (const { place } of step.known) hash = mixed(hash, valueOf(place, slots));
    for (let place = chains.first(hash); place !== NONE; place = chains.next(place)) {
      const atom = chains.item(place);
      // What meets two atoms of a body comes up twice, and counts the first time.
      if (atom === entered && step.position < plan.entry.position) continue;
      if (!this.#meets(step, atom, slots)) continue;
      body[step.position] = atom;
      this.#match(entry, entered, at + 1);
    }
  }

  /** Binds what `atom` gives to `step`; whether it fits. */
  #meets(step: Step, atom: number, slots: Int32Array): boolean {
    const start = this.#termsAt.at(atom);
    for (const { argument, place } of step.known) {
      if (this.#terms.at(start + argument) !== valueOf(place, slots)) return false;
    }
    for (const { argument, slot } of step.binds) slots[slot] = this.#terms.at(start + argument);
    for (const { argument, slot } of step.checks) {
      if (this.#terms.at(start + argument) !== slots[slot]) return false;
    }
    return true;
  }

  #conclude({ plan, slots, body }: Entry): void {
    const terms = plan.head.places.map((place) => valueOf(place, slots));
    const head = this.#atom(plan.head.predicate, terms);
    const instance = this.#rule.push(plan.rule);
    if (instance >= this.#instancesMax) {
      throw new Fault("blast.limit", `more than ${this.#instancesMax} steps are possible`, {
        hint: "state fewer facts: one for a kind of object instead of one for each",
      });
    }
    let persons = 0;
    let steps = this.#ruleSteps[plan.rule] ?? 1;
    for (const atom of body) {
      this.#bodies.push(atom);
      persons += this.#persons[atom] ?? 0;
      steps += this.#steps[atom] ?? 0;
    }
    this.#bodyAt.push(this.#bodies.length);
    this.#sameHead.push(this.#lastHead.at(head));
    this.#lastHead.set(head, instance);
    this.#offer(head, persons, steps, instance);
  }

  /** A way to `atom`, taken where it is cheaper than what is known. */
  #offer(atom: number, persons: number, steps: number, instance: number): void {
    if (this.#isFinal.at(atom) === 1) return;
    const before = this.#persons[atom] ?? 0;
    const isWorse = persons > before || (persons === before && steps >= (this.#steps[atom] ?? 0));
    if (isWorse) return;
    this.#persons[atom] = persons;
    this.#steps[atom] = steps;
    this.#best.set(atom, instance);
    this.#queue.push({ atom, persons, steps });
  }

  #atom(predicate: number, terms: readonly number[]): number {
    const known = this.#numberOf(predicate, terms);
    if (known !== NONE) return known;
    const atom = this.#predicate.push(predicate);
    for (const term of terms) this.#terms.push(term);
    this.#termsAt.push(this.#terms.length);
    this.#numbers.add(hashOf(predicate, terms), atom);
    this.#persons.push(Infinity);
    this.#steps.push(Infinity);
    this.#best.push(NONE);
    this.#lastHead.push(NONE);
    this.#isFinal.push(0);
    return atom;
  }

  #numberOf(predicate: number, terms: readonly number[]): number {
    const numbers = this.#numbers;
    let place = numbers.first(hashOf(predicate, terms));
    for (; place !== NONE; place = numbers.next(place)) {
      const atom = numbers.item(place);
      if (this.#predicate.at(atom) === predicate && this.#has(atom, terms)) return atom;
    }
    return NONE;
  }

  #has(atom: number, terms: readonly number[]): boolean {
    const start = this.#termsAt.at(atom);
    return terms.every((term, argument) => this.#terms.at(start + argument) === term);
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
    const known = indexes.find((index) => index.by.join() === by.join());
    if (known !== undefined) return known;
    const index = { by, chains: new Chains() };
    indexes.push(index);
    return index;
  }

  #addTo({ by, chains }: Index, atom: number): void {
    const start = this.#termsAt.at(atom);
    let hash = HASH_START;
    for (const argument of by) hash = mixed(hash, this.#terms.at(start + argument));
    chains.add(hash, atom);
  }
}

/** A rule entered by one atom of its body, with room for what is bound on the way; rules are matched one at a time. */
interface Entry {
  readonly plan: Plan;
  readonly indexes: readonly Index[];
  readonly slots: Int32Array;
  readonly body: Int32Array;
}

/** Atoms of one predicate by the values of some of their arguments. */
interface Index {
  readonly by: readonly number[];
  readonly chains: Chains;
}

/** A way to an atom, at a cost. */
interface Offer {
  readonly atom: number;
  readonly persons: number;
  readonly steps: number;
}

function isBefore(a: Offer, b: Offer): boolean {
  return a.persons < b.persons || (a.persons === b.persons && a.steps < b.steps);
}

function valueOf(place: Place, slots: Int32Array): number {
  return "slot" in place ? (slots[place.slot] ?? NONE) : place.constant;
}

function hashOf(predicate: number, terms: readonly number[]): number {
  return terms.reduce(mixed, mixed(HASH_START, predicate));
}
