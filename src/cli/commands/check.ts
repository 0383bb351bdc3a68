/**
 * `check`: what a task file means, in plain sentences.
 *
 * @module
 */
import { checkTask, readTaskFile } from "../../assessment/index.ts";
import { Fault, readTextFile } from "../../base/index.ts";
import { EXIT, JSON_HELP, JSON_OPTION, type Command } from "../command.ts";
import { systemsOf } from "../systems.ts";

export const checkCommand: Command = {
  name: "check",
  usage: "FILE [--json]",
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  examples: ["cofferdam check publish.yaml"],
  positionals: [1, 1],
  async run(context) {
    const file = context.positionals[0] ?? "";
    const json = context.values["json"] === true;
    const text = { source: readTask(file), fileName: file, nowMs: Date.now() };
    const { task, digest, parts } = checkTask(readTaskFile(text, systemsOf(context)).task);
    const sentences = parts.flatMap((part) => part.sentences);
    context.out(
      json
        ? `${JSON.stringify({ ok: true, task, digest, sentences })}\n`
        : `${sentences.join("\n")}\n`,
    );
    return EXIT.ok;
  },
};

/** The text of a task file. */
export function readTask(file: string): string {
  try {
    return readTextFile(file, { mayWait: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("cli.task_file", `cannot read the task file: ${why}`, { cause });
  }
}
