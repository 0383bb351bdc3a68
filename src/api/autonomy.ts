/**
 * The control contract's part on leave that a finding took from a task.
 *
 * @module
 */
import { z } from "zod";

const one = z.strictObject({ task: z.string() });

export const AUTONOMY_ENDPOINTS = {
  /** What was taken from a task, and why; absent where it has what its file says. */
  "autonomy.taken": {
    needs: "viewer",
    takes: one,
    gives: z.strictObject({
      taken: z.strictObject({ at: z.string(), run: z.string(), why: z.string() }).optional(),
    }),
    streams: false,
  },
  /** A person gives it back. */
  "autonomy.restore": {
    needs: "operator",
    takes: one,
    gives: z.strictObject({ restored: z.boolean() }),
    streams: false,
  },
} as const;
