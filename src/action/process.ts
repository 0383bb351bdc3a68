/**
 * Which process caused something, and how that is known.
 *
 * @module
 */
import { z } from "zod";

/** One process, as seen from the host. */
const processNodeSchema = z.strictObject({
  /** Process id as the host sees it. */
  pid: z.number().int().nonnegative(),
  /** Path of the executable as the run sees it. */
  exe: z.string(),
  /** Hex SHA-256 of the executable's bytes; absent where it could not be read. */
  exeSha256: z.string().optional(),
  argv: z.array(z.string()),
});

/**
 * How a process was found, strongest first. `seccomp`: the kernel held the very process while we
 * looked. `socket`: the socket's cookie is one that a held process owned. `proc`: read from /proc
 * without holding. `unknown`: not found; then `pid` is 0.
 */
export const KNOWN_BY = ["seccomp", "socket", "proc", "unknown"] as const;

export const processSchema = processNodeSchema.extend({
  knownBy: z.enum(KNOWN_BY),
  /** Parent first; ends at the run's first process. */
  ancestors: z.array(processNodeSchema),
});

export type ProcessNode = z.infer<typeof processNodeSchema>;
/** A process with its ancestors: the cause of a flow, an action or a finding. */
export type Process = z.infer<typeof processSchema>;

/** For what could not be attributed: said openly rather than guessed. */
export const UNKNOWN_PROCESS: Process = {
  pid: 0,
  exe: "",
  argv: [],
  knownBy: "unknown",
  ancestors: [],
};
