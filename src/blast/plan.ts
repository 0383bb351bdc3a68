/**
 * How a rule is matched: for each atom of its body that something new may match, an order of the others in which as much as
 * possible is bound already, so that each is one look-up in an index and not a search.
 *
 * @module
 */
import type { Atom, Rule } from "./program.ts";

/** Where a value comes from: a variable's slot, or a constant. */
export type Place = { readonly slot: number } | { readonly constant: number };

/** How one atom of a body is met. */
export interface Step {
  /** Its place in the body. */
  readonly position: number;
  readonly predicate: number;
  /** Arguments that are known by then, each with where from: what the index is asked by. */
  readonly known: readonly { readonly argument: number; readonly place: Place }[];
  /** Arguments that become known by it. */
  readonly binds: readonly { readonly argument: number; readonly slot: number }[];
  /** Arguments that must equal one bound by it, as in `edge(X, X)`. */
  readonly checks: readonly { readonly argument: number; readonly slot: number }[];
}

/** A rule, entered by what matches one atom of its body. */
export interface Plan {
  readonly rule: number;
  readonly entry: Step;
  readonly rest: readonly Step[];
  readonly head: { readonly predicate: number; readonly places: readonly Place[] };
  readonly slots: number;
}

/** Numbers for predicates and constants. */
export interface Numbers {
  predicate(name: string): number;
  constant(value: string | number): number;
}

/** Plans of `rules[rule]`, one for each atom of its body. */
export function plansOf(rule: Rule, index: number, numbers: Numbers): readonly Plan[] {
  return rule.body.map((_, entered) => planFrom(rule, index, entered, numbers));
}

function planFrom(rule: Rule, index: number, entered: number, numbers: Numbers): Plan {
  const slots = new Map<string, number>();
  let blanks = 0;
  const slotOf = (variable: string) => {
    const name = variable === "_" ? `_${(blanks += 1)}` : variable;
    const slot = slots.get(name) ?? slots.size;
    slots.set(name, slot);
    return slot;
  };
  const stepOf = (position: number): Step => {
    const atom = atomAt(rule, position);
    const known: Step["known"][number][] = [];
    const binds: Step["binds"][number][] = [];
    const checks: Step["checks"][number][] = [];
    const before = new Set(slots.keys());
    for (const [argument, term] of atom.terms.entries()) {
      if ("constant" in term) {
        known.push({ argument, place: { constant: numbers.constant(term.constant) } });
      } else if (before.has(term.variable)) {
        known.push({ argument, place: { slot: slotOf(term.variable) } });
      } else if (term.variable !== "_" && slots.has(term.variable)) {
        checks.push({ argument, slot: slotOf(term.variable) });
      } else {
        binds.push({ argument, slot: slotOf(term.variable) });
      }
    }
    return { position, predicate: numbers.predicate(atom.predicate), known, binds, checks };
  };
  const entry = stepOf(entered);
  const left = rule.body.map((_, position) => position).filter((position) => position !== entered);
  const rest: Step[] = [];
  while (left.length > 0) {
    const next = left.reduce((best, one) =>
      boundness(atomAt(rule, one), slots) > boundness(atomAt(rule, best), slots) ? one : best,
    );
    left.splice(left.indexOf(next), 1);
    rest.push(stepOf(next));
  }
  const places = rule.head.terms.map((term): Place =>
    "constant" in term
      ? { constant: numbers.constant(term.constant) }
      : { slot: slotOf(term.variable) },
  );
  const head = { predicate: numbers.predicate(rule.head.predicate), places };
  return { rule: index, entry, rest, head, slots: slots.size };
}

function atomAt({ body }: Rule, position: number): Atom {
  return body[position] ?? { predicate: "", terms: [] };
}

/** The share of its arguments that is known; all known is best, and is but a test. */
function boundness({ terms }: Atom, slots: ReadonlyMap<string, number>): number {
  const known = terms.filter((term) => "constant" in term || slots.has(term.variable)).length;
  return known === terms.length ? 2 : known / terms.length + (known > 0 ? 0.5 : 0);
}
