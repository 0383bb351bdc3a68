/**
 * Another process's sockets, looked at through a copy of the descriptor (pidfd_getfd(2)).
 *
 * @module
 */
import { constants } from "node:os";
import { systemCallNumber } from "./call-number.ts";
import { checked, lastErrno, native } from "./libc.ts";

const PIDFD_THREAD = 128n; // Since 6.9: a thread that is not its process's leader.
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const SO_COOKIE = 57;
const { EINVAL, EBADF, ENOTSOCK } = constants.errno;

/** What the kernel says about a socket. */
export interface SocketFacts {
  /** AF_*: 1 unix, 2 inet, 10 inet6, 16 netlink. */
  readonly domain: number;
  /** SOCK_*: 1 stream, 2 datagram. */
  readonly type: number;
  /** IPPROTO_*. */
  readonly protocol: number;
  readonly cookie: bigint;
}

const call = (name: Parameters<typeof systemCallNumber>[0], a: bigint, b: bigint, c: bigint) =>
  Number(native.syscall(BigInt(systemCallNumber(name)), a, b, c, 0n, 0n, 0n));

function openThread(tid: number, tgid: number): number {
  const thread = call("pidfd_open", BigInt(tid), PIDFD_THREAD, 0n);
  if (thread >= 0 || lastErrno() !== EINVAL) return checked("pidfd_open", thread);
  // Before 6.9 only a leader can be opened. Its table is its threads' too, unless they unshared it.
  return checked("pidfd_open", call("pidfd_open", BigInt(tgid), 0n, 0n));
}

const value = Buffer.alloc(8);
function option(socket: number, name: number, size: 4 | 8): bigint {
  checked("getsockopt", native.getsockopt(socket, SOL_SOCKET, name, value, [size]));
  return size === 4 ? BigInt(value.readUInt32LE(0)) : value.readBigUInt64LE(0);
}

/**
 * The facts of the socket that thread `tid` of process `tgid` has at `descriptor`, or the errno that a
 * call on that descriptor would meet: EBADF, ENOTSOCK.
 *
 * @throws {Fault} `sys.call` where the thread is gone or may not be looked at.
 */
export function socketOfThread(
  tid: number,
  tgid: number,
  descriptor: number,
): SocketFacts | number {
  const thread = openThread(tid, tgid);
  try {
    const socket = call("pidfd_getfd", BigInt(thread), BigInt(descriptor), 0n);
    if (socket < 0 && lastErrno() === EBADF) return EBADF;
    checked("pidfd_getfd", socket);
    try {
      return factsOf(socket);
    } finally {
      native.close(socket);
    }
  } finally {
    native.close(thread);
  }
}

function factsOf(socket: number): SocketFacts | number {
  if (native.getsockopt(socket, SOL_SOCKET, SO_DOMAIN, value, [4]) < 0) {
    // A descriptor opened with O_PATH is no socket either, and says EBADF.
    if (lastErrno() === ENOTSOCK || lastErrno() === EBADF) return lastErrno();
    checked("getsockopt", -1);
  }
  return {
    domain: value.readInt32LE(0),
    type: Number(option(socket, SO_TYPE, 4)),
    protocol: Number(option(socket, SO_PROTOCOL, 4)),
    cookie: option(socket, SO_COOKIE, 8),
  };
}
