/**
 * The cheapest change that cuts most: each candidate is tried, by answering the task file as it would be, and ranked by
 * what it cuts (unattended before all) against what it takes from the task.
 *
 * @module
 */
import { FileFault, editYaml, unifiedDiff } from "../../yaml/index.ts";
import type { Task } from "../../policy/index.ts";
import { isMore, printAmount, type Amount } from "../amount.ts";
import { reckonAll, totalOf, type Both, type Reckoned } from "../answer.ts";
import { solveTask, type Ground } from "../assess.ts";
import { UNBOUNDED, type Fact } from "../program.ts";
import { solve, type Solution } from "../solve.ts";
import { candidatesOf, changesOf, type Candidate } from "./candidates.ts";

/** A change that makes something smaller. */
export interface Cut {
  /** What it is, in words. */
  readonly says: string;
  /** Of the task file, for `patch -p1` and `git apply`; absent where only facts are known. */
  readonly diff?: string;
  /** Outcomes that it makes smaller. */
  readonly cuts: readonly CutOutcome[];
  /** Verbs that the task cannot use any more: `shop: delete`. */
  readonly takes: readonly string[];
  /** Verbs that wait for a person, or for one more. */
  readonly asks: readonly string[];
}

export interface CutOutcome {
  readonly outcome: string;
  readonly says: string;
  readonly before: Both<Amount>;
  readonly after: Both<Amount>;
  /** At how many places: less is something where nothing bounds either. */
  readonly places: { readonly before: Both<number>; readonly after: Both<number> };
}

/** `unattended: 12,000 -> 0`, or at how many places it is less; a line for each bound that is smaller. */
export function printCutOutcome({ says, before, after, places }: CutOutcome): readonly string[] {
  return (["unattended", "approverFooled"] as const).flatMap((which) => {
    const what = `${says}, ${which === "unattended" ? "unattended" : "with an approver fooled"}`;
    if (before[which] !== after[which]) {
      return [`${what}: ${printAmount(before[which])} -> ${printAmount(after[which])}`];
    }
    const [was, is] = [places.before[which], places.after[which]];
    return was === is ? [] : [`${what}: at ${was} places -> at ${is}`];
  });
}

/** How many are tried, and how many rule instances that may cost in all: a look-up of seconds helps nobody. */
export const TRIES_MAX = 12;
const INSTANCES_TRIED_MAX = 300_000;
const CUTS_MAX = 3;

/** A task file and how it is read. */
export interface CutFile {
  readonly source: string;
  /** As it stands in the diff. */
  readonly name: string;
  /** @throws {FileFault} where it is none */
  read(source: string): Task;
}

/** A cut, and the task file with it. */
export interface CutTried {
  readonly cut: Cut;
  readonly source: string;
}

/** The best changes of `file`, the best first; none where nothing helps. */
export function cutsOf(
  file: CutFile,
  task: Task,
  solution: Solution,
  ground: Ground,
): readonly Cut[] {
  return triedCuts(file, task, solution, ground).map(({ cut }) => cut);
}

/** The same, each with the whole text that it makes of the file. */
export function triedCuts(
  file: CutFile,
  task: Task,
  solution: Solution,
  ground: Ground,
): readonly CutTried[] {
  const before = standingOf(solution);
  const tried: (Tried & CutTried)[] = [];
  let left = triesFor(solution);
  for (const candidate of candidatesOf(task, solution)) {
    if (left === 0) break;
    const source = editYaml(file.source, candidate.edits);
    const changed = source === undefined ? undefined : readable(file, source);
    if (source === undefined || changed === undefined) continue;
    left -= 1;
    const after = standingOf(solveTask(changed, ground));
    const diff = unifiedDiff(file.source, source, file.name);
    tried.push({ ...compared({ candidate, diff, before, after }), source });
  }
  return best(tried);
}

/** The same where facts are all that is known: what names a change is left out with all else that does. */
export function cutsOfFacts(solution: Solution, facts: readonly Fact[]): readonly Cut[] {
  const before = standingOf(solution);
  const changes = changesOf(solution).slice(0, triesFor(solution));
  return best(
    changes.map((change) => {
      const rest = facts.filter((fact) => fact.change !== change);
      const after = standingOf(solve(solution.program, rest));
      return compared({ candidate: { says: `change ${change}`, edits: [] }, before, after });
    }),
  ).map(({ cut }) => cut);
}

function triesFor({ instances }: Solution): number {
  return Math.min(TRIES_MAX, Math.max(1, Math.floor(INSTANCES_TRIED_MAX / (instances + 1))));
}

/** A candidate may be what no task file may say: a rule that an earlier one covers, say. */
function readable(file: CutFile, source: string): Task | undefined {
  try {
    return file.read(source);
  } catch (error) {
    if (error instanceof FileFault) return undefined;
    throw error;
  }
}

