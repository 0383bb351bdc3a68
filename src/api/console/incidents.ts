/**
 * The console's contract on incidents: runs in which something was refused or noticed, and the report of one.
 *
 * @module
 */
import { z } from "zod";
import { EVENT_TYPES } from "../../action/index.ts";
import { RUN_STATES } from "../endpoints.ts";

const run = z.string().regex(/^r-[0-9a-z]{1,20}$/);
const seq = z.int().nonnegative();
const seqs = z.array(seq).readonly();

/** A sentence: our words as they are, and what the record says (`said`), which may come from an agent. */
export const wordsSchema = z
  .array(z.union([z.string(), z.strictObject({ said: z.string() })]))
  .readonly();
export type Words = z.infer<typeof wordsSchema>;

const answer = z.strictObject({ value: z.enum(["yes", "no", "unknown"]), why: wordsSchema });
const answers = { attempted: answer, crossed: answer, effect: answer, harm: answer };

/** A run of which there is something to tell. */
export const incidentInfoSchema = z.strictObject({
  run,
  task: z.string(),
  purpose: z.string(),
  state: z.enum(RUN_STATES),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  denials: seq,
  findings: seq,
  /** Kinds of findings, with how many of each; most first. */
  kinds: z.array(z.strictObject({ kind: z.string(), count: seq })).readonly(),
});
export type IncidentInfo = z.infer<typeof incidentInfoSchema>;

const attempt = z.strictObject({
  /** The finding's kind, or the rule that refused it. */
  kind: z.string(),
  detector: z.string(),
  score: z.number().optional(),
  details: z.array(z.string()).readonly(),
  targets: z.array(z.string()).readonly(),
  by: wordsSchema,
  /** The tool call behind it. */
  call: z.string().optional(),
  count: seq,
  ...answers,
  held: z.array(z.strictObject({ entry: seq, what: wordsSchema })).readonly(),
  noticedMs: z.number().optional(),
  stoppedMs: z.number().optional(),
  since: z.enum(["process", "flow"]).optional(),
  entries: seqs,
});

const row = z.strictObject({
  first: seq,
  last: seq,
  count: seq,
  type: z.enum(EVENT_TYPES),
  lane: z.string(),
  at: z.string(),
  /** Milliseconds since the run's first entry, by the monotonic clock. */
  ms: z.number(),
  endMs: z.number(),
  what: wordsSchema,
  by: wordsSchema,
  cause: wordsSchema,
});

/** A report, to be read; numbers are entries. */
export const incidentReportSchema = z.strictObject({
  run,
  title: wordsSchema,
  startedAt: z.string(),
  endedAt: z.string().optional(),
  entries: z.strictObject({ first: seq, last: seq, count: seq }),
  summary: z.array(wordsSchema).readonly(),
  answers: z.strictObject(answers),
  attempts: z.array(attempt).readonly(),
  done: z
    .array(
      z.strictObject({
        system: z.string(),
        verb: z.string(),
        effects: z.array(z.string()).readonly(),
        count: seq,
        succeeded: seq,
        failed: seq,
        first: seq,
      }),
    )
    .readonly(),
  worst: z.array(wordsSchema).readonly(),
  found: z
    .array(
      z.strictObject({
        kind: z.string(),
        detector: z.string(),
        count: seq,
        entries: seqs,
        score: z.number().optional(),
        detail: z.string(),
        title: z.string(),
        explanation: z.string(),
        attack: z.array(z.string()).readonly(),
        atlas: z.array(z.string()).readonly(),
        owasp: z.array(z.string()).readonly(),
      }),
    )
    .readonly(),
  timeline: z.strictObject({
    rows: z.array(row).readonly(),
    leftOut: seq,
    lengthMs: z.number(),
  }),
  kept: z
    .array(
      z.strictObject({
        what: z.enum(["evidence", "recording"]),
        name: z.string(),
        sha256: z.string(),
        entry: seq,
      }),
    )
    .readonly(),
  redactions: z.array(z.strictObject({ of: z.string(), places: seq, texts: seq })).readonly(),
  drills: z
    .array(z.strictObject({ drill: z.string(), kinds: z.array(z.string()).readonly() }))
    .readonly(),
  models: z.array(z.string()).readonly(),
  /** How many entries it cites; each is proven when it is exported. */
  cited: seq,
});
export type IncidentReport = z.infer<typeof incidentReportSchema>;

export const INCIDENT_FORMATS = ["md", "html", "ocsf", "aiid", "atlas"] as const;
export type IncidentFormat = (typeof INCIDENT_FORMATS)[number];

export const INCIDENT_ENDPOINTS = {
  /** Newest first. */
  "incident.list": {
    needs: "viewer",
    takes: z.strictObject({
      offset: z.int().nonnegative(),
      limit: z.int().min(1).max(50),
    }),
    gives: z.strictObject({ total: seq, runs: z.array(incidentInfoSchema).readonly() }),
    streams: false,
  },
  /** `persons`: mail addresses and names of those who decided are blackened, too; secrets always are. */
  "incident.report": {
    needs: "viewer",
    takes: z.strictObject({ run, persons: z.boolean() }),
    gives: incidentReportSchema,
    streams: false,
  },
  /**
   * Files to publish, after every cited entry was proven and the whole record verified. Several formats, or `proofs`,
   * come as one ustar archive with the proofs and the key beside the report.
   */
  "incident.export": {
    needs: "viewer",
    takes: z.strictObject({
      run,
      persons: z.boolean(),
      formats: z.array(z.enum(INCIDENT_FORMATS)).min(1),
      proofs: z.boolean(),
    }),
    gives: z.strictObject({
      name: z.string(),
      base64: z.string(),
      cited: seq,
      proven: seq,
      /** What of the record does not hold; empty where everything does. */
      broken: z.array(z.strictObject({ entry: seq.optional(), why: z.string() })).readonly(),
    }),
    streams: false,
  },
} as const;
