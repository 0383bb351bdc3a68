/**
 * A Cofferdam of the bench's own, spoken to through its API as the command line does.
 *
 * @module
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createFrameReader, locateHome, runEndSchema, type RunInfo } from "../src/api/index.ts";
import { Fault } from "../src/base/index.ts";
import { createClient, type Client } from "../src/cli/client.ts";
import { ROOT, type Scratch } from "./place.ts";
import { startCompanion, type Companion } from "./program.ts";

const START_MS_MAX = 15_000;
const START_POLL_MS = 20;
const MAIN = join(ROOT, "src", "cli", "main.ts");
/** The profile `shell`, in short. */
export const NO_GRANTS = "task: bench\npurpose: Measure a run that reaches nothing.\ngrants: []\n";

export interface DaemonOptions {
  /** Where a CPU profile of the daemon is left. */
  readonly profiles?: string | undefined;
}

/** A daemon with a home and a workspace. */
export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  readonly client: Client;
  readonly workspace: string;
  /** For programs that shall find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Starts `command`, resolves when it runs. */
  start(command: readonly string[], options?: StartOptions): Promise<RunInfo>;
  /** Runs `command` to its end; resolves with its standard output. */
  run(command: readonly string[], options?: StartOptions): Promise<string>;
}

export interface StartOptions {
  /** A task file's text. */
  readonly task?: string;
  readonly detach?: boolean;
}

/** Starts a daemon with a home below `scratch`; with it end all its runs. */
export async function startDaemon(scratch: Scratch, options: DaemonOptions = {}): Promise<Daemon> {
  const root = scratch.folder("home");
  const workspace = scratch.folder("workspace");
  const environment = { COFFERDAM_HOME: root };
  const { profiles } = options;
  const flags = profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
  const companion = startCompanion([process.execPath, ...flags, MAIN, "serve"], { environment });
  const client = createClient(locateHome(environment));
  const start: Daemon["start"] = (command, { task = NO_GRANTS, detach = false } = {}) =>
    client.call("run.start", {
      task: { source: task, fileName: join(scratch.root, "bench.yaml") },
      command: [...command],
      cwd: workspace,
      path: process.env["PATH"] ?? "",
      environment: {},
      detach,
    });
  try {
    return {
      pid: await readyPid(client, companion),
      client,
      workspace,
      environment,
      start,
      run: async (command, of) => outputOf(client, (await start(command, of)).run),
      async [Symbol.asyncDispose]() {
        const { exitCode, signalCode } = companion.child;
        if (exitCode !== null || signalCode !== null) {
          // Whatever part it was then failed by something that does not say this.
          console.error(`the daemon had ended (${signalCode ?? exitCode}): ${companion.said()}`);
        }
        await client.call("daemon.stop", { force: true }).catch(() => undefined); // It may be gone.
        await companion[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await companion[Symbol.asyncDispose]();
    throw error;
  }
}

async function readyPid(client: Client, { child, said }: Companion): Promise<number> {
  for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline;) {
    const status = await client.call("daemon.status", {}).catch(() => undefined);
    if (status !== undefined) return status.pid;
    if (child.exitCode !== null) break;
    await sleep(START_POLL_MS);
  }
  throw new Fault("bench.daemon", `the daemon did not start: ${said()}`, {
    hint: "`bin/cofferdam doctor` names what is missing",
  });
}

/** Watches a run to its end. @throws {Fault} `bench.run` where it does not end well. */
async function outputOf(client: Client, run: string): Promise<string> {
  const stream = await client.attach(run);
  const reader = createFrameReader();
  let stdout = "";
  let stderr = "";
  for await (const chunk of stream) {
    for (const frame of reader.push(chunk as Buffer)) {
      if (frame.type === "stdout") stdout += frame.payload.toString();
      else if (frame.type === "stderr") stderr += frame.payload.toString();
      else if (frame.type === "exit") {
        const end = runEndSchema.parse(JSON.parse(frame.payload.toString()));
        stream.destroy();
        if (end.reason === "exited" && end.code === 0) return stdout;
        throw new Fault("bench.run", `a run ended by ${JSON.stringify(end)}: ${stderr || stdout}`);
      }
    }
  }
  throw new Fault("bench.run", "the daemon let go of a run before its end");
}
