/**
 * Text of others made safe for a terminal: what would command it, reorder a line or not be seen is spelled
 * out, in the notation of JSON, so that a line of JSON stays one.
 *
 * @module
 */

/**
 * Controls, format characters (bidi, zero width), surrogates, private use, unassigned, line separators, and
 * every space but the common one, and what shows as nothing.
 */
export const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;

/** The same where lines and tabs are shown as such. */
export const UNSEEN_IN_LINES = new RegExp(String.raw`(?![\t\n])(?:${UNSEEN.source})`, "u");

/** `text` with its line ends and tabs as they are. */
export function visibleLines(text: string): string {
  return text.replace(/\r\n|[^\n\t -~]/gu, (one) =>
    one !== "\r\n" && UNSEEN.test(one) ? spellOut(one) : one,
  );
}

/** `text` as what stands on one line, so that nothing in it can pass for a line of ours. */
export function visibleLine(text: string): string {
  return text.replace(/[^ -~]/gu, (one) => (UNSEEN.test(one) ? spellOut(one) : one));
}

/** A word that a POSIX shell reads as `text`, for a command that a person shall copy. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The first character of `text` as standards write it: `U+200B`. */
export function codePointText(text: string): string {
  return `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

function spellOut(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
