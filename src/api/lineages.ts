/**
 * The control contract's part on lineages: all runs of one job, one agent or one secret as one thing.
 *
 * @module
 */
import { z } from "zod";
import { lineageKeySchema, lineageNameSchema } from "../action/index.ts";

/** What a starter says of a run: which job it is of, and which agent it is. Without it the agent is the task. */
export const lineageStartSchema = z.strictObject({
  job: lineageNameSchema.optional(),
  agent: lineageNameSchema.optional(),
});

/** A lineage with runs that live, or that is paused. */
export const lineageInfoSchema = z.strictObject({
  lineage: lineageKeySchema,
  /** What a secret is called in the vault: `credential:NAME`, each as good as its id. */
  names: z.array(z.string()),
  runs: z.array(z.string()),
  paused: z.strictObject({ at: z.string(), why: z.string() }).optional(),
  /** How much of its budget is used up, of what is used up most: 1 is all. */
  share: z.number().optional(),
  /** A line for each thing that is limited. */
  budget: z.array(z.string()).optional(),
});
export type LineageInfo = z.infer<typeof lineageInfoSchema>;

const one = z.strictObject({ lineage: lineageKeySchema });
const reached = z.strictObject({
  lineage: lineageKeySchema,
  /** How many runs it reached. */
  runs: z.int().nonnegative(),
  /** Until it held for the last of them. */
  withinMs: z.number().nonnegative(),
});

export const LINEAGE_ENDPOINTS = {
  "lineage.list": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: z.array(lineageInfoSchema),
    streams: false,
  },
  "lineage.show": { needs: "viewer", takes: one, gives: lineageInfoSchema, streams: false },
  /** Freezes every run of it, and lets none begin until it is resumed. */
  "lineage.pause": { needs: "operator", takes: one, gives: reached, streams: false },
  "lineage.resume": { needs: "operator", takes: one, gives: reached, streams: false },
  /** Ends every run of it; it stays paused, so that none begins again by itself. */
  "lineage.kill": { needs: "operator", takes: one, gives: reached, streams: false },
} as const;
