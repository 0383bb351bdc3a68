/**
 * `tighten` and `autonomy`: what a task's record says of its file. Both only propose: they print a diff, and write nothing.
 *
 * @module
 */
import { basename } from "node:path";
import {
  adviseAutonomy,
  adviseTighter,
  groundOf,
  readTaskFile,
  surroundingsOf,
  type AutonomyAdvice,
  type TaskFile,
} from "../../assessment/index.ts";
import { HistoryReader, type History } from "../../autonomy/index.ts";
import { visibleLine } from "../../base/index.ts";
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

export const tightenCommand: Command = {
  name: "tighten",
  usage: "TASK [--run RUN]... [--json]",
  options: { run: { type: "string", multiple: true }, ...JSON_OPTION },
  optionHelp: { run: "look at this run only; may be repeated", ...JSON_HELP },
  examples: [
    "cofferdam tighten ops.yaml",
    "cofferdam tighten ops.yaml > less.diff && patch -p1 < less.diff",
  ],
  positionals: [1, 1],
  async run(context) {
    const file = readFile(context);
    const history = await historyOf(context, file.task.task, listOption(context.values, "run"));
    const advice = adviseTighter(file, history, nameOf(context));
    const { taken, once, kept, diff } = advice;
    if (context.values["json"] === true) {
      context.out(`${JSON.stringify(advice)}\n`);
      return EXIT.ok;
    }
    context.out(diff);
    const told = (title: string, lines: readonly string[]) => {
      if (lines.length > 0)
        context.err(`${title}\n${lines.map((line) => `  ${visibleLine(line)}\n`).join("")}`);
    };
    const count = history.runs.length;
    told("", [
      `${count} run${count === 1 ? "" : "s"} of ${file.task.task} on record${count === 0 ? ": nothing is known of what it uses" : ""}`,
    ]);
    told("Less:", taken);
    told("Seen only once, and kept:", once);
    told("Kept, since it is not known:", kept);
    return EXIT.ok;
  },
};

export const autonomyCommand: Command = {
  name: "autonomy",
  usage: "TASK [--restore] [--json]",
  options: { restore: { type: "boolean" }, ...JSON_OPTION },
  optionHelp: {
    restore: "give back the leave that a finding took from the task, at your word",
    ...JSON_HELP,
  },
  examples: ["cofferdam autonomy ops.yaml", "cofferdam autonomy ops.yaml --restore"],
  positionals: [1, 1],
  async run(context) {
    const file = readFile(context);
    const { task } = file;
    const client = await context.daemon();
    if (context.values["restore"] === true) {
      const { restored } = await client.call("autonomy.restore", { task: task.task });
      context.out(
        restored ? `${task.task} has its leave again\n` : `nothing was taken from ${task.task}\n`,
      );
      return restored ? EXIT.ok : EXIT.no;
    }
    const { taken } = await client.call("autonomy.taken", { task: task.task });
    const history = await historyOf(context, task.task, []);
    const ground = () => groundOf(task, surroundingsOf(context.home));
    const asked = { name: nameOf(context), nowMs: Date.now(), ground };
    const { proposals, waiting } = await adviseAutonomy(file, history, asked);
    const answer = {
      task: task.task,
      runs: history.runs.length,
      taken,
      proposals: proposals.map(withoutSource),
      waiting,
    };
    context.out(context.values["json"] === true ? `${JSON.stringify(answer)}\n` : textOf(answer));
    return EXIT.ok;
  },
};

function readFile(context: Context): TaskFile {
  const [fileName = ""] = context.positionals;
  const text = { source: readTask(fileName), fileName, nowMs: Date.now() };
  return readTaskFile(text, systemsOf(context));
}

function nameOf({ positionals: [name = ""] }: Context): string {
  return basename(name);
}

async function historyOf(
  context: Context,
  task: string,
  only: readonly string[],
): Promise<History> {
  const reader = new HistoryReader(task);
  const client = await context.daemon();
  const streams =
    only.length === 0 ? [{ follow: false }] : only.map((run) => ({ run, follow: false }));
  for (const asked of streams)
    for await (const entry of client.stream("log.read", asked)) reader.read(entry);
  return reader.history;
}

type Shown = Omit<AutonomyAdvice["proposals"][number], "source">;

/** The diff says it. */
function withoutSource({ kind, says, evidence, diff, radius }: Shown): Shown {
  return { kind, says, evidence, diff, radius };
}

interface Told {
  readonly task: string;
  readonly runs: number;
  readonly taken?: { readonly at: string; readonly why: string; readonly run: string } | undefined;
  readonly proposals: readonly Shown[];
  readonly waiting: AutonomyAdvice["waiting"];
}

function textOf({ task, runs, taken, proposals, waiting }: Told): string {
  const lines: string[] = [];
  if (taken !== undefined) {
    lines.push(
      `A finding took its leave from ${task} at ${taken.at}, in ${taken.run}: ${taken.why}.`,
      "Everything waits for a person until `cofferdam autonomy TASK --restore`.",
      "",
    );
  }
  for (const { kind, says, evidence, diff, radius } of proposals) {
    lines.push(
      `${kind === "take-back" ? "Take back" : "Let through"}: ${says}`,
      ...evidence.map((one) => `  ${one}`),
    );
    lines.push(
      ...(radius.length === 0
        ? ["  the blast radius stays as it is"]
        : radius.map((one) => `  ${one}`)),
      "",
      diff,
    );
  }
  if (proposals.length === 0)
    lines.push(`Nothing to propose: ${runs} run${runs === 1 ? "" : "s"} of ${task} on record.`);
  const missing = waiting.filter((one) => one.missing.length > 0);
  if (missing.length > 0) lines.push("Not yet:");
  for (const { grant, verb, approved, missing: needs } of missing) {
    lines.push(`  ${grant}: ${verb}, approved ${approved} times; it needs ${needs.join("; ")}`);
  }
  return `${lines
    .map((line) =>
      line
        .split("\n")
        .map((one) => visibleLine(one))
        .join("\n"),
    )
    .join("\n")}\n`;
}
