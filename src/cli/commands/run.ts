/**
 * `run` and `attach`: an agent in a cofferdam, and the terminal that shows it.
 *
 * @module
 */
import { resolve } from "node:path";
import { isatty } from "node:tty";
import { Fault, isFault } from "../../base/fault.ts";
import { readTextFile } from "../../base/text-file.ts";
import { visibleLine } from "../../base/visible-text.ts";
import type { RunEnd, RunOrder } from "../../api/index.ts";
import { EXIT, textOption, type Command, type Context } from "../command.ts";
import type { Begun } from "../relay.ts";
import { startRun, type StartedRun } from "../run-stream.ts";
import { profileOf, readProfile } from "../../client/profile.ts";
import type { Duplex } from "node:stream";

export const runCommand: Command = {
  name: "run",
  usage:
    "[--task FILE [--watch] | --profile NAME] [--job NAME] [--agent NAME] [-d] [--json] [-- CMD...]",
  options: {
    task: { type: "string", short: "t" },
    profile: { type: "string", short: "p" },
    watch: { type: "boolean" },
    job: { type: "string" },
    agent: { type: "string" },
    detach: { type: "boolean", short: "d" },
    json: { type: "boolean" },
  },
  optionHelp: {
    watch:
      "build FILE from what the agent asks for: afterwards you are asked about what was refused",
    task: "the task file: what this run may reach",
    profile:
      "a ready task file: claude-code, codex, gemini-cli, opencode (by CMD's name), else shell",
    job: "what it is one of: all runs of a job are one thing (docs/guides/swarms.md)",
    agent: "which agent it is; the task's name where that is not said",
    detach:
      "print the run's id and return; see `attach`, `ps`, `kill`. Without CMD it holds still; see `exec`",
    json: "say start and end of the run as JSON lines on standard error",
  },
  examples: [
    "cofferdam run -- npm test",
    "cofferdam run -- claude",
    "cofferdam run --task publish.yaml -d -- ./agent.sh",
    "cofferdam run --watch --task new.yaml -- ./agent.sh",
  ],
  positionals: [0, 0],
  async run(context) {
    if (context.rest.length === 0 && context.values["detach"] !== true) {
      throw new Fault("cli.no_command", "no command to run", {
        hint: "cofferdam run -- CMD...; with -d and no CMD it holds still until `cofferdam exec`",
      });
    }
    return context.values["watch"] === true ? watched(context) : (await once(context)).code;
  },
};

/** Runs once; `run` is empty where it was let go of. */
async function once(context: Context): Promise<{ readonly run: string; readonly code: number }> {
  const order = readOrder(context);
  const starting = start(context, order);
  starting.catch(() => {}); // Awaited below.
  await readyRelay(); // While the daemon works.
  const { info, stream, ...begun } = await starting;
  const json = context.values["json"] === true;
  if (context.values["detach"] === true) {
    stream.destroy();
    context.out(json ? `${JSON.stringify(info)}\n` : `${info.run}\n`);
    return { run: info.run, code: EXIT.ok };
  }
  if (json) context.err(`${JSON.stringify({ event: "run.start", run: info.run })}\n`);
  const terminal = order.terminal !== undefined;
  return { run: info.run, code: await watch(context, info.run, { stream, terminal, begun }) };
}

async function watched(context: Context): Promise<number> {
  const file = textOption(context.values, "task");
  const isApart = context.values["detach"] === true || context.values["json"] === true;
  if (file === undefined || isApart) {
    throw new Fault("cli.watch", "--watch needs --task FILE, and neither --detach nor --json", {
      hint: "FILE is what is built; it is made where there is none",
    });
  }
  const { beginWatch, watchRuns } = await import("../run-watch.ts");
  beginWatch(context, file);
  return watchRuns(context, file, () => once(context));
}

export const attachCommand: Command = {
  name: "attach",
  usage: "RUN [--json]",
  options: { json: { type: "boolean" } },
  optionHelp: { json: "say the end of the run as a JSON line on standard error" },
  examples: ["cofferdam attach r-06hcx9k2m4q7tz"],
  positionals: [1, 1],
  async run(context) {
    const run = context.positionals[0] ?? "";
    const stream = await (await context.running()).attach(run);
    return watch(context, run, { stream, terminal: process.stdin.isTTY === true });
  },
};

/** Loads what shows a run; a person's own streams are opened by being named, and take a while. */
async function readyRelay() {
  const { stdin, stdout } = process;
  const { relay } = await import("../relay.ts");
  return { relay, stdin, stdout };
}

