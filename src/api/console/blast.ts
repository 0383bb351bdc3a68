/**
 * The console's part of the contract on how bad a task could get, and on what its record says of its file. `place` says
 * which file a text belongs to (tasks.ts): a name of the machine's files never comes from a browser.
 *
 * @module
 */
import { z } from "zod";
import { placeSchema, sourceSchema } from "./place.ts";

const amountSchema = z.union([z.number(), z.literal("unbounded")]);
export type BlastAmount = z.infer<typeof amountSchema>;
const bothOf = <One extends z.ZodType>(one: One) =>
  z.strictObject({ unattended: one, approverFooled: one });

const pathFactSchema = z.strictObject({
  fact: z.string(),
  says: z.string(),
  from: z.string(),
  isAssumed: z.boolean(),
  persons: z.number().int(),
  /** The place of the task file, where the fact is the file's own: `grants[0].allow[1]`. */
  change: z.string().optional(),
});
const pathStepSchema = z.strictObject({
  rule: z.string(),
  says: z.string(),
  gives: z.string(),
  facts: z.array(pathFactSchema),
  source: z.string(),
});
export type BlastStep = z.infer<typeof pathStepSchema>;

const backupSchema = bothOf(z.enum(["out of reach", "in reach", "none known"]));
/** Boxes of the picture that a way goes through. */
const wayBoxes = z.array(z.string());

const objectSchema = z.strictObject({
  object: z.string(),
  unattended: amountSchema,
  approverFooled: amountSchema,
  persons: z.number().int(),
  backup: backupSchema.optional(),
  /** Of the nearest few. */
  path: z.array(pathStepSchema).optional(),
  boxes: wayBoxes.optional(),
});

const outcomeSchema = z.strictObject({
  name: z.string(),
  says: z.string(),
  unattended: amountSchema,
  approverFooled: amountSchema,
  /** The same credentials without Cofferdam. */
  without: amountSchema,
  path: z.array(pathStepSchema),
  fooledPath: z.array(pathStepSchema).optional(),
  withoutPath: z.array(pathStepSchema),
  boxes: wayBoxes,
  fooledBoxes: wayBoxes,
  objects: z.array(objectSchema),
  backup: backupSchema.optional(),
});
export type BlastOutcome = z.infer<typeof outcomeSchema>;

const nodeSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(["start", "step", "all", "outcome"]),
  label: z.string(),
  facts: z.array(z.string()),
  persons: z.number().int(),
  isAssumed: z.boolean(),
  count: z.number().int(),
  rule: z.string(),
  /** Of the middle of the box. */
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  lines: z.array(z.string()),
  told: z.string().optional(),
});
export type BlastNode = z.infer<typeof nodeSchema>;

const pictureSchema = z.strictObject({
  /** How many boxes there are before those alike are put together. */
  whole: z.number().int(),
  width: z.number(),
  height: z.number(),
  nodes: z.array(nodeSchema),
  edges: z.array(
    z.strictObject({
      from: z.string(),
      to: z.string(),
      persons: z.number().int(),
      curve: z.string(),
    }),
  ),
});
export type BlastPicture = z.infer<typeof pictureSchema>;

const cutSchema = z.strictObject({
  says: z.string(),
  diff: z.string(),
  /** The task file with it. */
  source: z.string(),
  cuts: z.array(
    z.strictObject({
      outcome: z.string(),
      says: z.string(),
      before: bothOf(amountSchema),
      after: bothOf(amountSchema),
      places: z.strictObject({ before: bothOf(z.number()), after: bothOf(z.number()) }),
    }),
  ),
  takes: z.array(z.string()),
  asks: z.array(z.string()),
});
export type BlastCut = z.infer<typeof cutSchema>;

const excessSchema = z.strictObject({
  outcome: z.string(),
  which: z.enum(["unattended", "approverFooled"]),
  most: z.number(),
  from: z.string(),
  found: amountSchema,
  path: z.array(pathStepSchema),
});

