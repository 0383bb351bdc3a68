/**
 * What a TLS connection carries, by the lengths of its records: a second handshake inside it has messages of fixed
 * lengths, and nothing hides them. Programs that relay bytes write a record for what they read.
 *
 * @module
 */
import type { FlowDetector, FlowSign } from "./flow-detector.ts";
import type { FlowSeen } from "./flow-seen.ts";
import { carriedIn, recordsOf } from "./record-lengths.ts";

/** What a cipher adds to a record: of TLS 1.3 (RFC 8446, 5.2), of GCM in 1.2 (RFC 5288), of ChaCha20 in 1.2. */
const ADDED = [17, 24, 16] as const;
/** And what a proxy's own framing puts before each piece: nothing, or a length. */
const FRAMED = [0, 2] as const;

// ClientHello: 180 bytes in a client of few words, 2,000 with keys for the time after quantum computers.
const HELLO = [180, 2500] as const;
// The server's answer: its hello and, in TLS 1.3, all of its certificates.
const ANSWER_BYTES_MIN = { "1.2": 500, "1.3": 1500 } as const;
/** The client's end of a handshake: change of cipher 6; Finished 58 or 74 (1.3); key 42 or 75, Finished 45 or 37 (1.2). */
const ENDS = { "1.3": [64, 80], "1.2": [93, 126, 85, 118] } as const;
/** The server's end of that of 1.2: change of cipher, Finished. */
const LAST = [51, 43] as const;
const REQUEST_BYTES_MIN = 30;

function tlsInside(records: readonly number[]): FlowSign | undefined {
  const carried = carriedIn(records);
  let at = 0;
  // Tickets of the outer connection may stand first, and a proxy may say where to before it passes the hello on.
  while ((carried[at] ?? 0) < 0) at += 1;
  while ((carried[at + 1] ?? 0) > 0) at += 1;
  const hello = carried[at] ?? 0;
  let answer = 0;
  for (at += 1; (carried[at] ?? 0) < 0; at += 1) answer -= carried[at] ?? 0;
  const end = carried[at] ?? 0;
  if (end === 0 || answer < ANSWER_BYTES_MIN["1.2"]) return undefined; // As nearly all are.
  const then = carried.slice(at + 1);
  for (const added of ADDED) {
    if (hello < HELLO[0] + added || hello > HELLO[1]) continue;
    for (const framed of FRAMED) {
      const more = added + framed;
      const version = ENDS["1.3"].some((one) => one + more === end)
        ? isRequested(then, more) && "1.3"
        : ENDS["1.2"].some((one) => one + more === end) && isEnded(then, more) && "1.2";
      if (version === false || answer < ANSWER_BYTES_MIN[version]) continue;
      const why = `records of ${hello}, ${-answer}, ${end} bytes: the handshake of TLS ${version} inside TLS`;
      return { score: 0.6, why };
    }
  }
  return undefined;
}

/** The client goes on by itself, since it need not wait; tickets may come between. */
function isRequested(then: readonly number[], added: number): boolean {
  return then.slice(0, 4).some((length) => length >= REQUEST_BYTES_MIN + added);
}

function isEnded([last = 0, request = 0]: readonly number[], added: number): boolean {
  return LAST.some((one) => -one - added === last) && request >= REQUEST_BYTES_MIN + added;
}

const NEW_KEYS = 16; // RFC 4253, 7.3: a packet with one byte of payload, in the clear.
const IDENT_BYTES_MAX = 255;
const KEXINIT_BYTES_MIN = 500;
const KEY_EXCHANGE_RECORDS = 6; // Who they are, what they offer, and their keys, of both sides.
const HANDSHAKE_RECORDS_MAX = 14;
/** A request of a service in any cipher that OpenSSH has, and its answer: 17 bytes of payload, padded, with a tag. */
const SERVICE = [44, 52, 56, 64, 68, 100] as const;

function sshInside(records: readonly number[]): FlowSign | undefined {
  const carried = carriedIn(records);
  if (carried.length <= KEY_EXCHANGE_RECORDS) return undefined;
  const [ident = 0, kexinit = 0] = carried.filter((length) => length > 0);
  for (const added of ADDED) {
    if (ident > IDENT_BYTES_MAX + added || kexinit < KEXINIT_BYTES_MIN) continue;
    for (const service of SERVICE) {
      const at = carried.indexOf(-service - added, KEY_EXCHANGE_RECORDS);
      const asked = carried[at - 1];
      const isApart = asked === service + added && carried[at - 2] === NEW_KEYS + added;
      if (at < 0 || at > HANDSHAKE_RECORDS_MAX) continue;
      if (!isApart && asked !== NEW_KEYS + service + added) continue;
      const why = `new keys and the request of a service, ${service} bytes as its answer: SSH's handshake inside TLS`;
      return { score: 0.85, why };
    }
  }
  return undefined;
}

const COMMON = {
  kind: "tunnel",
  attack: ["T1572", "T1090"],
  atlas: ["AML.T0072"],
  owasp: ["ASI10"],
  tuning: {},
  sees: ["tcp"],
} as const;

export const TLS_DETECTORS: readonly FlowDetector[] = [
  {
    ...COMMON,
    name: "tunnel.tls-in-tls",
    title: "A TLS handshake inside TLS, by the lengths of its records",
    explanation:
      "Trojan, VLESS, stunnel and proxies that are reached by TLS carry a client's own TLS: a record as long as a ClientHello, an answer as long as a server's certificates, and one of exactly the length that ends a client's handshake. A proxy that was set up on purpose looks the same. Seen only where each message is a record of its own, without padding, and from the connection's beginning.",
    judge: (flow) => (isTls(flow.seen) ? tlsInside(flow.once(recordsOf)) : undefined),
  },
  {
    ...COMMON,
    name: "tunnel.ssh-in-tls",
    title: "SSH inside TLS, by the lengths of its records",
    explanation:
      "What ends SSH's exchange of keys has 16 bytes, and the request of a service that follows, and its answer, have lengths that the cipher sets: in TLS each shows with what TLS adds. stunnel and ssh's ProxyCommand over TLS do this. SSH that is wrapped once more, as in a WebSocket, has other lengths.",
    judge: (flow) => (isTls(flow.seen) ? sshInside(flow.once(recordsOf)) : undefined),
  },
];

function isTls({ sent }: FlowSeen): boolean {
  return sent[0] === 0x16 && sent[1] === 3;
}
