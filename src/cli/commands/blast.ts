/**
 * `blast`: how bad could a task get at worst?
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describeError, Fault } from "../../base/index.ts";
import {
  answerOf,
  assess,
  cutsOf,
  cutsOfFacts,
  differenceOf,
  excessesOf,
  graphOf,
  loadVerbs,
  parseBudget,
  parseLimit,
  printAnswer,
  printDifference,
  printExcess,
  renderDot,
  renderPage,
  solve,
  solveTask,
  type Answer,
  type Cut,
  type Excess,
  type Limit,
  type Program,
  type Solution,
} from "../../blast/index.ts";
import { DETECTOR_ABOUTS } from "../../detect/index.ts";
import { parseTaskFile } from "../../policy/index.ts";
import { budgetTexts, readFacts, readRules } from "../../probe/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  listOption,
  textOption,
  type Command,
  type Context,
} from "../command.ts";
import { systemsOf } from "../systems.ts";
import { readTask } from "./check.ts";

export const blastCommand: Command = {
  name: "blast",
  usage:
    "[TASK] [--facts FILE]... [--max LIMIT]... [--html FILE] [--dot] [--json], or --diff OLD NEW",
  summary:
    "Say how bad a task could get at worst: unattended, and with an approver fooled; and the shortest way there.",
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
    const program = readRules(context.home.rules);
    const given = listOption(context.values, "max").map((text) => parseLimit(text, program));
    return context.values["diff"] === true
      ? compare(context, program, given)
      : answer(context, program, given);
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
  program: Program,
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
    file === undefined ? ofFacts(context, program) : await ofTask(context, program, file);
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

function ofFacts(context: Context, program: Program): Answered {
  const files = listOption(context.values, "facts");
  const facts = readFacts("", program, files);
  const solution = solve(program, facts);
  return {
    solution,
    answer: answerOf(solution),
    cuts: () => cutsOfFacts(solution, facts),
    title: files.join(", "),
    limits: [],
  };
}

async function ofTask(context: Context, program: Program, file: string): Promise<Answered> {
  const { task, ground, read, source } = await readWorld(context, program, file);
  const { solution, answer: told } = assess(task, ground);
  return {
    solution,
    answer: told,
    cuts: () => cutsOf({ source, name: nameInDiff(file), read }, task, solution, ground),
    title: task.task,
    limits: limitsBeside(context, program, file),
  };
}

/** A diff names files from where it is applied. */
function nameInDiff(file: string): string {
  return file.replace(/^(\.?\/)+/, "");
}

function limitsBeside({ home }: Context, program: Program, file: string): readonly Limit[] {
  return budgetTexts(resolve(file), home.root).flatMap(({ source, file: budget }) =>
    parseBudget(source, budget, program),
  );
}

/** A task file, and all that is known beside it. */
async function readWorld(context: Context, program: Program, file: string) {
  const known = readFacts(context.home.facts, program, listOption(context.values, "facts"));
  const { systems, entryOf } = systemsOf(context);
  const nowMs = Date.now();
  const read = (text: string) => parseTaskFile(text, file, nowMs, systems, DETECTOR_ABOUTS);
  const source = readTask(file);
  const task = read(source);
  const ground = { program, known, verbsOf: await loadVerbs(task, entryOf) };
  return { task, ground, read, source };
}

async function compare(
  context: Context,
  program: Program,
  given: readonly Limit[],
): Promise<number> {
  const [old, now] = context.positionals;
  if (old === undefined || now === undefined) {
    throw new Fault("cli.usage", "--diff needs two task files: the old one and the new one");
  }
  const [before, after] = [
    await readWorld(context, program, old),
    await readWorld(context, program, now),
  ];
  const [was, is] = [solveTask(before.task, before.ground), solveTask(after.task, after.ground)];
  const difference = differenceOf(was, is);
  const limits = [...given, ...limitsBeside(context, program, now)];
  const excesses = excessesOf(answerOf(is), limits);
  context.out(
    context.values["json"] === true
      ? `${JSON.stringify({ ...difference, excesses })}\n`
      : printDifference(difference),
  );
  return verdictOn(context, excesses);
}
