/**
 * The questions, answered by whoever knows a run. Nothing here lets a run do more: there is no question that
 * decides, and none about another run.
 *
 * @module
 */

import type { Claim } from "./claims.ts";

/** A denial as the run was told of it. */
export interface DenialTold {
  readonly at: string;
  readonly title: string;
  readonly reason: string;
  readonly rule: string;
  readonly system: string;
  readonly target: string;
  /** What it may do instead. */
  readonly allowed: readonly string[];
  /** Names by which the answer to the agent called it. */
  readonly action?: string | undefined;
  readonly flow?: string | undefined;
}

/** An action of the run that waits for a person, or did lately; without the code that approves it. */
export interface WaitingTold {
  readonly approval: string;
  readonly state: string;
  readonly summary: string;
  readonly reason: string;
  readonly expiresAt: string;
}

/** What became of a request for more. */
export interface AccessAnswer {
  readonly approval: string;
  readonly kind: "pending" | "denied" | "agreed";
  readonly text: string;
}

/** One run's answers. */
export interface Enquiries {
  /** What the run may do, in sentences. */
  mayDo(): readonly string[];
  /** Its denials, the latest last; the older ones may be left out. */
  denials(): readonly DenialTold[];
  waiting(): readonly WaitingTold[];
  /** Takes what the agent's side says of its tool calls. */
  claimed(claims: readonly Claim[]): void;
  /** Has a person asked; it changes nothing by itself, whatever they say. */
  requestAccess(what: string, why: string): Promise<AccessAnswer>;
}
