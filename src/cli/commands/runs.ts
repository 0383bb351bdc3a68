/**
 * What runs: listing, pausing, resuming, ending; and the daemon itself.
 *
 * @module
 */
import type { RunInfo } from "../../api/index.ts";
import { Fault, visibleLine } from "../../base/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  textOption,
  type Command,
  type Context,
} from "../command.ts";

export const psCommand: Command = {
  name: "ps",
  usage: "[--all] [--json]",
  options: { all: { type: "boolean", short: "a" }, ...JSON_OPTION },
  optionHelp: { all: "also those that ended", ...JSON_HELP },
  examples: ["cofferdam ps", "cofferdam ps --all --json"],
  positionals: [0, 0],
  async run(context) {
    const all = context.values["all"] === true;
    const runs = await (await context.daemon()).call("run.list", { all });
    if (context.values["json"] === true) {
      for (const run of runs) context.out(`${JSON.stringify(run)}\n`);
    } else {
      const rows = runs.map((run) => [
        run.run,
        stateOf(run),
        run.task,
        String(run.counts.denials),
        String(run.counts.findings),
        (run.publish ?? []).join(" ") || "-",
        run.command.join(" "),
      ]);
      context.out(
        table([["RUN", "STATE", "TASK", "DENIED", "FINDINGS", "PORTS", "COMMAND"], ...rows]),
      );
    }
    return EXIT.ok;
  },
};

export const pauseCommand = onRun("pause");
export const resumeCommand = onRun("resume");
export const killCommand = onRun("kill");

export const serveCommand: Command = {
  name: "serve",
  usage: "",
  options: {},
  optionHelp: {},
  examples: ["cofferdam serve"],
  positionals: [0, 0],
  async run(context) {
    // Loaded when asked: every other command starts faster without the daemon's parts.
    const { serve } = await import("../../daemon/index.ts");
    await serve(context.home);
    return EXIT.ok;
  },
};

export const stopCommand: Command = {
  name: "stop",
  usage: "[--force]",
  options: { force: { type: "boolean", short: "f" } },
  optionHelp: { force: "also when runs are active: they are killed" },
  examples: ["cofferdam stop"],
  positionals: [0, 0],
  async run(context) {
    try {
      await (
        await context.running()
      ).call("daemon.stop", { force: context.values["force"] === true });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "cli.unreachable") throw error;
      context.err("cofferdam: no daemon runs here\n");
    }
    return EXIT.ok;
  },
};

function onRun(name: "pause" | "resume" | "kill"): Command {
  return {
    name,
    usage: "RUN... | --lineage KIND:NAME [--json]",
    options: { lineage: { type: "string" }, ...JSON_OPTION },
    optionHelp: { lineage: "all runs of job:NAME, agent:NAME or credential:NAME", ...JSON_HELP },
    examples: [`cofferdam ${name} r-06hcx9k2m4q7tz`, `cofferdam ${name} --lineage job:rollouts`],
    positionals: [0, 64],
    run: async (context) => {
      const lineage = textOption(context.values, "lineage");
      if ((lineage === undefined) === (context.positionals.length === 0)) {
        throw new Fault("cli.usage", `${name} needs runs, or --lineage KIND:NAME`);
      }
      return lineage === undefined ? each(context, name) : whole(context, name, lineage);
    },
  };
}

async function each(context: Context, name: "pause" | "resume" | "kill"): Promise<number> {
  const client = await context.running();
  for (const run of context.positionals) {
    const info = await client.call(`run.${name}`, { run });
    context.out(
      context.values["json"] === true ? `${JSON.stringify(info)}\n` : `${run} ${stateOf(info)}\n`,
    );
  }
  return EXIT.ok;
}

async function whole(
  context: Context,
  name: "pause" | "resume" | "kill",
  lineage: string,
): Promise<number> {
  const reached = await (await context.running()).call(`lineage.${name}`, { lineage });
  const { runs, withinMs } = reached;
  const done = { pause: "paused", resume: "goes on", kill: "ended, and paused" }[name];
  const text = `${reached.lineage} ${done}: ${runs} run${runs === 1 ? "" : "s"} in ${Math.round(withinMs)} ms`;
  context.out(context.values["json"] === true ? `${JSON.stringify(reached)}\n` : `${text}\n`);
  return EXIT.ok;
}

export const lineagesCommand: Command = {
  name: "lineages",
  usage: "[KIND:NAME] [--json]",
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  examples: ["cofferdam lineages", "cofferdam lineages job:rollouts"],
  positionals: [0, 1],
  async run(context) {
    const [lineage] = context.positionals;
    const client = await context.daemon();
    const all =
      lineage === undefined
        ? await client.call("lineage.list", {})
        : [await client.call("lineage.show", { lineage })];
    if (context.values["json"] === true) {
      for (const one of all) context.out(`${JSON.stringify(one)}\n`);
      return EXIT.ok;
    }
    const rows = all.map((one) => [
      [one.lineage, ...one.names].join(" = "),
      String(one.runs.length),
      one.share === undefined ? "-" : `${Math.round(one.share * 100)} %`,
      one.paused === undefined ? "open" : `paused: ${one.paused.why}`,
    ]);
    context.out(table([["LINEAGE", "RUNS", "BUDGET", "STATE"], ...rows]));
    for (const line of (lineage !== undefined && all[0]?.budget) || []) context.out(`  ${line}\n`);
    return EXIT.ok;
  },
};

export function stateOf(run: RunInfo): string {
  if (run.state === "paused") return `paused: ${run.pauseReason ?? "by hand"}`;
  if (run.end === undefined) {
    const attempt = run.attempt === undefined ? "" : `, attempt ${run.attempt}`;
    return `${run.state}${attempt}${lessOf(run)}`;
  }
  if (run.end.reason !== "exited") return `ended: ${run.end.reason}`;
  return `exited ${run.end.code ?? run.end.signal ?? ""}`;
}

/** What it lost since its start, in a few words. */
function lessOf({ narrowed, revoked = [] }: RunInfo): string {
  if (narrowed !== true) return "";
  return revoked.length === 0 ? ", narrowed" : `, without ${revoked.join(" ")}`;
}

/** Text columns, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(visibleLine));
  const widths =
    cells[0]?.map((_, n) => Math.max(...cells.map((row) => row[n]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    row.map((cell, n) => (n === row.length - 1 ? cell : cell.padEnd(widths[n] ?? 0))).join("  ");
  return `${cells.map(line).join("\n")}\n`;
}
