/**
 * The part of the control contract that is about what waits for a person.
 *
 * @module
 */
import { z } from "zod";
import { actionSchema, causeSchema, effectSchema } from "../action/index.ts";
import { lookSchema } from "./looks.ts";
import { allowanceSchema, proofSchema } from "./passkeys.ts";

const approvalId = z.string().regex(/^p-[0-9a-z]{1,20}$/);
const one = z.strictObject({ id: approvalId });
/** A passkey's signature under exactly this decision: who decides is then its person, and not who speaks to the daemon. */
const proof = proofSchema.optional();

/** One line of a list. */
export const approvalInfoSchema = z.strictObject({
  id: approvalId,
  run: z.string(),
  task: z.string(),
  system: z.string(),
  kind: z.string(),
  verb: z.string(),
  effects: z.array(effectSchema),
  summary: z.string(),
  target: z.string(),
  state: z.string(),
  /** RFC 3339. */
  createdAt: z.string(),
  expiresAt: z.string(),
  /** Set where it is performed at a time, or may be taken back until then. */
  notBefore: z.string().optional(),
  /** Set where its run begins it itself after a yes: until then, once. */
  mayBeginUntil: z.string().optional(),
  by: z.array(z.string()),
  /** How many persons have to say yes. */
  needs: z.int().min(1).max(2),
  reason: z.string(),
  note: z.string(),
  /** An earlier one of the same run, verb and target. */
  variantOf: z.string().optional(),
  joins: z.number().int(),
});
export type ApprovalInfo = z.infer<typeof approvalInfoSchema>;

export const APPROVAL_ENDPOINTS = {
  "approvals.list": {
    needs: "viewer",
    takes: z.strictObject({ all: z.boolean() }),
    gives: z.array(approvalInfoSchema),
    streams: false,
  },
  "approvals.show": {
    needs: "viewer",
    /** `columns`: how wide the card may be; a terminal must break none of its lines. */
    takes: one.extend({
      columns: z.int().min(1).max(10_000).optional(),
      /** Without what it would widen, which takes longest: `approvals.widens` tells it. */
      isBrief: z.boolean().optional(),
    }),
    gives: approvalInfoSchema.extend({
      action: actionSchema,
      /** What is typed to approve it. Only the card has it: who approves has seen what. */
      code: z.string(),
      /** The stored body in base64; what is performed. */
      body: z.base64(),
      /** The card as text, safe for a terminal. */
      card: z.string(),
      /** Whether the card shows all of it. */
      isWhole: z.boolean(),
      /** The same as data. */
      look: lookSchema,
      /** The tool call and step behind it, and what the model asked for by that, where it was seen. */
      cause: causeSchema.optional(),
      call: z
        .strictObject({
          name: z.string(),
          input: z.string(),
          isCut: z.boolean(),
          model: z.string().optional(),
        })
        .optional(),
      /** What else its run did, a line each. */
      deeds: z.array(z.string()),
      /** What leave for more of the same would widen; absent where nobody may give it. */
      leave: z.array(z.string()).optional(),
      /** How bad its run could get, where it asks for more access, or why that is not known. */
      worst: z.array(z.string()).optional(),
      /** Whether leave for more of the same may be given. */
      mayLeave: z.boolean(),
      /** Those of its recipients whom nothing performed at such a system has reached before. */
      strangers: z.array(z.string()),
      /** How long after a yes it waits, to be taken back. */
      undoMs: z.int(),
      /** What a person changed of what was asked for, as lines of a difference. */
      changed: z.array(z.string()),
      isEditable: z.boolean(),
      /** Equal for those that may be gone through as one list; absent where it is decided alone. */
      alike: z.string().optional(),
    }),
    streams: false,
  },
  /** How bad its run could get by a yes, before and after. */
  "approvals.widens": {
    needs: "viewer",
    takes: one,
    gives: z.strictObject({
      leave: z.array(z.string()).optional(),
      worst: z.array(z.string()).optional(),
    }),
    streams: false,
  },
  "approvals.approve": {
    needs: "approver",
    takes: one.extend({
      code: z.string().max(64),
      /** Digest of the action on the card that was shown: a code is its beginning only, and others may share it. */
      digest: z.string().max(128).optional(),
      /** Lets the same kind through for this run, within these limits. */
      allowance: allowanceSchema.optional(),
      proof,
    }),
    gives: approvalInfoSchema,
    streams: false,
  },
  "approvals.deny": {
    needs: "approver",
    takes: one.extend({ reason: z.string().max(500), proof }),
    gives: approvalInfoSchema,
    streams: false,
  },
  /** Takes a yes back: while it waits for its time, or the own one of two. It never says no. */
  "approvals.undo": {
    needs: "approver",
    takes: one.extend({ proof }),
    gives: approvalInfoSchema,
    streams: false,
  },
  /** A file within the body, by its SHA-256 as the look has it. */
  "approvals.attachment": {
    needs: "viewer",
    takes: one.extend({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
    gives: z.strictObject({ bytes: z.base64() }),
    streams: false,
  },
  "approvals.edit": {
    needs: "approver",
    takes: one.extend({ body: z.base64().max(12 << 20), proof }),
    gives: approvalInfoSchema,
    streams: false,
  },
  "approvals.channels": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: z.strictObject({
      /** Where approvers are listed, if they are. */
      file: z.string().optional(),
      /** Why nobody decides, or no channel is used. */
      problem: z.string().optional(),
      approvers: z.array(z.string()),
      /** Only decisions with a passkey's signature count. */
      needsProof: z.boolean(),
      channels: z.array(
        z.strictObject({
          name: z.string(),
          /** listening | retrying | stopped */
          state: z.string(),
          error: z.string().optional(),
          /** Messages of nobody who is listed, since the daemon started. */
          strangers: z.number().int(),
        }),
      ),
    }),
    streams: false,
  },
  /** Says something harmless in a channel. */
  "approvals.test": {
    needs: "operator",
    takes: z.strictObject({ channel: z.string().max(40) }),
    gives: z.strictObject({ places: z.array(z.string()) }),
    streams: false,
  },
  "approvals.follow": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: approvalInfoSchema,
    streams: true,
  },
} as const;
