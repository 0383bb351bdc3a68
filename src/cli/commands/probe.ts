/**
 * `probe`: asks the systems of a task file what its credentials can really do.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import { EXIT, JSON_HELP, JSON_OPTION, textOption, type Command } from "../command.ts";
import { readTask } from "./check.ts";

export const probeCommand: Command = {
  name: "probe",
  usage: "TASK [--grant NAME] [--json]",
  options: { grant: { type: "string" }, ...JSON_OPTION },
  optionHelp: { grant: "ask only this grant's system", ...JSON_HELP },
  examples: ["cofferdam probe ops.yaml", "cofferdam blast ops.yaml"],
  positionals: [1, 1],
  async run(context) {
    const [file = ""] = context.positionals;
    const task = { source: readTask(file), fileName: realpathSync(file) };
    const grant = textOption(context.values, "grant");
    const client = await context.daemon();
    const answer = await client.call("probe.task", {
      task,
      ...(grant === undefined ? {} : { grant }),
    });
    if (context.values["json"] === true) context.out(`${JSON.stringify(answer)}\n`);
    else {
      for (const { grant: name, principal, facts, questions, notes } of answer.grants) {
        const told = questions === 0 ? "not asked" : `${questions} questions, ${facts} facts`;
        context.out(
          `${name}: ${told} (${principal})\n${notes.map((note) => `  ${note}\n`).join("")}`,
        );
      }
    }
    return answer.grants.every(({ questions }) => questions > 0) ? EXIT.ok : EXIT.no;
  },
};
