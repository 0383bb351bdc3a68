/**
 * Headers of IPv4 (RFC 791) and IPv6 (RFC 8200).
 *
 * @module
 */

/** A packet, or a fragment of one. */
export interface IpPacket {
  readonly source: Buffer;
  readonly destination: Buffer;
  /** Of what is inside: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6. */
  readonly protocol: number;
  /** What was captured behind the headers. */
  readonly payload: Buffer;
  /** How long that was on the wire. */
  readonly payloadBytes: number;
  readonly fragment?: { readonly id: number; readonly offset: number; readonly isLast: boolean };
}

/** The packet at the start of `bytes`; `undefined` where there is none that fits together. */
export function readIp(bytes: Buffer): IpPacket | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return readIpv4(bytes);
  return version === 6 ? readIpv6(bytes) : undefined;
}

// Version u4, header words u4, service u8, length u16, id u16, flags u3, offset u13, ttl u8, protocol u8,
// checksum u16, source, destination, options.
function readIpv4(bytes: Buffer): IpPacket | undefined {
  if (bytes.length < 20) return undefined;
  const header = ((bytes[0] ?? 0) & 0x0f) * 4;
  const said = bytes.readUInt16BE(2);
  // A sender that lets its card cut segments captures packets of length 0.
  const length = said === 0 ? bytes.length : said;
  if (header < 20 || length < header) return undefined;
  const cut = bytes.readUInt16BE(6);
  const offset = (cut & 0x1fff) * 8;
  const isLast = (cut & 0x2000) === 0;
  return {
    source: bytes.subarray(12, 16),
    destination: bytes.subarray(16, 20),
    protocol: bytes[9] ?? 0,
    payload: bytes.subarray(header, length),
    payloadBytes: length - header,
    ...(offset === 0 && isLast ? {} : { fragment: { id: bytes.readUInt16BE(4), offset, isLast } }),
  };
}

/** Extension headers that stand before what is carried (RFC 8200, 4): all but 44 say their length. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 44, 51, 60, 135, 139, 140]);
const EXTENSIONS_MAX = 16;

// Version u4, class u8, label u20, payload length u16, next header u8, hop limit u8, source, destination.
function readIpv6(bytes: Buffer): IpPacket | undefined {
  if (bytes.length < 40) return undefined;
  const said = bytes.readUInt16BE(4);
  const end = said === 0 ? bytes.length : 40 + said;
  let next = bytes[6] ?? 0;
  let at = 40;
  let fragment: IpPacket["fragment"];
  for (let headers = 0; EXTENSIONS.has(next); headers += 1) {
    if (headers === EXTENSIONS_MAX || at + 8 > bytes.length || at + 8 > end) return undefined;
    const words = bytes[at + 1] ?? 0;
    if (next === 44) {
      const cut = bytes.readUInt16BE(at + 2);
      const isLast = (cut & 1) === 0;
      const offset = cut & 0xfff8;
      if (offset > 0 || !isLast) fragment = { id: bytes.readUInt32BE(at + 4), offset, isLast };
      next = bytes[at] ?? 0;
      at += 8;
      if (fragment !== undefined) break; // What follows begins within the whole packet.
      continue;
    }
    const length = next === 51 ? (words + 2) * 4 : (words + 1) * 8;
    next = bytes[at] ?? 0;
    at += length;
  }
  if (at > end) return undefined;
  return {
    source: bytes.subarray(8, 24),
    destination: bytes.subarray(24, 40),
    protocol: next,
    payload: bytes.subarray(at, end),
    payloadBytes: end - at,
    ...(fragment === undefined ? {} : { fragment }),
  };
}
