/**
 * One task, answered: with what contains it, and as it would be without.
 *
 * @module
 */
import type { Task } from "../policy/index.ts";
import { answerOf, type Answer } from "./answer.ts";
import { factsOfTask } from "./policy-facts.ts";
import type { Fact, Program } from "./program.ts";
import { solve, type Solution } from "./solve.ts";
import type { VerbLookup } from "./verbs.ts";

/** What a task is judged by, besides its own text. */
export interface Ground {
  readonly program: Program;
  /** What probes found, and what a person states. */
  readonly known: readonly Fact[];
  readonly verbsOf: VerbLookup;
}

/** What follows from `task`, and everything known. @throws {Fault} `blast.limit` */
export function solveTask(task: Task, ground: Ground): Solution {
  return solve(ground.program, [...ground.known, ...factsOfTask(task, ground)]);
}

/** The answer to `task`, beside what the same credentials would give without Cofferdam. @throws {Fault} `blast.limit` */
export function assess(
  task: Task,
  ground: Ground,
): { readonly solution: Solution; readonly answer: Answer } {
  const solution = solveTask(task, ground);
  const { program, known } = ground;
  const without = solve(program, [...known, ...factsOfTask(task, { ...ground, isWithout: true })]);
  return { solution, answer: answerOf(solution, without) };
}
