/**
 * Saying where a training run is, so that everything on record says which step it was.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import { EXIT, JSON_HELP, JSON_OPTION, textOption, type Command } from "../command.ts";
import { stateOf } from "./runs.ts";

export const stepCommand: Command = {
  name: "step",
  usage: "RUN --trajectory T --episode E --step N [--json]",
  options: {
    trajectory: { type: "string" },
    episode: { type: "string" },
    step: { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    trajectory: "the trajectory's name, at most 200 characters",
    episode: "the episode's name",
    step: "the number of the step, from 0",
    ...JSON_HELP,
  },
  examples: ["cofferdam step r-06hcx9k2m4q7tz --trajectory g3_17_1 --episode 17 --step 3"],
  positionals: [1, 1],
  async run(context) {
    const [run = ""] = context.positionals;
    const [trajectory, episode, step] = (["trajectory", "episode", "step"] as const).map((name) =>
      textOption(context.values, name),
    );
    if (trajectory === undefined || episode === undefined || step === undefined) {
      throw new Fault("cli.usage", "step needs --trajectory, --episode and --step");
    }
    if (!/^\d{1,15}$/.test(step)) {
      throw new Fault("cli.usage", `--step ${JSON.stringify(step)} is not a whole number from 0`);
    }
    const control = await context.running();
    const info = await control.call("run.step", { run, trajectory, episode, step: Number(step) });
    const json = context.values["json"] === true;
    context.out(json ? `${JSON.stringify(info)}\n` : `${info.run} ${stateOf(info)}\n`);
    return EXIT.ok;
  },
};
