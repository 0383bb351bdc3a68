/**
 * The console's part of the contract on passkeys: a person's own, and for whoever looks after this Cofferdam everybody's.
 * The daemon keeps them (api/passkeys.ts); the console says for whom it asks.
 *
 * @module
 */
import { z } from "zod";
import { makePasskeySchema, passkeyInfoSchema, passkeyOfferSchema } from "../passkeys.ts";
import { roleSchema } from "../roles.ts";

/** Whose: said by the owner, who signed in by a link; everybody else is who they are. */
const whose = z.strictObject({
  person: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/)
    .optional(),
  roles: z.array(roleSchema).min(1).max(3).optional(),
});

export const PASSKEY_ROOM_ENDPOINTS = {
  "passkeys.offer": { needs: "viewer", takes: whose, gives: passkeyOfferSchema, streams: false },
  "passkeys.add": {
    needs: "viewer",
    takes: whose.extend({ made: makePasskeySchema }),
    gives: passkeyInfoSchema,
    streams: false,
  },
  "passkeys.remove": {
    needs: "viewer",
    takes: z.strictObject({ id: z.string().max(40) }),
    gives: passkeyInfoSchema,
    streams: false,
  },
} as const;
