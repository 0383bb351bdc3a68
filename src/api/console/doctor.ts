/**
 * The console's contract on this machine: every prerequisite, with its fix.
 *
 * @module
 */
import { z } from "zod";

export const DOCTOR_ENDPOINTS = {
  /** Tries a sandbox, too: it takes a second. */
  "doctor.examine": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: z
      .array(
        z.strictObject({
          name: z.string(),
          ok: z.boolean(),
          found: z.string(),
          needed: z.string(),
          /** Empty where nothing is missing. */
          fix: z.string(),
        }),
      )
      .readonly(),
    streams: false,
  },
} as const;