/** What is possible, as far as changes are compared by it. */
interface Standing {
  /** What each outcome is called. */
  readonly says: ReadonlyMap<string, string>;
  readonly outcomes: ReadonlyMap<string, readonly Reckoned[]>;
  /** Persons who must say yes to each verb of each grant, by effect and object. */
  readonly uses: ReadonlyMap<string, { readonly verb: string; readonly persons: number }>;
}

function standingOf(solution: Solution): Standing {
  const names = [...solution.program.outcomes.keys()];
  const uses = solution.of("may").map((atom) => {
    const terms = solution.termsOf(atom);
    const use = { verb: `${terms[0]}: ${terms[1]}`, persons: solution.personsOf(atom) };
    return [JSON.stringify(terms), use] as const;
  });
  return {
    says: new Map([...solution.program.outcomes].map(([name, { says }]) => [name, says])),
    outcomes: new Map(names.map((name) => [name, reckonAll(solution, name)])),
    uses: new Map(uses),
  };
}

interface Tried {
  readonly cut: Cut;
  readonly value: number;
}

interface Compared {
  readonly candidate: Candidate;
  readonly diff?: string;
  readonly before: Standing;
  readonly after: Standing;
}

const UNATTENDED_WEIGHT = 10;
const COMPUTE_WEIGHT = 0.02; // What computes costs money; all else harms somebody.

function compared({ candidate, diff, before, after }: Compared): Tried {
  let worth = 0;
  const cuts: CutOutcome[] = [];
  for (const [outcome, was] of before.outcomes) {
    const now = after.outcomes.get(outcome) ?? [];
    const weight = outcome === "compute_usable" ? COMPUTE_WEIGHT : 1;
    const alone = shareCut(was, now, "unattended");
    const fooled = shareCut(was, now, "approverFooled");
    worth += weight * (UNATTENDED_WEIGHT * alone + fooled);
    const both = (all: readonly Reckoned[]) => ({
      unattended: totalOf(all, "unattended"),
      approverFooled: totalOf(all, "approverFooled"),
    });
    if (alone === 0 && fooled === 0) continue;
    const says = before.says.get(outcome) ?? outcome;
    const places = { before: placesOf(was), after: placesOf(now) };
    cuts.push({ outcome, says, before: both(was), after: both(now), places });
  }
  const kept = new Set([...after.uses.values()].map(({ verb }) => verb));
  const takes = new Set<string>();
  const asks = new Set<string>();
  let narrowed = 0;
  for (const [key, { verb, persons }] of before.uses) {
    const use = after.uses.get(key);
    if (!kept.has(verb)) takes.add(verb);
    else if (use === undefined) narrowed = 0.5;
    else if (use.persons > persons) asks.add(verb);
  }
  const cost = takes.size + narrowed + asks.size / 4;
  const all = new Set([...before.uses.values()].map(({ verb }) => verb));
  const share = all.size === 0 ? 0 : takes.size / all.size;
  const cut = {
    says: candidate.says,
    ...(diff === undefined ? {} : { diff }),
    ...{ cuts, takes: [...takes].sort(), asks: [...asks].sort() },
  };
  const more = asks.size === 0 ? 0 : ASKS_WORTH;
  return { cut, value: (worth + more) / ((1 + Math.log2(1 + cost)) * (1 + SHARE_COST * share)) };
}
/** To take all verbs away is to have no task. */
const SHARE_COST = 3;
/** A second person is worth something where no number tells it. */
const ASKS_WORTH = 0.01;

function placesOf(all: readonly Reckoned[]): Both<number> {
  const count = (which: keyof Both<Amount>) => all.filter((one) => one[which] !== 0).length;
  return { unattended: count("unattended"), approverFooled: count("approverFooled") };
}

/** How much of an outcome is gone, from 0 to 1: to bound what was unbounded is most of it. */
function shareCut(
  was: readonly Reckoned[],
  now: readonly Reckoned[],
  which: keyof Both<Amount>,
): number {
  const [before, after] = [totalOf(was, which), totalOf(now, which)];
  if (before === 0) return 0;
  if (after === 0) return 1;
  if (before !== UNBOUNDED) {
    return after === UNBOUNDED || !isMore(before, after) ? 0 : (before - after) / before;
  }
  const endless = (all: readonly Reckoned[]) =>
    all.filter((one) => one[which] === UNBOUNDED).length;
  return Math.max(0, BOUNDED_WORTH * (1 - endless(now) / endless(was)));
}
const BOUNDED_WORTH = 0.9;

/** The best; of those that come to the same the cheapest alone. */
function best<One extends Tried>(tried: readonly One[]): readonly One[] {
  const seen = new Set<string>();
  return tried
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value)
    .filter(({ cut }) => {
      const key = JSON.stringify(cut.cuts);
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    })
    .slice(0, CUTS_MAX);
}
