/**
 * The console's part of the contract on who is signed in.
 *
 * @module
 */
import { z } from "zod";
import { roleSchema } from "../roles.ts";

const nothing = z.strictObject({});

export const SESSION_ENDPOINTS = {
  /** Who asks, as what, and whose home this is. */
  "session.show": {
    needs: "viewer",
    takes: nothing,
    gives: z.strictObject({
      person: z.string(),
      roles: z.array(roleSchema),
      home: z.string(),
      version: z.string(),
      /** RFC 3339: when it ends, whatever happens. */
      expiresAt: z.string(),
    }),
    streams: false,
  },
  /** Signs out. */
  "session.end": { needs: "viewer", takes: nothing, gives: nothing, streams: false },
} as const;
