/**
 * The control contract's part on how long the record is kept, and on backups of it.
 *
 * @module
 */
import { z } from "zod";

const run = z.string().regex(/^r-[0-9a-z]{1,20}$/);
const why = z.string().min(1).max(500);
const range = { from: z.int().nonnegative(), to: z.int().nonnegative() };

/** What is kept, what is due and what is gone. Ranges are of entries, `to` is the first behind. */
export const retentionSchema = z.strictObject({
  months: z.union([z.int(), z.literal("forever")]),
  warning: z.string().optional(),
  /** What is older is due; absent where everything is kept. RFC 3339. */
  cutoff: z.string().optional(),
  due: z.strictObject({ ranges: z.array(z.strictObject(range)), entries: z.int() }),
  /** Old enough, and needed. */
  kept: z.array(z.strictObject({ ...range, why: z.string() })),
  pruned: z.array(z.strictObject(range)),
  /** The newest pruning. */
  last: z.strictObject({ entry: z.int(), at: z.string(), months: z.int() }).optional(),
  holds: z.array(z.strictObject({ run, why, at: z.string(), by: z.string() })),
});
export type RetentionInfo = z.infer<typeof retentionSchema>;

const nothing = z.strictObject({});

export const RETENTION_ENDPOINTS = {
  "retention.show": { needs: "viewer", takes: nothing, gives: retentionSchema, streams: false },
  /** Removes what is due, now; `runs` are those whose last entries went, and all that was theirs. */
  "retention.prune": {
    needs: "owner",
    takes: nothing,
    gives: z.strictObject({ entries: z.int(), runs: z.array(run), show: retentionSchema }),
    streams: false,
  },
  "retention.hold": {
    needs: "operator",
    takes: z.strictObject({ run, why }),
    gives: nothing,
    streams: false,
  },
  "retention.release": {
    needs: "owner",
    takes: z.strictObject({ run, why }),
    gives: nothing,
    streams: false,
  },
  /** Copies of the databases, consistent in themselves, in `folder`, for as long as the answer is read; nothing is pruned meanwhile. */
  "backup.hold": {
    needs: "owner",
    takes: nothing,
    gives: z.strictObject({ folder: z.string(), files: z.array(z.string()) }),
    streams: true,
  },
} as const;
