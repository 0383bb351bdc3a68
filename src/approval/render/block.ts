/**
 * What a card is made of: labelled blocks of lines, in which nothing of others draws, hides or reorders.
 *
 * @module
 */
import { visibleLine, visibleLines } from "../../base/index.ts";

/** One labelled part of a card. Labels are ours, never of the content. */
export interface Block {
  readonly label: string;
  readonly lines: readonly string[];
}

export function block(label: string, lines: readonly string[]): Block {
  return { label, lines: lines.flatMap((line) => visibleLines(line).split("\n")) };
}

/** A block of lines as they were laid out, or none where there are none. */
export function laidOut(label: string, lines: readonly string[]): readonly Block[] {
  return lines.length === 0 ? [] : [block(label, lines)];
}

/** The same of items, each on a line of its own: none can pass for two. */
export function listed(label: string, items: readonly string[]): readonly Block[] {
  return laidOut(label, items.map(visibleLine));
}
