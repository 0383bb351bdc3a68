/**
 * Private networks and proxies, by their first messages.
 *
 * @module
 */
import type { FlowDetector, FlowSign, FlowView } from "./flow-detector.ts";
import { datagramsOf } from "./flow-seen.ts";
import { carriedBy, speaks, type Layer } from "./layers.ts";
import type { FirstBytesProtocol } from "../../wire/index.ts";

const COMMON = { kind: "tunnel", atlas: ["AML.T0072"], owasp: ["ASI10"], tuning: {} } as const;

/** Over TCP, as the gateway names it. */
function firstBytes(
  layers: readonly Layer[],
  protocol: FirstBytesProtocol,
  score = 0.95,
): FlowSign | undefined {
  for (const layer of layers) {
    const first = speaks(layer, protocol);
    if (first !== undefined) return { score, why: `${first.detail}${carriedBy(layer)}` };
  }
  return undefined;
}

export const VPN_DETECTORS: readonly FlowDetector[] = [
  {
    ...COMMON,
    name: "vpn.wireguard",
    sees: ["tcp", "udp"],
    title: "WireGuard",
    explanation:
      "Handshake messages of 148 and 92 bytes with their types and reserved zeros, or data messages of both sides. Found over UDP at any port, and over TCP with a length before.",
    attack: ["T1572", "T1095"],
    judge(flow) {
      if (flow.seen.protocol === "tcp") return firstBytes(flow.layers, "wireguard");
      const { sent, received } = flow.once(firstDatagrams);
      const all = [...sent, ...received];
      const isStarted = all.some((one) => isWireGuard(one, 1, 148));
      if (isStarted && all.some((one) => isWireGuard(one, 2, 92))) {
        return { score: 1, why: "a handshake of 148 bytes, answered with 92" };
      }
      if (isStarted && all.every((one) => wireGuardType(one) !== 0)) {
        return { score: 0.85, why: "a handshake of 148 bytes" };
      }
      if (sent.length < 3 || received.length < 3) return undefined;
      if (!all.every((one) => wireGuardType(one) === 4)) return undefined;
      return { score: 0.8, why: "both sides send data messages and nothing else" };
    },
  },
  {
    ...COMMON,
    name: "vpn.openvpn",
    sees: ["tcp", "udp"],
    title: "OpenVPN",
    explanation:
      "A client's reset of the session answered by the server's, over UDP or TCP, with or without an HMAC. Obfuscated forms are not seen.",
    attack: ["T1572", "T1095"],
    judge(flow) {
      const { seen } = flow;
      if (seen.protocol === "tcp") {
        const [outer] = flow.layers;
        const first = outer === undefined ? undefined : speaks(outer, "openvpn");
        // Three bytes alone could be chance; the server's reset is not.
        if (first === undefined || !isOpenVpnReset(seen.received.subarray(2), SERVER_RESETS)) {
          return firstBytes(flow.layers.slice(1), "openvpn");
        }
        return { score: 0.95, why: first.detail };
      }
      const { sent, received } = flow.once(firstDatagrams);
      const [first] = sent;
      const [answer] = received;
      if (first === undefined || !isOpenVpnReset(first, CLIENT_RESETS)) return undefined;
      if (answer === undefined) {
        const why = "a reset of the session by the client, with nothing else in it";
        return isBareReset(first) ? { score: 0.7, why } : undefined;
      }
      if (!isOpenVpnReset(answer, SERVER_RESETS)) return undefined;
      return { score: 0.95, why: "a reset of the session by the client, answered by the server's" };
    },
  },
  {
    ...COMMON,
    name: "proxy.socks",
    sees: ["tcp"],
    title: "SOCKS, a proxy for anything",
    explanation:
      "The greeting of SOCKS 4 or 5 and its answer. Whatever speaks it can have a server elsewhere connect it anywhere.",
    attack: ["T1090"],
    judge(flow) {
      for (const layer of flow.layers) {
        const first = speaks(layer, "socks");
        if (first === undefined || layer.opening.protocol !== "socks") continue;
        const [version, method = 0xff] = layer.received;
        const isFive = layer.sent[0] === 5;
        const isAnswer = isFive ? version === 5 && METHODS.has(method) : version === 0;
        if (version !== undefined && !isAnswer) continue;
        const score = version === undefined ? 0.6 : 0.95;
        return { score, why: `${first.detail}${carriedBy(layer)}` };
      }
      return undefined;
    },
  },
  {
    ...COMMON,
    name: "remote.desktop",
    sees: ["tcp", "udp"],
    title: "A remote desktop",
    explanation:
      "The first message of RDP, over TCP or UDP, or the version line of VNC, from either side. A person at a distance sees and steers the machine.",
    attack: ["T1219", "T1021.001", "T1021.005"],
    judge(flow) {
      if (flow.seen.protocol === "udp") return rdpOverUdp(flow);
      return firstBytes(flow.layers, "rdp", 0.9) ?? firstBytes(flow.layers, "vnc", 0.9);
    },
  },
  {
    ...COMMON,
    name: "vpn.tailscale-disco",
    sees: ["udp"],
    title: "Tailscale's peers look for each other",
    explanation: "Datagrams that begin with Tailscale's magic (its disco protocol).",
    attack: ["T1572", "T1095"],
    judge(flow) {
      const { sent, received } = flow.once(firstDatagrams);
      return sent.some(isDisco) || received.some(isDisco)
        ? { score: 1, why: "datagrams with the magic of Tailscale's discovery" }
        : undefined;
    },
  },
];

