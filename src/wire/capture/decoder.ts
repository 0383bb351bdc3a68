/**
 * From frames to messages of TCP, UDP and ICMP: link headers, IP of both versions, fragments put together,
 * tunnels of IP in IP opened. Checksums are not checked: captures at the sender have none yet.
 *
 * @module
 */
import type { CapturedFrame } from "./capture-reader.ts";
import { createFragments } from "./fragments.ts";
import { readIp, type IpPacket } from "./ip.ts";
import { packetIn } from "./link.ts";

/** One message between two ends. */
export interface Segment {
  readonly atMs: number;
  /** `icmp` is ICMP and ICMPv6; its ports are the identifier of an echo, or 0. */
  readonly protocol: "tcp" | "udp" | "icmp";
  /** 4 or 16 bytes. */
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** What was captured of the payload; of ICMP the whole message. */
  readonly payload: Buffer;
  /** How long the payload was on the wire. */
  readonly payloadBytes: number;
  /** Of TCP. */
  readonly sequence: number;
  readonly flags: number;
}

export const TCP_FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

export interface Decoder {
  /** The message in `frame`, if there is one to see. */
  decode(frame: CapturedFrame): Segment | undefined;
  /** Frames of link types that are not read, by type. */
  readonly unread: ReadonlyMap<number, number>;
}

const NESTING_MAX = 4; // IP in IP.
const PROTOCOL = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmp6: 58 } as const;

export function createDecoder(): Decoder {
  const unread = new Map<number, number>();
  const fragments = createFragments();
  return {
    unread,
    decode({ atMs, linkType, bytes }) {
      let packet = packetIn(linkType, bytes);
      if (packet === undefined) {
        unread.set(linkType, (unread.get(linkType) ?? 0) + 1);
        return undefined;
      }
      for (let depth = 0; depth < NESTING_MAX; depth += 1) {
        const ip = readIp(packet);
        const whole = ip?.fragment === undefined ? ip : fragments.add(ip);
        if (whole === undefined) return undefined;
        const inner = tunnelled(whole);
        if (inner === undefined) return segmentOf(whole, atMs);
        packet = inner;
      }
      return undefined;
    },
  };
}

/** The packet inside one that carries another. */
function tunnelled({ protocol, payload }: IpPacket): Buffer | undefined {
  if (protocol === PROTOCOL.ipip || protocol === PROTOCOL.ipv6) return payload;
  if (protocol !== PROTOCOL.gre || payload.length < 4) return undefined;
  // RFC 2784 and 2890: flags (checksum 0x80, key 0x20, sequence 0x10), version, type, then four bytes each.
  const [flags = 0, version = 0] = payload;
  const type = payload.readUInt16BE(2);
  if ((version & 7) !== 0 || (type !== 0x0800 && type !== 0x86dd)) return undefined;
  const options = [0x80, 0x20, 0x10].filter((flag) => (flags & flag) !== 0).length;
  return payload.subarray(4 + 4 * options);
}

function segmentOf(ip: IpPacket, atMs: number): Segment | undefined {
  const { source, destination, protocol, payload: bytes, payloadBytes: wire } = ip;
  const common = { atMs, source, destination, sequence: 0, flags: 0 };
  if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmp6) {
    if (bytes.length < 8) return undefined;
    const isEcho = ECHO.has(bytes[0] ?? 0);
    const id = isEcho ? bytes.readUInt16BE(4) : 0;
    const ports = { sourcePort: id, destinationPort: id };
    return { ...common, protocol: "icmp", ...ports, payload: bytes, payloadBytes: wire };
  }
  if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) return undefined;
  if (bytes.length < (protocol === PROTOCOL.tcp ? 20 : 8)) return undefined;
  const ports = { sourcePort: bytes.readUInt16BE(0), destinationPort: bytes.readUInt16BE(2) };
  if (protocol === PROTOCOL.udp) {
    // Length with the header; 0 where it does not fit (a jumbogram) or was left to the network card.
    const said = bytes.readUInt16BE(4);
    const length = said < 8 || said > wire ? wire : said;
    const payload = bytes.subarray(8, length);
    return { ...common, protocol: "udp", ...ports, payload, payloadBytes: length - 8 };
  }
  const header = ((bytes[12] ?? 0) >> 4) * 4;
  if (header < 20 || header > wire) return undefined;
  return {
    ...common,
    protocol: "tcp",
    ...ports,
    payload: bytes.subarray(header),
    payloadBytes: wire - header,
    sequence: bytes.readUInt32BE(4),
    flags: bytes[13] ?? 0,
  };
}

const ECHO: ReadonlySet<number> = new Set([0, 8, 128, 129]);
