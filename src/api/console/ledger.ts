/**
 * The console's contract on the record: searching it and leafing through it at any depth.
 *
 * A result is a list of entry numbers in ascending order, so a place in it (`offset`) never moves while
 * the record grows: whoever shows the newest first counts from `count` downwards. A query stands for its
 * result; nothing expires, and the same query asked again is answered from what was found.
 *
 * @module
 */
import { z } from "zod";
import { effectSchema, EVENT_TYPES, FINDING_KINDS, verdictSchema } from "../../action/index.ts";
import { entrySchema } from "../endpoints.ts";

/** Rows of one page. */
export const PAGE_ROWS_MAX = 500;
const TEXT_CHARS_MAX = 500;
const CHOICES_MAX = 64;

const seq = z.int().nonnegative();
const choices = <T extends z.ZodType>(one: T) => z.array(one).min(1).max(CHOICES_MAX).optional();
const name = z.string().min(1).max(4096);

/** What is looked for: every member must hold, and of a member's several values one. `{}` is the whole record. */
export const recordQuerySchema = z.strictObject({
  /** Words that must all occur, each by its beginning: `git push`, `api.example.com`, `Bash`. */
  text: z.string().max(TEXT_CHARS_MAX).optional(),
  run: choices(name),
  type: choices(z.enum(EVENT_TYPES)),
  verdict: choices(verdictSchema),
  system: choices(name),
  effect: choices(effectSchema),
  finding: choices(z.enum(FINDING_KINDS)),
  /** RFC 3339: not before, and before. */
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  /** Numbers of entries: from, and before. */
  from: seq.optional(),
  to: seq.optional(),
});
export type RecordQuery = z.infer<typeof recordQuerySchema>;

/** One entry on a line. Everything in it may come from an agent. */
export const recordRowSchema = z.strictObject({
  seq,
  type: z.enum(EVENT_TYPES),
  at: z.string(),
  run: z.string().optional(),
  verdict: verdictSchema.optional(),
  rule: z.string().optional(),
  system: z.string().optional(),
  target: z.string().optional(),
  effects: z.array(effectSchema).optional(),
  finding: z.string().optional(),
  /** What it says, in at most 200 characters. */
  text: z.string(),
});
export type RecordRow = z.infer<typeof recordRowSchema>;

const foundSchema = z.strictObject({
  /** How many entries match, of the first `size` of the record. Exact. */
  count: z.int().nonnegative(),
  size: z.int().nonnegative(),
});
/** How much matches. */
export type Found = z.infer<typeof foundSchema>;

const facet = z.record(z.string(), z.int().positive());

/** How many of the entries found have which value. Values beyond the 200 most frequent are left out. */
export const facetsSchema = foundSchema.extend({
  type: facet,
  run: facet,
  verdict: facet,
  system: facet,
  effect: facet,
  finding: facet,
});
export type Facets = z.infer<typeof facetsSchema>;

/** How far the index has come: it is made once, and follows. */
export const recordStatusSchema = z.strictObject({
  /** Entries that can be found. */
  indexed: z.int().nonnegative(),
  /** Entries of the record, as far as is known. */
  size: z.int().nonnegative(),
  /** Why nothing more is indexed; absent where all is well. */
  fault: z.string().optional(),
});
export type RecordStatus = z.infer<typeof recordStatusSchema>;

export const LEDGER_ENDPOINTS = {
  "ledger.status": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: recordStatusSchema,
    streams: false,
  },
  /** How much there is; with `near`, also the place of the first match that is not before that entry. */
  "ledger.search": {
    needs: "viewer",
    takes: z.strictObject({ query: recordQuerySchema, near: seq.optional() }),
    gives: foundSchema.extend({ offset: z.int().nonnegative().optional() }),
    streams: false,
  },
  "ledger.page": {
    needs: "viewer",
    takes: z.strictObject({
      query: recordQuerySchema,
      offset: z.int().nonnegative(),
      limit: z.int().min(1).max(PAGE_ROWS_MAX),
    }),
    gives: foundSchema.extend({ rows: z.array(recordRowSchema) }),
    streams: false,
  },
  "ledger.entry": {
    needs: "viewer",
    takes: z.strictObject({ seq }),
    gives: entrySchema,
    streams: false,
  },
  "ledger.facets": {
    needs: "viewer",
    takes: z.strictObject({ query: recordQuerySchema }),
    gives: facetsSchema,
    streams: false,
  },
} as const;
