/**
 * The control contract's part on recordings of terminals.
 *
 * @module
 */
import { z } from "zod";

const run = z.string().regex(/^r-[0-9a-z]{1,20}$/);
const id = z.string().regex(/^rec-[0-9a-z]{1,20}$/);

/** A recording as `recordings` lists it. */
export const recordingInfoSchema = z.strictObject({
  id,
  run,
  system: z.string(),
  target: z.string(),
  /** RFC 3339. */
  startedAt: z.string(),
  seconds: z.number(),
  bytes: z.number(),
  state: z.enum(["recording", "complete", "incomplete"]),
  /** Why it is not complete. */
  end: z.string().optional(),
  /**
   * The file beside the record: `ok`; `changed`, `missing`, or `unrecorded`: there, and the record knows nothing of it;
   * `removed`: gone together with the folder of its run; `open`: it grows still.
   */
  check: z.enum(["ok", "changed", "missing", "unrecorded", "removed", "open"]),
  /** Number of the ledger's entry with its length and SHA-256. */
  entry: z.number().int().optional(),
});
export type RecordingInfo = z.infer<typeof recordingInfoSchema>;

export const RECORDING_ENDPOINTS = {
  "recordings.list": {
    needs: "viewer",
    takes: z.strictObject({ run: run.optional(), id: id.optional() }),
    gives: z.array(recordingInfoSchema),
    streams: false,
  },
  /** The file, in pieces. */
  "recordings.read": {
    needs: "viewer",
    takes: z.strictObject({ run, id }),
    gives: z.strictObject({ bytes: z.base64() }),
    streams: true,
  },
} as const;
