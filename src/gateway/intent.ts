/**
 * The entry that an action becomes before it leaves: what was asked, and what was decided (INV-9).
 *
 * @module
 */
import { EFFECTS, type Action, type Effect } from "../action/index.ts";
import type { EventDraft, Verdict } from "./ports.ts";

/** The intent of `action`, and whether it must be on disk before anything leaves. */
export function intentOf(
  action: Action,
  decision: Verdict,
  flow: string,
): { readonly event: EventDraft; readonly sync: boolean } {
  const { kind, verb, summary, fields, digest, trace, carries, impact } = action;
  const { verdict, rule, reason } = decision;
  const effects = [...decision.effects];
  const event: EventDraft = {
    type: "action",
    verdict,
    rule,
    system: action.system,
    target: action.target,
    flow,
    action: action.id,
    process: action.cause,
    data: {
      kind,
      verb,
      effects,
      summary,
      fields,
      digest,
      reason,
      ...(trace === undefined ? {} : { trace }),
      ...partsOf(action),
      ...(carries === undefined ? {} : { carries }),
      ...(impact?.amount === undefined ? {} : { amount: { ...impact.amount } }),
    },
  };
  // Of a connection that nobody looks into nothing later will say what it was.
  return { event, sync: kind === "tcp" || mustSync(effects) };
}

const PARTS_MAX = 50; // Of a message with more statements the entry says what they are in its fields alone.

/** What of it each rule was asked about, so that whoever reads the record can judge it anew. */
function partsOf({ parts }: Action): NonNullable<EventDraft["data"]> {
  if (parts === undefined || parts.length > PARTS_MAX) return {};
  return {
    parts: parts.map(({ verb, effects, object, count }) => ({
      ...{ verb, effects: [...effects] },
      ...(object === undefined ? {} : { object: [...object] }),
      ...(count === undefined ? {} : { count }),
    })),
  };
}

/** Reports whether an intent of these effects must be on disk before it leaves: any above `write`. */
function mustSync(effects: readonly Effect[]): boolean {
  return effects.some((effect) => EFFECTS.indexOf(effect) > EFFECTS.indexOf("write"));
}
