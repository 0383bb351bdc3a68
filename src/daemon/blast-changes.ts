/**
 * Task files and budgets that a run changed in its workspace: what taking them over would make possible at worst. Runs in
 * the workspace's thread; what the run wrote is text of a stranger, and what is no task file is passed over.
 *
 * @module
 */
import { join } from "node:path";
import { describeError, isFault } from "../base/index.ts";
import {
  BUDGET_FILE,
  differenceOf,
  loadVerbs,
  printChanges,
  solve,
  solveTask,
} from "../blast/index.ts";
import { findEntry } from "../catalog/index.ts";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { parseTaskFile, type Task } from "../policy/index.ts";
import { readFacts, readRules } from "../probe/index.ts";
import { OwnSystems, taskSystems } from "../systems/index.ts";
import type { ChangedText } from "../workspace/index.ts";

/** Where the home has what is known. */
export interface KnownAt {
  readonly rules: string;
  readonly facts: string;
  readonly catalog: string;
}

/** Before and after of one changed file. */
export interface RadiusChange {
  readonly path: string;
  /** `customer records readable, unattended: 0 -> 12,000`; one that says so where nothing changes. */
  readonly lines: string[];
}

/** What each of `texts` would change, of those that are task files or budgets. */
export async function radiusChanges(
  texts: readonly ChangedText[],
  home: KnownAt,
  nowMs: number,
): Promise<readonly RadiusChange[]> {
  const changes: RadiusChange[] = [];
  for (const text of texts) {
    const lines = await linesFor(text, home, nowMs);
    if (lines.length > 0) changes.push({ path: text.path, lines: [...lines] });
  }
  return changes;
}

async function linesFor(
  { path, before, after }: ChangedText,
  home: KnownAt,
  nowMs: number,
): Promise<readonly string[]> {
  if (path === BUDGET_FILE || path.endsWith(`/${BUDGET_FILE}`)) {
    return [after === undefined ? "this budget would be gone" : "this budget would be another one"];
  }
  const own = new OwnSystems(home.catalog).read();
  const systems = taskSystems([...own.values()].map(({ entry }) => entry));
  const read = (source: string | undefined): Task | undefined => {
    try {
      return source === undefined
        ? undefined
        : parseTaskFile(source, join("/", path), nowMs, systems, DETECTOR_ABOUTS);
    } catch (error) {
      if (isFault(error)) return undefined; // Some other YAML file.
      throw error;
    }
  };
  const [old, now] = [read(before), read(after)];
  if (now === undefined) return [];
  try {
    const program = readRules(home.rules);
    const known = readFacts(home.facts, program);
    const solved = async (task: Task | undefined) => {
      if (task === undefined) return solve(program, []);
      const verbsOf = await loadVerbs(task, (kind) => findEntry(kind) ?? own.get(kind)?.entry);
      return solveTask(task, { program, known, verbsOf });
    };
    const lines = printChanges(differenceOf(await solved(old), await solved(now)));
    return lines.length > 0 ? lines : ["a task file; nothing that is possible at worst changes"];
  } catch (error) {
    return [`a task file; what it makes possible at worst is not known: ${describeError(error)}`];
  }
}
