/**
 * Times as firewalls write them, as milliseconds of the epoch.
 *
 * @module
 */
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAY_MS = 86_400_000;

export interface TimeContext {
  /** Minutes that the zone is ahead of UTC, for stamps that name none. */
  readonly zoneMinutes: number;
  readonly nowMs: number;
}

/** A time, and whether its year was not there and was inferred. */
export interface Time {
  readonly atMs: number;
  readonly isInferred?: true;
}

/**
 * Reads RFC 3339 with or without a zone, epochs in seconds to nanoseconds, `MM/DD/YYYY-hh:mm:ss` (Suricata's and Snort's
 * fast.log) and `Mon D hh:mm:ss` (RFC 3164), whose year is the latest that is not in the future.
 */
export function parseTime(text: string, context: TimeContext): Time | undefined {
  const said = text.trim();
  if (/^\d{9,10}(\.\d+)?$/.test(said)) return { atMs: Number(said) * 1000 };
  if (/^\d{13}$/.test(said)) return { atMs: Number(said) };
  if (/^\d{16}$|^\d{19}$/.test(said)) return { atMs: Number(said.slice(0, 13)) };
  const iso =
    /^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/.exec(
      said,
    );
  if (iso !== null) {
    const [, year, month, day, hour, minute, second, fraction, zone] = iso;
    return at([year, month, day, hour, minute, second], fraction, zone, context);
  }
  const fast = /^(\d\d)\/(\d\d)\/(\d{4}|\d\d)-(\d\d):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(said);
  if (fast !== null) {
    const [, month, day, year = "", hour, minute, second, fraction] = fast;
    const full = year.length === 2 ? `20${year}` : year;
    return at([full, month, day, hour, minute, second], fraction, undefined, context);
  }
  const syslog =
    /^([A-Z][a-z]{2})\s+(\d{1,2})\s+(?:(\d{4})\s+)?(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:\s+(?:GMT)?([+-]\d\d:?\d\d)|\s+(UTC|GMT|Z))?$/.exec(
      said,
    );
  if (syslog === null) return undefined;
  const [, name = "", day, year, hour, minute, second, fraction, offset, utc] = syslog;
  const zone = offset ?? utc;
  const month = MONTHS.indexOf(name.toLowerCase()) + 1;
  if (month === 0) return undefined;
  const of = (one: number) =>
    at([String(one), String(month), day, hour, minute, second], fraction, zone, context);
  if (year !== undefined) return of(Number(year));
  const now = new Date(context.nowMs).getUTCFullYear();
  for (const one of [now + 1, now, now - 1, now - 2, now - 3, now - 4]) {
    const read = of(one); // 29 February is in a leap year only.
    if (read !== undefined && read.atMs <= context.nowMs + DAY_MS)
      return { ...read, isInferred: true };
  }
  return undefined;
}

function at(
  parts: readonly (string | undefined)[],
  fraction: string | undefined,
  zone: string | undefined,
  { zoneMinutes }: TimeContext,
): Time | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map((one) =>
    Number(one ?? 0),
  );
  const ms = fraction === undefined ? 0 : Number(`0.${fraction}`) * 1000;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const named = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? "");
  const offset =
    named === null
      ? zone === undefined
        ? zoneMinutes
        : 0
      : (named[1] === "-" ? -1 : 1) * (Number(named[2]) * 60 + Number(named[3]));
  return { atMs: date.getTime() + ms - offset * 60_000 };
}
