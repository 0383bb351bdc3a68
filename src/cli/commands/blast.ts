/**
 * `blast`: how bad could a task get at worst?
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import {
  assessUnder,
  compareTasks,
  groundOf,
  limitsBeside,
  readTaskFile,
  surroundingsOf,
  type Surroundings,
} from "../../assessment/index.ts";
import { describeError, Fault } from "../../base/index.ts";
import {
  answerOf,
  cutsOf,
  cutsOfFacts,
  excessesOf,
  graphOf,
  parseLimit,
  printAnswer,
  printDifference,
  printExcess,
  renderDot,
  renderPage,
  solve,
  type Answer,
  type Cut,
  type Excess,
  type Limit,
  type Solution,
} from "../../blast/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  listOption,
  textOption,
  type Command,
  type Context,
} from "../command.ts";
import { readTask } from "./check.ts";

export const blastCommand: Command = {
  name: "blast",
  usage:
    "[TASK] [--facts FILE]... [--max LIMIT]... [--html FILE] [--dot] [--json], or --diff OLD NEW",
  options: {
    facts: { type: "string", multiple: true },
    max: { type: "string", multiple: true },
    diff: { type: "boolean" },
    html: { type: "string" },
    dot: { type: "boolean" },
    ...JSON_OPTION,
  },
  optionHelp: {
    facts: "a fact file, besides what probes found; without TASK it is all there is",
    max: "a limit, 'customer_records=0 unattended' or '... fooled'; may be repeated; exit code 1 where one is broken",
    diff: "compare two task files: what is possible at worst before and after, and the ways that are new",
    html: "write one page with the ways and a picture of them to this file",
    dot: "print the picture for Graphviz instead",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam blast ops.yaml",
    "cofferdam blast ops.yaml --html blast.html",
    "cofferdam blast ops.yaml --max 'customer_records=0 unattended' --max 'people_mailable=100 fooled'",
    "cofferdam blast --diff ops.yaml ops-wider.yaml",
    "cofferdam blast --facts world.facts --json",
  ],
  positionals: [0, 2],
  async run(context) {
    // Without a task the facts that are given are all there is.
    const isOfTask = context.positionals.length > 0;
    const home = isOfTask ? context.home : { ...context.home, facts: "" };
    const around = surroundingsOf(home, listOption(context.values, "facts"));
    const limits = listOption(context.values, "max").map((one) => parseLimit(one, around.program));
    return context.values["diff"] === true
      ? compare(context, around, limits)
      : answer(context, around, limits);
  },
};

interface Answered {
  readonly solution: Solution;
  readonly answer: Answer;
  /** Tries what would make it smaller. */
  readonly cuts: () => readonly Cut[];
  /** What it is about. */
  readonly title: string;
  /** Limits of files beside it. */
  readonly limits: readonly Limit[];
}

async function answer(
  context: Context,
  around: Surroundings,
  given: readonly Limit[],
): Promise<number> {
  const { values, positionals } = context;
  const [file, more] = positionals;
  if (more !== undefined || (file === undefined && listOption(values, "facts").length === 0)) {
    throw new Fault("cli.usage", "blast needs one task file, or --facts FILE", {
      hint: "--diff compares two",
    });
  }
  const answered =
    file === undefined ? ofFacts(context, around) : await ofTask(context, around, file);
  const { solution, answer: told, title, limits } = answered;
  const excesses = excessesOf(told, [...given, ...limits]);
  if (values["dot"] === true) context.out(renderDot(graphOf(solution)));
  else {
    const cuts = answered.cuts();
    const [cut = null, ...moreCuts] = cuts;
    const page = textOption(values, "html");
    if (page !== undefined) {
      writePage(page, renderPage({ answer: told, solution, title, cuts }));
    }
    context.out(
      values["json"] === true
        ? `${JSON.stringify({ ...told, cut, moreCuts, excesses })}\n`
        : printAnswer(told, cuts),
    );
  }
  return verdictOn(context, excesses);
}

function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (cause) {
    throw new Fault("cli.blast_page", `cannot write the page: ${describeError(cause)}`, {
      hint: "give --html a file in a folder that you may write to",
      cause,
    });
  }
}

function verdictOn(context: Context, excesses: readonly Excess[]): number {
  for (const excess of excesses) context.err(`cofferdam: ${printExcess(excess)}\n`);
  return excesses.length === 0 ? EXIT.ok : EXIT.no;
}

function ofFacts({ values }: Context, { program, known }: Surroundings): Answered {
  const solution = solve(program, known);
  return {
    solution,
    answer: answerOf(solution),
    cuts: () => cutsOfFacts(solution, known),
    title: listOption(values, "facts").join(", "),
    limits: [],
  };
}

async function ofTask({ home }: Context, around: Surroundings, file: string): Promise<Answered> {
  const { task, ground, parse: read, source } = await taskIn(file, around);
  const { solution, answer: told } = assessUnder(task, ground);
  return {
    solution,
    answer: told,
    cuts: () => cutsOf({ source, name: nameInDiff(file), read }, task, solution, ground),
    title: task.task,
    limits: limitsBeside(file, home.root, around.program),
  };
}

/** A diff names files from where it is applied. */
function nameInDiff(file: string): string {
  return file.replace(/^(\.?\/)+/, "");
}

async function taskIn(file: string, around: Surroundings) {
  const text = { source: readTask(file), fileName: file, nowMs: Date.now() };
  const read = readTaskFile(text, around);
  return { ...read, ground: await groundOf(read.task, around) };
}

async function compare(
  context: Context,
  around: Surroundings,
  given: readonly Limit[],
): Promise<number> {
  const [old, now] = context.positionals;
  if (old === undefined || now === undefined) {
    throw new Fault("cli.usage", "--diff needs two task files: the old one and the new one");
  }
  const [before, after] = [await taskIn(old, around), await taskIn(now, around)];
  const limits = [...given, ...limitsBeside(now, context.home.root, around.program)];
  const { difference, excesses } = compareTasks(before, after, limits);
  context.out(
    context.values["json"] === true
      ? `${JSON.stringify({ ...difference, excesses })}\n`
      : printDifference(difference),
  );
  return verdictOn(context, excesses);
}
