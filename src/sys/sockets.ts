/**
 * What a socket knows: where a redirected connection was going, who is at the other end, its cookie.
 *
 * @module
 */
import { isIPv6, type Socket } from "node:net";
import { Fault } from "../base/index.ts";
import { checked, native } from "./libc.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_COOKIE = 57;
const SOL_IP = 0;
const SOL_IPV6 = 41;
const SO_ORIGINAL_DST = 80; // linux/netfilter_ipv4.h; the same number for IPv6.
const AF_INET = 2;

/** An address in text (IPv6 in the form of RFC 5952, IPv4 never mapped) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The descriptor of an open Node socket. */
export function descriptorOf(socket: object): number {
  const handle = (socket as { _handle?: { fd?: unknown } })._handle;
  if (handle === undefined || handle === null || typeof handle.fd !== "number" || handle.fd < 0) {
    throw new Fault("sys.call", "the socket is closed");
  }
  return handle.fd;
}

function option(descriptor: number, level: number, name: number, size: number): Buffer {
  const value = Buffer.alloc(size);
  checked("getsockopt", native.getsockopt(descriptor, level, name, value, [size]));
  return value;
}

/**
 * Where the peer of a redirected TCP connection was going before the redirect.
 *
 * @throws {Fault} `sys.call` where the kernel does not know: the connection was not redirected.
 */
export function originalDestination(socket: Socket): Endpoint {
  const descriptor = descriptorOf(socket);
  const local = socket.localAddress ?? "";
  if (isIPv6(local) && !local.startsWith("::ffff:")) {
    return readSocketAddress(option(descriptor, SOL_IPV6, SO_ORIGINAL_DST, 28));
  }
  return readSocketAddress(option(descriptor, SOL_IP, SO_ORIGINAL_DST, 16));
}

/**
 * Reads a `struct sockaddr_in` (family 2, port 2 BE, address 4) or `sockaddr_in6` (family 2, port 2 BE,
 * flow 4, address 16).
 *
 * @throws {Fault} `sys.address` for any other family or a short buffer.
 */
export function readSocketAddress(bytes: Buffer): Endpoint {
  if (bytes.length >= 8 && bytes.readUInt16LE(0) === AF_INET) {
    return { address: [...bytes.subarray(4, 8)].join("."), port: bytes.readUInt16BE(2) };
  }
  if (bytes.length >= 24 && bytes.readUInt16LE(0) === 10) {
    return { address: formatIPv6(bytes.subarray(8, 24)), port: bytes.readUInt16BE(2) };
  }
  throw new Fault("sys.address", "not an IPv4 or IPv6 socket address");
}

/** RFC 5952 text of 16 bytes; an IPv4-mapped address comes out as IPv4. */
export function formatIPv6(bytes: Buffer): string {
  const mapped = bytes.subarray(0, 12).equals(Buffer.from("00000000000000000000ffff", "hex"));
  if (mapped) return [...bytes.subarray(12, 16)].join(".");
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16));
  // The URL parser compresses as RFC 5952 asks.
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** Process, user and group at the other end of a Unix socket, as of its connect (unix(7)). */
export function peerCredentials(socket: Socket): { pid: number; uid: number; gid: number } {
  const value = option(descriptorOf(socket), SOL_SOCKET, SO_PEERCRED, 12);
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
}

/** The kernel's number for a socket: unique until reboot, unlike an inode or a descriptor. */
export function socketCookie(descriptor: number): bigint {
  return option(descriptor, SOL_SOCKET, SO_COOKIE, 8).readBigUInt64LE(0);
}
