/**
 * Which socket has this address pair? Asked of the kernel through a NETLINK_SOCK_DIAG socket
 * (sock_diag(7)), which sees the network namespace that it was opened in.
 *
 * Layouts behind the netlink header, from linux/inet_diag.h (all sizes in bytes, little-endian but
 * ports and addresses):
 *
 *     inet_diag_req_v2   family 1, protocol 1, ext 1, pad 1, states 4, sockid 48
 *     inet_diag_sockid   sport 2, dport 2, src 16, dst 16, interface 4, cookie 8
 *     inet_diag_msg      family 1, state 1, timer 1, retrans 1, sockid 48, expires 4, rqueue 4,
 *                        wqueue 4, uid 4, inode 4
 *
 * @module
 */
import { isIPv6 } from "node:net";
import { Fault } from "../base/index.ts";
import { systemCallNumber } from "./call-number.ts";
import { checked, native } from "./libc.ts";
import {
  askNetlink,
  NETLINK_HEADER_BYTES,
  netlinkRequest,
  NLM_F_DUMP,
  NLM_F_REQUEST,
} from "./netlink.ts";
import { formatIPv6, type Endpoint } from "./sockets.ts";

const REQUEST_BYTES = NETLINK_HEADER_BYTES + 56;
const REPLY_BYTES = NETLINK_HEADER_BYTES + 72;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
const AF_INET6 = 10;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
const ALL_STATES = 0xffff_ffff;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x8_0000;
const NETLINK_SOCK_DIAG = 4;
/** Most sockets that one dump returns. */
export const DUMP_SOCKETS_MAX = 4096;

/** A socket as the kernel sees it: its own side is `local`. */
export interface SocketRecord {
  readonly cookie: bigint;
  /** 0 where the socket outlived its process (TIME_WAIT). */
  readonly inode: number;
  /** Its owner; says nothing where `inode` is 0. */
  readonly uid: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** What to look for, from the side of the socket that is looked for. */
export interface SocketPair {
  readonly protocol: "tcp" | "udp";
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Opens a diagnosis socket for the network namespace of this thread. */
export function openSockDiag(): number {
  const number = BigInt(systemCallNumber("socket"));
  const [family, type, protocol] = [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG].map(BigInt);
  return checked(
    "socket NETLINK_SOCK_DIAG",
    native.syscall(number, family, type, protocol, 0n, 0n, 0n),
  );
}

/**
 * Finds the one socket with exactly this address pair, in any state. TCP only in effect: the kernel
 * finds a UDP socket so only where it is connected.
 *
 * @throws {Fault} `sys.call` where the kernel refuses or does not answer.
 */
export function findSocket(diag: number, pair: SocketPair): SocketRecord | undefined {
  const six = isIPv6(pair.local.address);
  const request = createRequest(six ? AF_INET6 : AF_INET, pair.protocol, NLM_F_REQUEST);
  const id = NETLINK_HEADER_BYTES + 8;
  // The kernel looks a UDP socket up as a packet that arrives for it: source and destination swap.
  const [source, destination] =
    pair.protocol === "udp" ? [pair.remote, pair.local] : [pair.local, pair.remote];
  request.writeUInt16BE(source.port, id);
  request.writeUInt16BE(destination.port, id + 2);
  addressBytes(source.address).copy(request, id + 4);
  addressBytes(destination.address).copy(request, id + 20);
  return ask(diag, request, 1, () => true)[0];
}

/** Lists sockets of the given local port (0: any), and remote endpoint where one is given. */
export function listSockets(
  diag: number,
  filter: {
    readonly protocol: "tcp" | "udp";
    readonly family: 4 | 6;
    readonly localPort: number;
    readonly remotePort: number;
  },
): readonly SocketRecord[] {
  const family = filter.family === 6 ? AF_INET6 : AF_INET;
  const request = createRequest(family, filter.protocol, NLM_F_REQUEST | NLM_F_DUMP);
  const id = NETLINK_HEADER_BYTES + 8;
  request.writeUInt16BE(filter.localPort, id);
  request.writeUInt16BE(filter.remotePort, id + 2);
  const wanted = (one: SocketRecord) =>
    (filter.localPort === 0 || one.local.port === filter.localPort) &&
    (filter.remotePort === 0 || one.remote.port === filter.remotePort);
  return ask(diag, request, DUMP_SOCKETS_MAX, wanted);
}

function createRequest(family: number, protocol: "tcp" | "udp", flags: number): Buffer {
  const body = Buffer.alloc(REQUEST_BYTES - NETLINK_HEADER_BYTES);
  body.writeUInt8(family, 0);
  body.writeUInt8(PROTOCOLS[protocol], 1);
  body.writeUInt32LE(ALL_STATES, 4);
  body.fill(0xff, body.length - 8); // INET_DIAG_NOCOOKIE
  return netlinkRequest(SOCK_DIAG_BY_FAMILY, flags, body);
}

function ask(
  diag: number,
  request: Buffer,
  max: number,
  wanted: (record: SocketRecord) => boolean,
): readonly SocketRecord[] {
  const found: SocketRecord[] = [];
  for (const message of askNetlink(diag, request)) {
    if (message.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY || message.length < REPLY_BYTES) continue;
    const record = readRecord(message);
    if (found.length < max && wanted(record)) found.push(record);
  }
  return found;
}

function readRecord(message: Buffer): SocketRecord {
  const six = message.readUInt8(NETLINK_HEADER_BYTES) === AF_INET6;
  const id = NETLINK_HEADER_BYTES + 4;
  const address = (at: number) =>
    six ? formatIPv6(message.subarray(at, at + 16)) : [...message.subarray(at, at + 4)].join(".");
  return {
    local: { address: address(id + 4), port: message.readUInt16BE(id) },
    remote: { address: address(id + 20), port: message.readUInt16BE(id + 2) },
    cookie: message.readBigUInt64LE(id + 40),
    uid: message.readUInt32LE(REPLY_BYTES - 8),
    inode: message.readUInt32LE(REPLY_BYTES - 4),
  };
}

/** The 4 or 16 bytes of an address in text. */
export function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) {
    const parts = address.split(".").map(Number);
    if (
      parts.length !== 4 ||
      parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)
    ) {
      throw new Fault("sys.address", "not an IPv4 or IPv6 address");
    }
    return Buffer.from(parts);
  }
  // The URL parser writes any form as at most eight groups of hexadecimal digits with one "::".
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [front, back] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  const bytes = Buffer.alloc(16);
  [...front, ...zeros, ...back].forEach((group, n) =>
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * n),
  );
  return bytes;
}
