/**
 * First bytes of protocols that begin with a fixed binary layout, as a table of patterns.
 *
 * @module
 */
import type { FirstBytesGuess, FirstBytesMatch, FirstBytesProtocol } from "./first-bytes-match.ts";
import { isStratumV2Setup, STRATUM_V2_BYTES } from "./stratum.ts";

/**
 * Protocol, what it is, and its bytes: two hex digits each, `?` for any digit. In order: a narrower
 * pattern stands before a wider one that it could be taken for.
 */
const PATTERNS: readonly (readonly [FirstBytesProtocol, string, string])[] = [
  // RFC 1928, 3: version 5, count of methods, methods 0 (none), 1 (GSSAPI), 2 (password). DCE/RPC, which is
  // version 5 too, counts 0 or has its message type in place of a method.
  ...["00", "01", "02"].map((method) => ["socks", "SOCKS5 greeting", `05 01 ${method}`] as const),
  ...["2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"].map(
    (count) => ["socks", "SOCKS5 greeting", `05 0${count} 0? ??`] as const,
  ),
  // SOCKS 4: version, command 1 CONNECT or 2 BIND, port, address, user id.
  ["socks", "SOCKS4 CONNECT", "04 01 ?? ?? ?? ?? ?? ??"],
  ["socks", "SOCKS4 BIND", "04 02 ?? ?? ?? ?? ?? ??"],
  // TPKT (RFC 1006) version 3, length; X.224 connection request 0xe0 of 11 bytes; then nothing, "Cookie:" or a
  // negotiation request (MS-RDPBCGR, 2.2.1.1). Industrial protocols have parameters 0xc? there instead.
  ["rdp", "X.224 connection request", "03 00 00 0b 06 e0"],
  ["rdp", "X.224 connection request", "03 00 ?? ?? ?? e0 ?? ?? ?? ?? ?? 43 6f 6f 6b"],
  ["rdp", "X.224 connection request", "03 00 ?? ?? ?? e0 ?? ?? ?? ?? ?? 01 0? 08 00"],
  // NetBIOS session message 0, length u24; SMB 1 or SMB 2 signature.
  ["smb", "SMB 1 message", "00 ?? ?? ?? ff 53 4d 42"],
  ["smb", "SMB 2 message", "00 ?? ?? ?? fe 53 4d 42"],
  // PostgreSQL 55.7: length u32, then 3.0 or 3.2 and a name such as "user", or a
  // request code 1234.567x.
  ["postgres", "PostgreSQL SSLRequest", "00 00 00 08 04 d2 16 2f"],
  ["postgres", "PostgreSQL GSSENCRequest", "00 00 00 08 04 d2 16 30"],
  ["postgres", "PostgreSQL CancelRequest", "00 00 ?? ?? 04 d2 16 2e"],
  ["postgres", "PostgreSQL startup message", "00 00 ?? ?? 00 03 00 00 7?"],
  ["postgres", "PostgreSQL startup message", "00 00 ?? ?? 00 03 00 02 7?"],
  // yamux (ligolo, bore-like tools): version 0, type 1 window update or 2 ping, flag SYN. As DNS it would be
  // a message of one byte.
  ["tunnel", "yamux session", "00 01 00 01 00 00 00 0?"],
  ["tunnel", "yamux session", "00 02 00 01 00 00 00 00"],
  // RFC 1035, 4.2.2: length u16, id, flags of a query, one question, no answers, at most some EDNS.
  ["dns", "DNS query over TCP", "0? ?? ?? ?? 0? ?0 00 01 00 00 00 00 00 0?"],
  // MongoDB OP_MSG 2013: length, request, response 0, opcode.
  ["mongodb", "MongoDB message", "?? ?? 00 00 ?? ?? ?? ?? 00 00 00 00 dd 07 00 00"],
  // Pkt-line with four hex digits of length, then "git-upload-pack" and its kin.
  ["git", "git daemon request", "3? 3? ?? ?? 67 69 74 2d"],
  ["vnc", "RFB version", "52 46 42 20 30 30"],
  ["amqp", "AMQP header", "41 4d 51 50 0?"],
  ["mqtt", "MQTT CONNECT", "10 ?? 00 04 4d 51 54 54"],
  // X11: byte order "l" or "B", protocol version 11.0.
  ["x11", "X11 connection set-up", "6c ?? 0b 00 00 00"],
  ["x11", "X11 connection set-up", "42 ?? 00 0b 00 00"],
  // BEP 3: length 19, then the protocol's name.
  ["bittorrent", "BitTorrent handshake", "13 42 69 74 54 6f 72 72 65 6e 74 20"],
  // OpenVPN over TCP: length u16, P_CONTROL_HARD_RESET_CLIENT_V2 (7 << 3); plain, or with an HMAC of
  // 20, 32 or 64 bytes.
  ["openvpn", "OpenVPN reset", "00 0e 38 ?? ?? ?? ?? ?? ?? ?? ?? 00 00 00 00 00"],
  ["openvpn", "OpenVPN reset with an HMAC", "00 2a 38"],
  ["openvpn", "OpenVPN reset with an HMAC", "00 36 38"],
  ["openvpn", "OpenVPN reset with an HMAC", "00 56 38"],
  // WireGuard's first message (148 bytes) carried over TCP with a length before it.
  ["wireguard", "WireGuard initiation over TCP", "00 94 01 00 00 00"],
  // frp: its own byte 0x17 before a TLS record, or message type "o" (login), length i64, JSON.
  ["tunnel", "frp client (TLS)", "17 16 03"],
  ["tunnel", "frp client login", "6f 00 00 00 00 00 00 ?? ?? 7b"],
  // Coins' own peer networks.
  ["crypto-p2p", "Monero peer (levin)", "01 21 01 01 01 01 01 01"],
  ["crypto-p2p", "Bitcoin peer", "f9 be b4 d9 76 65 72 73 69 6f 6e 00"],
  // MySQL: payload length u24 LE, sequence 1, capabilities, 16 MiB packets, charset, 23 zeros.
  [
    "mysql",
    "MySQL login",
    "?? ?? 00 01 ?? ?? ?? ?? ?? ?? ?? ?? ?? 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
  ],
];

