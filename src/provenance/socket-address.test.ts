import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import fc from "fast-check";
import {
  describeRefusedSocket,
  parseAddressClaim,
  protocolOf,
  SOCKET_ADDRESS_BYTES_MAX,
} from "./socket-address.ts";

const { EINVAL, EAFNOSUPPORT } = constants.errno;
const [UNSPEC, UNIX, INET, INET6, NETLINK, PACKET] = [0, 1, 2, 10, 16, 17];

const inet = (family: number) =>
  Buffer.from([family, 0, 1, 187, 10, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
const inet6 = (address: string, length = 28) =>
  Buffer.concat([
    Buffer.from([INET6, 0, 1, 187, 0, 0, 0, 0]),
    Buffer.from(address, "hex"),
    Buffer.alloc(4),
  ]).subarray(0, length);
const family = (number: number) => Buffer.from([number, 0]);

const CASES = [
  // bytes, the socket's family, call, outcome, why
  [inet(INET), INET, "connect", "10.0.0.5:443", "an ordinary connect"],
  [inet(UNSPEC), INET, "sendto", "10.0.0.5:443", "Linux sends where family 0 points"],
  [inet(UNSPEC), INET, "connect", "pass", "a disconnect"],
  [inet(UNSPEC), INET6, "sendto", "pass", "no address at all"],
  [inet(INET), INET6, "sendto", "10.0.0.5:443", "IPv4 through an IPv6 socket"],
  [inet6("20010db8000000000000000000000001"), INET6, "connect", "2001:db8::1:443", "IPv6"],
  [inet6("20010db8000000000000000000000001", 24), INET6, "connect", "2001:db8::1:443", "old form"],
  [inet6("00000000000000000000ffff0a000005"), INET6, "connect", "10.0.0.5:443", "mapped is IPv4"],
  [inet6("20010db8000000000000000000000001", 23), INET6, "connect", EINVAL, "cut short"],
  [inet6("20010db8000000000000000000000001"), INET, "connect", EAFNOSUPPORT, "the wrong socket"],
  [inet(INET).subarray(0, 15), INET, "connect", EINVAL, "cut short"],
  [family(UNIX), UNIX, "connect", "pass", "nothing leaves by a Unix socket"],
  [
    family(UNIX),
    INET,
    "connect",
    EAFNOSUPPORT,
    "a claim of Unix does not make an Internet socket one",
  ],
  [inet(INET), UNIX, "connect", EINVAL, "nor the other way"],
  [family(NETLINK), NETLINK, "sendto", "pass", "getaddrinfo asks for routes so"],
  [family(NETLINK), INET, "sendto", EAFNOSUPPORT, "only on a netlink socket"],
  [family(99), INET, "connect", EAFNOSUPPORT, "no such family"],
  [family(PACKET), PACKET, "sendto", EAFNOSUPPORT, "a socket that no run should have"],
  [Buffer.alloc(0), INET, "connect", EINVAL, "no family"],
  [Buffer.alloc(1), UNIX, "connect", EINVAL, "half a family"],
  [Buffer.alloc(SOCKET_ADDRESS_BYTES_MAX + 1), INET, "connect", EINVAL, "longer than any"],
] as const;
for (const [bytes, domain, call, expected, why] of CASES) {
  test(`${call} of ${bytes.length} bytes on family ${domain} gives ${expected}: ${why}`, () => {
    const claim = parseAddressClaim(bytes, { domain }, call);
    const outcome =
      claim.kind === "ask"
        ? `${claim.endpoint.address}:${claim.endpoint.port}`
        : claim.kind === "refuse"
          ? claim.errno
          : "pass";
    assert.equal(outcome, expected);
  });
}

test("any bytes on an Internet socket are asked for, refused, or name no one", () => {
  const bytes = fc.uint8Array({ maxLength: 140 });
  const domain = fc.constantFrom(INET, INET6);
  const property = fc.property(
    bytes,
    domain,
    fc.constantFrom("connect", "sendto"),
    (raw, socket, call) => {
      const claim = parseAddressClaim(Buffer.from(raw), { domain: socket }, call);
      if (claim.kind === "refuse") assert.ok([EINVAL, EAFNOSUPPORT].includes(claim.errno));
      // What passes unasked is family 0 only.
      if (claim.kind === "pass") assert.deepEqual([raw[0], raw[1]], [0, 0]);
    },
  );
  fc.assert(property);
});

const REFUSED = [
  // family, type, protocol, what, why
  [INET, 2, 1, "icmp", "ping's own socket"],
  [INET6, 2 | 0x8_0000, 58, "icmp", "the same over IPv6, close-on-exec"],
  [INET, 3, 1, "icmp", "what ping falls back to"],
  [INET, 2, 136, "other", "UDP-Lite"],
  [INET, 5, 132, "other", "SCTP by packets"],
  [INET, 3, 255, "family", "raw packets of any kind"],
  [INET, 3, 17, "family", "raw UDP"],
  [INET, 10, 0, "family", "SOCK_PACKET"],
  [17, 2, 1, "family", "frames, whatever the protocol's number"],
] as const;
for (const [family, type, protocol, what, why] of REFUSED) {
  test(`a refused socket of ${family}, ${type}, ${protocol} is ${what}: ${why}`, () => {
    assert.equal(describeRefusedSocket(family, type, protocol).what, what);
  });
}

const PROTOCOLS = [
  // type, protocol, name
  [1, 6, "tcp"],
  [2, 17, "udp"],
  [2, 1, "icmp"],
  [2, 58, "icmp"],
  [1, 262, "other"], // MPTCP: its subflows have cookies of their own.
  [1, 132, "other"], // SCTP
  [3, 6, "other"], // A raw socket may write any protocol.
] as const;
for (const [type, protocol, name] of PROTOCOLS) {
  test(`a socket of type ${type} and protocol ${protocol} is ${name}`, () => {
    assert.equal(protocolOf({ type, protocol }), name);
  });
}
