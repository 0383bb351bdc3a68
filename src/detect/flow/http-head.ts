/**
 * Heads of HTTP/1.1 messages as any reader would take them, to see what they carry. Nothing is refused here:
 * the broker judges what may pass (src/wire/http1).
 *
 * @module
 */

export class HttpHead {
  /** Request line or status line. */
  readonly line: string;
  /** Where the body begins. */
  readonly end: number;
  readonly #text: string;
  #fields: ReadonlyMap<string, string> | undefined;

  constructor(line: string, text: string, end: number) {
    this.line = line;
    this.#text = text;
    this.end = end;
  }

  /** By name in lower case; of several the first. Read when asked for: most answers' never are. */
  get fields(): ReadonlyMap<string, string> {
    return (this.#fields ??= readFields(this.#text));
  }
}

const HEAD_BYTES_MAX = 8192;
const REQUEST = /^[A-Z][A-Z-]{0,23} \S+ HTTP\/1\.[01]\r?$/;
const STATUS = /^HTTP\/1\.[01] \d{3}\b/;

/** The head at `from` of `bytes`; `undefined` where there is none, or its end was not seen. */
export function readHttpHead(bytes: Buffer, from = 0): HttpHead | undefined {
  const first = bytes[from] ?? 0;
  if (first < 0x41 || first > 0x5a) return undefined;
  const lineEnd = bytes.indexOf(0x0a, from);
  if (lineEnd < 0 || lineEnd - from > HEAD_BYTES_MAX) return undefined;
  const line = bytes.toString("latin1", from, lineEnd);
  if (!REQUEST.test(line) && !STATUS.test(line)) return undefined;
  let end = bytes.indexOf("\r\n\r\n", lineEnd - 1) + 4;
  if (end === 3) end = bytes.indexOf("\n\n", lineEnd) + 2;
  if (end < 3 || end - from > HEAD_BYTES_MAX) return undefined;
  return new HttpHead(line.trimEnd(), bytes.toString("latin1", lineEnd + 1, end), end);
}

function readFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}
