/**
 * Finds where a JSON value ends in a byte stream, and what stands on its top level, without trusting
 * that it is valid JSON: pools accept trailing commas and duplicate keys, so evasion would too.
 *
 * @module
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where a scan stands; begin with {@link newScan} at the opening brace or bracket. */
export interface Scan {
  depth: number;
  inString: boolean;
  escaped: boolean;
}

/** A scan that has seen nothing yet. */
export function newScan(): Scan {
  return { depth: 0, inString: false, escaped: false };
}

/** Takes one byte; `true` where it closed the value. Works on UTF-8: no JSON sign is inside a sequence. */
export function scanByte(scan: Scan, byte: number): boolean {
  if (scan.inString) {
    if (scan.escaped) scan.escaped = false;
    else if (byte === BACKSLASH) scan.escaped = true;
    else if (byte === QUOTE) scan.inString = false;
    return false;
  }
  if (byte === QUOTE) scan.inString = true;
  else if (byte === 0x7b || byte === 0x5b) scan.depth += 1;
  else if (byte === 0x7d || byte === 0x5d) {
    scan.depth -= 1;
    return scan.depth <= 0;
  }
  return false;
}

// One string, or one structural sign; anything else (numbers, words, comments) is skipped.
const TOKEN = /"(?:[^"\\]|\\[^])*"|[{}[\]:,]/g;

/**
 * The `key: "string"` members of the top-level object, or of the objects directly in a top-level array
 * (a JSON-RPC batch), with escapes undone. Duplicate keys all come out: peers differ in which one wins.
 * What stands deeper is content that may speak *about* a protocol, and does not count.
 */
export function topLevelStrings(text: string): readonly (readonly [key: string, value: string])[] {
  const members: (readonly [string, string])[] = [];
  const open: string[] = [];
  let key: string | undefined;
  let previous = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('"')) {
      if (previous === ":" && key !== undefined && isTop(open)) members.push([key, decode(token)]);
      key = previous === ":" ? undefined : decode(token);
    } else if (token === "{" || token === "[") open.push(token);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ",") key = undefined;
    previous = token;
    if (open.length > NESTING_MAX) break;
  }
  return members;
}

/** In an object, or in an object of an array, and in nothing else. */
function isTop(open: readonly string[]): boolean {
  if (open.length === 1) return open[0] === "{";
  return open.length === 2 && open[0] === "[" && open[1] === "{";
}

const NESTING_MAX = 64; // Deeper nesting is no message of any protocol here.

/** Undoes the escapes of a JSON string; one that is no valid JSON string stays as it was written. */
function decode(token: string): string {
  if (!token.includes("\\")) return token.slice(1, -1);
  try {
    const value: unknown = JSON.parse(token);
    return typeof value === "string" ? value : token;
  } catch {
    return token.slice(1, -1);
  }
}

/** Parses JSON of a peer; `undefined` where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `value` as an object's members, or `undefined` where it is no object. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
