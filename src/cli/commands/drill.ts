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
import { JSON_HELP, JSON_OPTION, textOption, type Command } from "../command.ts";
import { PACKAGE_ROOT } from "../../client/profile.ts";

export const drillCommand: Command = {
  name: "drill",
  usage: "[NAME...|all] [--bare] [--task FILE] [--agent AGENT] [--json | --live], or --list",
  options: {
    ...JSON_OPTION,
    live: { type: "boolean" },
    bare: { type: "boolean" },
    list: { type: "boolean" },
    task: { type: "string" },
    agent: { type: "string" },
    "agent-bin": { type: "string" },
  },
  optionHelp: {
    ...JSON_HELP,
    live: "print what happens as it happens, one JSON object a line, the result last",
    bare: "only without controls, in throw-away namespaces: what would have happened",
    list: "list the drills and the incidents that they are made after",
    task: "hold the drills under the rules of this task file of yours",
    agent:
      "play the drills in which a model is led with this agent: claude-code, codex, gemini-cli or opencode",
    "agent-bin": "the folder with that agent's program, where it is not on PATH",
  },
  examples: [
    "cofferdam drill --list",
    "cofferdam drill rome",
    "cofferdam drill D09 --json",
    "cofferdam drill all --task agent.yaml",
    "cofferdam drill d07 d10 --agent claude-code",
  ],
  positionals: [0, 30],
  async run(context) {
    const { values, positionals } = context;
    const isAll = positionals.length === 0 && values["list"] !== true;
    const source = join(PACKAGE_ROOT, "drills", "main.ts");
    const main = existsSync(source) ? source : join(PACKAGE_ROOT, "dist", "drills", "main.js");
    const flags = ["json", "live", "bare", "list"].flatMap((flag) =>
      values[flag] === true ? [`--${flag}`] : [],
    );
    const given = ["task", "agent", "agent-bin"].flatMap((name) => {
      const value = textOption(values, name);
      return value === undefined ? [] : [`--${name}`, value];
    });
    const line = [main, ...flags, ...given, "--", ...(isAll ? ["all"] : positionals)];
    const child = spawn(process.execPath, line, { stdio: "inherit" });
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  },
};
