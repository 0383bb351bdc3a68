/**
 * Reads an asciicast v2 as it comes in pieces. What is no event of the form is passed over: a torn last line, what somebody
 * wrote into the file, events that say nothing of the screen.
 *
 * @module
 */

/** What was shown or how wide the screen became, and when: seconds since the beginning. */
export type CastEvent =
  | { readonly seconds: number; readonly text: string }
  | { readonly seconds: number; readonly columns: number };

/** More than a line of ours can have: an event is of 2 MiB of output at most, of which JSON makes six times as much. */
const LINE_CHARS_MAX = 16 << 20;

export class CastReader {
  readonly #decoder = new TextDecoder();
  #rest: string[] = [];
  #restChars = 0;

  /** What `bytes` complete. */
  push(bytes: Uint8Array): readonly CastEvent[] {
    const [first = "", ...more] = this.#decoder.decode(bytes, { stream: true }).split("\n");
    this.#restChars += first.length;
    if (this.#restChars <= LINE_CHARS_MAX) this.#rest.push(first);
    const last = more.pop();
    if (last === undefined) return [];
    const lines = [this.#rest.join(""), ...more];
    this.#rest = [last];
    this.#restChars = last.length;
    return lines.flatMap(eventOf);
  }
}

function eventOf(line: string): CastEvent[] {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return [];
  }
  if (typeof read !== "object" || read === null) return [];
  if (!Array.isArray(read)) return sizeOf("width" in read ? read.width : 0, 0);
  const [seconds, kind, text] = read as readonly unknown[];
  if (typeof seconds !== "number" || typeof text !== "string") return [];
  if (kind === "r") return sizeOf(Number.parseInt(text, 10), seconds);
  return kind === "o" ? [{ seconds, text }] : [];
}

function sizeOf(columns: unknown, seconds: number): CastEvent[] {
  const isSize = typeof columns === "number" && Number.isInteger(columns) && columns > 0;
  return isSize ? [{ seconds, columns }] : [];
}
