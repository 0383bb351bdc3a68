/**
 * How bad a task could get, as the console shows it: numbers, ways, and a picture in which each way is known by its boxes.
 *
 * @module
 */
import { basename } from "node:path";
import type { Answers } from "../../api/index.ts";
import {
  AS_IT_IS,
  assessUnder,
  grantVerdicts,
  groundOf,
  limitsBeside,
  placesOf,
  readTaskFile,
  type Assessed,
  type Surroundings,
  type WhatIf,
} from "../../assessment/index.ts";
import {
  drawnGraph,
  excessesOf,
  pictureOf,
  reckonAll,
  triedCuts,
  type DrawnGraph,
  type Outcome,
  type Solution,
} from "../../blast/index.ts";
import type { Job, Told } from "./jobs.ts";

/** What is read at a look; and what one can move in. */
const NODES_MAX = { overview: 60, all: 500 } as const;
/** Objects of an outcome whose own way is told. */
const WAYS_TOLD = 12;

type Given = Told<Answers<"blast.assess">>;

export async function assessment(
  job: Job<"assess">,
  { around, root }: { readonly around: Surroundings; readonly root: string },
): Promise<Given> {
  const startMs = performance.now();
  const { source, fileName, nowMs } = job;
  const file = readTaskFile({ source, fileName, nowMs }, around);
  const { task: whole, parse } = file;
  const whatIf = whatIfOf(job);
  const ground = await groundOf(whole, around);
  const assessed = assessUnder(whole, ground, whatIf);
  const { answer, solution, task } = assessed;
  const drawn = drawnOf(job, assessed);
  const isAsked = job.cuts === true && whatIf === AS_IT_IS;
  const read = { source, name: basename(fileName), read: parse };
  const cuts = isAsked ? triedCuts(read, whole, solution, ground) : [];
  const limits = limitsBeside(fileName, root, around.program);
  return {
    task: task.task,
    sentence: answer.sentence,
    outcomes: answer.outcomes.map((outcome) => outcomeOf(outcome, assessed, drawn)),
    assumptions: answer.assumptions,
    withoutAssumptions: answer.without?.assumptions ?? [],
    ...(drawn === undefined ? {} : { picture: { ...pictureOf(drawn.graph), whole: drawn.whole } }),
    cuts: cuts.map(({ cut, source: changed }) => ({ diff: "", ...cut, source: changed })),
    excesses: excessesOf(answer, limits),
    places: placesOf(source, whole, task),
    grants: whole.grants.map(({ name }) => name),
    waiting: grantVerdicts(whole, ground).flatMap(({ grant, waits }) =>
      waits.map((verb) => ({ grant, verb })),
    ),
    ms: Math.round(performance.now() - startMs),
  };
}

function whatIfOf({ whatIf = {} }: Job<"assess">): WhatIf {
  const { withoutGrants = [], withoutFacts = [], leave = [], approver = "asked" } = whatIf;
  const isNone = withoutGrants.length + withoutFacts.length + leave.length === 0;
  if (isNone && approver === "asked") return AS_IT_IS;
  return { withoutGrants, withoutFacts, leave, approver };
}

interface Drawn extends DrawnGraph {
  readonly of: Solution;
}

function drawnOf(
  { picture = "task", detail = "overview" }: Job<"assess">,
  assessed: Assessed,
): Drawn | undefined {
  if (picture === "none") return undefined;
  const of = picture === "without" ? assessed.without : assessed.solution;
  return { ...drawnGraph(of, NODES_MAX[detail]), of };
}

function outcomeOf(outcome: Outcome, { answer }: Assessed, drawn: Drawn | undefined) {
  const bare = answer.without?.outcomes.find(({ name }) => name === outcome.name);
  const all = drawn === undefined ? [] : reckonAll(drawn.of, outcome.name);
  const way = (atom: number | undefined) =>
    atom === undefined || atom < 0 ? [] : (drawn?.wayTo(outcome.name, atom) ?? []);
  const [first] = all;
  const further = all.find(({ unattended, approverFooled }) => unattended !== approverFooled);
  const boxesOf = new Map(all.slice(0, WAYS_TOLD).map((one) => [one.object, way(one.atom)]));
  const objects = outcome.objects.map(({ path, fooledPath: _fooled, ...object }, at) => ({
    ...object,
    ...(at < WAYS_TOLD ? { path, boxes: boxesOf.get(object.object) ?? [] } : {}),
  }));
  return {
    ...outcome,
    objects,
    without: bare?.amount ?? 0,
    withoutPath: bare?.path ?? [],
    boxes: way(first?.atom),
    fooledBoxes: way((further ?? first)?.fooledAtom),
  };
}
