/**
 * The blast radius of a task under questions: without this grant, if that were not so, if whoever is asked always said yes.
 * Each is answered by solving anew; nothing is estimated.
 *
 * @module
 */
import {
  answerOf,
  factsOfTask,
  factsWithLeave,
  printAtom,
  solve,
  type Answer,
  type Fact,
  type Ground,
  type Solution,
} from "../blast/index.ts";
import { EFFECTS } from "../action/index.ts";
import type { Task } from "../policy/index.ts";

export interface WhatIf {
  /** Names of grants that the task would not have. */
  readonly withoutGrants: readonly string[];
  /** Facts, as {@link printAtom} writes them, that were not known. */
  readonly withoutFacts: readonly string[];
  /** Whoever is asked: is asked, says yes to everything, never says yes. */
  readonly approver: "asked" | "fooled" | "never";
  /** Verbs that would pass without a person. */
  readonly leave: readonly { readonly grant: string; readonly verb: string }[];
}

/** No question. */
export const AS_IT_IS: WhatIf = {
  withoutGrants: [],
  withoutFacts: [],
  approver: "asked",
  leave: [],
};

export interface Assessed {
  readonly solution: Solution;
  /** The same credentials where nothing contains the agent. */
  readonly without: Solution;
  readonly answer: Answer;
  /** The task as it would be. */
  readonly task: Task;
}

/** Answers `task` under `whatIf`. @throws {Fault} `blast.limit` */
export function assessUnder(whole: Task, ground: Ground, whatIf: WhatIf = AS_IT_IS): Assessed {
  const task = withoutGrants(whole, whatIf);
  const known = knownUnder(ground.known, whatIf);
  const { program, verbsOf } = ground;
  const options = { program, known, verbsOf };
  const granted = whatIf.leave.reduce<readonly Fact[]>(
    (facts, leave) => factsWithLeave(facts, { ...leave, effects: EFFECTS }),
    factsOfTask(task, options),
  );
  const solution = solve(program, answered([...known, ...granted], whatIf));
  const bare = factsOfTask(task, { ...options, isWithout: true });
  const without = solve(program, [...known, ...bare]);
  return { solution, without, answer: answerOf(solution, without), task };
}

function withoutGrants(task: Task, whatIf: WhatIf): Task {
  if (whatIf.withoutGrants.length === 0) return task;
  const gone = new Set(whatIf.withoutGrants);
  return { ...task, grants: task.grants.filter(({ name }) => !gone.has(name)) };
}

function knownUnder(known: readonly Fact[], whatIf: WhatIf): readonly Fact[] {
  if (whatIf.withoutFacts.length === 0) return known;
  const gone = new Set(whatIf.withoutFacts);
  return known.filter(({ predicate, terms }) => !gone.has(printAtom(predicate, terms)));
}

/** `facts` as whoever is asked answers: what never gets a yes is not so, what always gets one needs none. */
function answered(facts: readonly Fact[], { approver }: WhatIf): readonly Fact[] {
  if (approver === "asked") return facts;
  if (approver === "never") return facts.filter(({ persons }) => persons === 0);
  return facts.map((fact) => (fact.persons === 0 ? fact : { ...fact, persons: 0 }));
}
