/**
 * Texts that somebody will read: as they are, and, where they are HTML, what of it is seen.
 *
 * @module
 */
import type { Passage } from "../../api/index.ts";
import { isHtml, readHtml } from "./html.ts";
import { doubtsOfText } from "./links.ts";

/** How a text is to be read. */
export interface PassageHow {
  /** Whether its system takes markup for markup. */
  readonly html: boolean;
  readonly about?: Passage["about"];
}

/** `text` under `label`; `name` is what the system calls it. */
export function passageOf(
  label: string,
  name: string,
  text: string,
  { html, about }: PassageHow,
): Passage {
  const isMarked = html && isHtml(text);
  const reading = isMarked ? readHtml(text) : undefined;
  const tooDeep =
    isMarked && reading === undefined
      ? [`${label} is nested too deep to be read: this is its source`]
      : [];
  const doubts = [...doubtsOfText(text), ...tooDeep, ...(reading?.warnings ?? [])];
  const base = { label, name, text, ...(about === undefined ? {} : { about }) };
  if (reading === undefined) return { ...base, doubts: [...new Set(doubts)] };
  const { lines, links, unseen, preview, isWhole } = reading;
  return {
    ...base,
    doubts: [...new Set(doubts)],
    html: { lines: [...lines], links: [...links], unseen: [...unseen], preview, isWhole },
  };
}
