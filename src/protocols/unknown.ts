/**
 * What is not understood, as every protocol says it.
 *
 * @module
 */
import { UNKNOWN_VERB, type Effect, type Json } from "../action/index.ts";
import type { Described } from "./protocol.ts";

/** An operation that counts as all of `effects`, the highest of its system. */
export function describeUnknown(
  effects: readonly Effect[],
  told: {
    readonly target: string;
    readonly reason: string;
    readonly fields: Readonly<Record<string, Json>>;
  },
): Described {
  const { target, reason, fields } = told;
  return {
    verb: UNKNOWN_VERB,
    effects,
    target,
    summary: `asks for what is not understood: ${reason}`,
    fields: { ...fields, reason },
    impact: { reversible: false },
  };
}
