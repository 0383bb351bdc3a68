/**
 * Identifiers: short, sortable by time, safe in file names, host names and cgroup names.
 *
 * @module
 */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford base 32: no i, l, o, u.
const TIME_CHARS = 9; // 45 bits of milliseconds: good until the year 3084.
const RANDOM_CHARS = 5; // 25 bits a millisecond.

/** Makes an identifier such as `r-06hcx9k2m4q7tz`: `prefix`, time, randomness. */
export function createId(prefix: string, wallMs: number = Date.now()): string {
  let text = "";
  for (let rest = Math.floor(wallMs), n = 0; n < TIME_CHARS; n += 1, rest = Math.floor(rest / 32)) {
    text = ALPHABET.charAt(rest % 32) + text;
  }
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_CHARS)))
    text += ALPHABET.charAt(byte % 32);
  return `${prefix}-${text}`;
}
