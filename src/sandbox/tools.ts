/**
 * Which parts of the host a command needs to run at all: its executable, the toolchain around it, the
 * interpreter that its first line names; and never a home, nor a file that holds credentials.
 *
 * @module
 */
import type { Bind } from "./launch-plan.ts";

/** What of the host's tools a run sees, at their own paths, read-only. */
export interface Tools {
  readonly binds: readonly Bind[];
  /** Symbolic links to make again, since the folder that holds them is not shown. */
  readonly links: readonly (readonly [place: string, target: string])[];
  /** Files inside of `binds` that may hold credentials. */
  readonly masked: readonly string[];
  /** The caller's PATH, less what does not exist inside. */
  readonly path: string;
}
