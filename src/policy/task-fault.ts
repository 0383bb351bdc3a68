/**
 * Everything that is wrong with a task file, each with its place, its reason and its fix.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

/** One thing wrong: `line` and `column` from 1, column in UTF-16 units as editors count. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  /** What is wrong, and why it matters. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

const PROBLEMS_MAX = 50; // Beyond, the file is not a task file, and nobody reads on.

/** A task file that is refused whole: nothing runs under half a policy. Code `policy.task_file`. */
export class TaskFileFault extends Fault {
  readonly problems: readonly Problem[];

  constructor(fileName: string, problems: readonly Problem[]) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    const lines = sorted
      .slice(0, PROBLEMS_MAX)
      .map(
        ({ line, column, message, hint }) =>
          `${fileName}:${line}:${column}: ${message}${hint === "" ? "" : `; ${hint}`}`,
      );
    if (sorted.length > PROBLEMS_MAX) lines.push(`and ${sorted.length - PROBLEMS_MAX} more`);
    super("policy.task_file", lines.join("\n"));
    this.problems = sorted.slice(0, PROBLEMS_MAX);
  }
}
