/** Layer 3: what waits for a person: asked once, shown whole, decided, and performed at most once. */
export {
  codeOf,
  type Approval,
  type ApprovalLimits,
  type ApprovalRequest,
  type ApprovalSummary,
  type Spool,
  type Step,
  type StoredAnswer,
} from "./approval.ts";
export { cardOf, printCard, printTallCard, type Card, type CardContext } from "./card.ts";
export { changedSince, otherAction } from "./faults.ts";
export { isProven, passkeyIdentity, type Deciders } from "./deciders.ts";
export { Approvals, WAITING_MAX, type ApprovalsOptions } from "./approvals.ts";
export { APPROVAL_STATES, isOver, OPEN_STATES, type ApprovalState } from "./machine.ts";
export { likenessOf } from "./look/alike.ts";
export { findAttached } from "./look/attached.ts";
export { diffJson } from "./look/diff.ts";
export { lookOf } from "./look/look.ts";
export type { Block } from "./render/block.ts";
