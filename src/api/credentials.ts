/**
 * The control contract's part on credentials. A secret only ever goes in, but for `credential.reveal`.
 *
 * @module
 */
import { z } from "zod";

const name = z.string().max(64);
/** Kind and what goes with it; src/vault/spec.ts has the forms and refuses what is none. */
const how = z.record(z.string(), z.string().optional());
const binding = z.strictObject({
  scheme: z.string(),
  hosts: z.array(z.string()),
  port: z.number().int(),
});

/** A credential as `credential show` prints it. */
export const credentialInfoSchema = z.strictObject({
  name,
  binding,
  how,
  /** The same for the same secret in this installation, and in no other. */
  fingerprint: z.string(),
  createdAt: z.string(),
  rotatedAt: z.string().optional(),
  usedAt: z.string().optional(),
});
export type CredentialInfo = z.infer<typeof credentialInfoSchema>;

/** `value` is the secret; the others go with some kinds. */
const secret = z.strictObject({
  value: z.string(),
  clientSecret: z.string().optional(),
  sessionToken: z.string().optional(),
});

const one = z.strictObject({ name });
const nothing = z.strictObject({});

export const CREDENTIAL_ENDPOINTS = {
  "credential.list": {
    needs: "viewer",
    takes: nothing,
    gives: z.array(credentialInfoSchema),
    streams: false,
  },
  "credential.show": { needs: "viewer", takes: one, gives: credentialInfoSchema, streams: false },
  "credential.add": {
    needs: "operator",
    takes: z.strictObject({ spec: z.strictObject({ name, binding, how }), secret }),
    gives: credentialInfoSchema,
    streams: false,
  },
  "credential.rotate": {
    needs: "operator",
    takes: z.strictObject({ name, secret }),
    gives: credentialInfoSchema,
    streams: false,
  },
  "credential.revoke": {
    needs: "operator",
    takes: one,
    gives: credentialInfoSchema,
    streams: false,
  },
  /** `confirm` is what a person typed at a terminal: the name. Recorded before it is answered. */
  "credential.reveal": {
    needs: "owner",
    takes: z.strictObject({ name, confirm: z.string() }),
    gives: z.strictObject({ secret: z.string() }),
    streams: false,
  },
  /** One request with the credential, to a place that it is bound to. */
  "credential.test": {
    needs: "operator",
    takes: z.strictObject({
      name,
      method: z.enum(["GET", "HEAD"]),
      path: z.string().regex(/^\/[!-~]*$/),
      /** Which host of its binding, where that is a pattern or several. */
      host: z.string().optional(),
      /** `ADDRESS:PORT` to connect to instead of what the name resolves to. */
      dial: z
        .string()
        .regex(/^(\d{1,3}(\.\d{1,3}){3}|\[[\da-f:]+\]):\d{1,5}$/)
        .optional(),
    }),
    gives: z.strictObject({
      /** `unclear` where the status says nothing about the credential, as 404 does not. */
      verdict: z.enum(["accepted", "refused", "unclear"]),
      status: z.number().int(),
      target: z.string(),
    }),
    streams: false,
  },
  /** `text` is an agent's own login file. */
  "credential.import": {
    needs: "owner",
    takes: z.strictObject({
      agent: z.enum(["claude", "codex", "gemini"]),
      text: z.string(),
      clientSecret: z.string().optional(),
    }),
    gives: credentialInfoSchema,
    streams: false,
  },
  /** Opens a vault that a passphrase locks, until the daemon ends. */
  "credential.unlock": {
    needs: "operator",
    takes: z.strictObject({ passphrase: z.string().min(1) }),
    gives: nothing,
    streams: false,
  },
  /** Locks the vault by this passphrase from now on, or by its key file where there is none. */
  "credential.protect": {
    needs: "owner",
    takes: z.strictObject({ passphrase: z.string().min(1).optional() }),
    gives: nothing,
    streams: false,
  },
} as const;
