/**
 * Addresses that stand for names: one IPv4 and one IPv6 address for each name of a run, so that a
 * connection says which name it meant, and no address can be reached under two names.
 *
 * IPv4 comes from 198.18.0.0/15 (RFC 2544, for benchmarks: never routed, and no private network that an
 * agent may really mean), IPv6 from fd63:6f66:6665::/64 (RFC 4193). Both families of a name have the
 * same index, given out in the order of asking, and none is ever given again: a run's addresses mean
 * the same from its start to its end.
 *
 * @module
 */
import { isIPv4, SocketAddress } from "node:net";

/** Names that one run may have. Beyond it new names fail; a browser's long day uses some thousands. */
export const POOL_NAMES_MAX = 32_768;

const IPV4_BASE = (198 << 24) | (18 << 16); // Negative as a signed number; only its bytes are used.
const IPV6_PREFIX = "fd63:6f66:6665::";

/** The names of one run. Hosts are in canonical form (lower case, no trailing dot). */
export interface NamePool {
  /** The address of `host`, new or as before; `undefined` where the pool is full. */
  addressFor(host: string, family: 4 | 6): string | undefined;
  /** The name behind `address`, in any notation; `undefined` where it stands for none. */
  hostOf(address: string): string | undefined;
  /** Reports whether `host` has an address already. */
  has(host: string): boolean;
  /** All names, in the order of their addresses: enough to make the same pool elsewhere. */
  names(): readonly string[];
  /** How many names have an address. */
  readonly size: number;
}

/** An empty pool. */
export function createNamePool(namesMax: number = POOL_NAMES_MAX): NamePool {
  const hosts: string[] = [];
  const indexes = new Map<string, number>();
  return {
    addressFor(host, family) {
      let index = indexes.get(host);
      if (index === undefined) {
        if (hosts.length >= namesMax) return undefined;
        index = hosts.push(host) - 1;
        indexes.set(host, index);
      }
      return family === 4 ? ipv4At(index) : ipv6At(index);
    },
    hostOf(address) {
      const index = indexOf(address);
      return index === undefined ? undefined : hosts[index];
    },
    has: (host) => indexes.has(host),
    names: () => [...hosts],
    get size() {
      return hosts.length;
    },
  };
}

// The first address of either range stands for nothing: some programs take it for the network's own.
function ipv4At(index: number): string {
  const value = IPV4_BASE + index + 1;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

function ipv6At(index: number): string {
  return `${IPV6_PREFIX}${(index + 1).toString(16)}`;
}

/** The index that an address stands for; it may be one that is not given out. */
function indexOf(address: string): number | undefined {
  const text = isIPv4(address) ? address : canonicalIPv6(address);
  if (text === undefined) return undefined;
  if (isIPv4(text)) {
    const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
    return a === 198 && (b & 0xfe) === 18 ? (((b & 1) << 16) | (c << 8) | d) - 1 : undefined;
  }
  const [, tail] = /^fd63:6f66:6665::([0-9a-f]{1,4})$/.exec(text) ?? [];
  return tail === undefined ? undefined : Number.parseInt(tail, 16) - 1;
}

/** The RFC 5952 form of an IPv6 address; the IPv4 form of a mapped one. */
function canonicalIPv6(address: string): string | undefined {
  const parsed = SocketAddress.parse(`[${address}]`);
  if (parsed === undefined) return undefined;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(parsed.address)?.[1] ?? parsed.address;
}