interface Pattern {
  readonly match: FirstBytesMatch;
  readonly masks: readonly number[];
  readonly values: readonly number[];
}

const COMPILED: readonly Pattern[] = PATTERNS.map(([protocol, detail, source]) => {
  const cells = source.split(" ");
  return {
    match: { protocol, detail },
    masks: cells.map((cell) =>
      Number.parseInt(cell.replace(/[^?]/g, "f").replaceAll("?", "0"), 16),
    ),
    values: cells.map((cell) => Number.parseInt(cell.replaceAll("?", "0"), 16)),
  };
});

/** By first byte: the patterns that may begin so, in order. */
const BY_FIRST = Array.from({ length: 256 }, (_, byte) =>
  COMPILED.filter(({ masks, values }) => (byte & (masks[0] ?? 0)) === values[0]),
);

/** Names a binary protocol by {@link PATTERNS}. */
export function matchBinary(bytes: Buffer): FirstBytesGuess {
  const stratum = matchStratumV2(bytes);
  if (stratum !== "no") return stratum;
  // While no byte came, all may be.
  for (const pattern of BY_FIRST[bytes[0] ?? -1] ?? COMPILED) {
    const guess = matchPattern(pattern, bytes);
    if (guess !== "no") return guess;
  }
  return "no";
}

function matchPattern({ match, masks, values }: Pattern, bytes: Buffer): FirstBytesGuess {
  const seen = Math.min(bytes.length, masks.length);
  for (let n = 0; n < seen; n += 1) {
    if (((bytes[n] ?? 0) & (masks[n] ?? 0)) !== values[n]) return "no";
  }
  return seen < masks.length ? "more" : match;
}

function matchStratumV2(bytes: Buffer): FirstBytesGuess {
  if (bytes.length >= STRATUM_V2_BYTES) {
    return isStratumV2Setup(bytes)
      ? { protocol: "stratum", detail: "Stratum V2 SetupConnection" }
      : "no";
  }
  const fixed = (bytes[0] ?? 0) | (bytes[1] ?? 0) | (bytes[2] ?? 0) | (bytes[5] ?? 0);
  return fixed === 0 ? "more" : "no";
}