const name = z.string().min(1).max(200);
const whatIfSchema = z.strictObject({
  withoutGrants: z.array(name).max(100).default([]),
  /** As a path's facts are written. */
  withoutFacts: z.array(z.string().min(1).max(4000)).max(50).default([]),
  /** Whoever is asked: is asked; says yes to everything; never says yes. */
  approver: z.enum(["asked", "fooled", "never"]).default("asked"),
  /** Verbs that would pass without a person. */
  leave: z
    .array(z.strictObject({ grant: name, verb: name }))
    .max(50)
    .default([]),
});

const text = { place: placeSchema, source: sourceSchema };

const changeSchema = z.strictObject({
  name: z.string(),
  says: z.string(),
  before: bothOf(amountSchema),
  after: bothOf(amountSchema),
  paths: z.array(
    z.strictObject({
      object: z.string(),
      which: z.enum(["unattended", "approverFooled"]),
      before: amountSchema,
      after: amountSchema,
      path: z.array(pathStepSchema),
    }),
  ),
});

export const BLAST_ENDPOINTS = {
  /** How bad a task could get at worst; with what-if questions, each of which is solved anew. */
  "blast.assess": {
    needs: "viewer",
    takes: z.strictObject({
      ...text,
      whatIf: whatIfSchema.prefault({}),
      /** What is drawn: the task, or the same credentials without Cofferdam; `none` saves the time. */
      picture: z.enum(["task", "without", "none"]).default("task"),
      /** `overview` puts boxes that are alike together where there are many; `all` does so above 500. */
      detail: z.enum(["overview", "all"]).default("overview"),
      /** Looks for what would make it smaller; not under what-if questions. */
      cuts: z.boolean().default(false),
    }),
    gives: z.strictObject({
      task: z.string(),
      sentence: z.string(),
      outcomes: z.array(outcomeSchema),
      assumptions: z.array(z.string()),
      withoutAssumptions: z.array(z.string()),
      picture: pictureSchema.optional(),
      cuts: z.array(cutSchema),
      excesses: z.array(excessSchema),
      /** Places of the file by which facts name them, with their lines. */
      places: z.record(z.string(), z.strictObject({ says: z.string(), line: z.number().int() })),
      grants: z.array(z.string()),
      /** Verbs that wait for a person: leave could be given for them. */
      waiting: z.array(z.strictObject({ grant: z.string(), verb: z.string() })),
      ms: z.number(),
    }),
    streams: false,
  },
  /** What a changed text makes possible that the other does not, and the other way round. */
  "blast.compare": {
    needs: "viewer",
    takes: z.strictObject({ place: placeSchema, before: sourceSchema, after: sourceSchema }),
    gives: z.strictObject({
      sentences: z.strictObject({ before: z.string(), after: z.string() }),
      outcomes: z.array(changeSchema),
      facts: z.array(z.string()),
      excesses: z.array(excessSchema),
    }),
    streams: false,
  },
  /** The smallest file that would have sufficed for what runs of the task did. */
  "tighten.propose": {
    needs: "viewer",
    takes: z.strictObject(text),
    gives: z.strictObject({
      task: z.string(),
      runs: z.array(z.string()),
      taken: z.array(z.string()),
      once: z.array(z.string()),
      kept: z.array(z.string()),
      diff: z.string(),
      source: z.string(),
    }),
    streams: false,
  },
  /** What might pass without a person by now, or should wait again. */
  "autonomy.propose": {
    needs: "viewer",
    takes: z.strictObject(text),
    gives: z.strictObject({
      task: z.string(),
      runs: z.number().int(),
      proposals: z.array(
        z.strictObject({
          kind: z.enum(["let-through", "take-back"]),
          says: z.string(),
          evidence: z.array(z.string()),
          diff: z.string(),
          source: z.string(),
          radius: z.array(z.string()),
        }),
      ),
      waiting: z.array(
        z.strictObject({
          grant: z.string(),
          verb: z.string(),
          approved: z.number().int(),
          missing: z.array(z.string()),
        }),
      ),
    }),
    streams: false,
  },
} as const;
