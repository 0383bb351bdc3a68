/**
 * What is said about an approval in a channel. Nothing of its content begins a line: every line of it is marked,
 * so that none passes for ours.
 *
 * @module
 */
import { isOver, printTallCard, type ApprovalSummary, type Card } from "../approval/index.ts";
import { visibleLine } from "../base/index.ts";
import type { Announcement, Channel } from "./channel.ts";

const REASON_CHARS_MAX = 300;
const TITLE_CHARS_MAX = 300;

/** The card as `channel` shows it, or why it does not. */
export function announcementOf(
  card: Card,
  id: string,
  channel: Pick<Channel, "how" | "fits">,
): Announcement {
  const text = `${printTallCard(card)}\nTo approve exactly this, ${channel.how}\nTo refuse it: deny ${id} REASON`;
  if (card.hidden !== undefined) {
    return partly(card, id, "some of what would be sent cannot be shown");
  }
  if (!channel.fits(text)) return partly(card, id, "it is too long to be shown here whole");
  return { id, text, isWhole: true };
}

function partly({ title }: Card, id: string, why: string): Announcement {
  const text = [
    visibleLine(title).slice(0, TITLE_CHARS_MAX),
    `It cannot be approved here, since ${why}. At the command line:`,
    `cofferdam approvals show ${id}`,
    `To refuse it: deny ${id} REASON`,
  ].join("\n");
  return { id, text, isWhole: false };
}

/** How it stands with an approval, in a line. */
export function stateLine({ id, state, by, reason, limits }: ApprovalSummary): string {
  const who = by.length === 0 ? "" : ` by ${by.join(" and ")}`;
  const why = reason === "" ? "" : `: ${visibleLine(reason).slice(0, REASON_CHARS_MAX)}`;
  if (!isOver(state) && state !== "approved" && by.length > 0 && limits.needsTwo) {
    return `${id} has one yes${who}, and needs that of a second person`;
  }
  return `${id} is ${state}${who}${why}`;
}
