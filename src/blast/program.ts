/**
 * What a blast radius is computed from: facts about one task and the systems it reaches, and Horn clauses about what leads
 * to what. The words are Datalog's (Ceri, Gottlob, Tanca 1989): an atom is a predicate over terms, a clause has one head
 * and a body of atoms, all of which must hold. There is no negation: knowing more never makes less reachable.
 *
 * @module
 */

/** A string or a natural number; `"orders"` and `orders` are the same, `7` and `"7"` are not. */
export type Constant = string | number;

export type Term = { readonly variable: string } | { readonly constant: Constant };

export interface Atom {
  readonly predicate: string;
  readonly terms: readonly Term[];
}

/** A declared predicate: what a fact file may state, or what is answered. */
export interface Declaration {
  readonly predicate: string;
  /** Names of its arguments, for people. */
  readonly arguments: readonly string[];
  /** One sentence. Arguments stand in braces: `{User} may become {Target} on {Host}`. */
  readonly says: string;
}

/** One clause: `head` holds where all of `body` does. */
export interface Rule {
  readonly name: string;
  readonly head: Atom;
  readonly body: readonly Atom[];
  /** What somebody does by it, for people, with variables in braces. */
  readonly says: string;
  /** Where it is written that this is so: a manual, a specification, an incident. */
  readonly source: string;
  readonly example: string;
  /** Only another way to say its body: no step of a path. */
  readonly isFree: boolean;
}

/** Something that is so. */
export interface Fact {
  readonly predicate: string;
  readonly terms: readonly Constant[];
  /** How many persons must say yes first: 0 unattended, 1 confirmed, 2 four-eyes. */
  readonly persons: number;
  /** Who says so: a place of the task file, a question to a system and when it was asked. */
  readonly from: string;
  /** Nobody said so: it counts since it was not asked, at its worst. */
  readonly isAssumed: boolean;
  /** What would have to be changed in the task file for it not to be so: `grants[0].allow[1]`. */
  readonly change?: string;
}

/** Rules, and what they speak of. */
export interface Program {
  /** What facts may say. */
  readonly facts: ReadonlyMap<string, Declaration>;
  /** What is answered, in this order: the first argument is what it happens to, the second how much of it. */
  readonly outcomes: ReadonlyMap<string, Declaration>;
  readonly rules: readonly Rule[];
  /** Facts that are always so: what a verb of a system means. */
  readonly axioms: readonly Fact[];
}

/** An amount that nothing bounds. */
export const UNBOUNDED = "unbounded";
