/**
 * `blast`: how bad could a task get at worst?
 *
 * @module
 */
import { answerOf, assess, loadVerbs, printAnswer, solve } from "../../blast/index.ts";
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
    const answer = await answerFor(context);
    context.out(context.values["json"] === true ? `${JSON.stringify(answer)}\n` : printAnswer(answer));
    return EXIT.ok;
  },
};

async function answerFor(context: Context) {
  const [file] = context.positionals;
  const given = listOption(context.values, "facts");
  if (file === undefined && given.length === 0) {
    throw new Fault("cli.usage", "blast needs a task file, or --facts FILE");
  }
  const program = readRules(context.home.rules);
  if (file === undefined) return answerOf(solve(program, readFacts("", program, given)));
  const known = readFacts(context.home.facts, program, given);
  const { systems, entryOf } = systemsOf(context);
  const task: Task = parseTaskFile(readTask(file), file, Date.now(), systems);
  return assess(task, { program, known, verbsOf: await loadVerbs(task, entryOf) }).answer;
}
