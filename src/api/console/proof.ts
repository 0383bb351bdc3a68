/**
 * The console's contract on what makes the record evidence: proofs of entries, its verification, and taking it elsewhere.
 *
 * @module
 */
import { z } from "zod";
import { recordQuerySchema } from "./ledger.ts";

const seq = z.int().nonnegative();
/** SHA-256 in hexadecimal. */
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** A proof that holds, and each step of it. */
export const shownProofSchema = z.strictObject({
  seq,
  /** As C2SP tlog-proof has it: all that a third party needs but for the key. */
  proof: z.string(),
  /** The verifier key of this record. Whose it is only a copy that is kept elsewhere shows. */
  key: z.string(),
  /** Which log it is, and how many entries the checkpoint covers. */
  origin: z.string(),
  size: seq,
  /** The signed note. */
  checkpoint: z.string(),
  leaf: digest,
  /** From the leaf upwards: what joins on which side, and what both make. The last makes the root. */
  steps: z
    .array(z.strictObject({ sibling: digest, side: z.enum(["left", "right"]), node: digest }))
    .readonly(),
  root: digest,
});
export type ShownProof = z.infer<typeof shownProofSchema>;

/** How far a verification is, and in the end what was found. */
export const verifyEventSchema = z.discriminatedUnion("event", [
  z.strictObject({ event: z.literal("progress"), hashed: seq, size: seq }),
  z.strictObject({
    event: z.literal("verdict"),
    ok: z.boolean(),
    size: seq,
    /** In base64, as the checkpoint has it. */
    root: z.string(),
    /** Entries behind the checkpoint, which no signature covers yet. */
    unsigned: seq,
    problems: z
      .array(z.strictObject({ seq: seq.optional(), file: z.string(), what: z.string() }))
      .readonly(),
    /** How many more there are than are listed. */
    more: seq,
  }),
]);
export type VerifyEvent = z.infer<typeof verifyEventSchema>;

export const EXPORT_FORMS = ["ocsf", "otlp", "csv", "raw"] as const;
export type ExportForm = (typeof EXPORT_FORMS)[number];

export const PROOF_ENDPOINTS = {
  /** A proof of one entry. */
  "ledger.proof": {
    needs: "viewer",
    takes: z.strictObject({ seq }),
    gives: shownProofSchema,
    streams: false,
  },
  /** Hashes every entry again; one at a time. It ends when the caller goes. */
  "ledger.verify": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: verifyEventSchema,
    streams: true,
  },
  /** What matches, in a form of others: pieces of the file, and at the end how many entries it has. */
  "ledger.export": {
    needs: "viewer",
    takes: z.strictObject({ query: recordQuerySchema, form: z.enum(EXPORT_FORMS) }),
    gives: z.strictObject({ text: z.string(), entries: seq }),
    streams: true,
  },
} as const;
