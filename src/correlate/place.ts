/**
 * A place on the network as a person or a firewall names it.
 *
 * @module
 */
import { BlockList, isIP, isIPv6 } from "node:net";

/** `port` 0: any. `covers` where it is a range; else `address` is one, or a name. */
export interface Place {
  readonly address: string;
  readonly port: number;
  readonly covers?: (address: string) => boolean;
}

/** Canonical text of an address (RFC 5952; IPv4-mapped is IPv4), or a name in lower case. */
export function canonical(text: string): string {
  const bare = text
    .trim()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/%.*$/, "");
  if (!isIPv6(bare)) return bare.toLowerCase().replace(/\.$/, "");
  const written = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(written);
  if (mapped === null) return written;
  const bits = [mapped[1], mapped[2]].map((half) => Number.parseInt(half ?? "0", 16));
  return bits.flatMap((half) => [half >> 8, half & 255]).join(".");
}

/** Reads `ADDR`, `ADDR:PORT`, `[V6]:PORT`, `CIDR` or `NAME[:PORT]`; `undefined` for none of them. */
export function parsePlace(text: string): Place | undefined {
  const cidr = /^(.+)\/(\d{1,3})$/.exec(text);
  if (cidr !== null) {
    const [, base = "", bits = ""] = cidr;
    const family = isIP(base);
    if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return undefined;
    const list = new BlockList();
    list.addSubnet(base, Number(bits), family === 4 ? "ipv4" : "ipv6");
    const covers = (one: string) => {
      const kind = isIP(one);
      return kind !== 0 && list.check(one, kind === 4 ? "ipv4" : "ipv6");
    };
    return { address: text, port: 0, covers };
  }
  if (isIP(text) !== 0) return { address: canonical(text), port: 0 };
  const end = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text);
  if (end === null || Number(end[2] ?? 0) > 65_535) return undefined;
  const address = canonical(end[1] ?? "");
  if (!/^[a-z0-9._:-]{1,253}$/.test(address)) return undefined;
  return { address, port: Number(end[2] ?? 0) };
}
