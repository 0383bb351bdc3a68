/**
 * What of an entry is found by words, and how what a person typed asks for it.
 *
 * @module
 */
import type { Event, Json } from "../../action/index.ts";
import { Fault } from "../../base/index.ts";

/** How an entry's text is split into words: at everything that is no letter and no digit, without case and accents. */
export const TOKENIZER = "unicode61";
/** Each costs up to a quarter of a second on a million entries. */
export const TERMS_MAX = 8;

/** When it was is asked for by time, and would be a word of every entry. */
const UNSAID: ReadonlySet<string> = new Set(["at", "monoMs"]);
const WORDS = /[\p{L}\p{N}\p{Co}]/u;

/** Every string and number that `event` holds, a line each; not the names of members. */
export function textOf(event: Event): string {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(event)) if (!UNSAID.has(name)) gather(value, lines);
  return lines.join("\n");
}

function gather(value: Json | undefined, lines: string[]): void {
  if (typeof value === "string") lines.push(value);
  else if (typeof value === "number") lines.push(String(value));
  else if (typeof value === "object" && value !== null)
    for (const member of Object.values(value)) gather(member, lines);
}

/**
 * What FTS5 is asked for each word of `text`: a phrase of the word's parts, the last of which may go on
 * (`api.exam` finds `api.example.com`). What holds no letter and no digit asks for nothing.
 *
 * @throws {Fault} `console.query` where it is more than a search answers.
 */
export function termsOf(text: string): readonly string[] {
  // A NUL would end what FTS5 reads; it parts words as any other sign does.
  const words = text
    .replaceAll("\0", "-")
    .split(/\s+/u)
    .filter((word) => WORDS.test(word));
  const terms = [...new Set(words)].map((word) => `"${word.replaceAll('"', '""')}" *`);
  if (terms.length <= TERMS_MAX) return terms;
  throw new Fault("console.query", `${terms.length} words are more than one search takes`, {
    hint: `give at most ${TERMS_MAX}; more of them narrow little`,
  });
}
