/**
 * What a living run is made of, as far as `Run` drives it.
 *
 * @module
 */
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
