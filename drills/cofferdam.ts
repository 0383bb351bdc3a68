/**
 * Cofferdam as its users have it: the command line, and nothing behind it.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { z } from "zod";
import { describeError, Fault } from "../src/base/index.ts";
import { culpritSchema } from "./record.ts";

/** Most output kept of one command, in characters. */
const OUTPUT_CHARS_MAX = 64 << 20;
/** Longest any other command than a run may take, in milliseconds. */
const COMMAND_MS = 20_000;
/** Longest an end of the daemon in order may take, in milliseconds; the world ends after it anyway. */
const STOP_MS = 3000;

/** A ledger entry as `cofferdam log --json` prints it; what a drill does not need is kept as it is. */
export const entrySchema = z.looseObject({
  seq: z.number(),
  at: z.string(),
  type: z.string(),
  run: z.string().optional(),
  verdict: z.string().optional(),
  rule: z.string().optional(),
  target: z.string().optional(),
  flow: z.string().optional(),
  process: culpritSchema.optional(),
  data: z.record(z.string(), z.json()).optional(),
});
export type Entry = z.infer<typeof entrySchema>;

/** What a command said and how it ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that ended. */
export interface RunOutcome extends Outcome {
  readonly run: string;
}

/** One installation: the command line with a home of its own. */
export interface Cofferdam {
  /**
   * Runs a command by a task file and resolves when the run has ended.
   *
   * @throws {Fault} `drill.cofferdam` where Cofferdam did not start it.
   */
  run(options: {
    readonly task: string;
    readonly cwd: string;
    readonly command: readonly string[];
    readonly limitMs: number;
    /** Called once with a way to end it early. */
    readonly onStart?: (end: () => void) => void;
  }): Promise<RunOutcome>;
  /** The whole ledger. */
  entries(): Promise<readonly Entry[]>;
  /** The proof of one entry, and the log's key. */
  prove(seq: number): Promise<{ readonly proof: string; readonly key: string }>;
  /** Whether the whole ledger is intact, and what `verify` said. */
  verify(): Promise<{ readonly ok: boolean; readonly text: string }>;
  /** Stops the daemon, whatever runs. */
  stop(): Promise<void>;
}

const proofSchema = z.object({ proof: z.string(), key: z.string() });
const startSchema = z.object({ event: z.literal("run.start"), run: z.string() });

/** The command line `words` (a path, or a program that becomes it), with `environment` alone. */
export function createCofferdam(
  words: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): Cofferdam {
  const [file, ...first] = words;
  const call = (line: readonly string[], more: Partial<CallOptions> = {}) =>
    callProgram({
      file,
      line: [...first, ...line],
      environment,
      limitMs: COMMAND_MS,
      cwd: "/",
      ...more,
    });
  const must = async (line: readonly string[]) => {
    const outcome = await call(line);
    if (outcome.code === 0) return outcome.stdout;
    throw refusal(line, outcome);
  };
  return {
    async run({ task, command, ...more }) {
      const line = ["run", "--task", task, "--json", "--", ...command];
      const outcome = await call(line, more);
      const started = jsonLines(outcome.stderr).map((value) => startSchema.safeParse(value).data);
      const run = started.find((event) => event !== undefined)?.run;
      if (run === undefined) throw refusal(line, outcome);
      return { ...outcome, run };
    },
    async entries() {
      return jsonLines(await must(["log", "--json"])).map((value) => entrySchema.parse(value));
    },
    async prove(seq) {
      return proofSchema.parse(JSON.parse(await must(["prove", String(seq), "--json"])));
    },
    async verify() {
      const { code, stdout, stderr } = await call(["verify"]);
      return { ok: code === 0, text: (stdout + stderr).trim() };
    },
    async stop() {
      await call(["stop", "--force"], { limitMs: STOP_MS });
    },
  };
}

function refusal(line: readonly string[], outcome: Outcome): Fault {
  const said = outcome.stderr.trim().slice(-2000);
  const words = `cofferdam ${line.slice(0, 2).join(" ")}`;
  return new Fault("drill.cofferdam", `${words} failed (exit ${outcome.code}): ${said}`, {
    hint: "`cofferdam doctor` reports every prerequisite with its fix",
  });
}

function jsonLines(text: string): readonly unknown[] {
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    try {
      return [JSON.parse(line)];
    } catch (cause) {
      throw new Fault("drill.cofferdam", `a line that is not JSON: ${describeError(cause)}`, {
        cause,
      });
    }
  });
}

/** How a program is called. */
export interface CallOptions {
  readonly file: string;
  readonly line: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly limitMs: number;
  readonly cwd: string;
  /** Called once with a way to end it early. */
  readonly onStart?: (end: () => void) => void;
}

/** Runs a program to its end, or kills it after `limitMs`; never throws for what the program does. */
export function callProgram(options: CallOptions): Promise<Outcome> {
  const child = spawn(options.file, [...options.line], {
    cwd: options.cwd,
    env: options.environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  options.onStart?.(() => void child.kill("SIGTERM"));
  const timer = setTimeout(() => child.kill("SIGKILL"), options.limitMs);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (stdout.length < OUTPUT_CHARS_MAX) stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (stderr.length < OUTPUT_CHARS_MAX) stderr += text;
  });
  return new Promise((resolve) => {
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: null, stdout, stderr: stderr + error.message });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
