/**
 * ICMP as a channel.
 *
 * @module
 */
import type { FlowDetector } from "./flow-detector.ts";
import { datagramsOf } from "./flow-seen.ts";

const HEADER_BYTES = 8; // Type u8, code u8, checksum u16, identifier u16, sequence u16.

export const ICMP_DETECTORS: readonly FlowDetector[] = [
  {
    name: "flow.icmp-tunnel",
    kind: "tunnel",
    title: "Bytes carried in echo requests and replies",
    explanation:
      "A reply to an echo repeats the data of its request (RFC 792). Replies with other data, again and again, carry something of their own; so do echoes that hold an IP packet, and requests of one program that have many sizes. Ping sends one size, and is answered with the same. A sweep over sizes to find a path's MTU looks alike.",
    attack: ["T1095", "T1572"],
    atlas: [],
    owasp: ["ASI10"],
    tuning: {
      replies: { value: 3, unit: "replies", meaning: "so many that repeat nothing" },
      sizes: {
        value: 6,
        unit: "sizes",
        meaning: "so many different ones of the requests of one program",
      },
    },
    sees: ["icmp"],
    judge({ seen }, { replies = 3, sizes = 6 }) {
      const messages = [...datagramsOf(seen, "client"), ...datagramsOf(seen, "server")].filter(
        (one) => one.length > HEADER_BYTES,
      );
      const requests = messages.filter(([type]) => type === 8 || type === 128);
      const answers = messages.filter(([type]) => type === 0 || type === 129);
      const packets = [...requests, ...answers].filter(carriesIp).length;
      if (packets >= replies) return { score: 1, why: `${packets} echoes carry IP packets` };
      const asked = new Set(requests.map(contentOf));
      const own = answers.filter((one) => !asked.has(contentOf(one))).length;
      if (requests.length > 0 && own >= replies) {
        return { score: 0.9, why: `${own} echo replies carry other data than was sent` };
      }
      const different = new Set(requests.map(({ length }) => length)).size;
      if (different < sizes) return undefined;
      return { score: 0.8, why: `echo requests of one program have ${different} different sizes` };
    },
  },
];

/** Sequence and data: what a reply repeats. */
function contentOf(message: Buffer): string {
  return message.toString("latin1", HEADER_BYTES - 2);
}

/** An IPv4 packet of exactly the message's length. */
function carriesIp(message: Buffer): boolean {
  const data = message.subarray(HEADER_BYTES);
  return data.length >= 20 && data[0] === 0x45 && data.readUInt16BE(2) === data.length;
}
