/**
 * Finding placeholders in what a run says: a placeholder where it does not belong is a finding.
 *
 * They are looked for as they were given out, so there is no guessing: what is found was a placeholder.
 *
 * @module
 */
import { spellingsOf } from "./spellings.ts";

/** A placeholder that was given out. */
export interface GivenPlaceholder {
  readonly credential: string;
  readonly run: string;
  readonly text: string;
}

/** Finds the given placeholders, in any spelling, in texts or bytes. */
export interface PlaceholderFinder {
  find(content: string | Uint8Array): readonly GivenPlaceholder[];
}

/** A finder for `given`; pure, so a process that holds no secret can look too. */
export function createPlaceholderFinder(given: readonly GivenPlaceholder[]): PlaceholderFinder {
  const looked = given.map((one) => ({
    one,
    // Backwards as well: whoever hides a text from a search tries that first.
    spellings: [one.text, Array.from(one.text).toReversed().join("")]
      .flatMap(spellingsOf)
      .map((spelling) => spelling.toString("latin1")),
  }));
  return {
    find(content) {
      if (looked.length === 0) return [];
      const views = viewsOf(typeof content === "string" ? Buffer.from(content) : asBuffer(content));
      return looked
        .filter(({ spellings }) =>
          views.some((view) => spellings.some((spelling) => view.includes(spelling))),
        )
        .map(({ one }) => one);
    },
  };
}

/**
 * The bytes, a character each, and what they are once percent signs and escapes of JSON that nobody needed are
 * taken away.
 */
function viewsOf(bytes: Buffer): readonly string[] {
  const text = bytes.toString("latin1");
  const decoded = text.includes("%") ? decodePercent(text) : text;
  const plain = decoded.includes("\\") ? decodeEscapes(decoded) : decoded;
  return [...new Set([text, decoded, plain])];
}

function decodePercent(text: string): string {
  const once = (from: string) =>
    from.replace(/%([\dA-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return once(once(text)); // Twice: a URL inside of a URL.
}

function decodeEscapes(text: string): string {
  return text
    .replace(/\\u00([\dA-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replaceAll("\\/", "/");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
