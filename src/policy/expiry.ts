/**
 * Ends of permissions: a day or an instant, always UTC, so that one file means one moment everywhere.
 *
 * @module
 */

/** Source of the form, for JSON Schema. */
export const EXPIRY_PATTERN =
  "^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,3})?Z)?$";

const SECONDS_CHARS = "2026-12-31T12:00:00".length;
const DAY_MS = 864e5;

/** The first millisecond since the epoch at which `source` is over; `undefined` for no such date. */
export function parseExpiryMs(source: string): number | undefined {
  if (!new RegExp(EXPIRY_PATTERN).test(source)) return undefined;
  const isDay = !source.includes("T");
  const startMs = Date.parse(isDay ? `${source}T00:00:00Z` : source);
  if (Number.isNaN(startMs)) return undefined;
  // `Date.parse` takes 30 February for 2 March: a date that does not come back as itself is none.
  const written = source.slice(0, SECONDS_CHARS).replace("Z", "");
  if (!new Date(startMs).toISOString().startsWith(written)) return undefined;
  return isDay ? startMs + DAY_MS : startMs;
}
