/**
 * Recursive length prefix the other way round, for tests.
 *
 * @module
 */
import type { Rlp } from "./rlp.ts";

/** Writes what readRlp reads: the rule of the Yellow Paper, the other way round. */
export function writeRlp(value: Rlp): Buffer {
  if (!Array.isArray(value)) {
    const bytes = Buffer.from(value as Uint8Array);
    return bytes.length === 1 && (bytes[0] ?? 0) < 0x80 ? bytes : withPrefix(bytes, 0x80);
  }
  return withPrefix(Buffer.concat((value as readonly Rlp[]).map(writeRlp)), 0xc0);
}

function withPrefix(bytes: Buffer, base: number): Buffer {
  if (bytes.length <= 55) return Buffer.concat([Buffer.from([base + bytes.length]), bytes]);
  const hex = bytes.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
  return Buffer.concat([Buffer.from([base + 55 + length.length]), length, bytes]);
}
