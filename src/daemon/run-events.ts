/**
 * What of a run becomes entries, in their form.
 *
 * @module
 */
import type { Event, FindingKind, Process } from "../action/index.ts";
import type { RunEnd } from "../api/index.ts";
import { CANARY, EVERY_ABOUT } from "../detect/index.ts";
import { CANARY_USED, type Denial, type FindingSubject } from "../gateway/index.ts";
import type { Response } from "../policy/index.ts";
import { briefProcess, type RunEvent } from "./recorder.ts";

/** What an entry's data may hold. */
export type JsonValue = NonNullable<Event["data"]>[string];

/** What is decided over an action with which a run uses what was planted in it. */
export const refusedCanary = { verdict: "deny", rule: CANARY.name, reason: CANARY_USED } as const;

/** What becomes of an action that was itself what a finding stops the run for. */
export const WITHHELD = {
  verdict: "deny",
  rule: "finding",
  reason: "it is what was found, and the run is stopped for it",
} as const;

/** Something noticed, with what its detector is called elsewhere. */
export function findingEvent(
  kind: FindingKind,
  detail: string,
  responses: readonly Response[],
  { flow, target, process, route, action, cause, detector, score }: FindingSubject,
): RunEvent {
  const about = EVERY_ABOUT.get(detector ?? "");
  const named = about && {
    detector: about.name,
    score: score ?? 1,
    attack: [...about.attack],
    atlas: [...about.atlas],
    owasp: [...about.owasp],
  };
  return {
    type: "finding",
    rule: `finding.${kind}`,
    ...(target === undefined ? {} : { target }),
    ...(flow === undefined ? {} : { flow }),
    ...(action === undefined ? {} : { action }),
    ...(process === undefined ? {} : { process: briefProcess(process) }),
    ...(cause === undefined ? {} : { cause }),
    data: {
      finding: kind,
      detail,
      response: responses.join(", ") || "record",
      ...(route === undefined ? {} : { route }),
      ...named,
    },
  };
}

/** Something refused, by `process`. */
export function denialEvent(denial: Denial, process: Process): RunEvent {
  const { system, target, route, rule, reason, title, flow, action, effect, count } = denial;
  return {
    type: "denial",
    verdict: "deny",
    rule,
    system,
    target,
    process,
    ...(flow === undefined ? {} : { flow }),
    ...(action === undefined ? {} : { action }),
    data: {
      title,
      reason,
      route,
      ...(effect === undefined ? {} : { effect }),
      ...(count === undefined ? {} : { merged: count }),
    },
  };
}

/** An end as an entry holds it: without members that are not there. */
export function describeEnd(end: RunEnd): JsonValue {
  const { reason, code, signal, detail } = end;
  return {
    reason,
    ...(code === undefined ? {} : { code }),
    ...(signal === undefined ? {} : { signal }),
    ...(detail === undefined ? {} : { detail }),
  };
}
