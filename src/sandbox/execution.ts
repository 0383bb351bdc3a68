/**
 * A command in a run that lives already: begun under the run's own seal, ended without touching the rest of the run.
 *
 * @module
 */
import { closeSync, readFileSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { Fault } from "../base/index.ts";
import * as sys from "../sys/index.ts";
import { encodeFrame } from "./control.ts";
import {
  commandFields,
  openStreams,
  signalName,
  type AgentStreams,
  type ExecReport,
  type Exit,
  type Launcher,
  type StartOrder,
} from "./launch.ts";

const READY_WAIT_MS = 60_000; // Process 1 answers in a millisecond; 120 at once on a loaded machine took 15 s, and a frozen run never does.
/** Process 1 ends with its run where it is sent what it does not take (native/control.c, agent.c): no command comes near. */
const FIELDS_MAX = 60_000;
const FIELDS_BYTES_MAX = 3 << 20;
/** native/exec.c: begins. Any other byte is a signal's number. */
const GO = 0xff;

/** How a command ended. */
export interface ExecutionEnd extends Exit {
  /** With its whole run. */
  readonly withRun?: true;
}

/** One command of a live run. */
export interface Execution {
  /** The keeper between process 1 and the command, by its number on the host: all of the command descends from it. */
  readonly keeperPid: number;
  readonly streams: AgentStreams;
  /** Resolves when the command itself has ended; what it left behind lives on. */
  readonly ended: Promise<ExecutionEnd>;
  /** Lets it begin; nothing of it has run before. */
  go(): void;
  /** Sends a signal to its process group; nothing where it has ended. */
  signal(name: NodeJS.Signals): void;
  /** Ends the command and all that it started; nothing where it has ended. */
  cancel(): void;
}

/**
 * Makes a command ready.
 *
 * @throws {Fault} `sandbox.exec` where process 1 cannot, or does not answer: the run is ending, stands still, or is at
 *   a limit of its own; and where the command is too long. `sandbox.field` where it holds a NUL byte.
 */
export async function prepareExecution(launcher: Launcher, order: StartOrder): Promise<Execution> {
  const ended = Promise.withResolvers<ExecutionEnd>();
  let problem: string | undefined;
  let failure: string | undefined;
  const told = (report: ExecReport) => {
    if (report.type === "not-started")
      problem = `${report.command}: ${sys.errnoName(report.errno)}`;
    if (report.type === "exec-failed") failure = `${report.call}: ${sys.errnoName(report.errno)}`;
    if (report.type === "run-ended") ended.resolve({ signal: "SIGKILL", withRun: true });
    if (report.type !== "exec-ended") return;
    const { code, signal } = report;
    const exit = signal === undefined ? { code: code ?? 0 } : { signal: signalName(signal) };
    const why = problem ?? failure;
    ended.resolve(why === undefined ? exit : { ...exit, problem: why });
  };
  const fields = commandFields(order);
  if (fields.length > FIELDS_MAX || encodeFrame(fields).length > FIELDS_BYTES_MAX) {
    throw new Fault("sandbox.exec", "the command and its environment are too long", {
      hint: "no kernel takes so much: write it to a file, or send it as input",
    });
  }
  const descriptors = await launcher.exec(fields, READY_WAIT_MS, told);
  const [gate, handle] = descriptors.slice(-2);
  if (gate === undefined || handle === undefined) {
    throw new Fault(
      "sandbox.exec",
      `the run takes no command: ${failure ?? "it does not answer"}`,
      {
        hint: "it may be paused, ending, or at its limit of processes (`compute: { pids }`)",
      },
    );
  }
  const streams = descriptors.slice(0, -2);
  let keeperPid: number;
  try {
    keeperPid = pidOf(handle);
  } catch (error) {
    for (const one of [...streams, gate]) sys.closeDescriptor(one);
    throw error;
  } finally {
    sys.closeDescriptor(handle);
  }
  const kind = order.terminal === undefined ? "pipes" : "terminal";
  try {
    return hold(keeperPid, gate, openStreams(kind, streams), ended.promise);
  } catch (error) {
    sys.closeDescriptor(gate);
    throw error;
  }
}

function hold(
  keeperPid: number,
  gate: number,
  streams: AgentStreams,
  ended: Promise<ExecutionEnd>,
): Execution {
  let open = true;
  const close = () => {
    if (open) closeSync(gate);
    open = false;
  };
  void ended.then(close);
  const say = (word: number) => {
    if (!open) return;
    try {
      writeSync(gate, Uint8Array.of(word));
    } catch {
      // EPIPE: its keeper has gone, and its end is on the way.
    }
  };
  return {
    keeperPid,
    streams,
    ended,
    go: () => say(GO),
    signal: (name) => say(constants.signals[name]),
    cancel: close,
  };
}

/** The number, here, of the process behind a handle (proc(5), fdinfo of a pidfd). @throws {Fault} `sandbox.exec` */
function pidOf(handle: number): number {
  const found = /^Pid:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${handle}`, "utf8"));
  if (found === null) {
    throw new Fault("sandbox.exec", "a command's keeper ended before anything began");
  }
  return Number(found[1]);
}
