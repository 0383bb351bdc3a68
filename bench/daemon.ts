/**
 * A Cofferdam of the bench's own, spoken to through its API as the command line does.
 *
 * @module
 */
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  locateHome,
  runEndSchema,
  type Frame,
  type Home,
  type RunInfo,
  type RunOrder,
} from "../src/api/index.ts";
import { Fault } from "../src/base/index.ts";
import { createClient, type Client } from "../src/client/index.ts";
import { startRun, type StartedRun } from "../src/cli/run-stream.ts";
import { ROOT, type Scratch } from "./place.ts";
import { startCompanion, type Companion } from "./program.ts";

const START_MS_MAX = 60_000;
const START_POLL_MS = 20;
/** So many looks one after the other must find sandboxes waiting: then none is being made. */
const SETTLED_LOOKS = 5;
const SETTLE_LOOKS_MAX = 500;
const MAIN = join(ROOT, "src", "cli", "main.ts");
/** The profile `shell`, in short. */
export const NO_GRANTS = "task: bench\npurpose: Measure a run that reaches nothing.\ngrants: []\n";

export interface DaemonOptions {
  /** Where a CPU profile of the daemon is left. */
  readonly profiles?: string | undefined;
  /** A folder that becomes its home, with what lies in it; a new one by default. */
  readonly home?: string;
  /** Flags of its Node, and variables of its own. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A daemon with a home and a workspace. */
export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  readonly client: Client;
  readonly home: Home;
  readonly workspace: string;
  /** For programs that shall find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** What asks for a run of `command`. */
  orderOf(command: readonly string[], options?: StartOptions): RunOrder;
  /** Starts `command`, resolves when it runs. */
  start(command: readonly string[], options?: StartOptions): Promise<RunInfo>;
  /** Runs `command` to its end over one connection, as the command line does; gives its output. */
  run(command: readonly string[], options?: StartOptions): Promise<string>;
  /** Waits until no run is left and sandboxes wait again for runs of the kind that was started last. */
  settle(): Promise<void>;
}

export interface StartOptions {
  /** A task file's text. */
  readonly task?: string;
  readonly detach?: boolean;
  readonly lineage?: { readonly job?: string; readonly agent?: string };
}

/** Starts a daemon with a home below `scratch`; with it end all its runs. */
export async function startDaemon(scratch: Scratch, options: DaemonOptions = {}): Promise<Daemon> {
  const root = options.home ?? scratch.folder("home");
  const workspace = scratch.folder(`workspace-of-${basename(root)}`);
  const environment = { COFFERDAM_HOME: root };
  const { profiles } = options;
  const profiling = profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
  const words = [process.execPath, ...(options.flags ?? []), ...profiling, MAIN, "serve"];
  const companion = startCompanion(words, {
    environment: { ...environment, ...options.environment },
  });
  const home = locateHome(environment);
  const client = createClient(home);
  const orderOf = (
    command: readonly string[],
    { task = NO_GRANTS, detach = false, lineage = {} } = {},
  ) => ({
    lineage,
    task: { source: task, fileName: join(scratch.root, "bench.yaml") },
    command: [...command],
    cwd: workspace,
    path: process.env["PATH"] ?? "",
    detach,
  });
  const start: Daemon["start"] = (command, of) =>
    client.call("run.start", { ...orderOf(command, of), environment: {} });
  try {
    return {
      pid: await readyPid(client, companion),
      client,
      home,
      workspace,
      environment,
      orderOf,
      start,
      run: async (command, of) => outputOf(await startRun(home, orderOf(command, of), () => ({}))),
      settle: () => settle(client),
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

async function settle(client: Client): Promise<void> {
  let before = 0;
  for (let calm = 0, tries = 0; calm < SETTLED_LOOKS; tries += 1) {
    if (tries === SETTLE_LOOKS_MAX) {
      throw new Fault("bench.pool", "no sandboxes wait although nothing runs", {
        hint: "see the daemon's log for `pool.prepare`",
      });
    }
    await sleep(START_POLL_MS);
    const { runs, waiting } = await client.call("daemon.status", {});
    calm = runs === 0 && waiting > 0 && waiting === before ? calm + 1 : 0;
    before = waiting;
  }
}

/** Watches a run to its end. @throws {Fault} `bench.run` where it does not end well. */
async function outputOf({ stream, reader, frames }: StartedRun): Promise<string> {
  let stdout = "";
  let stderr = "";
  const take = (frame: Frame): boolean => {
    if (frame.type === "stdout") stdout += frame.payload.toString();
    else if (frame.type === "stderr") stderr += frame.payload.toString();
    else if (frame.type === "exit") {
      const end = runEndSchema.parse(JSON.parse(frame.payload.toString()));
      stream.destroy();
      if (end.reason === "exited" && end.code === 0) return true;
      throw new Fault("bench.run", `a run ended by ${JSON.stringify(end)}: ${stderr || stdout}`);
    }
    return false;
  };
  if (frames.some(take)) return stdout;
  for await (const chunk of stream) {
    if (reader.push(chunk as Buffer).some(take)) return stdout;
  }
  throw new Fault("bench.run", "the daemon let go of a run before its end");
}
