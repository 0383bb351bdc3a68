/**
 * Tor, by its ClientHello and the length of its cells.
 *
 * @module
 */
import type { FlowDetector } from "./flow-detector.ts";
import { carriedIn, recordLengths, recordsOf } from "./record-lengths.ts";

// Random, and spelled in base32: tor-spec, "TLS handshake".
const NAME = /^www\.[a-z2-7]{4,25}\.(?:com|net)$/;
const CELL_BYTES = 514; // With a circuit's id of four bytes; before version 4 of the link protocol 512.

export const TOR_DETECTORS: readonly FlowDetector[] = [
  {
    name: "vpn.tor",
    kind: "tunnel",
    title: "Tor, a network of relays",
    explanation:
      "A ClientHello without application protocols for a random name of the form www.*.com, and then the lengths of Tor's own handshake (a few bytes of versions, certificates as the answer, a cell), or records that each hold one of its cells of 514 bytes. Bridges that hide themselves (obfs4, Snowflake) are not seen.",
    attack: ["T1090.003"],
    atlas: ["AML.T0072"],
    owasp: ["ASI10"],
    tuning: { cells: { value: 3, unit: "records", meaning: "so many of a cell's length" } },
    sees: ["tcp"],
    judge(flow, { cells = 3 }) {
      for (const { hello, sent, received, via } of flow.layers) {
        if (hello?.serverName === undefined || hello.alpn.length > 0) continue;
        if (!NAME.test(hello.serverName)) continue;
        const lengths = [...recordLengths(sent), ...recordLengths(received)];
        const found = lengths.filter(isCell).length;
        if (found < cells) {
          if (via.length > 0 || !isLinkHandshake(flow.once(recordsOf))) continue;
          return { score: 0.8, why: "a name as Tor makes them, and the lengths of its handshake" };
        }
        return { score: 0.95, why: `a random name, and ${found} records of a cell's length` };
      }
      return undefined;
    },
  },
];

// tor-spec, "Negotiating versions": VERSIONS of 9 or 11 bytes; then the relay's CERTS, AUTH_CHALLENGE and NETINFO at
// once; then the client's NETINFO, a relay's behind certificates of its own. With what any cipher adds.
const VERSIONS: ReadonlySet<number> = new Set([
  ...[9, 11].flatMap((bytes) => [16, 17, 24].map((added) => bytes + added)),
  32, // With CBC and SHA-1, which old ones have; twice, since OpenSSL sends an empty record before.
]);
const CERTIFICATES = [1000, 4000] as const;

function isLinkHandshake(records: readonly number[]): boolean {
  const carried = carriedIn(records);
  const at = carried.findIndex((length) => length <= -CERTIFICATES[0]);
  const before = carried.slice(0, Math.max(at, 0)).filter((length) => length > 0);
  const then = carried.slice(at + 1).find((length) => length > 0 && !VERSIONS.has(length));
  return (
    (carried[at] ?? 0) >= -CERTIFICATES[1] &&
    before.length > 0 &&
    before.every((length) => VERSIONS.has(length)) &&
    then !== undefined &&
    then > CELL_BYTES
  );
}

/** A cell, or two, and what ciphers add: 16 or 17 with TLS 1.3 and ChaCha20, 24 with GCM, a MAC and padding before. */
function isCell(length: number): boolean {
  const over = length % CELL_BYTES;
  const cells = Math.floor(length / CELL_BYTES);
  return cells >= 1 && cells <= 4 && over >= 16 && over <= 72;
}
