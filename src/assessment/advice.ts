/**
 * What a task's record says of its file, as changes for a person to take over.
 *
 * @module
 */
import { propose, tighten, type Autonomy, type History } from "../autonomy/index.ts";
import { differenceOf, printChanges, solveTask, type Ground } from "../blast/index.ts";
import { unifiedDiff } from "../yaml/index.ts";
import type { TaskFile } from "./surroundings.ts";

export interface TighterAdvice {
  readonly task: string;
  /** Runs that it rests on. */
  readonly runs: readonly string[];
  readonly taken: readonly string[];
  readonly once: readonly string[];
  readonly kept: readonly string[];
  readonly diff: string;
  /** The file with it. */
  readonly source: string;
}

/** The smallest file that would have sufficed; `name` is what its diff calls it. */
export function adviseTighter(file: TaskFile, history: History, name: string): TighterAdvice {
  const { task, source: old, parse } = file;
  const { source, taken, once, kept } = tighten({ task, source: old, history, parse });
  const runs = history.runs.map(({ run }) => run);
  const diff = unifiedDiff(old, source, name);
  return { task: task.task, runs, taken, once, kept, diff, source };
}

export interface AutonomyAdvice {
  readonly proposals: readonly (Omit<Autonomy["proposals"][number], "edits"> & {
    readonly diff: string;
    /** What it changes of the blast radius, in lines. */
    readonly radius: readonly string[];
  })[];
  readonly waiting: Autonomy["waiting"];
}

export interface AutonomyAsked {
  /** What diffs call the file. */
  readonly name: string;
  readonly nowMs: number;
  /** Asked for only where something is proposed. */
  ground(): Promise<Ground>;
}

/** What might pass without a person by now, or should wait again. */
export async function adviseAutonomy(
  { task, source: old, parse }: TaskFile,
  history: History,
  { name, nowMs, ground: groundFor }: AutonomyAsked,
): Promise<AutonomyAdvice> {
  const { proposals, waiting } = propose({ task, source: old, history, nowMs, parse });
  if (proposals.length === 0) return { proposals: [], waiting };
  const ground = await groundFor();
  const before = solveTask(task, ground);
  const told = proposals.map(({ kind, says, evidence, source }) => {
    const radius = printChanges(differenceOf(before, solveTask(parse(source), ground)));
    return { kind, says, evidence, diff: unifiedDiff(old, source, name), radius, source };
  });
  return { proposals: told, waiting };
}
