/**
 * Whether two files hold the same bytes, without reading their holes.
 *
 * @module
 */
import { readSync } from "node:fs";
import { nextData } from "../sys/index.ts";
import type { Pace } from "./pace.ts";

/** How much of a file is read or copied in one step, in bytes. */
export const CHUNK_BYTES = 1 << 20;

/** The start of data at or after `offset` in either file; `size` where both have holes only. */
function nextOfBoth(a: number, b: number, offset: number, size: number): number {
  return Math.min(nextData(a, offset)?.[0] ?? size, nextData(b, offset)?.[0] ?? size);
}

/** Compares two open files of `size` bytes each. */
export async function isSameContent(
  a: number,
  b: number,
  size: number,
  pace: Pace,
): Promise<boolean> {
  const bytes = Math.min(CHUNK_BYTES, size);
  const [left, right] = [Buffer.allocUnsafe(bytes), Buffer.allocUnsafe(bytes)];
  // One read does for a small file: a hole in it costs nothing.
  let at = size <= CHUNK_BYTES ? 0 : nextOfBoth(a, b, 0, size);
  while (at < size) {
    const wanted = Math.min(bytes, size - at);
    const [one, other] = [left.subarray(0, wanted), right.subarray(0, wanted)];
    if (!readFully(a, one, at) || !readFully(b, other, at)) return false; // Cut off meanwhile.
    if (!one.equals(other)) return false;
    at += wanted;
    if (at < size) at = nextOfBoth(a, b, at, size);
    await pace();
  }
  return true;
}

/** Fills `into` from `offset` on; false where the file ends before. */
export function readFully(file: number, into: Buffer, offset: number): boolean {
  for (let done = 0; done < into.length;) {
    const read = readSync(file, into, done, into.length - done, offset + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
}
