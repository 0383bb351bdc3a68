/**
 * `blast`: how bad could a task get at worst?
 *
 * @module
 */
import {
  answerOf,
  factsOfTask,
  solve,
  type Answer,
  type Fact,
  type PathStep,
  type Program,
} from "../../blast/index.ts";
import { Fault } from "../../base/index.ts";
import { parseTaskFile, type Task } from "../../policy/index.ts";
import { readFacts, readRules } from "../../probe/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  listOption,
  type Command,
  type Context,
} from "../command.ts";
import { systemsOf } from "../systems.ts";
import { loadVerbs } from "../verbs.ts";
import { readTask } from "./check.ts";

export const blastCommand: Command = {
  name: "blast",
  usage: "[TASK] [--facts FILE]... [--json]",
  summary:
    "Say how bad a task could get at worst: unattended, and with an approver fooled; and the shortest way there.",
  options: { facts: { type: "string", multiple: true }, ...JSON_OPTION },
  optionHelp: {
    facts: "a fact file, besides what probes found; without TASK it is all there is",
    ...JSON_HELP,
  },
  examples: ["cofferdam blast ops.yaml", "cofferdam blast --facts world.facts --json"],
  positionals: [0, 1],
  async run(context) {
    const { program, facts } = await factsFor(context);
    const answer = answerOf(solve(program, facts));
    context.out(context.values["json"] === true ? `${JSON.stringify(answer)}\n` : textOf(answer));
    return EXIT.ok;
  },
};

/** What the command line says is so. */
async function factsFor(
  context: Context,
): Promise<{ readonly program: Program; readonly facts: readonly Fact[] }> {
  const [file] = context.positionals;
  const given = listOption(context.values, "facts");
  if (file === undefined && given.length === 0) {
    throw new Fault("cli.usage", "blast needs a task file, or --facts FILE");
  }
  const program = readRules(context.home.rules);
  if (file === undefined) {
    const facts = readFacts("", program, given);
    return { program, facts };
  }
  const known = readFacts(context.home.facts, program, given);
  const { task, verbsOf } = await taskOf(context, file);
  return { program, facts: [...known, ...factsOfTask(task, { program, verbsOf, known })] };
}

async function taskOf(context: Context, file: string) {
  const { systems, entryOf } = systemsOf(context);
  const task: Task = parseTaskFile(readTask(file), file, Date.now(), systems);
  return { task, verbsOf: await loadVerbs(task, entryOf) };
}

function textOf({ sentence, outcomes, assumptions }: Answer): string {
  const lines = [sentence, ""];
  for (const { says, unattended, approverFooled, path } of outcomes) {
    if (approverFooled === 0) continue;
    lines.push(`${says}: ${unattended} unattended, ${approverFooled} with an approver fooled`);
    for (const [at, step] of path.entries())
      lines.push(`  ${at + 1}. ${step.says}${groundsOf(step)}`);
  }
  if (assumptions.length > 0)
    lines.push("", "Not asked, and counted at its worst:", ...assumptions.map((one) => `  ${one}`));
  return `${lines.join("\n")}\n`;
}

function groundsOf({ facts }: PathStep): string {
  const froms = new Set(
    facts
      .filter(({ from }) => from !== "")
      .map(({ from, persons }) => (persons > 0 ? `${from}, after a yes` : from)),
  );
  return froms.size === 0 ? "" : `  [${[...froms].join("; ")}]`;
}
