/**
 * What a thread is asked about task files, and how it answers: the endpoints' own forms.
 *
 * @module
 */
import { basename } from "node:path";
import type { Answers, Asks } from "../../api/index.ts";
import {
  adviseAutonomy,
  adviseTighter,
  checkTask,
  compareTasks,
  grantLines,
  grantVerdicts,
  groundOf,
  helpAt,
  limitsBeside,
  LivingSurroundings,
  readTaskFile,
  type GrantVerdicts,
  type Surroundings,
  type TaskFile,
} from "../../assessment/index.ts";
import type { History } from "../../autonomy/index.ts";
import { isFault } from "../../base/index.ts";
import { FileFault } from "../../yaml/index.ts";
import { assessment } from "./assessment.ts";

/** Where a text belongs: what its faults call it, and beside which budgets may lie. */
interface Named {
  readonly source: string;
  readonly fileName: string;
}

/** A question of each kind, and its answer. */
interface Kinds {
  readonly assess: {
    readonly asks: Named & Pick<Asks<"blast.assess">, "whatIf" | "picture" | "detail" | "cuts">;
    readonly gives: Answers<"blast.assess">;
  };
  readonly compare: {
    readonly asks: Omit<Asks<"blast.compare">, "place"> & { readonly fileName: string };
    readonly gives: Answers<"blast.compare">;
  };
  readonly check: { readonly asks: Named; readonly gives: Answers<"task.check"> };
  readonly help: { readonly asks: Asks<"task.help">; readonly gives: Answers<"task.help"> };
  /** What texts say that they are; undefined where one is no task file. */
  readonly titles: {
    readonly asks: { readonly texts: readonly Named[] };
    readonly gives: readonly (Title | undefined)[];
  };
  readonly tighten: {
    readonly asks: Named & { readonly history: History };
    readonly gives: Answers<"tighten.propose">;
  };
  readonly autonomy: {
    readonly asks: Named & { readonly history: History };
    readonly gives: Answers<"autonomy.propose">;
  };
}

export interface Title {
  readonly task: string;
  readonly purpose: string;
  readonly grants: number;
}

type Kind = keyof Kinds;
export type Job<K extends Kind = Kind> = {
  readonly [Name in K]: { readonly kind: Name; readonly nowMs: number } & Kinds[Name]["asks"];
}[K];
/** An answer as it arrives: a copy. */
export type Answered<K extends Kind> = Kinds[K]["gives"];
/** An answer as it is made: of parts that are shared. */
export type Told<Value> = Value extends readonly (infer One)[]
  ? readonly Told<One>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Told<Value[Key]> }
    : Value;

/** Folders of the home. */
export interface Places {
  readonly root: string;
  readonly rules: string;
  readonly facts: string;
  readonly catalog: string;
}

/** Answers jobs one after another, and keeps what they all read. */
export class Desk {
  readonly #places: Places;
  readonly #around: LivingSurroundings;

  constructor(places: Places) {
    this.#places = places;
    this.#around = new LivingSurroundings(places);
  }

  /** @throws {Fault} `policy.task_file` where a text is none; of rules, facts and budgets that cannot be read. */
  async answer(job: Job): Promise<Told<Answered<Kind>>> {
    const around = this.#around.now();
    switch (job.kind) {
      case "assess":
        return assessment(job, { around, root: this.#places.root });
      case "compare":
        return this.#compare(job, around);
      case "check":
        return checked(job, around);
      case "help":
        return helpAt(job.source, job, around);
      case "titles":
        return job.texts.map((text) => titleOf({ ...text, nowMs: job.nowMs }, around));
      case "tighten":
        return adviseTighter(readTaskFile(job, around), job.history, basename(job.fileName));
      default:
        return autonomy(job, around);
    }
  }

  async #compare(job: Job<"compare">, around: Surroundings): Promise<Told<Answered<"compare">>> {
    const { fileName, nowMs } = job;
    const standing = async (source: string) => {
      const { task } = readTaskFile({ source, fileName, nowMs }, around);
      return { task, ground: await groundOf(task, around) };
    };
    const limits = limitsBeside(fileName, this.#places.root, around.program);
    const [old, now] = [await standing(job.before), await standing(job.after)];
    const { difference, before, after, excesses } = compareTasks(old, now, limits);
    return {
      sentences: { before: before.sentence, after: after.sentence },
      ...difference,
      excesses,
    };
  }
}

function titleOf(
  text: Named & { readonly nowMs: number },
  around: Surroundings,
): Title | undefined {
  try {
    const { task, purpose, grants } = readTaskFile(text, around).task;
    return { task, purpose, grants: grants.length };
  } catch (error) {
    if (isFault(error)) return undefined; // Listed without a title; whoever opens it is told what is wrong.
    throw error;
  }
}

async function checked(job: Job<"check">, around: Surroundings): Promise<Told<Answered<"check">>> {
  let file: TaskFile;
  try {
    file = readTaskFile(job, around);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    return { problems: error.problems, parts: [] };
  }
  const { task, source } = file;
  const verdicts = grantVerdicts(task, await groundOf(task, around));
  const lines = grantLines(source, task);
  const parts = checkTask(task).parts.map(({ about, grant, sentences }) => {
    const told = verdicts.find((one) => one.grant === grant);
    const line = lines.get(grant ?? "");
    return {
      about,
      sentences,
      ...(line === undefined ? {} : { line }),
      ...(told === undefined ? {} : { verdicts: verdictsIn(told) }),
    };
  });
  return { task: task.task, problems: [], parts };
}

function verdictsIn({ system, allows, waits, denies, isUninspected }: GrantVerdicts) {
  return { system, allows, waits, denies, isUninspected };
}

async function autonomy(
  { source, fileName, nowMs, history }: Job<"autonomy">,
  around: Surroundings,
): Promise<Told<Answered<"autonomy">>> {
  const file = readTaskFile({ source, fileName, nowMs }, around);
  const ground = () => groundOf(file.task, around);
  const asked = { name: basename(fileName), nowMs, ground };
  const told = await adviseAutonomy(file, history, asked);
  return { task: file.task.task, runs: history.runs.length, ...told };
}
