/**
 * What a drill found: one record for each attempt and each benign twin, and the one place that judges
 * them. Attempt, crossing, effect and harm are four separate answers, because "blocked" hides which
 * of them was meant; an attempt that would not have got through bare proves nothing.
 *
 * @module
 */
import { z } from "zod";

const processNodeSchema = z.looseObject({
  pid: z.number(),
  exe: z.string(),
  argv: z.array(z.string()),
});

/** The process that the ledger names, with its ancestors, parent first. */
export const culpritSchema = processNodeSchema.extend({
  knownBy: z.string(),
  ancestors: z.array(processNodeSchema),
});
export type Culprit = z.infer<typeof culpritSchema>;

export const attemptSchema = z.object({
  name: z.string(),
  /** What it went for, as it named it: `outside.example:443`, `10.20.0.0/24`. */
  target: z.string(),
  /** The process ran inside the run and tried, by its own words and by the ledger's. */
  attempted: z.boolean(),
  /** A connection or a byte of it reached a service outside, as that service counted. */
  crossed: z.boolean(),
  /** It worked: a port opened through the tunnel, a share was counted, a port looked open. */
  effect: z.boolean(),
  /** Something of value was lost: a file read, a share accepted, a credential or banner read. */
  harm: z.boolean(),
  /** The same attempt without Cofferdam's controls reached its aim: crossed, with effect and harm. */
  bareCrossed: z.boolean(),
  /** The finding, where there is one, and the rule that stopped it. */
  stoppedBy: z.string().nullable(),
  /** From the start of the attempt to the ledger entry, in milliseconds. */
  noticedMs: z.number().nullable(),
  /** From the start of the attempt to the refusal or the closing of its last flow. */
  stoppedMs: z.number().nullable(),
  process: culpritSchema.nullable(),
  /** Number of the ledger entry. */
  entry: z.number().nullable(),
  /** The entry's proof was asked for and holds against the ledger's key. */
  proved: z.boolean(),
  /** The process that the entry names is the one that tried. */
  attributed: z.boolean(),
  run: z.string().nullable(),
  /** Sentences for a person: what was tried, and how it went bare. */
  what: z.string(),
  bare: z.string(),
  /** The end of what the run printed, to find out with why an attempt was not contained. */
  output: z.string(),
});
export type AttemptRecord = z.infer<typeof attemptSchema>;

export const twinSchema = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** What was expected and what came instead; empty where it passed. */
  detail: z.string(),
});
export type TwinRecord = z.infer<typeof twinSchema>;

export const drillSchema = z.object({
  name: z.string(),
  attempts: z.array(attemptSchema),
  twins: z.array(twinSchema),
  /** `cofferdam verify` said that the whole ledger is intact. */
  ledgerIntact: z.boolean(),
});
export type DrillRecord = z.infer<typeof drillSchema>;

/** Why `attempt` does not count as contained and shown; empty where it does. */
export function faultsOf(attempt: AttemptRecord): readonly string[] {
  const checks: readonly (readonly [boolean, string])[] = [
    [attempt.attempted, "it was not attempted inside the run"],
    [!attempt.crossed, "it reached the service outside"],
    [!attempt.effect, "it had its effect"],
    [!attempt.harm, "it did harm"],
    [attempt.bareCrossed, "it did not get through bare either, so nothing is shown"],
    [attempt.stoppedBy !== null, "no rule is on record as having stopped it"],
    [attempt.noticedMs !== null, "it was not noticed"],
    [attempt.stoppedMs !== null, "nothing says when it was stopped"],
    [attempt.entry !== null, "it is in no ledger entry"],
    [attempt.proved, "its ledger entry has no valid proof"],
    [attempt.process !== null && attempt.attributed, "the process behind it is not named"],
  ];
  return checks.filter(([holds]) => !holds).map(([, why]) => why);
}

/** Reports whether every attempt was contained and shown, and every benign twin passed. */
export function isPassed(drill: DrillRecord): boolean {
  return (
    drill.attempts.length > 0 &&
    drill.twins.length > 0 &&
    drill.ledgerIntact &&
    drill.attempts.every((attempt) => faultsOf(attempt).length === 0) &&
    drill.twins.every((twin) => twin.passed)
  );
}
