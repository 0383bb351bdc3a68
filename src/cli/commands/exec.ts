/**
 * `exec`: a command in a run that lives, as if it ran here: its input, its output, its status, its signals.
 *
 * @module
 */
import { constants } from "node:os";
import { Fault, isFault, visibleLine } from "../../base/index.ts";
import type { ExecLine, ExecStart, Step } from "../../api/index.ts";
import type { Client } from "../../client/index.ts";
import { EXIT, textOption, type Command, type Context } from "../command.ts";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

export const execCommand: Command = {
  name: "exec",
  usage: "RUN [--step TRAJECTORY/EPISODE/STEP] [--label L] [--cwd DIR] [-t] [--json] -- CMD...",
  options: {
    step: { type: "string" },
    label: { type: "string" },
    cwd: { type: "string" },
    terminal: { type: "boolean", short: "t" },
    json: { type: "boolean" },
  },
  optionHelp: {
    step: "the training step that it is of; all that follows from it is recorded with that",
    label: "what the record calls it",
    cwd: "where it starts inside, absolute; the workspace where it is not said",
    terminal: "a terminal for it, in place of pipes",
    json: "say its start and end as JSON lines on standard error",
  },
  examples: [
    "cofferdam exec r-06hcx9k2m4q7tz -- npm test",
    "cofferdam exec r-06hcx9k2m4q7tz --step g3_17_1/17/3 -- sh -c 'make check'",
    "cofferdam exec r-06hcx9k2m4q7tz -t -- bash",
  ],
  positionals: [1, 1],
  async run(context) {
    const start = startOf(context);
    const client = await context.running();
    const end = await relay(context, client, start);
    if (context.values["json"] === true) {
      context.err(`${JSON.stringify({ ...end, event: "exec.end", type: undefined })}\n`);
    } else if (end.reason !== "exited") {
      context.err(
        `cofferdam: ${end.reason}: ${visibleLine(end.detail ?? "the command did not end itself")}\n`,
      );
    }
    if (end.reason !== "exited" && end.reason !== "not-started") return EXIT.refused;
    if (end.code !== undefined) return end.code;
    const signals: Readonly<Record<string, number | undefined>> = constants.signals;
    return 128 + (signals[end.signal ?? ""] ?? 0);
  },
};

type End = Extract<ExecLine, { readonly type: "ended" }>;

function startOf(context: Context): ExecStart {
  const { positionals, values, rest } = context;
  if (rest.length === 0) {
    throw new Fault("cli.no_command", "no command to run", {
      hint: "cofferdam exec RUN -- CMD...",
    });
  }
  const [label, cwd, step] = [
    textOption(values, "label"),
    textOption(values, "cwd"),
    stepOf(values),
  ];
  const { columns, rows } = process.stdout;
  const terminal = {
    columns: columns || 80,
    rows: rows || 24,
    term: process.env["TERM"] ?? "xterm",
  };
  return {
    run: positionals[0] ?? "",
    argv: [...rest],
    interactive: true,
    ...(label === undefined ? {} : { label }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(step === undefined ? {} : { step }),
    ...(values["terminal"] === true ? { terminal } : {}),
  };
}

/** A trajectory's name may hold a slash. */
function stepOf(values: Context["values"]): Step | undefined {
  const said = textOption(values, "step");
  if (said === undefined) return undefined;
  const [, trajectory, episode, step] = /^(.+)\/([^/]+)\/(\d{1,15})$/s.exec(said) ?? [];
  if (trajectory !== undefined && episode !== undefined && step !== undefined) {
    return { trajectory, episode, step: Number(step) };
  }
  throw new Fault("cli.usage", `--step ${JSON.stringify(said)} is not TRAJECTORY/EPISODE/STEP`, {
    hint: "for example --step g3_17_1/17/3",
  });
}

/** Between this process's streams and the command's, until it ends. */
async function relay(context: Context, client: Client, start: ExecStart): Promise<End> {
  const { run } = start;
  const { stdin, stdout, stderr } = process;
  const gone = new AbortController();
  const isRaw = start.terminal !== undefined && stdin.isTTY;
  let exec = "";
  let end: End | undefined;
  // A reader of ours that went away (`| head`): there is nobody for the rest, so the command is cancelled.
  for (const stream of [stdout, stderr]) stream.on("error", () => gone.abort());
  const handlers = FORWARDED.map((signal) => {
    const pass = () => {
      if (exec === "") gone.abort();
      else client.call("exec.signal", { run, exec, signal }).catch(() => {}); // It has ended meanwhile.
    };
    process.on(signal, pass);
    return [signal, pass] as const;
  });
  const resize = () => {
    const { columns, rows } = stdout;
    client.call("exec.resize", { run, exec, columns, rows }).catch(() => {});
  };
  try {
    for await (const line of client.stream("run.exec", start, gone.signal)) {
      if (line.type === "started") {
        exec = line.exec;
        if (context.values["json"] === true) {
          context.err(`${JSON.stringify({ event: "exec.start", run, exec, entry: line.entry })}\n`);
        }
        if (isRaw) stdin.setRawMode(true);
        if (start.terminal !== undefined) stdout.on("resize", resize);
        feed(client, run, exec).catch(() => gone.abort());
      } else if (line.type === "ended") end = line;
      else {
        const stream = line.type === "stdout" ? stdout : stderr;
        if (!stream.write(Buffer.from(line.data, "base64"))) {
          await new Promise<void>((resolve) => {
            stream.once("drain", resolve);
            gone.signal.addEventListener("abort", () => resolve(), { once: true });
          });
        }
      }
    }
  } finally {
    for (const [signal, pass] of handlers) process.off(signal, pass);
    stdout.off("resize", resize);
    if (isRaw) stdin.setRawMode(false);
    stdin.destroy();
  }
  if (end !== undefined) return end;
  if (gone.signal.aborted) return { type: "ended", reason: "cancelled" };
  throw new Fault("cli.lost", "the daemon is gone; its runs are killed");
}

/** What comes in here goes to the command, no faster than it takes it. */
async function feed(client: Client, run: string, exec: string): Promise<void> {
  try {
    for await (const chunk of process.stdin) {
      const data = (chunk as Buffer).toString("base64");
      await client.call("exec.input", { run, exec, data });
    }
    await client.call("exec.input", { run, exec, end: true });
  } catch (error) {
    const hasEnded = isFault(error, "daemon.no_such_exec") || isFault(error, "daemon.no_such_run");
    const isOurs =
      error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
    if (!hasEnded && !isOurs) throw error;
  }
}
