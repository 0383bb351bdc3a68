/**
 * Header fields as a proxy must treat them: which go on, which end here, which are secrets.
 *
 * Fields are kept as Node's raw list (`name, value, name, value`), since joining duplicates is where
 * two parsers come to differ.
 *
 * @module
 */

/** A raw list as Node's parser gives it: names at even places, values at odd ones. */
export type RawHeaders = readonly string[];

// RFC 9110, 7.6.1, and the older names that proxies still meet.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

// May never stand in a trailer (RFC 9110, 6.5.1): they would change framing, routing or authority
// of a message that has already been judged.
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  "authorization",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "set-cookie",
  "trailer",
]);

const SECRET =
  /^(authorization|proxy-authorization|cookie|x-api-key|api-key|apikey|private-token|.*[-_](token|secret|password|api-?key|signature|session))$/;

/** Name (lower case) and value of every field, in order. */
export function headerPairs(raw: RawHeaders): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let n = 0; n + 1 < raw.length; n += 2) {
    pairs.push([(raw[n] ?? "").toLowerCase(), raw[n + 1] ?? ""]);
  }
  return pairs;
}

/** Every value of field `name`, in order. */
export function valuesOf(raw: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let n = 0; n + 1 < raw.length; n += 2) {
    // Told apart by length first: this is asked a dozen times for each request.
    if (raw[n]?.length === name.length && raw[n]?.toLowerCase() === name) {
      values.push(raw[n + 1] ?? "");
    }
  }
  return values;
}

/** The members of a comma-separated field such as `Connection`, in lower case. */
export function listOf(raw: RawHeaders, name: string): string[] {
  return valuesOf(raw, name)
    .flatMap((value) => value.split(","))
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== "");
}

/** Reports whether field `name` (lower case) concerns this connection only. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** The fields that go on to the other side: none of this hop, none that `Connection` names. */
export function endToEnd(raw: RawHeaders, without: readonly string[] = []): string[] {
  const named = listOf(raw, "connection");
  const kept: string[] = [];
  for (let n = 0; n + 1 < raw.length; n += 2) {
    const name = raw[n] ?? "";
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || named.includes(key) || without.includes(key)) continue;
    kept.push(name, raw[n + 1] ?? "");
  }
  return kept;
}

/** The trailer fields that may go on, as pairs. */
export function safeTrailers(raw: RawHeaders): [string, string][] {
  const pairs = headerPairs(raw).map(([name, value]): [string, string] => [name, value]);
  return pairs.filter(([name]) => !HOP_BY_HOP.has(name) && !NOT_IN_TRAILERS.has(name));
}

/** The fields that a record may hold: a secret keeps its name and loses its value. */
export function withoutSecrets(raw: RawHeaders): [string, string][] {
  return headerPairs(raw).map(([name, value]) => [name, SECRET.test(name) ? "[secret]" : value]);
}
