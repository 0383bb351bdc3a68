/**
 * Fragments of IP packets, put together. What came first stays where two overlap; what never becomes whole
 * makes room for what comes later.
 *
 * @module
 */
import type { IpPacket } from "./ip.ts";

const PENDING_MAX = 64; // Packets of which a part is missing; each has at most 64 KiB.
const PACKET_BYTES_MAX = 65_535;
const PIECES_MAX = 128;

interface Pending {
  readonly pieces: { readonly at: number; readonly bytes: Buffer }[];
  total: number | undefined;
}

export interface Fragments {
  /** Takes a fragment; returns the packet that it completed. */
  add(fragment: IpPacket): IpPacket | undefined;
}

export function createFragments(): Fragments {
  const pending = new Map<string, Pending>();
  return {
    add(ip) {
      const { source, destination, protocol, payload, fragment } = ip;
      // A cut capture cannot be put together; nor can a packet end beyond what a packet may have.
      if (fragment === undefined || payload.length < ip.payloadBytes) return undefined;
      if (fragment.offset + payload.length > PACKET_BYTES_MAX) return undefined;
      const ends = `${source.toString("latin1")}${destination.toString("latin1")}`;
      const key = `${ends}${protocol}:${fragment.id}`;
      const known = pending.get(key) ?? { pieces: [], total: undefined };
      if (!pending.has(key)) {
        const [oldest] = pending.keys();
        if (pending.size === PENDING_MAX && oldest !== undefined) pending.delete(oldest);
        pending.set(key, known);
      }
      if (known.pieces.length === PIECES_MAX) return undefined;
      // A copy, or each piece would hold the whole chunk of the file in memory.
      known.pieces.push({ at: fragment.offset, bytes: Buffer.from(payload) });
      if (fragment.isLast) known.total ??= fragment.offset + payload.length;
      const whole = join(known);
      if (whole === undefined) return undefined;
      pending.delete(key);
      return { source, destination, protocol, payload: whole, payloadBytes: whole.length };
    },
  };
}

/** All of it, where no byte is missing. */
function join({ pieces, total }: Pending): Buffer | undefined {
  if (total === undefined) return undefined;
  const whole = Buffer.alloc(total);
  // The sort is stable: of two that begin alike the first to come stands first.
  const order = [...pieces].sort((one, other) => one.at - other.at);
  let filled = 0;
  for (const { at, bytes } of order) {
    if (at > filled) return undefined;
    const fresh = bytes.subarray(filled - at, Math.max(total - at, 0));
    if (fresh.length === 0) continue;
    fresh.copy(whole, filled);
    filled += fresh.length;
  }
  return filled === total ? whole : undefined;
}
