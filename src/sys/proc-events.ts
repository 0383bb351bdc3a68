/**
 * The kernel's stream of forks, execs and exits (proc connector, linux/cn_proc.h).
 *
 * Since 6.6 any user may listen, from the initial pid and user namespaces. An event is in the queue
 * before the new process runs, so whoever drains the queue first knows every parent.
 *
 *     nlmsghdr 16   cn_msg: idx 4, val 4, seq 4, ack 4, len 2, flags 2
 *     proc_event    what 4, cpu 4, timestamp 8, then by `what`:
 *                   fork: parent_pid 4, parent_tgid 4, child_pid 4, child_tgid 4
 *                   exec and exit: process_pid 4, process_tgid 4
 *
 * @module
 */
import { constants } from "node:os";
import { systemCallNumber } from "./call-number.ts";
import { allocate, checked, lastErrno, native } from "./libc.ts";
import { PollSet } from "./poll.ts";

const AF_NETLINK = 16;
const SOCK_DGRAM_CLOEXEC = 2 | 0x8_0000;
const NETLINK_CONNECTOR = 11;
const CN_IDX_PROC = 1;
const NLMSG_DONE = 3;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const RECEIVE_BUFFER_BYTES = 1 << 20; // The kernel caps it at net.core.rmem_max.
const PROC_CN_MCAST_LISTEN = 1;
const EVENT_NONE = 0;
const EVENT_FORK = 1;
const EVENT_EXEC = 2;
const EVENT_EXIT = 0x8000_0000;
const ACK_WAIT_MS = 100;
const READS_MAX = 16_384; // A call: more than any queue holds.
const { EAGAIN, EINTR, ENOBUFS } = constants.errno;

const WHAT_AT = 16 + 20;
const DATA_AT = WHAT_AT + 16;
const EVENT_BYTES_MIN = DATA_AT + 8;

/** One event. Thread ids that are not their process's id stand for threads. */
export type ProcEvent =
  | { readonly what: "fork"; readonly parent: number; readonly tid: number; readonly pid: number }
  | { readonly what: "exec" | "exit"; readonly tid: number; readonly pid: number }
  /** The queue ran over: some events are missing. */
  | { readonly what: "lost" };

const scratch = allocate(4096);

/**
 * Opens the stream; `undefined` where this kernel, user or namespace may not listen. The descriptor
 * becomes readable when something happened anywhere on the host.
 */
export function openProcEvents(): number | undefined {
  const call = (name: "socket" | "bind", a: bigint, b: bigint, c: bigint) =>
    Number(native.syscall(BigInt(systemCallNumber(name)), a, b, c, 0n, 0n, 0n));
  const [family, type, protocol] = [AF_NETLINK, SOCK_DGRAM_CLOEXEC, NETLINK_CONNECTOR].map(BigInt);
  const socket = call("socket", family ?? 0n, type ?? 0n, protocol ?? 0n);
  if (socket < 0) return undefined;
  // struct sockaddr_nl: family 2, pad 2, port 4, groups 4.
  scratch.bytes.fill(0, 0, 12);
  scratch.bytes.writeUInt16LE(AF_NETLINK, 0);
  scratch.bytes.writeUInt32LE(1 << (CN_IDX_PROC - 1), 8);
  if (call("bind", BigInt(socket), scratch.address, 12n) < 0 || !listen(socket)) {
    native.close(socket);
    return undefined;
  }
  return socket;
}

function listen(socket: number): boolean {
  const size = Buffer.alloc(4);
  size.writeInt32LE(RECEIVE_BUFFER_BYTES, 0);
  native.setsockopt(socket, SOL_SOCKET, SO_RCVBUF, size, 4);
  // An acknowledgement reaches only who asked for everything; so first that, then what is wanted.
  if (!subscribe(socket, undefined) || !isAcknowledged(socket)) return false;
  return subscribe(socket, (EVENT_FORK | EVENT_EXEC | EVENT_EXIT) >>> 0);
}

/** Sends nlmsghdr, cn_msg and struct proc_input: operation 4, and since 6.6 wanted events 4. */
function subscribe(socket: number, events: number | undefined): boolean {
  const inputBytes = events === undefined ? 4 : 8;
  const request = Buffer.alloc(WHAT_AT + inputBytes);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(NLMSG_DONE, 4);
  request.writeUInt32LE(CN_IDX_PROC, 16);
  request.writeUInt32LE(1, 20); // CN_VAL_PROC
  request.writeUInt16LE(inputBytes, 32);
  request.writeUInt32LE(PROC_CN_MCAST_LISTEN, WHAT_AT);
  if (events !== undefined) request.writeUInt32LE(events, WHAT_AT + 4);
  return Number(native.write(socket, request, request.length)) === request.length;
}

/** A kernel that will not send says nothing; one that will, acknowledges. */
function isAcknowledged(socket: number): boolean {
  const deadline = performance.now() + ACK_WAIT_MS;
  const poll = new PollSet([socket]);
  for (let left = ACK_WAIT_MS; left > 0; left = deadline - performance.now()) {
    poll.wait(Math.ceil(left));
    const message = receive(socket);
    if (message === undefined || message === "lost") continue;
    if (message.readUInt32LE(WHAT_AT) === EVENT_NONE) return message.readUInt32LE(DATA_AT) === 0;
  }
  return false;
}

/** Takes what is in the queue, without waiting, oldest first. */
export function readProcEvents(socket: number, take: (event: ProcEvent) => void): void {
  for (let reads = 0; reads < READS_MAX; reads += 1) {
    const message = receive(socket);
    if (message === undefined) return;
    if (message === "lost") take({ what: "lost" });
    else readEvent(message, take);
  }
}

function readEvent(message: Buffer, take: (event: ProcEvent) => void): void {
  const first = message.readUInt32LE(DATA_AT);
  const second = message.readUInt32LE(DATA_AT + 4);
  switch (message.readUInt32LE(WHAT_AT)) {
    case EVENT_FORK:
      if (message.length < DATA_AT + 16) return;
      take({
        what: "fork",
        parent: second,
        tid: message.readUInt32LE(DATA_AT + 8),
        pid: message.readUInt32LE(DATA_AT + 12),
      });
      return;
    case EVENT_EXEC:
      take({ what: "exec", tid: first, pid: second });
      return;
    case EVENT_EXIT:
      take({ what: "exit", tid: first, pid: second });
      return;
    default:
  }
}

function receive(socket: number): Buffer | "lost" | undefined {
  for (;;) {
    const count = Number(native.recv(socket, scratch.pointer, scratch.bytes.length, MSG_DONTWAIT));
    if (count >= EVENT_BYTES_MIN) return scratch.bytes.subarray(0, count);
    if (count >= 0) continue;
    const errno = lastErrno();
    if (errno === ENOBUFS) return "lost";
    if (errno === EAGAIN) return undefined;
    if (errno !== EINTR) checked("recvfrom proc connector", count);
  }
}
