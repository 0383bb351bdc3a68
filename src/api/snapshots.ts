/**
 * The control contract's part on snapshots: what a run made of its workspace and HOME, kept to start others from.
 *
 * @module
 */
import { z } from "zod";

const run = z.string().regex(/^r-[0-9a-z]{1,20}$/);
export const snapshotId = z.string().regex(/^s-[0-9a-z]{1,20}$/);

export const snapshotInfoSchema = z.strictObject({
  snapshot: snapshotId,
  /** The run that it is of. */
  run,
  task: z.string(),
  /** The workspace that it is over. */
  workspace: z.string(),
  name: z.string().optional(),
  /** RFC 3339. */
  takenAt: z.string(),
  /** On disk, and names in it. */
  bytes: z.number(),
  names: z.number(),
});
export type SnapshotInfo = z.infer<typeof snapshotInfoSchema>;

export const SNAPSHOT_ENDPOINTS = {
  /** The run stands still meanwhile; one that has ended may be asked for as well. */
  "run.snapshot": {
    needs: "owner",
    takes: z.strictObject({ run, name: z.string().min(1).max(200).optional() }),
    gives: snapshotInfoSchema,
    streams: false,
  },
  "snapshot.list": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: z.array(snapshotInfoSchema),
    streams: false,
  },
  "snapshot.remove": {
    needs: "owner",
    takes: z.strictObject({ snapshot: snapshotId }),
    gives: z.strictObject({}),
    streams: false,
  },
} as const;
