/**
 * Programs that the bench runs: to their end, or beside it until it ends, never beyond it.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Fault } from "../src/base/index.ts";

/** Longest any one program may take, in milliseconds. */
const PROGRAM_MS_MAX = 60_000;
const STOP_MS = 3000;
/** How much of what a program said is kept for a fault, in characters. */
const SAID_CHARS_MAX = 1000;
/** The kernel kills what these words start when the bench is gone, however it went. */
const WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"] as const;

const living = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

export interface ProgramOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end; resolves with its standard output.
 *
 * @throws {Fault} `bench.program` where it fails or takes longer than a minute.
 */
export async function runProgram(
  words: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const child = start(words, options);
  const timer = setTimeout(() => child.kill("SIGKILL"), PROGRAM_MS_MAX);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (code === 0) return stdout;
    throw failed(words, `${signal ?? code}: ${(stderr || stdout).trim().slice(-SAID_CHARS_MAX)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** A program that goes on until it is disposed of. */
export interface Companion extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The last of what it said on standard error. */
  said(): string;
}

/** Starts a program that runs beside the measurements. */
export function startCompanion(words: readonly string[], options: ProgramOptions = {}): Companion {
  const child = start(words, options);
  child.stdout?.resume();
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-SAID_CHARS_MAX);
  });
  const exited = once(child, "exit");
  exited.catch(() => undefined); // Told by who talks to it.
  return {
    child,
    said: () => said.trim(),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function start(words: readonly string[], options: ProgramOptions): ChildProcess {
  const [file, ...line] = [...WITH_US, ...words];
  const { PATH = "/usr/bin:/bin", HOME = "/" } = process.env;
  const child = spawn(file, line, {
    cwd: options.cwd ?? "/",
    // Nothing else of the caller's: a proxy of his, say, would be measured too.
    env: { PATH, HOME, LANG: "C.UTF-8", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  living.add(child);
  child.on("exit", () => living.delete(child));
  return child;
}

function failed(words: readonly string[], why: string): Fault {
  return new Fault("bench.program", `${words.join(" ").slice(0, SAID_CHARS_MAX)} failed (${why})`);
}
