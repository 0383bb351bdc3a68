/**
 * Paths: one spelling for each, and every way in which a server might read it.
 *
 * An allow-list over paths is only as good as its agreement with the server on what the path is.
 * Where all servers agree ("%7E" is "~") the path is put into one form. Where some servers would do
 * something harmful (dot segments, backslash, path parameters, empty segments, double encoding, NUL,
 * overlong UTF-8) it is refused. Where honest servers differ on honest paths ("%2F" as a slash or
 * not, as in npm's `@scope%2fname`; "%3F" as the start of a query or not; "+" as a space or not) the
 * path has several readings, and policy takes the strictest verdict over all of them (docs/decisions/0022).
 *
 * @module
 */

/** Longest path judged, in characters; servers' own limits are about 8 KiB. */
export const PATH_CHARS_MAX = 8192;

// Escapes, and what may not stand in a path as itself by RFC 3986, 3.3; nor `;`, which starts path parameters.
const NOT_ITSELF = /%[0-9A-Fa-f]{2}|[^%A-Za-z0-9\-._~!$&'()*+,=:@/]/g;
const UNRESERVED = /[A-Za-z0-9\-._~]/; // RFC 3986, 2.3: encoded or not, it means the same.
const STRANGE_RAW = /[^\x21-\x7e]|[\\?#;]/; // No HTTP path, or read differently by servers.
// Control characters, what Windows and Java servers cut at, and what a second decoding would change.
const STRANGE_DECODED = /[\p{Cc}\\;]|%[0-9A-F]{2}|%u[0-9A-F]{4}/iu;
const DOTS_ONLY = /^[. ]*\.[. ]*$/; // `.`, `..`, and what Windows makes into them.

/** A way to read a path: its segments after the leading slash, fully decoded. */
export type PathReading = readonly string[];

/**
 * The canonical form of the path of an origin-form request target, without its query: unreserved
 * characters decoded, other escapes in upper case, the rest encoded (RFC 3986, 6.2.2). Returns
 * `undefined` where servers might disagree on it in a way that could cross a rule.
 */
export function canonicalPath(raw: string): string | undefined {
  return canonicalReadings(raw)?.path;
}

interface ReadPath {
  readonly path: string;
  readonly readings: readonly PathReading[];
}

function canonicalReadings(raw: string): ReadPath | undefined {
  if (raw.length > PATH_CHARS_MAX || !raw.startsWith("/") || STRANGE_RAW.test(raw))
    return undefined;
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) return undefined;
  const path = raw.replaceAll(NOT_ITSELF, canonicalCharacter);
  if (path.length > PATH_CHARS_MAX) return undefined;
  const readings = readPath(path);
  return readings?.every(isPlain) === true ? { path, readings } : undefined;
}

/**
 * Every reading of a path, the literal one first; `undefined` where {@link canonicalPath} refuses it.
 */
export function readingsOf(raw: string): readonly PathReading[] | undefined {
  const read = canonicalReadings(raw);
  if (read === undefined) return undefined;
  const { path, readings } = read;
  if (!path.includes("+")) return readings;
  return [...readings, ...readings.map(withoutPlus)];
}

/** Stands for `+` and space alike in the reading of a server to which they are one; no path can hold it. */
export const PLUS_OR_SPACE = "\u0001";

function withoutPlus(reading: PathReading): PathReading {
  return reading.map((segment) => segment.replaceAll(/[+ ]/g, PLUS_OR_SPACE));
}

function canonicalCharacter(token: string): string {
  if (!token.startsWith("%")) return encodeByte(token);
  const character = String.fromCharCode(Number.parseInt(token.slice(1), 16));
  return UNRESERVED.test(character) ? character : token.toUpperCase();
}

function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** Readings by two questions: is an escaped slash a slash, and does an escaped `?` or `#` end it? */
function readPath(path: string): readonly PathReading[] | undefined {
  let literal: PathReading;
  try {
    literal = path.slice(1).split("/").map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return undefined; // Not UTF-8: overlong forms hide dots and slashes.
    throw error;
  }
  const readings = [literal];
  const split = literal.flatMap((segment) => segment.split("/"));
  if (split.length !== literal.length) readings.push(split);
  if (/%23|%3F/.test(path)) readings.push(...readings.map(untilQuery));
  return readings;
}

function untilQuery(reading: PathReading): PathReading {
  const at = reading.findIndex((segment) => /[?#]/.test(segment));
  const last = reading[at]?.split(/[?#]/, 1)[0] ?? "";
  return [...reading.slice(0, at), last];
}

/** No reading may hold what some server would turn into another path. */
function isPlain(reading: PathReading): boolean {
  const text = reading.join("/");
  // Some servers fold compatibility characters (a full-width full stop is a full stop to them).
  const folded = text.normalize("NFKC");
  return isHarmless(text) && isHarmless(folded) && delimiters(text) === delimiters(folded);
}

function isHarmless(text: string): boolean {
  if (STRANGE_DECODED.test(text)) return false;
  const segments = text.split("/");
  return segments.every(
    (segment, at) => !DOTS_ONLY.test(segment) && (segment !== "" || at === segments.length - 1),
  );
}

function delimiters(text: string): number {
  return text.replaceAll(/[^/?#%]/g, "").length;
}
