/**
 * How many packets a run's network refused, and where UDP was to go: read from the counters of
 * native/refused.c over a NETLINK_NETFILTER socket that was opened in the run's network namespace.
 *
 *     nfgenmsg   family 1, version 1, resource 2; then attributes (linux/netfilter/nf_tables.h)
 *     a target   address 4 or 16, port 2, padding 2
 *
 * @module
 */
import {
  askNetlink,
  attributes,
  NETLINK_HEADER_BYTES,
  netlinkRequest,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  textAttribute,
} from "./netlink.ts";
import { formatIPv6, type Endpoint } from "./sockets.ts";

const NFNL_SUBSYS_NFTABLES = 10;
const [NFT_MSG_GETRULE, NFT_MSG_GETSETELEM] = [7, 13];
const NFPROTO_INET = 1;
const BODY_AT = NETLINK_HEADER_BYTES + 4;
const TABLE = "cofferdam";
const CHAIN = "refused";
const [RULE_TABLE, RULE_CHAIN, RULE_EXPRESSIONS, RULE_USERDATA] = [1, 2, 4, 7];
const [LIST_TABLE, LIST_SET, LIST_ELEMENTS] = [1, 2, 3];
const [ELEMENT_KEY, ELEMENT_EXPRESSION] = [1, 7];
const DATA_VALUE = 1;
const [EXPRESSION_NAME, EXPRESSION_DATA] = [1, 2];
const COUNTER_PACKETS = 2;
const TARGET_BYTES = { targets4: 8, targets6: 20 } as const;

export const REFUSED_TRANSPORTS = ["udp", "icmp", "icmpv6", "other"] as const;
export type RefusedTransport = (typeof REFUSED_TRANSPORTS)[number];

/** Counts since the run's network was made. */
export interface RefusedPackets {
  readonly totals: Readonly<Record<RefusedTransport, number>>;
  /** UDP by destination: the first 256 of each family. They may sum up to less than the total. */
  readonly targets: readonly (Endpoint & { readonly packets: number })[];
}

/**
 * Reads the counters; where no more UDP was refused than `udpSeen`, no target either, which costs most of it.
 *
 * @throws {Fault} `sys.call` where the kernel refuses.
 */
export function readRefusedPackets(netfilter: number, udpSeen = -1): RefusedPackets {
  const totals = { udp: 0, icmp: 0, icmpv6: 0, other: 0 };
  const which = [textAttribute(RULE_TABLE, TABLE), textAttribute(RULE_CHAIN, CHAIN)];
  for (const rule of dump(netfilter, NFT_MSG_GETRULE, which)) {
    const parts = new Map(attributes(rule));
    const note = parts.get(RULE_USERDATA)?.toString();
    const transport = REFUSED_TRANSPORTS.find((one) => one === note);
    if (transport !== undefined) totals[transport] = packets(parts.get(RULE_EXPRESSIONS));
  }
  if (totals.udp === udpSeen) return { totals, targets: [] };
  // Targets last: what is refused meanwhile is not taken for a packet without a target.
  const targets = [...readTargets(netfilter, "targets4"), ...readTargets(netfilter, "targets6")];
  return { totals, targets };
}

function* dump(netfilter: number, type: number, which: readonly Buffer[]): Generator<Buffer> {
  const body = Buffer.concat([Buffer.from([NFPROTO_INET, 0, 0, 0]), ...which]);
  const full = (NFNL_SUBSYS_NFTABLES << 8) | type;
  const request = netlinkRequest(full, NLM_F_REQUEST | NLM_F_DUMP, body);
  for (const message of askNetlink(netfilter, request)) yield message.subarray(BODY_AT);
}

function* readTargets(netfilter: number, set: keyof typeof TARGET_BYTES) {
  const which = [textAttribute(LIST_TABLE, TABLE), textAttribute(LIST_SET, set)];
  for (const list of dump(netfilter, NFT_MSG_GETSETELEM, which)) {
    const elements = new Map(attributes(list)).get(LIST_ELEMENTS) ?? Buffer.alloc(0);
    for (const [, element] of attributes(elements)) {
      const parts = new Map(attributes(element));
      const key = new Map(attributes(parts.get(ELEMENT_KEY) ?? Buffer.alloc(0))).get(DATA_VALUE);
      if (key?.length !== TARGET_BYTES[set]) continue;
      const address = key.subarray(0, key.length - 4);
      yield {
        address: address.length === 4 ? address.join(".") : formatIPv6(address),
        port: key.readUInt16BE(key.length - 4),
        packets: packetsOf(parts.get(ELEMENT_EXPRESSION)),
      };
    }
  }
}

/** What the one counter among a rule's expressions says. */
function packets(expressions: Buffer | undefined): number {
  let sum = 0;
  for (const [, one] of attributes(expressions ?? Buffer.alloc(0))) sum += packetsOf(one);
  return sum;
}

function packetsOf(expression: Buffer | undefined): number {
  const parts = new Map(attributes(expression ?? Buffer.alloc(0)));
  if (parts.get(EXPRESSION_NAME)?.toString() !== "counter\0") return 0;
  const counter = new Map(attributes(parts.get(EXPRESSION_DATA) ?? Buffer.alloc(0)));
  return Number(counter.get(COUNTER_PACKETS)?.readBigUInt64BE() ?? 0n);
}
