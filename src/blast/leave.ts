/**
 * What a person's leave for more of the same would let through: the same verb of the same grant, without a person.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import { UNBOUNDED, type Fact } from "./program.ts";

export interface LeaveAsked {
  /** The name of its grant, as actions have it. */
  readonly grant: string;
  readonly verb: string;
  /** What the one that was seen does: no other may do more. */
  readonly effects: readonly Effect[];
}

/** `facts` of a task, and what holds beside them once leave is given; how often is the person's to say. */
export function factsWithLeave(
  facts: readonly Fact[],
  { grant, verb, effects }: LeaveAsked,
): readonly Fact[] {
  const given = { persons: 0, from: "leave for more of the same", isAssumed: false };
  const more = facts.flatMap(({ predicate, terms }): readonly Fact[] => {
    const [by, own, effect] = terms;
    if (by !== grant || own !== verb) return [];
    if (predicate === "times") {
      return [{ predicate, terms: [grant, verb, "leave for more", UNBOUNDED], ...given }];
    }
    const isCovered = predicate === "may" && effects.some((one) => one === effect);
    return isCovered ? [{ predicate, terms, ...given }] : [];
  });
  return [...facts, ...more];
}
