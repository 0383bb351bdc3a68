/**
 * Which addresses are not the public internet: the one table behind "no rebinding".
 *
 * A granted name that resolves here is refused, since a grant names a site, not what somebody's DNS
 * points it at. Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and what
 * amends it), and the clouds' documentation for metadata. IPv6 is an allow list: global unicast
 * (2000::/3) without what is carved out of it. docs/decisions/0041.
 *
 * @module
 */
import { BlockList, isIP } from "node:net";

const IPV4: readonly (readonly [string, number, string])[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "carrier-grade NAT"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "protocol assignments"],
  ["192.0.2.0", 24, "a test net"],
  ["192.31.196.0", 24, "AS112"],
  ["192.52.193.0", 24, "AMT"],
  ["192.88.99.0", 24, "6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["192.175.48.0", 24, "AS112"],
  ["198.18.0.0", 15, "benchmarking, and the runs' own name pool"],
  ["198.51.100.0", 24, "a test net"],
  ["203.0.113.0", 24, "a test net"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved, or broadcast"],
];

// Within 2000::/3; all that is outside it is refused without a list.
const IPV6: readonly (readonly [string, number, string])[] = [
  ["2001::", 23, "protocol assignments, Teredo, benchmarking, ORCHID"],
  ["2001:db8::", 32, "documentation"],
  ["2002::", 16, "6to4, which embeds any IPv4 address"],
  ["2620:4f:8000::", 48, "AS112"],
  ["3fff::", 20, "documentation"],
];

/** Where clouds answer with credentials. Azure's stands among public addresses. */
const METADATA_ADDRESSES: readonly string[] = [
  "169.254.169.254", // AWS, GCP, Azure, OpenStack, DigitalOcean, Oracle
  "169.254.170.2", // AWS ECS task credentials
  "169.254.170.23", // AWS EKS pod identity
  "168.63.129.16", // Azure wire server
  "100.100.100.200", // Alibaba
  "192.0.0.192", // Oracle, older
  "169.254.0.23", // Tencent
  "fd00:ec2::254", // AWS
  "fd00:ec2::23", // AWS EKS pod identity
  "fd20:ce::254", // GCP
];

const METADATA_NAMES: ReadonlySet<string> = new Set([
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "instance-data",
  "instance-data.ec2.internal",
  "metadata.azure.internal",
  "metadata.azure.com",
  "metadata.tencentyun.com",
  "metadata.packet.net",
  "metadata.platformequinix.com",
]);

const metadataList = new BlockList();
for (const address of METADATA_ADDRESSES) metadataList.addAddress(address, family(address));

const lists = [...IPV4, ...IPV6].map(([net, bits, name]) => {
  const list = new BlockList();
  list.addSubnet(net, bits, family(net));
  return { list, name };
});

const global6 = new BlockList();
global6.addSubnet("2000::", 3, "ipv6");

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/**
 * Why `address` may not be dialled for a name, or `undefined` where it is an ordinary public address.
 * Text that is no plain address (a zone, a name) is refused too.
 */
export function forbiddenAddress(address: string): string | undefined {
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return "not an address";
  if (isMetadataAddress(address)) return "cloud metadata";
  // Mapped, compatible, NAT64 (64:ff9b::/96), unique local, link-local, multicast: none is global.
  if (version === 6 && !global6.check(address, "ipv6")) return "not a global IPv6 address";
  return lists.find(({ list }) => list.check(address, family(address)))?.name;
}

/** Reports whether `address` is one where a cloud hands out credentials. */
export function isMetadataAddress(address: string): boolean {
  return (
    isIP(address) !== 0 && !address.includes("%") && metadataList.check(address, family(address))
  );
}

/** Reports whether `host`, in canonical form, is a cloud's name for its metadata service. */
export function isMetadataName(host: string): boolean {
  return METADATA_NAMES.has(host);
}
