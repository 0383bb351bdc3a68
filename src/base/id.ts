/**
 * Identifiers: short, sortable by time, safe in file names, host names and cgroup names.
 *
 * @module
 */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford base 32: no i, l, o, u.
const TIME_CHARS = 9; // 45 bits of milliseconds: good until the year 3084.
const RANDOM_CHARS = 5; // 25 bits a millisecond.
const RUN_RANDOM_CHARS = 11; // 55 bits a millisecond; with the time as long as a run's id may be.

// Drawn ahead, each byte used once: to ask for five costs more than all the rest.
const drawn = new Uint8Array(1024 * RANDOM_CHARS);
let used = drawn.length;

function nextRandom(chars: number): Uint8Array {
  if (used + chars > drawn.length) {
    crypto.getRandomValues(drawn);
    used = 0;
  }
  used += chars;
  return drawn.subarray(used - chars, used);
}

/** Makes an identifier such as `r-06hcx9k2m4q7tz`: `prefix`, time, randomness. */
export function createId(
  prefix: string,
  wallMs: number = Date.now(),
  randomChars: number = RANDOM_CHARS,
): string {
  let text = "";
  for (let rest = Math.floor(wallMs), n = 0; n < TIME_CHARS; n += 1, rest = Math.floor(rest / 32)) {
    text = ALPHABET.charAt(rest % 32) + text;
  }
  for (const byte of nextRandom(randomChars)) text += ALPHABET.charAt(byte % 32);
  return `${prefix}-${text}`;
}

/**
 * Makes a run's identifier, unlike that of any run on any host: with 55 random bits a millisecond a thousand hosts that
 * start a hundred runs a second each would go on for a century until two are likely to be the same.
 */
export function createRunId(wallMs: number): string {
  return createId("r", wallMs, RUN_RANDOM_CHARS);
}
