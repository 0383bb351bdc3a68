/**
 * The bytes of one open file written into another.
 *
 * @module
 */
import { ftruncateSync, writeSync } from "node:fs";
import { nextData } from "../sys/index.ts";
import type { Pace } from "./pace.ts";
import { CHUNK_BYTES, readFully } from "./same-content.ts";

/** Copies `size` bytes and leaves holes as holes; false where the source was cut off meanwhile. */
export async function copyData(
  from: number,
  to: number,
  size: number,
  pace: Pace,
): Promise<boolean> {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size));
  for (let at = 0; at < size;) {
    const run = nextData(from, at);
    if (run === undefined) break;
    const end = Math.min(run[1], size);
    for (at = run[0]; at < end;) {
      const part = chunk.subarray(0, Math.min(chunk.length, end - at));
      if (!readFully(from, part, at)) return false;
      for (let done = 0; done < part.length;) {
        done += writeSync(to, part, done, part.length - done, at + done);
      }
      at += part.length;
      await pace();
    }
  }
  ftruncateSync(to, size);
  return true;
}
