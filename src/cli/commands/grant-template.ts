/**
 * `grant-template`: a grant to begin with, for each system that is more than a web service.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import { allEntries } from "../../catalog/index.ts";
import { allProtocols } from "../../protocols/index.ts";
import { EXIT, type Command } from "../command.ts";

/** As an item of a list below `grants:`; comments ahead of the first key stand ahead of the item. */
function asItem(template: string): string {
  const written = template.trimEnd().split("\n");
  const first = written.findIndex((line) => line !== "" && !line.startsWith("#"));
  // One that is written as an item is taken out of its list first.
  const isItem = written[first]?.startsWith("- ") === true;
  const lines = written.map((line, at) => (isItem && at >= first ? line.slice(2) : line));
  return lines
    .map((line, at) => (at < first ? `  ${line}` : at === first ? `  - ${line}` : `    ${line}`))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

export const grantTemplateCommand: Command = {
  name: "grant-template",
  usage: "SYSTEM",
  options: {},
  optionHelp: {},
  examples: ["cofferdam grant-template postgres >>task.yaml"],
  positionals: [1, 1],
  run(context) {
    const [name = ""] = context.positionals;
    const templates = new Map(
      [...allEntries().values(), ...allProtocols().values()].flatMap(({ system, template }) =>
        template === undefined ? [] : [[system, template] as const],
      ),
    );
    const template = templates.get(name);
    if (template === undefined) {
      const known = [...templates.keys()].sort().join(", ");
      throw new Fault("cli.system", `there is no template for ${JSON.stringify(name)}`, {
        hint: `there is one for ${known}; \`cofferdam catalog ${name}\` has the verbs of a web service`,
      });
    }
    context.out(asItem(template));
    return Promise.resolve(EXIT.ok);
  },
};
