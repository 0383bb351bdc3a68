/**
 * The console's part of the contract on who is signed in.
 *
 * @module
 */
import { z } from "zod";
import { roleSchema } from "../roles.ts";

const nothing = z.strictObject({});
const sessionId = z.string().regex(/^[0-9a-f]{16}$/);

export const sessionInfoSchema = z.strictObject({
  session: sessionId,
  person: z.string(),
  roles: z.array(roleSchema),
  /** What the browser says that it is; anybody may say anything. */
  about: z.string(),
  startedAt: z.string(),
  usedAt: z.string(),
  expiresAt: z.string(),
  /** The one that asks. */
  isThis: z.boolean(),
});
export type SessionInfo = z.infer<typeof sessionInfoSchema>;

export const SESSION_ENDPOINTS = {
  /** Who asks, as what, and whose home this is. */
  "session.show": {
    needs: "viewer",
    takes: nothing,
    gives: z.strictObject({
      person: z.string(),
      /** As the record has it: `cli:1000`, `passkey:ada`. */
      identity: z.string(),
      roles: z.array(roleSchema),
      home: z.string(),
      version: z.string(),
      /** RFC 3339: when it ends, whatever happens. */
      expiresAt: z.string(),
    }),
    streams: false,
  },
  /** Sessions that are not over: one's own, and to an operator everybody's. */
  "session.list": {
    needs: "viewer",
    takes: nothing,
    gives: z.array(sessionInfoSchema),
    streams: false,
  },
  /** Ends one of them, and what it has coming, at once. */
  "session.revoke": {
    needs: "viewer",
    takes: z.strictObject({ session: sessionId }),
    gives: nothing,
    streams: false,
  },
  /** Signs out. */
  "session.end": { needs: "viewer", takes: nothing, gives: nothing, streams: false },
} as const;
