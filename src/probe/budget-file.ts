/**
 * Budgets of tasks, where they lie: beside the task file, where they are reviewed with it, and in the home, where they hold
 * for every run, profiles' too.
 *
 * ```
 * FOLDER/blast-budget.yaml           for every task file of FOLDER
 * $COFFERDAM_HOME/blast-budget.yaml  for every run of the home
 * ```
 *
 * @module
 */
import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeError, Fault, readTextFile } from "../base/index.ts";
import { BUDGET_FILE } from "../blast/index.ts";

/** A budget file's text. */
export interface BudgetText {
  readonly source: string;
  readonly file: string;
}

/**
 * The budget files that hold for the task file `fileName`; none where nobody wrote any.
 *
 * @throws {Fault} `probe.budget` where one is there and cannot be read: what bounds a task is never passed over.
 */
export function budgetTexts(fileName: string, home: string): readonly BudgetText[] {
  const folders = new Set([dirname(fileName), home]);
  return [...folders].flatMap((folder) => {
    const file = join(folder, BUDGET_FILE);
    try {
      if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return [];
      return [{ source: readTextFile(file, { mayWait: false }), file }];
    } catch (cause) {
      throw new Fault("probe.budget", `cannot read the budget ${file}: ${describeError(cause)}`, {
        hint: "make it a readable file, or remove it where nothing shall be bounded",
        cause,
      });
    }
  });
}
