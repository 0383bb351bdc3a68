/**
 * What an approval holds.
 *
 * @module
 */
import type { Action, Json } from "../action/index.ts";
import type { ApprovalState } from "./machine.ts";

/** How a person is asked. */
export interface ApprovalLimits {
  readonly expiresMs: number;
  /** How long what was approved waits, to be taken back. */
  readonly undoMs: number;
  readonly needsTwo: boolean;
  /** Of a conversation, which its own run begins and nobody performs: how long after a yes it may. */
  readonly leaveMs?: number;
}

/** The stored request: these bytes are what is performed. */
export interface Spool {
  readonly request: Json;
  readonly body: Uint8Array | undefined;
}

/** What is asked. */
export interface ApprovalRequest {
  readonly run: string;
  readonly task: string;
  readonly action: Action;
  /** What is needed to perform it when the run is over. */
  readonly pin: Json;
  readonly spool: Spool;
  readonly limits: ApprovalLimits;
}

/** What a list tells of an action. */
export type ActionHead = Pick<
  Action,
  "system" | "kind" | "verb" | "effects" | "summary" | "target" | "digest"
>;

/** An approval with its action, less its bytes. */
export interface Approval extends ApprovalSummary {
  readonly action: Action;
  readonly pin: Json;
  /** The body that the agent asked for, as a card has it, once a person has edited it. */
  readonly asked?: Json;
}

/** An approval as a list has it: ten thousand of them are small. */
export interface ApprovalSummary {
  readonly id: string;
  readonly run: string;
  readonly task: string;
  readonly head: ActionHead;
  readonly limits: ApprovalLimits;
  readonly state: ApprovalState;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** Not performed before. */
  readonly notBeforeMs: number;
  /** Who said yes, first to last; or who said no. */
  readonly by: readonly string[];
  readonly reason: string;
  /** What a person changed before saying yes; empty where nothing was. */
  readonly note: string;
  /** An earlier approval of the same run, verb and target, of other content. */
  readonly variantOf: string;
  /** How often the very same was asked again. */
  readonly joins: number;
}

/** What the system answered. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  readonly isCut: boolean;
}

/** A step as the record has it. */
export interface Step {
  readonly state: ApprovalState;
  readonly by?: string;
  readonly reason?: string;
  /** What was seen of an effect that lies ahead, in a word. */
  readonly later?: string;
}

/** What of `action` stands in a list. */
export function headOf(action: Action): ActionHead {
  const { system, kind, verb, effects, summary, target, digest } = action;
  return { system, kind, verb, effects, summary, target, digest };
}

/** What a person types to approve: it is on the card, and of the bytes that the card shows. */
export function codeOf({ digest }: Pick<Action, "digest">): string {
  return digest.slice(0, 6);
}

/** From when on a conversation may not begin any more; what is performed here is never too late. */
export function leaveEnds({
  notBeforeMs,
  limits: { leaveMs = Infinity },
}: ApprovalSummary): number {
  return notBeforeMs + leaveMs;
}
