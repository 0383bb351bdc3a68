/**
 * ICMP as a channel.
 *
 * @module
 */
import type { FlowDetector } from "./flow-detector.ts";
import { datagramsOf } from "./flow-seen.ts";

const ECHO_REQUEST: ReadonlySet<number | undefined> = new Set([8, 128]);
const ECHO_REPLY: ReadonlySet<number | undefined> = new Set([0, 129]);
const HEADER_BYTES = 8; // Type u8, code u8, checksum u16, identifier u16, sequence u16.

export const ICMP_DETECTORS: readonly FlowDetector[] = [
  {
    name: "flow.icmp-tunnel",
    kind: "tunnel",
    title: "Bytes carried in echo requests and replies",
    explanation:
      "A reply to an echo repeats the data of its request (RFC 792). Replies with other data, again and again, carry something of their own; so do echoes whose data begins an IP packet. Ordinary ping, of any size, does neither.",
    attack: ["T1095", "T1572"],
    atlas: [],
    owasp: ["ASI10"],
    tuning: { replies: { value: 3, unit: "replies", meaning: "so many that repeat nothing" } },
    sees: ["icmp"],
    judge({ seen }, { replies = 3 }) {
      const requests = new Map<number, Buffer[]>();
      let packets = 0;
      for (const one of datagramsOf(seen, "client")) {
        if (!ECHO_REQUEST.has(one[0]) || one.length < HEADER_BYTES) continue;
        const data = one.subarray(HEADER_BYTES);
        if (isIpPacket(data)) packets += 1;
        const sequence = one.readUInt16BE(6);
        requests.set(sequence, [...(requests.get(sequence) ?? []).slice(-15), data]);
      }
      let other = 0;
      for (const one of datagramsOf(seen, "server")) {
        if (!ECHO_REPLY.has(one[0]) || one.length < HEADER_BYTES) continue;
        const data = one.subarray(HEADER_BYTES);
        if (data.length === 0) continue;
        if (isIpPacket(data)) packets += 1;
        const asked = requests.get(one.readUInt16BE(6));
        if (asked === undefined || !asked.some((request) => request.equals(data))) other += 1;
      }
      if (packets >= replies) return { score: 1, why: `${packets} echoes carry IP packets` };
      if (requests.size === 0 || other < replies) return undefined;
      return { score: 0.9, why: `${other} echo replies carry other data than was sent` };
    },
  },
];

/** An IPv4 packet of exactly this length. */
function isIpPacket(data: Buffer): boolean {
  return data.length >= 20 && data[0] === 0x45 && data.readUInt16BE(2) === data.length;
}
