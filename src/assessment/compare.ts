/**
 * Two task files beside one another, and the budgets that hold for one.
 *
 * @module
 */
import { resolve } from "node:path";
import {
  answerOf,
  differenceOf,
  excessesOf,
  parseBudget,
  solveTask,
  type Answer,
  type Difference,
  type Excess,
  type Ground,
  type Limit,
  type Program,
} from "../blast/index.ts";
import type { Task } from "../policy/index.ts";
import { budgetTexts } from "../probe/index.ts";

export interface Comparison {
  readonly difference: Difference;
  /** How bad it is before and after, of itself. */
  readonly before: Answer;
  readonly after: Answer;
  /** Of `limits`, those that the later one breaks. */
  readonly excesses: readonly Excess[];
}

/** A task, and what it is judged by. */
export interface Standing {
  readonly task: Task;
  readonly ground: Ground;
}

/** What `now` changes of `old`. @throws {Fault} `blast.limit` */
export function compareTasks(old: Standing, now: Standing, limits: readonly Limit[]): Comparison {
  const [was, is] = [solveTask(old.task, old.ground), solveTask(now.task, now.ground)];
  const after = answerOf(is);
  return {
    difference: differenceOf(was, is),
    before: answerOf(was),
    after,
    excesses: excessesOf(after, limits),
  };
}

/** Limits of the budget files that hold for `fileName`. @throws {Fault} `probe.budget`, `blast.budget` */
export function limitsBeside(fileName: string, home: string, program: Program): readonly Limit[] {
  return budgetTexts(resolve(fileName), home).flatMap(({ source, file }) =>
    parseBudget(source, file, program),
  );
}
