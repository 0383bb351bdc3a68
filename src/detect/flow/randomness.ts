/**
 * Whether bytes look encrypted.
 *
 * @module
 */

const BYTES_MIN = 32;

/**
 * Reports whether `bytes` could be random: of n random bytes about 256(1 - e^(-n/256)) are distinct, and half
 * of their bits are set. Text, structures and padding are far from both.
 */
export function isRandom(bytes: Buffer): boolean {
  const sample = bytes.subarray(0, 256);
  if (sample.length < BYTES_MIN) return false;
  const seen = new Set<number>();
  let bits = 0;
  for (const byte of sample) {
    seen.add(byte);
    for (let rest = byte; rest > 0; rest &= rest - 1) bits += 1;
  }
  const expected = 256 * (1 - Math.exp(-sample.length / 256));
  const share = bits / (sample.length * 8);
  return seen.size > expected * 0.85 && share > 0.42 && share < 0.58;
}
