/**
 * The part of the control contract that is about what waits for a person.
 *
 * @module
 */
import { z } from "zod";
import { actionSchema, effectSchema } from "../action/index.ts";

const approvalId = z.string().regex(/^p-[0-9a-z]{1,20}$/);
const one = z.strictObject({ id: approvalId });

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
    takes: one.extend({ columns: z.int().min(1).max(10_000).optional() }),
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
    }),
    streams: false,
  },
  "approvals.approve": {
    needs: "approver",
    takes: one.extend({
      code: z.string().max(64),
      /** Lets the same kind through for this run, within these limits. */
      allowance: z
        .strictObject({
          count: z.int().min(1).max(1000),
          forMs: z
            .int()
            .min(1000)
            .max(7 * 864e5),
          recipients: z.int().min(1).max(10_000).optional(),
          amount: z.strictObject({ currency: z.string(), value: z.string() }).optional(),
        })
        .optional(),
    }),
    gives: approvalInfoSchema,
    streams: false,
  },
  "approvals.deny": {
    needs: "approver",
    takes: one.extend({ reason: z.string().max(500) }),
    gives: approvalInfoSchema,
    streams: false,
  },
  "approvals.edit": {
    needs: "approver",
    takes: one.extend({ body: z.base64().max(12 << 20) }),
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
