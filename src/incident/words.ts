/**
 * Sentences of a report: words of ours, and between them texts of the record, which may be anyone's. They are kept apart
 * up to the page, so that no text of the record can become markup, a link, a command or a sentence of ours (INV-155).
 *
 * @module
 */
import { visibleLine } from "../base/index.ts";

const SAID_CHARS_MAX = 400;

/** A text of the record, on one line, of which nothing is invisible. */
export interface Said {
  readonly said: string;
}
export type Words = readonly (string | Said)[];
type Part = string | number | Said | Words;

/** words`the process ${exe} was refused`: what stands in braces is said by others, numbers and {@link Words} excepted. */
export function words(texts: TemplateStringsArray, ...parts: readonly Part[]): Words {
  return texts.flatMap((text, at) => {
    const part = parts[at];
    return [...(text === "" ? [] : [text]), ...(part === undefined ? [] : wordsOf(part))];
  });
}

function wordsOf(part: Part): Words {
  if (typeof part === "number") return [String(part)];
  if (typeof part === "string") return [{ said: brief(part) }];
  return isWords(part) ? part : [part];
}

function isWords(part: Said | Words): part is Words {
  return Array.isArray(part);
}

/** `all` with commas between them. */
export function listed(all: readonly Part[], none = "none"): Words {
  if (all.length === 0) return [none];
  return all.flatMap((part, at) => [...(at === 0 ? [] : [", "]), ...wordsOf(part)]);
}

/** The first `max` of `all` and how many more there are. */
export function listedSome(all: readonly string[], max: number): Words {
  const more = all.length - max;
  return [...listed(all.slice(0, max)), ...(more > 0 ? [` and ${more} more`] : [])];
}

/** One line that a terminal, a page and a person read alike; what is longer is cut, and says so. */
export function brief(text: string, charsMax = SAID_CHARS_MAX): string {
  const cut = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return visibleLine(cut.toWellFormed());
}

/** For a file that is plain text. */
export function plain(sentence: Words): string {
  return sentence.map((part) => (typeof part === "string" ? part : quoted(part.said))).join("");
}

function quoted(text: string): string {
  return /^[\w./:@,+=-]+$/.test(text) ? text : JSON.stringify(text);
}
