/**
 * The console's part of the contract on drills: what there is, and one that is watched while it happens.
 *
 * @module
 */
import { z } from "zod";

/** Without Cofferdam, or in runs. */
export const DRILL_PHASES = ["bare", "contained"] as const;
const CHANNELS = ["command", "prompt", "file", "tool"] as const;

const drill = z.string();
const channel = z.enum(CHANNELS);
const phase = z.enum(DRILL_PHASES);

/** A drill before it is run. */
export const drillInfoSchema = z.strictObject({
  name: drill,
  /** `d09`; of the ROME case all that it covers. */
  ids: z.array(z.string()),
  /** Numbers of the incidents that it is made after. */
  incidents: z.string(),
  title: z.string(),
  sentences: z.array(z.string()),
  /** Why it cannot be run on this machine. */
  lacks: z.string().optional(),
});
export type DrillInfo = z.infer<typeof drillInfoSchema>;

/** How far an attempt came, as the services outside say. */
const reached = { crossed: z.boolean(), effect: z.boolean(), harm: z.boolean() };

/** An attempt as it was judged in the end. */
export const drillAttemptSchema = z.strictObject({
  name: z.string(),
  channel,
  what: z.string(),
  target: z.string(),
  ...reached,
  /** How it went without Cofferdam. */
  bare: z.string(),
  bareCrossed: z.boolean(),
  /** Why it does not count as contained and shown; empty where it does. */
  faults: z.array(z.string()),
  stoppedBy: z.string().optional(),
  noticedMs: z.number().optional(),
  stoppedMs: z.number().optional(),
  /** The entry of the drill's own record. */
  entry: z.int().optional(),
  /** The entry's inclusion proof holds. */
  proved: z.boolean(),
  /** The process and its ancestors, parent first. */
  by: z.array(z.string()),
  /** Why nothing need be on record, or why it came to nothing before it was tried. */
  silent: z.string().optional(),
  spared: z.string().optional(),
});
export type DrillAttempt = z.infer<typeof drillAttemptSchema>;

/** What happens in a drill, in order. */
export const drillEventSchema = z.discriminatedUnion("event", [
  z.strictObject({ event: z.literal("progress"), text: z.string() }),
  /** What will be tried, and the ordinary work that has to pass. */
  z.strictObject({
    event: z.literal("plan"),
    drill,
    attempts: z.array(
      z.strictObject({ name: z.string(), channel, what: z.string(), target: z.string() }),
    ),
    twins: z.array(z.string()),
  }),
  /** The stand-in says that it begins something, or is done with it. */
  z.strictObject({
    event: z.literal("step"),
    ...{ drill, phase, channel },
    kind: z.enum(["attempt", "twin"]),
    name: z.string(),
    state: z.enum(["started", "ended"]),
    /** Milliseconds since the epoch. */
    at: z.number(),
    /** Its exit code. */
    code: z.number().nullable().optional(),
  }),
  /** An entry of the record about it, as it is written: a refusal, a finding, what follows from one. */
  z.strictObject({
    event: z.literal("noticed"),
    ...{ drill, channel },
    run: z.string(),
    /** The attempt whose process it names. */
    attempt: z.string().optional(),
    entry: z.int(),
    at: z.string(),
    type: z.string(),
    rule: z.string().optional(),
    target: z.string().optional(),
    detail: z.string(),
  }),
  z.strictObject({
    event: z.literal("reached"),
    ...{ drill, phase, channel },
    name: z.string(),
    ...reached,
    told: z.string(),
  }),
  z.strictObject({
    event: z.literal("result"),
    drill,
    /** Every attempt was contained and shown, and every twin passed. */
    passed: z.boolean(),
    /** Why it was not run. */
    skipped: z.string().optional(),
    /** What kept it from being carried out to its end. */
    failed: z.string().optional(),
    ledgerIntact: z.boolean(),
    attempts: z.array(drillAttemptSchema),
    twins: z.array(z.strictObject({ name: z.string(), passed: z.boolean(), detail: z.string() })),
  }),
]);
export type DrillEvent = z.infer<typeof drillEventSchema>;

export const DRILL_ENDPOINTS = {
  "drill.list": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: z.array(drillInfoSchema),
    streams: false,
  },
  /** Runs one, in a home of its own; it ends when the caller goes. One at a time. */
  "drill.run": {
    needs: "operator",
    takes: z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/) }),
    gives: drillEventSchema,
    streams: true,
  },
} as const;
