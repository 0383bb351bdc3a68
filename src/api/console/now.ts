/**
 * The console's contract on what happens now: a card for each run.
 *
 * @module
 */
import { z } from "zod";
import { EFFECTS, VERDICTS } from "../../action/index.ts";
import { RUN_STATES, runEndSchema } from "../endpoints.ts";

/** How long a strip of actions is. */
export const STRIP_SECONDS = 120;
/** Ended runs that are shown. */
export const ENDED_SHOWN = 50;
/** What a strip counts: the gravest effect of each action; `connect` is what was refused below an action. */
export const STRIP_EFFECTS = [...EFFECTS, "connect"] as const;

const count = z.int().nonnegative();
const seq = count;
const at = z.string();

/** Why a run needs a person. `act`: it waits until one does something. `look`: it goes on, or is over. */
export const needSchema = z.strictObject({
  level: z.enum(["act", "look"]),
  why: z.enum(["approval", "paused", "finding", "failed"]),
  /** A sentence; words of agents may be in it. */
  text: z.string(),
  /** RFC 3339: since when. */
  since: at,
  /** The entry that says so. */
  seq,
});
export type Need = z.infer<typeof needSchema>;

/** Something limited: what is used of it, and the limit where there is one. `now` is the rate or level, `used` the sum. */
const budgetSchema = z.strictObject({
  what: z.enum([
    "tokens",
    "money",
    "cpu",
    "memory",
    "disk",
    "processes",
    "gpu",
    "sent",
    "received",
  ]),
  /** tokens, cpu: seconds; memory, disk, sent, received: bytes; gpu: busy GPUs; money: in `currency`. */
  used: z.number().nonnegative(),
  limit: z.number().positive().optional(),
  /** cpu: cores that are busy now. */
  now: z.number().nonnegative().optional(),
  currency: z.string().optional(),
});
export type Budget = z.infer<typeof budgetSchema>;

export const runCardSchema = z.strictObject({
  run: z.string(),
  task: z.string(),
  purpose: z.string(),
  /** The agent's program by name, and whether it is one that is known as an agent. */
  agent: z.strictObject({ name: z.string(), isKnown: z.boolean() }),
  command: z.array(z.string()),
  profile: z.string().optional(),
  workspace: z.string(),
  state: z.enum(RUN_STATES),
  pauseReason: z.string().optional(),
  startedAt: at,
  endedAt: at.optional(),
  end: runEndSchema.optional(),
  /** Which start of its command, from 2. */
  attempt: z.int().optional(),
  /** How long it may live. */
  lifetimeMs: z.number().positive().optional(),
  /** Its last entry. */
  last: z.strictObject({ seq, at }),
  /** Rules by which something passes without a person, how much in all; and whether a finding took that. */
  autonomy: z.strictObject({
    rules: count,
    actions: count,
    taken: z.string().optional(),
  }),
  budgets: z.array(budgetSchema),
  counts: z.strictObject({
    actions: count,
    allow: count,
    confirm: count,
    deny: count,
    findings: count,
    flows: count,
  }),
  /** Actions of the last two minutes before `end`: [seconds before it, place in STRIP_EFFECTS, place in VERDICTS, how many]. */
  strip: z.strictObject({
    /** Seconds since the epoch. */
    end: count,
    cells: z.array(
      z.tuple([
        z.int().min(0).max(STRIP_SECONDS),
        z
          .int()
          .min(0)
          .max(STRIP_EFFECTS.length - 1),
        z
          .int()
          .min(0)
          .max(VERDICTS.length - 1),
        z.int().positive(),
      ]),
    ),
  }),
  finding: z.strictObject({ seq, at, kind: z.string(), detail: z.string() }).optional(),
  /** Approvals that wait for a person. */
  waiting: count,
  /** Grants that can be taken back. */
  grants: z.array(z.string()),
  needs: z.array(needSchema),
});
export type RunCard = z.infer<typeof runCardSchema>;

export const nowSchema = z.strictObject({
  /** Need first, then the newest. */
  cards: z.array(runCardSchema),
  /** Entries of the record that this is of. */
  size: count,
  /** RFC 3339: the console's clock. */
  at,
});
export type Now = z.infer<typeof nowSchema>;

export const NOW_ENDPOINTS = {
  /** All runs that live, and those that ended last. The stream's topic `now` tells each card that changes. */
  "now.show": { needs: "viewer", takes: z.strictObject({}), gives: nowSchema, streams: false },
} as const;
