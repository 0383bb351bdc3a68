/**
 * Tor, by its ClientHello and the length of its cells.
 *
 * @module
 */
import type { FlowDetector } from "./flow-detector.ts";

// Random, and spelled in base32: tor-spec, "TLS handshake".
const NAME = /^www\.[a-z2-7]{4,25}\.(?:com|net)$/;
const CELL_BYTES = 514; // With a circuit's id of four bytes; before version 4 of the link protocol 512.
const APPLICATION_DATA = 23;
const RECORDS_MAX = 24;

export const TOR_DETECTORS: readonly FlowDetector[] = [
  {
    name: "vpn.tor",
    kind: "tunnel",
    title: "Tor, a network of relays",
    explanation:
      "A ClientHello without application protocols for a random name of the form www.*.com, and then records that each hold one of Tor's cells of 514 bytes. Bridges that hide themselves (obfs4, Snowflake) are not seen.",
    attack: ["T1090.003"],
    atlas: ["AML.T0072"],
    owasp: ["ASI10"],
    tuning: { cells: { value: 3, unit: "records", meaning: "so many of a cell's length" } },
    sees: ["tcp"],
    judge(flow, { cells = 3 }) {
      for (const { hello, sent, received } of flow.layers) {
        if (hello?.serverName === undefined || hello.alpn.length > 0) continue;
        if (!NAME.test(hello.serverName)) continue;
        const lengths = [...recordLengths(sent), ...recordLengths(received)];
        const found = lengths.filter(isCell).length;
        if (found < cells) continue;
        return { score: 0.95, why: `a random name, and ${found} records of a cell's length` };
      }
      return undefined;
    },
  },
];

/** A cell, or two, and what ciphers add: 16 or 17 with TLS 1.3 and ChaCha20, 24 with GCM, a MAC and padding before. */
function isCell(length: number): boolean {
  const over = length % CELL_BYTES;
  const cells = Math.floor(length / CELL_BYTES);
  return cells >= 1 && cells <= 4 && over >= 16 && over <= 72;
}

/** Lengths of the records of application data at the beginning of a direction. */
export function recordLengths(bytes: Buffer): readonly number[] {
  const lengths: number[] = [];
  for (let at = 0; at + 5 <= bytes.length && lengths.length < RECORDS_MAX;) {
    const type = bytes[at] ?? 0;
    if (type < 20 || type > 24 || bytes[at + 1] !== 3) break;
    const length = bytes.readUInt16BE(at + 3);
    if (type === APPLICATION_DATA) lengths.push(length);
    at += 5 + length;
  }
  return lengths;
}
