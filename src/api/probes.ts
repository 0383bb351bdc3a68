/**
 * The control contract's part on probes.
 *
 * @module
 */
import { z } from "zod";

/** What became of asking one grant's system. */
export const probedSchema = z.strictObject({
  grant: z.string(),
  system: z.string(),
  /** Who was asked about. */
  principal: z.string(),
  facts: z.number().int(),
  questions: z.number().int(),
  /** What could not be asked, and counts at its worst. */
  notes: z.array(z.string()),
  /** In the home's `facts/`; absent where nothing was asked. */
  file: z.string().optional(),
});

export const PROBE_ENDPOINTS = {
  /** Asks the systems of a task file what its credentials can do. Whose text it is says where they are sent. */
  "probe.task": {
    needs: "owner",
    takes: z.strictObject({
      task: z.strictObject({ source: z.string(), fileName: z.string() }),
      /** Only this one. */
      grant: z.string().optional(),
    }),
    gives: z.strictObject({ grants: z.array(probedSchema) }),
    streams: false,
  },
} as const;
