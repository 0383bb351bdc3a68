/**
 * What an address that a process passes to connect(2) or sendto(2) asks for. Pure.
 *
 * The bytes are the process's and may be anything; the facts of its socket are the kernel's.
 *
 * @module
 */
import { constants } from "node:os";
import { readSocketAddress, type Endpoint, type SocketFacts } from "../sys/index.ts";

const { EINVAL, EAFNOSUPPORT } = constants.errno;
const AF_UNSPEC = 0;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_PACKET = 10; // Frames, as Linux 2.0 gave them.
const SOCK_TYPE_MASK = 0xf;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const FAMILY_BYTES = 2;
const INET_BYTES = 16;
const INET6_BYTES = 24; // Without the scope, as RFC 2133 had it; Linux takes both.
/** sizeof(struct sockaddr_storage): the kernel refuses longer ones. */
export const SOCKET_ADDRESS_BYTES_MAX = 128;

export type Protocol = "tcp" | "udp" | "icmp" | "other";

/** `pass`: nothing leaves the machine by it, or nothing is addressed by it. */
export type AddressClaim =
  | { readonly kind: "pass" }
  | { readonly kind: "ask"; readonly endpoint: Endpoint }
  | { readonly kind: "refuse"; readonly errno: number; readonly why: string };

const PASS: AddressClaim = { kind: "pass" };
const refuse = (errno: number, why: string): AddressClaim => ({ kind: "refuse", errno, why });

/** Reads `bytes`, which `call` passes for the socket. The errnos are those that the kernel would give. */
export function parseAddressClaim(
  bytes: Buffer,
  socket: Pick<SocketFacts, "domain">,
  call: "connect" | "sendto",
): AddressClaim {
  if (bytes.length < FAMILY_BYTES || bytes.length > SOCKET_ADDRESS_BYTES_MAX) {
    return refuse(EINVAL, "an address of an impossible length");
  }
  const family = bytes.readUInt16LE(0);
  switch (socket.domain) {
    case AF_UNIX:
    case AF_NETLINK: // glibc's getaddrinfo asks for routes so; which netlink, the filter decides.
      if (family === socket.domain || family === AF_UNSPEC) return PASS;
      return refuse(EINVAL, `family ${family} on a socket of family ${socket.domain}`);
    case AF_INET:
      // For sendto, Linux reads an unspecified family on an IPv4 socket as IPv4 (udp_sendmsg).
      if (family === AF_UNSPEC) return call === "connect" ? PASS : readInet(bytes, INET_BYTES);
      if (family === AF_INET) return readInet(bytes, INET_BYTES);
      return refuse(EAFNOSUPPORT, `family ${family} on an IPv4 socket`);
    case AF_INET6:
      if (family === AF_UNSPEC) return PASS;
      if (family === AF_INET) return readInet(bytes, INET_BYTES);
      if (family === AF_INET6) return readInet(bytes, INET6_BYTES);
      return refuse(EAFNOSUPPORT, `family ${family} on an IPv6 socket`);
    default:
      return refuse(EAFNOSUPPORT, `a socket of family ${socket.domain}`);
  }
}

function readInet(bytes: Buffer, bytesMin: number): AddressClaim {
  if (bytes.length < bytesMin) return refuse(EINVAL, "an address that is too short");
  const address = Buffer.from(bytes);
  if (bytesMin === INET_BYTES) address.writeUInt16LE(AF_INET, 0);
  return { kind: "ask", endpoint: readSocketAddress(address) };
}

/**
 * What a refused socket is: `icmp`, what ping asks for (by datagram and, refused, as a raw socket);
 * `other`, protocols that have no grant; `family`, what ordinary programs do not open.
 */
export function describeRefusedSocket(
  domain: number,
  type: number,
  protocol: number,
): { readonly what: "icmp" | "other" | "family"; readonly detail: string } {
  const kind = type & SOCK_TYPE_MASK;
  const isPing = protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6;
  if (domain === AF_PACKET) return { what: "family", detail: "a socket for raw frames" };
  if (isPing && (kind === SOCK_DGRAM || kind === SOCK_RAW)) return { what: "icmp", detail: "ICMP" };
  if (kind === SOCK_DGRAM) return { what: "other", detail: `datagrams of protocol ${protocol}` };
  const detail = `a socket of family ${domain}, type ${kind}, protocol ${protocol}`;
  return kind === SOCK_RAW || kind === SOCK_PACKET
    ? { what: "family", detail: `raw packets: ${detail}` }
    : { what: "other", detail };
}

/** The protocol of a socket, by the kernel's facts. */
export function protocolOf({ type, protocol }: Pick<SocketFacts, "type" | "protocol">): Protocol {
  if (type === SOCK_STREAM && protocol === 6) return "tcp";
  if (type === SOCK_DGRAM && protocol === 17) return "udp";
  return protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6 ? "icmp" : "other";
}
