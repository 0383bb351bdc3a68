/**
 * The control contract's part on passkeys. A row that takes a person's name on trust is the `owner`'s: only the console's
 * own process asks it, for whoever it knows to be signed in.
 *
 * @module
 */
import { z } from "zod";
import { roleSchema } from "./roles.ts";

const base64url = z.string().regex(/^[\w-]+$/);
const id = z.string().regex(/^k-[0-9a-f]{12}$/);
const personName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);
const nonce = base64url.max(100);
const nothing = z.strictObject({});

/** What the browser's API gives for a signature; binary parts in base64url. */
export const assertionSchema = z.strictObject({
  id: base64url.max(1400),
  response: z.strictObject({
    clientDataJSON: base64url.max(8192),
    authenticatorData: base64url.max(8192),
    signature: base64url.max(8192),
  }),
});

/** A person's signature under one decision (docs/decisions/0418). */
export const proofSchema = z.strictObject({ nonce, assertion: assertionSchema });

const newPasskeySchema = z.strictObject({
  id: base64url.max(1400),
  response: z.strictObject({
    clientDataJSON: base64url.max(8192),
    attestationObject: base64url.max(65_536),
  }),
});

/** What a browser signs. */
export const signatureAskSchema = z.strictObject({
  nonce,
  challenge: z.string(),
  rpId: z.string(),
});

export const passkeyOfferSchema = signatureAskSchema.extend({
  user: z.string(),
  algorithms: z.array(z.number().int()),
  known: z.array(z.string()),
  /** What a passkey of the same person has to sign, where they have one. */
  vouch: signatureAskSchema.optional(),
});

export const passkeyInfoSchema = z.strictObject({
  id,
  person: personName,
  label: z.string(),
  roles: z.array(roleSchema),
  /** The host whose pages it signs for. */
  rpId: z.string(),
  createdAt: z.string(),
  usedAt: z.string().optional(),
});
export type PasskeyInfo = z.infer<typeof passkeyInfoSchema>;

/** The limits of a leave for more of the same. */
export const allowanceSchema = z.strictObject({
  count: z.int().min(1).max(1000),
  forMs: z
    .int()
    .min(1000)
    .max(7 * 864e5),
  recipients: z.int().min(1).max(10_000).optional(),
  amount: z.strictObject({ currency: z.string(), value: z.string() }).optional(),
});

/** A decision, as it is signed: all that it says. */
export const decisionSchema = z.discriminatedUnion("decision", [
  z.strictObject({
    decision: z.literal("approve"),
    allowance: allowanceSchema.optional(),
  }),
  z.strictObject({ decision: z.literal("deny"), reason: z.string().max(500) }),
  /** `sha256` of the new body, in hex. */
  z.strictObject({ decision: z.literal("edit"), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ decision: z.literal("undo") }),
]);
export type DecisionSaid = z.infer<typeof decisionSchema>;

const whose = z.strictObject({ person: personName, roles: z.array(roleSchema).min(1) });
/** What {@link makePasskeySchema}'s caller chose to call it. */
const label = z.string().trim().min(1).max(60);
export const makePasskeySchema = z.strictObject({
  ...{ nonce, label, passkey: newPasskeySchema },
  vouch: proofSchema.optional(),
});

export const PASSKEY_ENDPOINTS = {
  "passkey.list": {
    needs: "viewer",
    takes: nothing,
    gives: z.array(passkeyInfoSchema),
    streams: false,
  },
  /** Asks for a signature under a decision over what waits, as it stands now. */
  "passkey.prove": {
    needs: "approver",
    takes: z.strictObject({
      id: z.string().regex(/^p-[0-9a-z]{1,20}$/),
      said: decisionSchema,
      /** Digest of the action on the card that was shown; refused where it is another by now. */
      digest: z.string().max(128).optional(),
    }),
    gives: signatureAskSchema,
    streams: false,
  },
  "passkey.enrol": { needs: "owner", takes: whose, gives: passkeyOfferSchema, streams: false },
  "passkey.register": {
    needs: "owner",
    takes: whose.extend({ made: makePasskeySchema, by: z.string().max(400) }),
    gives: passkeyInfoSchema,
    streams: false,
  },
  "passkey.remove": {
    needs: "owner",
    takes: z.strictObject({ id, by: z.string().max(400).optional() }),
    gives: passkeyInfoSchema,
    streams: false,
  },
  /** Asks for a signature that signs somebody in; whom, it will say itself. */
  "passkey.challenge": {
    needs: "owner",
    takes: nothing,
    gives: signatureAskSchema,
    streams: false,
  },
  "passkey.signIn": { needs: "owner", takes: proofSchema, gives: whose, streams: false },
} as const;
