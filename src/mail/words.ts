/**
 * Text in mail: bytes of a charset, and encoded words of headers (RFC 2047).
 *
 * @module
 */

const UTF8 = new TextDecoder();
const WORD = /=\?([A-Za-z0-9-]{1,40})(?:\*[^?]{0,40})?\?([bBqQ])\?([^? ]*)\?=/g;

/** Encoded words as text, for a person to read. */
export function decodeWords(text: string): string {
  return text
    .replaceAll(/(\?=)[ \t]+(?==\?)/g, "$1")
    .replaceAll(WORD, (_, charset: string, kind: string, word: string) =>
      decodeText(
        kind.toLowerCase() === "b"
          ? Buffer.from(word, "base64")
          : fromEscapes(word.replaceAll("_", " "), /=([0-9A-Fa-f]{2})/g),
        charset,
      ),
    );
}

/** Reports whether `text` has what some readers decode and others show: encoded words that are not quite. */
export function hasOddWords(text: string): boolean {
  const words = [...text.matchAll(WORD)];
  const isOdd = ([, charset = "", kind = "", word = ""]: RegExpMatchArray) => {
    if (!isCharset(charset)) return true;
    if (kind.toLowerCase() === "q") return /=(?![0-9A-Fa-f]{2})/.test(word);
    return !isBase64(word);
  };
  return words.some(isOdd) || text.replaceAll(WORD, "").includes("=?");
}

/** Whether `text` is base 64 that everybody decodes alike. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** Whether browsers and mail readers know `charset`. */
export function isCharset(charset: string): boolean {
  return decoderOf(charset) !== undefined;
}

/** What is of a charset that nobody knows is shown byte by byte. */
export function decodeText(bytes: Uint8Array, charset: string): string {
  return decoderOf(charset)?.decode(bytes) ?? Buffer.from(bytes).toString("latin1");
}

/** Text of bytes that were held as Latin 1. */
export function utf8(latin1: string): string {
  return UTF8.decode(Buffer.from(latin1, "latin1"));
}

export function fromEscapes(text: string, escape: RegExp): Buffer {
  const plain = text.replaceAll(escape, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, "latin1");
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(charset);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