/** Starts the run, and the daemon before it where none answers. */
async function start(context: Context, order: RunOrder): Promise<StartedRun> {
  const variables = (names: readonly string[]) => pickVariables(names, order.task.source);
  try {
    return await startRun(context.home, order, variables);
  } catch (error) {
    if (!isFault(error, "cli.unreachable")) throw error;
    await context.daemon();
    return startRun(context.home, order, variables);
  }
}

/** Values of the variables that the task passes in: no name that is not written in it is answered. */
export function pickVariables(names: readonly string[], source: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    if (!source.includes(name)) {
      throw new Fault(
        "cli.environment",
        `the daemon asks for ${name}, which the task does not name`,
        {
          hint: "write the name as it is, without escapes",
        },
      );
    }
    const value = process.env[name];
    if (value !== undefined) values[name] = value;
  }
  return values;
}

async function watch(
  context: Context,
  run: string,
  of: { readonly stream: Duplex; readonly terminal: boolean; readonly begun?: Begun },
): Promise<number> {
  const { relay } = await readyRelay();
  const result = await relay(of.stream, of.terminal, of.begun);
  if (result.kind === "detached") {
    context.err(`\r\ncofferdam: let go of ${run}; \`cofferdam attach ${run}\` returns to it\r\n`);
    return EXIT.ok;
  }
  const { end } = result;
  if (context.values["json"] === true) {
    const info = await (await context.running()).call("run.show", { run });
    context.err(`${JSON.stringify({ event: "run.end", ...info })}\n`);
  } else if (end.reason !== "exited") {
    context.err(`cofferdam: ${run} ended: ${visibleLine(end.detail ?? end.reason)}\n`);
  } else if (end.detail !== undefined) {
    context.err(`cofferdam: ${visibleLine(end.detail)}\n`);
  }
  return exitCodeOf(end);
}

/** CMD's own code; 128 + n after a signal; 125 where Cofferdam ended the run. */
async function exitCodeOf(end: RunEnd): Promise<number> {
  if (end.reason !== "exited") return EXIT.refused;
  if (end.code !== undefined) return end.code;
  const { constants } = await import("node:os"); // Seldom needed, and each module takes its time.
  const signals: Readonly<Record<string, number | undefined>> = constants.signals;
  return 128 + (signals[end.signal ?? ""] ?? 0);
}

function readOrder(context: Context): RunOrder {
  const chosen = chooseTask(context);
  const terminal = isatty(0) && isatty(1) && context.values["detach"] !== true;
  return {
    ...chosen,
    command: [...context.rest],
    cwd: workingFolder(),
    path: process.env["PATH"] ?? "",
    ...lineageOf(context),
    detach: context.values["detach"] === true,
    ...(terminal
      ? {
          terminal: {
            columns: process.stdout.columns || 80,
            rows: process.stdout.rows || 24,
            term: process.env["TERM"] ?? "xterm-256color",
          },
        }
      : {}),
  };
}

/** Only what was typed counts: a variable that a program set would not be the starter's word. */
function lineageOf({ values }: Context): Pick<RunOrder, "lineage"> {
  const [job, agent] = [textOption(values, "job"), textOption(values, "agent")];
  if (job === undefined && agent === undefined) return {};
  return { lineage: { ...(job && { job }), ...(agent && { agent }) } };
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new Fault("cli.cwd", "the current folder is not there any more", {
      hint: "change to the project's folder",
      cause,
    });
  }
}

function chooseTask(context: Context): Pick<RunOrder, "task" | "profile"> {
  const file = textOption(context.values, "task");
  const named = textOption(context.values, "profile");
  if (file !== undefined && named !== undefined) {
    throw new Fault("cli.task_and_profile", "--task and --profile exclude each other", {
      hint: "copy the profile and add to it",
    });
  }
  if (file !== undefined) return { task: readTask(file) };
  const profile = named ?? inferProfile(context);
  return { task: readProfile(profile), profile };
}

/** The profile of the agent that CMD is, said aloud since it passes a key in; else the shell's. */
function inferProfile(context: Context): string {
  const [command = ""] = context.rest;
  const profile = profileOf(command);
  if (profile !== "shell" && context.values["json"] !== true) {
    context.err(
      `cofferdam: profile ${profile}, since CMD is ${command}; --profile names another\n`,
    );
  }
  return profile;
}

function readTask(file: string): { source: string; fileName: string } {
  try {
    return { source: readTextFile(file, { mayWait: true }), fileName: resolve(file) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("cli.task_file", `cannot read the task file: ${why}`, {
      cause,
      hint: "give --task a readable file; nothing runs without one that parses",
    });
  }
}
