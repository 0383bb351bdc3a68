/**
 * The Action: the one typed value that every broker makes of its protocol's bytes, and the only thing
 * that policy, approval, ledger and detectors know about a request (docs/ARCHITECTURE.md, "The spine").
 *
 * @module
 */
import { hash } from "node:crypto";
import { z } from "zod";
import { canonicalJson, type Json } from "./canonical.ts";
import { processSchema } from "./process.ts";

/** What an action does to the world, mildest first. The strictest verdict over all effects rules. */
export const EFFECTS = [
  "read",
  "read-private",
  "write",
  "publish",
  "send",
  "execute",
  "delete",
  "administer",
  "spend",
] as const;
export const effectSchema = z.enum(EFFECTS);
export type Effect = z.infer<typeof effectSchema>;

/** `confirm` waits for a person. */
export const VERDICTS = ["allow", "confirm", "deny"] as const;
export const verdictSchema = z.enum(VERDICTS);
export type Verdict = z.infer<typeof verdictSchema>;

export const impactSchema = z.strictObject({
  /** Everyone outside whom it reaches, each once: addresses, channels, accounts. */
  recipients: z.array(z.string()).optional(),
  /** Money that it moves. `value` is a decimal number as text ("12.50"), so that no digit is lost. */
  amount: z
    .strictObject({ currency: z.string(), value: z.string().regex(/^\d{1,40}(\.\d{1,40})?$/) })
    .optional(),
  /** Whether the system itself can undo it. */
  reversible: z.boolean(),
  /** RFC 3339: what is asked for takes effect then, and could be changed at the system until then. */
  takesEffectAt: z.string().optional(),
});

/** How far an action reaches, as far as its system says so. */
export type Impact = z.infer<typeof impactSchema>;

export const actionSchema = z.strictObject({
  id: z.string(),
  run: z.string(),
  /** Wall clock, RFC 3339 with milliseconds, and monotonic milliseconds of the recorder. */
  at: z.string(),
  monoMs: z.number(),
  /** Name of the grant's system ("blog"), or "none" where nothing is granted for the target. */
  system: z.string(),
  /** What kind of system: "http", later "wordpress", "ssh", "postgres", ... */
  kind: z.string(),
  /** What is done, as the system's own documentation names it: "GET", later "post.publish". */
  verb: z.string(),
  effects: z.array(effectSchema).min(1),
  /** The object acted on: "https://api.example.com/v1/items". */
  target: z.string(),
  /** One sentence for a person. */
  summary: z.string(),
  /** The canonical parameters in full, without secrets. */
  fields: z.record(z.string(), z.json()),
  /** Hex SHA-256 over the canonical form (RFC 8785) of everything that will be sent. */
  digest: z.string(),
  /** What it is made of where that is several (a batch): each must be granted. */
  parts: z
    .array(
      z.strictObject({
        verb: z.string(),
        effects: z.array(effectSchema).min(1),
        /** What it acts on, in segments: a table as schema and name, a command as its words. */
        object: z.array(z.string()).optional(),
        /** How many statements do it to that, where several do: each uses up leave of its own. */
        count: z.int().min(2).optional(),
      }),
    )
    .optional(),
  /** What it carries that has the form of a secret: its kind, where it stands, the start of its SHA-256; never itself. */
  carries: z
    .array(z.strictObject({ what: z.string(), where: z.string(), digest: z.string() }))
    .max(8)
    .optional(),
  /** Absent where nothing is known beyond the effects. */
  impact: impactSchema.optional(),
  cause: processSchema,
  /** What the request says it belongs to (W3C Trace Context, `traceparent`): a claim. */
  trace: z
    .strictObject({
      traceId: z.string().regex(/^[0-9a-f]{32}$/),
      spanId: z.string().regex(/^[0-9a-f]{16}$/),
    })
    .optional(),
});

/** One thing an agent asks of an external system. */
export type Action = z.infer<typeof actionSchema>;

/** The verb of what only opens, keeps or ends a session: whoever has a grant has it. */
export const SESSION_VERB = "session";

/** The verb of what is not understood: nobody can grant it by a wildcard. */
export const UNKNOWN_VERB = "unknown";

/** Hex SHA-256 of the canonical form (RFC 8785) of `value`. */
export function digestOf(value: Json): string {
  return hash("sha256", canonicalJson(value));
}
