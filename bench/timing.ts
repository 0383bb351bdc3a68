/**
 * How long something takes.
 *
 * @module
 */
import { builtTool } from "./place.ts";
import { runProgram, type ProgramOptions } from "./program.ts";

/** Milliseconds until `work` is done. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Milliseconds from a program's start to its end, taken by a process that starts cheaper than ours. */
export async function timedProgram(
  words: readonly string[],
  options: ProgramOptions = {},
): Promise<number> {
  return Number(await runProgram([builtTool("spawn"), ...words], options)) / 1000;
}
