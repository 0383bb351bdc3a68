/**
 * From a captured frame to the IP packet in it.
 *
 * @module
 */

/** LINKTYPE values (tcpdump.org/linktypes.html) whose frames are read. */
export const LINK_TYPE = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  rawOld: 12,
  rawBsd: 14,
  pppHdlc: 50,
  raw: 101,
  loop: 108,
  linuxCooked: 113,
  ipv4: 228,
  ipv6: 229,
  linuxCooked2: 276,
} as const;

const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd, mpls: 0x8847, pppoe: 0x8864 } as const;
const VLAN: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
const TAGS_MAX = 8; // VLAN tags and MPLS labels on top of each other.
const NONE = Buffer.alloc(0);

/** The IP packet in `frame`; empty where it carries another protocol, `undefined` where the link is unknown. */
export function packetIn(linkType: number, frame: Buffer): Buffer | undefined {
  switch (linkType) {
    case LINK_TYPE.ethernet:
      return behindEthertype(frame, 12);
    case LINK_TYPE.linuxCooked: // Packet type, ARPHRD type, address length, address 8, protocol.
      return behindEthertype(frame, 14);
    case LINK_TYPE.linuxCooked2: // Protocol first, then 18 bytes more.
      return frame.length < 20 ? NONE : ofType(u16(frame, 0), frame.subarray(20));
    case LINK_TYPE.null: // An address family in the byte order of whoever captured.
    case LINK_TYPE.loop:
      return frame.subarray(4);
    case LINK_TYPE.ppp:
    case LINK_TYPE.pppHdlc:
      return behindPpp(frame[0] === 0xff && frame[1] === 0x03 ? frame.subarray(2) : frame);
    case LINK_TYPE.raw:
    case LINK_TYPE.rawOld:
    case LINK_TYPE.rawBsd:
    case LINK_TYPE.ipv4:
    case LINK_TYPE.ipv6:
      return frame;
    default:
      return undefined;
  }
}

function u16(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

/** What follows the type at `at`, under any tags (IEEE 802.1Q: type, tag u16, then the type again). */
function behindEthertype(frame: Buffer, at: number): Buffer {
  let type = u16(frame, at);
  let rest = frame.subarray(at + 2);
  for (let tags = 0; VLAN.has(type) && tags < TAGS_MAX; tags += 1) {
    type = u16(rest, 2);
    rest = rest.subarray(4);
  }
  return ofType(type, rest);
}

function ofType(type: number, rest: Buffer): Buffer {
  if (type === ETHERTYPE.ipv4 || type === ETHERTYPE.ipv6) return rest;
  if (type === ETHERTYPE.pppoe) return behindPpp(rest.subarray(6)); // RFC 2516, 4.
  if (type !== ETHERTYPE.mpls) return NONE;
  // RFC 3032, 2.1: label u20, class u3, bottom of stack u1, time to live u8.
  for (let labels = 0; labels < TAGS_MAX && rest.length >= 4; labels += 1) {
    const isBottom = ((rest[2] ?? 0) & 1) === 1;
    rest = rest.subarray(4);
    if (isBottom) return rest;
  }
  return NONE;
}

/** RFC 1661, 2: protocol in one byte or two; 0x21 is IPv4, 0x57 IPv6. */
function behindPpp(frame: Buffer): Buffer {
  const [first = 0, second = 0] = frame;
  const isShort = (first & 1) === 1;
  const protocol = isShort ? first : second;
  if (!isShort && first !== 0) return NONE;
  if (protocol !== 0x21 && protocol !== 0x57) return NONE;
  return frame.subarray(isShort ? 1 : 2);
}
