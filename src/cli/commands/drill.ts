/**
 * `drill`: real incidents replayed harmlessly.
 *
 * A drill is a program of its own (drills/) that drives this command line from outside, so that what
 * it shows is what a user gets.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { JSON_HELP, JSON_OPTION, type Command } from "../command.ts";
import { PACKAGE_ROOT } from "../profile.ts";

export const drillCommand: Command = {
  name: "drill",
  usage: "rome [--json]",
  summary: "Replay a real incident harmlessly and show what stopped it.",
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  examples: ["cofferdam drill rome", "cofferdam drill rome --json"],
  positionals: [1, 1],
  async run(context) {
    const name = context.positionals[0] ?? "";
    if (name !== "rome") {
      throw new Fault("cli.drill", `no drill ${JSON.stringify(name)}`, { hint: "there is: rome" });
    }
    const source = join(PACKAGE_ROOT, "drills", "main.ts");
    const main = existsSync(source) ? source : join(PACKAGE_ROOT, "dist", "drills", "main.js");
    const json = context.values["json"] === true ? ["--json"] : [];
    const child = spawn(process.execPath, [main, name, ...json], { stdio: "inherit" });
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  },
};
