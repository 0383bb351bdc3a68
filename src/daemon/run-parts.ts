/**
 * What a living run is made of, as far as `Run` drives it.
 *
 * @module
 */
import type { RunInfo } from "../api/index.ts";
import type { Clock, Log } from "../base/index.ts";
import type { Policy, Task } from "../policy/index.ts";
import type { OwnSystem } from "../systems/index.ts";
import type { Desk } from "./desk.ts";
import type { Lending } from "./lending.ts";
import type { Beyond } from "./means.ts";
import type { Recorder } from "./recorder.ts";
import type { RunFiles } from "./run-files.ts";
import type { RunLineage } from "./run-lineage.ts";
import type { UnattendedUses } from "./rules.ts";
import type { Inherited } from "./snapshots.ts";
import type { Process } from "../action/index.ts";
import type { ExecStart, Frame } from "../api/index.ts";
import type { FlowTuple } from "../gateway/index.ts";
import type { Execution } from "../sandbox/index.ts";

/** A command for a run that lives: what is not said is as for its agent. */
export type Command = Pick<ExecStart, "argv" | "cwd" | "environment" | "terminal">;

/** The parts of a living run that `Run` drives. */
export interface Parts {
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends every process of the run; resolves when none is left. */
  kill(): Promise<void>;
  /** Bytes on disk that are its doing. */
  written(): Promise<number>;
  input(frame: Frame): Promise<void> | undefined;
  attribute(flow: FlowTuple): Promise<Process>;
  /** Cuts every flow that is not granted any more, or every one, if it says why; tells how many. */
  recheck(cutAll?: string): Promise<number>;
  /** Everything that runs in it. */
  pids(): readonly number[];
  /** Ends the servers and closes the ports that it is granted no more. */
  keepGranted(): void;
  /** Makes a command ready in it. @throws {Fault} `sandbox.exec` */
  exec(command: Command): Promise<Execution>;
}

/** What a run is made with. */
export interface RunOptions {
  readonly info: RunInfo;
  readonly task: Task;
  readonly policy: Policy;
  readonly files: RunFiles;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  /** PEM of each grant's authority, by the grant's name. */
  readonly authorities: ReadonlyMap<string, string>;
  readonly lending: Lending;
  /** Systems of the user's own that its grants name, as they were when it began. */
  readonly own: ReadonlyMap<string, OwnSystem>;
  /** Asks persons on its behalf. */
  readonly desk: Desk;
  readonly unattended: UnattendedUses;
  readonly lineage: RunLineage;
  /** What it has from the run whose snapshot it started from. */
  readonly inherited?: Inherited;
  /** Whether its output waits for a first viewer. */
  readonly held: boolean;
  readonly beyond: Beyond;
}
