/**
 * Colours of a card at a terminal: ours alone, put on once everything untrusted is spelled out.
 *
 * @module
 */
import type { WriteStream } from "node:tty";
import { visibleLines } from "../base/index.ts";

const CODES = { bold: 1, dim: 2, yellow: 33 } as const;
type Colour = keyof typeof CODES;

const LABELLED = /^(.{13})\| (.*)$/;
/** Blocks that a person must not miss. */
const LOUD = /^(Warning|Not seen|Not shown|Does|Code|Edited)/;

/** The card as printCard made it, its labels set apart. */
export function paintCard(card: string, output: WriteStream): string {
  let isLoud = false;
  const [title = "", ...lines] = visibleLines(card).split("\n");
  const painted = lines.map((line) => {
    const [, label, text = ""] = LABELLED.exec(line) ?? [];
    if (label === undefined) return line;
    if (label.trim() !== "") isLoud = LOUD.test(label);
    return `${paint(label, "dim", output)}| ${isLoud ? paint(text, "yellow", output) : text}`;
  });
  return [paint(title, "bold", output), ...painted].join("\n");
}

/** A line of ours. */
export function paintLine(line: string, output: WriteStream): string {
  return paint(line, "dim", output);
}

/** Nothing is painted where NO_COLOR is set (no-color.org), or for no terminal. */
function paint(text: string, colour: Colour, { isTTY }: WriteStream): string {
  const isPlain =
    !isTTY || (process.env["NO_COLOR"] ?? "") !== "" || process.env["TERM"] === "dumb";
  return isPlain || text === "" ? text : `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}
