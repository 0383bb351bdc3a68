/**
 * Cofferdam as its users have it: the command line, and nothing behind it.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { z } from "zod";
import { describeError, Fault } from "../src/base/index.ts";
import { culpritSchema } from "./record.ts";
import { createLineReader } from "./world/lines.ts";

/** Most output kept of one command, in characters. */
const OUTPUT_CHARS_MAX = 64 << 20;
/** Longest any other command than a run may take, in milliseconds. */
const COMMAND_MS = 60_000;
/** Longest that the record of one run is followed, in milliseconds. */
const FOLLOW_MS = 10 * 60_000;
/** Most proofs that one command is asked for. */
const PROOFS_AT_ONCE = 100;
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
  cause: z
    .looseObject({
      call: z.looseObject({ id: z.string(), name: z.string(), by: z.string() }).optional(),
    })
    .optional(),
  data: z.record(z.string(), z.json()).optional(),
});
export type Entry = z.infer<typeof entrySchema>;

/** The detector that a finding names; its kind where it names none. */
export function detectorOf({ data }: Entry): string | null {
  const name = data?.["detector"] ?? data?.["finding"];
  return typeof name === "string" ? name : null;
}

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
    /** What its command reads; nothing where it is absent. */
    readonly input?: string;
    /** Called once with a way to end it early. */
    readonly onStart?: (end: () => void) => void;
    /** Called once with the run's name, as soon as it has one. */
    readonly onRun?: (run: string) => void;
    /** Called with each piece of what its command prints. */
    readonly onOutput?: (text: string) => void;
  }): Promise<RunOutcome>;
  /** Any other command; never throws for what it answers. */
  call(line: readonly string[], input?: string): Promise<Outcome>;
  /**
   * Puts a credential into the vault.
   *
   * @throws {Fault} `drill.cofferdam` where it was not taken.
   */
  addCredential(credential: {
    readonly name: string;
    readonly options: readonly string[];
    readonly secret: string;
  }): Promise<void>;
  /** Entries of a run, as they are written, until the function that is returned is called. */
  follow(run: string, onEntry: (entry: Entry) => void): () => void;
  /** The whole ledger. */
  entries(): Promise<readonly Entry[]>;
  /** The proof of each entry, and the log's key, by the entry's number. */
  prove(seqs: readonly number[]): Promise<ReadonlyMap<number, Proof>>;
  /** Whether the whole ledger is intact, and what `verify` said. */
  verify(): Promise<{ readonly ok: boolean; readonly text: string }>;
  /** Stops the daemon, whatever runs. */
  stop(): Promise<void>;
}

const proofSchema = z.object({ proof: z.string(), key: z.string() });
/** A proof of an entry, and the key that it is to hold against. */
export type Proof = z.infer<typeof proofSchema>;
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
  const must = async (line: readonly string[], input = "") => {
    const outcome = await call(line, { input });
    if (outcome.code === 0) return outcome.stdout;
    throw refusal(line, outcome);
  };
  return {
    async run({ task, command, onRun, ...more }) {
      const line = ["run", "--task", task, "--json", "--", ...command];
      let early: string | undefined;
      const onError = (stderr: string) => {
        if (early !== undefined || onRun === undefined) return;
        early = startedRun(stderr.slice(0, stderr.lastIndexOf("\n") + 1));
        if (early !== undefined) onRun(early);
      };
      const outcome = await call(line, { ...more, onError });
      const run = startedRun(outcome.stderr);
      if (run === undefined) throw refusal(line, outcome);
      return { ...outcome, run };
    },
    call: (line, input = "") => call(line, { input }),
    async addCredential({ name, options, secret }) {
      await must(["credential", "add", name, ...options, "--stdin"], secret);
    },
    follow(run, onEntry) {
      let stop = () => {};
      const read = createLineReader((line) => {
        if (line.startsWith("{")) onEntry(entrySchema.parse(JSON.parse(line)));
      });
      void call(["log", run, "--json", "--follow"], {
        limitMs: FOLLOW_MS,
        onOutput: read,
        onStart: (end) => {
          stop = end;
        },
      });
      return () => stop();
    },
    async entries() {
      return jsonLines(await must(["log", "--json"])).map((value) => entrySchema.parse(value));
    },
    async prove(seqs) {
      const proofs = new Map<number, Proof>();
      for (let from = 0; from < seqs.length; from += PROOFS_AT_ONCE) {
        const some = seqs.slice(from, from + PROOFS_AT_ONCE);
        const lines = jsonLines(await must(["prove", ...some.map(String), "--json"]));
        for (const [n, seq] of some.entries()) proofs.set(seq, proofSchema.parse(lines[n]));
      }
      return proofs;
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

function startedRun(stderr: string): string | undefined {
  const started = jsonLines(stderr).map((value) => startSchema.safeParse(value).data);
  return started.find((event) => event !== undefined)?.run;
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
  /** Called with each piece of what it writes to standard output. */
  readonly onOutput?: (text: string) => void;
  /** Called with all that it wrote to standard error so far, whenever that grows. */
  readonly onError?: (stderr: string) => void;
  /** What it reads; nothing where it is absent. */
  readonly input?: string;
}

/** Runs a program to its end, or kills it after `limitMs`; never throws for what the program does. */
export function callProgram(options: CallOptions): Promise<Outcome> {
  const child = spawn(options.file, [...options.line], {
    cwd: options.cwd,
    env: options.environment,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {}); // It need not read to the end.
  child.stdin?.end(options.input);
  options.onStart?.(() => void child.kill("SIGTERM"));
  const timer = setTimeout(() => child.kill("SIGKILL"), options.limitMs);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (stdout.length < OUTPUT_CHARS_MAX) stdout += text;
    options.onOutput?.(text);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (stderr.length < OUTPUT_CHARS_MAX) stderr += text;
    options.onError?.(stderr);
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