const DATAGRAMS_MAX = 16;
const METHODS: ReadonlySet<number> = new Set([0, 1, 2, 0xff]);
const DISCO = Buffer.from("TS💬");

function isDisco(datagram: Buffer): boolean {
  return datagram[0] === DISCO[0] && datagram.subarray(0, DISCO.length).equals(DISCO);
}

function firstDatagrams({ seen }: FlowView) {
  return {
    sent: datagramsOf(seen, "client", DATAGRAMS_MAX),
    received: datagramsOf(seen, "server", DATAGRAMS_MAX),
  };
}

/** No HMAC, no acknowledgement, and the first of its packets. */
function isBareReset(bytes: Buffer): boolean {
  return bytes.length === RESET_BYTES_MIN && bytes.subarray(9).every((byte) => byte === 0);
}

// MS-RDPEUDP, 2.2.2.1: snSourceAck u32 of a SYN is all ones, window u16, flags u16; padded to 1,132 bytes at least.
const RDP_SYN = 0x0001;
const RDP_ACK = 0x0004;
const RDP_SYN_BYTES_MIN = 1132;

function isRdpSyn(bytes: Buffer | undefined, flags: number): boolean {
  if (bytes === undefined || bytes.length < RDP_SYN_BYTES_MIN) return false;
  return (bytes.readUInt16BE(6) & (RDP_SYN | RDP_ACK)) === flags;
}

function rdpOverUdp(flow: FlowView): FlowSign | undefined {
  const { sent, received } = flow.once(firstDatagrams);
  const isAsked = isRdpSyn(sent[0], RDP_SYN) && sent[0]?.readUInt32BE(0) === 0xffffffff;
  if (!isAsked || !isRdpSyn(received[0], RDP_SYN | RDP_ACK)) return undefined;
  return { score: 0.9, why: "the padded SYN of RDP over UDP, and its answer" };
}

function isWireGuard(datagram: Buffer, type: number, length: number): boolean {
  return datagram.length === length && datagram.readUInt32LE(0) === type;
}

/** 1 to 4, or 0 where it is none (wireguard.com/protocol): type u8, zeros u24, and its length. */
function wireGuardType(datagram: Buffer): number {
  if (datagram.length < 32) return 0;
  const type = datagram.readUInt32LE(0);
  const { length } = datagram;
  if (type === 1) return length === 148 ? 1 : 0;
  if (type === 2) return length === 92 ? 2 : 0;
  if (type === 3) return length === 64 ? 3 : 0;
  return type === 4 && length % 16 === 0 ? 4 : 0;
}

// Opcode u5, key id u3 (0 at first). P_CONTROL_HARD_RESET_CLIENT_V2 and V3, _SERVER_V2; then the session's id.
const CLIENT_RESETS: ReadonlySet<number> = new Set([0x38, 0x50]);
const SERVER_RESETS: ReadonlySet<number> = new Set([0x40]);
const RESET_BYTES_MIN = 14;
// With the HMAC and a replay counter, or a wrapped key (tls-crypt-v2) behind it.
const RESET_BYTES_MAX = 1500;

function isOpenVpnReset(bytes: Buffer, codes: ReadonlySet<number>): boolean {
  const [code = 0] = bytes;
  if (!codes.has(code) || bytes.length < RESET_BYTES_MIN || bytes.length > RESET_BYTES_MAX * 12)
    return false;
  return bytes.readBigUInt64BE(1) !== 0n;
}
