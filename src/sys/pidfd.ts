/**
 * Another process's sockets, looked at through a copy of the descriptor (pidfd_getfd(2)).
 *
 * @module
 */
import { constants } from "node:os";
import { systemCallNumber } from "./call-number.ts";
import { allocate, checked, lastErrno, native } from "./libc.ts";

const PIDFD_THREAD = 128; // Since 6.9: a thread that is not its process's leader.
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const SO_COOKIE = 57;
const { EINVAL, EBADF, ENOTSOCK, ESRCH } = constants.errno;
const THREADS_MAX = 32; // Handles kept open, latest used.

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

const PIDFD_OPEN = systemCallNumber("pidfd_open");
const PIDFD_GETFD = systemCallNumber("pidfd_getfd");

function openThread(tid: number, tgid: number): number {
  const thread = Number(native.syscall3(PIDFD_OPEN, tid, PIDFD_THREAD, 0));
  if (thread >= 0 || lastErrno() !== EINVAL) return checked("pidfd_open", thread);
  // Before 6.9 only a leader can be opened. Its table is its threads' too, unless they unshared it.
  return checked("pidfd_open", native.syscall3(PIDFD_OPEN, tgid, 0, 0));
}

/**
 * Handles of the threads that were last looked at, since opening one costs as much as all else here. A
 * handle means its thread for ever: where that has ended, it leads nowhere, and never to the next one
 * of that number.
 */
const threads = new Map<number, number>();

function copyDescriptor(tid: number, tgid: number, descriptor: number): number {
  const known = threads.get(tid);
  if (known !== undefined) {
    const copy = Number(native.syscall3(PIDFD_GETFD, known, descriptor, 0));
    if (copy >= 0 || lastErrno() !== ESRCH) return copy;
    threads.delete(tid);
    native.close(known);
  }
  const thread = openThread(tid, tgid);
  threads.set(tid, thread);
  for (const [oldest, handle] of threads) {
    if (threads.size <= THREADS_MAX) break;
    threads.delete(oldest);
    native.close(handle);
  }
  return Number(native.syscall3(PIDFD_GETFD, thread, descriptor, 0));
}

/** Closes the handles that {@link socketOfThread} keeps, for a thread of ours that ends. */
export function forgetThreads(): void {
  for (const handle of threads.values()) native.close(handle);
  threads.clear();
}

const value = allocate(8);
const cookie = new BigUint64Array(value.bytes.buffer, value.bytes.byteOffset, 1);
const size = allocate(4);
function option(socket: number, name: number, bytes: 4 | 8): number {
  size.bytes.writeUInt32LE(bytes, 0);
  return native.getsockoptAt(socket, SOL_SOCKET, name, value.pointer, size.pointer);
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
  const socket = copyDescriptor(tid, tgid, descriptor);
  if (socket < 0 && lastErrno() === EBADF) return EBADF;
  checked("pidfd_getfd", socket);
  try {
    return factsOf(socket);
  } finally {
    native.close(socket);
  }
}

function factsOf(socket: number): SocketFacts | number {
  if (option(socket, SO_DOMAIN, 4) < 0) {
    // A descriptor opened with O_PATH is no socket either, and says EBADF.
    if (lastErrno() === ENOTSOCK || lastErrno() === EBADF) return lastErrno();
    checked("getsockopt", -1);
  }
  const domain = value.bytes.readInt32LE(0);
  checked("getsockopt", option(socket, SO_TYPE, 4));
  const type = value.bytes.readInt32LE(0);
  checked("getsockopt", option(socket, SO_PROTOCOL, 4));
  const protocol = value.bytes.readInt32LE(0);
  checked("getsockopt", option(socket, SO_COOKIE, 8));
  return { domain, type, protocol, cookie: cookie[0] ?? 0n };
}
