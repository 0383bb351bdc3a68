/**
 * Everything that is wrong with a file, each with its place, its reason and its fix.
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

const PROBLEMS_MAX = 50; // Beyond, it is another kind of file, and nobody reads on.

/** A file that is refused whole: nothing works by half of it. */
export class FileFault extends Fault {
  readonly problems: readonly Problem[];

  constructor(code: string, fileName: string, problems: readonly Problem[]) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    const lines = sorted
      .slice(0, PROBLEMS_MAX)
      .map(
        ({ line, column, message, hint }) =>
          `${fileName}:${line}:${column}: ${message}${hint === "" ? "" : `; ${hint}`}`,
      );
    if (sorted.length > PROBLEMS_MAX) lines.push(`and ${sorted.length - PROBLEMS_MAX} more`);
    super(code, lines.join("\n"));
    this.problems = sorted.slice(0, PROBLEMS_MAX);
  }
}
