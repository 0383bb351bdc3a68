/**
 * Lengths of TLS records: what shows of a connection that nobody can read.
 *
 * @module
 */
import type { FlowView } from "./flow-detector.ts";

const APPLICATION_DATA = 23;
const HEADER_BYTES = 5;
const RECORDS_MAX = 48;
const RECORDS_OF_SIDE_MAX = 24;

/** Lengths of the records of application data of both sides, in order: the client's positive. */
export function recordsOf({ seen }: FlowView): readonly number[] {
  const { sent, received, sizes } = seen;
  const found: number[] = [];
  const came = { client: 0, server: 0 };
  const next = { client: 0, server: 0 };
  for (const size of sizes) {
    const side = size > 0 ? "client" : "server";
    const head = size > 0 ? sent : received;
    came[side] = Math.min(came[side] + Math.abs(size), head.length);
    while (next[side] + HEADER_BYTES <= came[side]) {
      const at = next[side];
      const type = head[at] ?? 0;
      if (type < 20 || type > 24 || head[at + 1] !== 3 || found.length === RECORDS_MAX)
        return found;
      const length = head.readUInt16BE(at + 3);
      if (type === APPLICATION_DATA) found.push(size > 0 ? length : -length);
      next[side] += HEADER_BYTES + length;
    }
  }
  return found;
}

/** The same behind TLS 1.3's own end of its handshake, which looks like data: the client's Finished. */
export function carriedIn(records: readonly number[]): readonly number[] {
  const first = records.findIndex((length) => length > 0);
  const isFinished = first > 0 && FINISHED.has(records[first] ?? 0);
  return isFinished ? records.slice(first + 1) : records.slice(Math.max(first, 0));
}

const FINISHED: ReadonlySet<number> = new Set([53, 69]); // 4 + 32 or 48 bytes, and what TLS 1.3 adds.

/** Lengths of the records of application data at the beginning of a direction. */
export function recordLengths(bytes: Buffer): readonly number[] {
  const lengths: number[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length && lengths.length < RECORDS_OF_SIDE_MAX;) {
    const type = bytes[at] ?? 0;
    if (type < 20 || type > 24 || bytes[at + 1] !== 3) break;
    const length = bytes.readUInt16BE(at + 3);
    if (type === APPLICATION_DATA) lengths.push(length);
    at += HEADER_BYTES + length;
  }
  return lengths;
}
