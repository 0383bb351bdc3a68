/** Every detector over flows, in the order of the documents. */
import type { FindingKind } from "../../action/index.ts";
import type { FirstBytesProtocol } from "../../wire/index.ts";
import { beaconing } from "./beacon.ts";
import { DNS_DETECTORS } from "./dns.ts";
import type { FlowDetector, SeriesDetector } from "./flow-detector.ts";
import { ICMP_DETECTORS } from "./icmp.ts";
import { MINING_DETECTORS } from "./mining.ts";
import { SHELL_DETECTORS } from "./shell.ts";
import { SSH_DETECTORS } from "./ssh.ts";
import { TLS_DETECTORS } from "./tls-inside.ts";
import { TOOL_DETECTORS } from "./tools.ts";
import { TOR_DETECTORS } from "./tor.ts";
import { VPN_DETECTORS } from "./vpn.ts";

/** What one flow shows. */
export const FLOW_DETECTORS: readonly FlowDetector[] = [
  ...MINING_DETECTORS,
  ...SSH_DETECTORS,
  ...TOOL_DETECTORS,
  ...VPN_DETECTORS,
  ...TOR_DETECTORS,
  ...TLS_DETECTORS,
  ...SHELL_DETECTORS,
  ...ICMP_DETECTORS,
];

/** What several flows show together. */
export const SERIES_DETECTORS: readonly SeriesDetector[] = [...DNS_DETECTORS, beaconing];

/** Which finding first bytes are where their protocol was not granted; the others are `protocol`. */
const FINDING_OF: Partial<Record<FirstBytesProtocol, FindingKind>> = {
  ssh: "tunnel",
  socks: "tunnel",
  openvpn: "tunnel",
  wireguard: "tunnel",
  tunnel: "tunnel",
  rdp: "tunnel",
  vnc: "tunnel",
  shell: "tunnel", // A reverse shell: somebody outside types.
  stratum: "mining",
  "crypto-p2p": "mining",
};

/** Names the finding that unexpected first bytes are: the same at the gateway as in a capture. */
export function findingOf(protocol: FirstBytesProtocol): FindingKind {
  return FINDING_OF[protocol] ?? "protocol";
}

const OPENED_BY: readonly (readonly [prefix: string, protocol: FirstBytesProtocol])[] = [
  ["mining.peer", "crypto-p2p"],
  ["mining.", "stratum"],
  ["ssh.elsewhere", "ssh"],
  ["ssh.inside", "ssh"],
  ["vpn.openvpn", "openvpn"],
  ["vpn.wireguard", "wireguard"],
  ["proxy.socks", "socks"],
  ["shell.", "shell"],
  ["vpn.tor", "tunnel"], // Not "tls", which every connection is in which it is found.
  ["tunnel.", "tunnel"],
];

/**
 * The protocol that a grant must name for a connection in which `detector` finds something; `undefined` where no
 * protocol's name says so much: forwards through a granted SSH are still noticed.
 */
export function openedBy(detector: string): FirstBytesProtocol | undefined {
  return OPENED_BY.find(([prefix]) => detector.startsWith(prefix))?.[1];
}
