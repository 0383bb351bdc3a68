/**
 * Taking access back from a run that lives.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import type { RunInfo } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  textOption,
  type Command,
  type Context,
} from "../command.ts";
import { readTask } from "./check.ts";
import { stateOf } from "./runs.ts";

export const revokeCommand: Command = {
  name: "revoke",
  usage: "RUN GRANT [--json]",
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  examples: ["cofferdam revoke r-06hcx9k2m4q7tz docs"],
  positionals: [2, 2],
  async run(context) {
    const [run = "", grant = ""] = context.positionals;
    return show(context, await (await context.running()).call("run.revoke", { run, grant }));
  },
};

export const narrowCommand: Command = {
  name: "narrow",
  usage: "RUN --task FILE [--json]",
  options: { task: { type: "string", short: "t" }, ...JSON_OPTION },
  optionHelp: { task: "the narrower task file; refused where it could be wider", ...JSON_HELP },
  examples: ["cofferdam narrow r-06hcx9k2m4q7tz --task less.yaml"],
  positionals: [1, 1],
  async run(context) {
    const file = textOption(context.values, "task");
    if (file === undefined) throw new Fault("cli.usage", "narrow needs --task FILE");
    const task = { source: readTask(file), fileName: realpathSync(file) };
    const [run = ""] = context.positionals;
    return show(context, await (await context.running()).call("run.narrow", { run, task }));
  },
};

function show(context: Context, info: RunInfo): number {
  const json = context.values["json"] === true;
  context.out(json ? `${JSON.stringify(info)}\n` : `${info.run} ${stateOf(info)}\n`);
  return EXIT.ok;
}
