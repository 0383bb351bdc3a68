/**
 * The life of an approval, as a table: from each state, by what, to which. What is not in it does not happen.
 *
 * @module
 */

export const APPROVAL_STATES = [
  "requested",
  "shown", // a person has seen the whole card
  "approved", // waits for its time, if it has one, and to be performed
  "performing", // it may be under way: whatever happens now, it is not sent again
  "performed",
  "failed",
  "denied",
  "expired",
  "cancelled", // its grant was taken back, or the approval was
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** States in which something may still come of it. */
export const OPEN_STATES = ["requested", "shown", "approved", "performing"] as const;

const NEXT: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  requested: ["shown", "approved", "denied", "expired", "cancelled"],
  shown: ["approved", "denied", "expired", "cancelled"],
  approved: ["performing", "cancelled", "failed"],
  performing: ["performed", "failed"],
  performed: [],
  failed: [],
  denied: [],
  expired: [],
  cancelled: [],
};

/** Reports whether `to` may follow `from`. */
export function mayFollow(from: ApprovalState, to: ApprovalState): boolean {
  return NEXT[from].includes(to);
}

/** Reports whether nothing follows `state`. */
export function isOver(state: ApprovalState): boolean {
  return NEXT[state].length === 0;
}
