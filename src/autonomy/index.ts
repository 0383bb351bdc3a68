/** Layer 4, pure: what a task's runs have used and how persons decided -> a narrower file, and what might pass without a person. */
export { HistoryReader, historyOf, type History } from "./history.ts";
export { tighten, type Tightened } from "./tighten.ts";
export { EARNED, LEAVE_DAYS, propose, type Autonomy, type Proposal } from "./propose.ts";
export { givesLeave, withoutLeave } from "./leave.ts";
export { wishesOf, type Offer, type Wish } from "./wishes.ts";
