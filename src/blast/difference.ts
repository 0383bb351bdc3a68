/**
 * What a change of access makes of the blast radius: each outcome before and after, the ways that are new, and the facts
 * that made them.
 *
 * @module
 */
import { visibleLine } from "../base/index.ts";
import { isMore, printAmount, type Amount } from "./amount.ts";
import { reckonAll, totalOf, type Both, type Reckoned } from "./answer.ts";
import { groundsOf, pathTo, type PathStep } from "./path.ts";
import { pathTextOf } from "./print.ts";
import type { Fact } from "./program.ts";
import type { Solution } from "./solve.ts";
import { printFact } from "./text.ts";

export interface Difference {
  readonly outcomes: readonly OutcomeDifference[];
  /** Facts of new ways that did not hold before, or only with more persons; each once. */
  readonly facts: readonly string[];
}

export interface OutcomeDifference {
  readonly name: string;
  readonly says: string;
  readonly before: Both<Amount>;
  readonly after: Both<Amount>;
  /** Ways to what grew, nearest first; the first {@link WAYS_MAX}. */
  readonly paths: readonly NewWay[];
}

export interface NewWay {
  readonly object: string;
  readonly which: keyof Both<Amount>;
  readonly before: Amount;
  readonly after: Amount;
  readonly path: readonly PathStep[];
}

/** Of one outcome. */
const WAYS_MAX = 10;

/** How `after` differs from `before`. */
export function differenceOf(before: Solution, after: Solution): Difference {
  const facts = new Set<string>();
  const outcomes = [...after.program.outcomes].map(([name, { says }]) => {
    const [was, now] = [reckonAll(before, name), reckonAll(after, name)];
    const known = new Map(was.map((one) => [one.object, one]));
    const grown = now.flatMap((one) => grownFrom(known.get(one.object), one)).slice(0, WAYS_MAX);
    const paths = grown.map(({ atom, ...way }) => {
      for (const fact of groundsOf(after, atom))
        if (isNew(before, fact)) facts.add(printFact(fact));
      return { ...way, path: pathTo(after, atom) };
    });
    return { name, says, before: bothOf(was), after: bothOf(now), paths };
  });
  return { outcomes, facts: [...facts] };
}

function bothOf(all: readonly Reckoned[]): Both<Amount> {
  return {
    unattended: totalOf(all, "unattended"),
    approverFooled: totalOf(all, "approverFooled"),
  };
}

type Grown = Omit<NewWay, "path"> & { readonly atom: number };

/** What is possible without a person comes first: one with a yes is no news beside it. */
function grownFrom(was: Reckoned | undefined, now: Reckoned): readonly Grown[] {
  for (const which of ["unattended", "approverFooled"] as const) {
    const before = was?.[which] ?? 0;
    if (!isMore(now[which], before)) continue;
    const atom = which === "unattended" ? now.atom : now.fooledAtom;
    return [{ object: now.object, which, before, after: now[which], atom }];
  }
  return [];
}

function isNew(before: Solution, { predicate, terms, persons }: Fact): boolean {
  const atom = before.find(predicate, terms);
  return atom === undefined || before.personsOf(atom) > persons;
}

/** `customer records readable, unattended: 0 -> 12,000`, a line for each bound that changes. */
export function printChanges({ outcomes }: Pick<Difference, "outcomes">): readonly string[] {
  return outcomes.flatMap(({ says, before, after }) =>
    (["unattended", "approverFooled"] as const).flatMap((which) =>
      before[which] === after[which]
        ? []
        : [
            `${says}, ${WORDS[which]}: ${printAmount(before[which])} -> ${printAmount(after[which])}`,
          ],
    ),
  );
}

const WORDS = { unattended: "unattended", approverFooled: "with an approver fooled" } as const;

/** A difference as text. */
export function printDifference(difference: Difference): string {
  const changes = printChanges(difference);
  const lines =
    changes.length === 0 ? ["Nothing that is possible at worst changes."] : [...changes];
  const told = new Set<string>();
  for (const { says, paths } of difference.outcomes) {
    for (const { object, which, before, after, path } of paths) {
      const amounts = `${printAmount(before)} -> ${printAmount(after)}`;
      lines.push("", `New: ${says}, ${WORDS[which]}: ${object}: ${amounts}`);
      lines.push(...pathTextOf(path, { facts: told }).map((line) => `  ${line}`));
    }
  }
  if (difference.facts.length > 0) {
    lines.push("", "Facts that made it so:", ...difference.facts.map((fact) => `  ${fact}`));
  }
  return `${lines.map(visibleLine).join("\n")}\n`;
}
