/**
 * The console's contract on where a credential was lent, and what was done to it: out of the record, which has names
 * and never a value.
 *
 * @module
 */
import { z } from "zod";
import { RUN_STATES } from "../endpoints.ts";

const seq = z.int().nonnegative();
/** Runs that are looked at, newest first. */
export const GRANTED_RUNS_MAX = 50;

/** A run whose task grants something with the credential. */
export const lentSchema = z.strictObject({
  run: z.string(),
  task: z.string(),
  state: z.enum(RUN_STATES),
  startedAt: z.string(),
  /** The grants' names, less those taken back. */
  grants: z.array(z.string()).readonly(),
  revoked: z.array(z.string()).readonly(),
  /** Requests that went with it, and the last of them. */
  uses: seq,
  last: z.strictObject({ entry: seq, at: z.string(), target: z.string() }).optional(),
});
export type Lent = z.infer<typeof lentSchema>;

export const LENT_ENDPOINTS = {
  "credential.trail": {
    needs: "viewer",
    takes: z.strictObject({ name: z.string().max(64) }),
    gives: z.strictObject({
      runs: z.array(lentSchema).readonly(),
      /** Added, rotated, revoked, revealed: newest first. */
      events: z
        .array(z.strictObject({ entry: seq, at: z.string(), detail: z.string() }))
        .readonly(),
    }),
    streams: false,
  },
} as const;
