/**
 * Unix socket pairs and passing descriptors over them (SCM_RIGHTS, unix(7)).
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { allocate, checked, lastErrno, native } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const MSG_CTRUNC = 0x8;
const EAGAIN = 11;
const EINTR = 4;

/** Most descriptors that one message may carry here. */
export const DESCRIPTORS_MAX = 16;
/** Longest message that {@link receiveMessage} takes, in bytes. */
export const MESSAGE_BYTES_MAX = 65_536;

/** A connected pair of close-on-exec Unix sockets. */
export function createSocketPair(kind: "stream" | "packet"): readonly [number, number] {
  const pair = [0, 0];
  const type = (kind === "stream" ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC;
  checked("socketpair", native.socketpair(AF_UNIX, type, 0, pair));
  return [pair[0] ?? -1, pair[1] ?? -1];
}

/** What came in one message: `bytes` is empty where the other side is gone. */
export interface Message {
  readonly bytes: Buffer;
  readonly descriptors: readonly number[];
}

// struct msghdr (LP64): name 8, namelen 4, pad 4, iov 8, iovlen 8, control 8, controllen 8, flags 4.
const HEADER_BYTES = 56;
// struct cmsghdr (LP64): len 8, level 4, type 4, then the descriptors.
const CONTROL_HEADER_BYTES = 16;

/**
 * Receives one message and what it carries. Does not wait: `undefined` where nothing is there yet.
 *
 * @throws {Fault} `sys.call` on any other failure, or where descriptors were cut off.
 */
export function receiveMessage(socket: number): Message | undefined {
  const data = scratchData();
  const control = scratchControl();
  const vector = scratchVector();
  vector.bytes.writeBigUInt64LE(data.address, 0);
  vector.bytes.writeBigUInt64LE(BigInt(data.bytes.length), 8);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(vector.address, 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(control.address, 32);
  header.writeBigUInt64LE(BigInt(control.bytes.length), 40);
  const result = Number(native.recvmsg(socket, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
  if (result < 0 && (lastErrno() === EAGAIN || lastErrno() === EINTR)) return undefined;
  const length = checked("recvmsg", result);
  const descriptors = readDescriptors(control.bytes, Number(header.readBigUInt64LE(40)));
  if ((header.readInt32LE(48) & MSG_CTRUNC) !== 0) {
    for (const descriptor of descriptors) native.close(descriptor);
    throw new Fault("sys.call", "recvmsg: more descriptors than expected");
  }
  return { bytes: Buffer.from(data.bytes.subarray(0, length)), descriptors };
}

function readDescriptors(control: Buffer, controlBytes: number): readonly number[] {
  if (controlBytes < CONTROL_HEADER_BYTES) return [];
  const length = Number(control.readBigUInt64LE(0));
  if (control.readInt32LE(8) !== SOL_SOCKET || control.readInt32LE(12) !== SCM_RIGHTS) return [];
  const count = Math.floor((length - CONTROL_HEADER_BYTES) / 4);
  return Array.from({ length: count }, (_, n) => control.readInt32LE(CONTROL_HEADER_BYTES + 4 * n));
}

/** Sends `bytes` (at least one) with `descriptors`, which stay open here. May block on a full socket. */
export function sendMessage(socket: number, bytes: Buffer, descriptors: readonly number[]): void {
  checked("sendmsg", sendFlagged(socket, bytes, descriptors, MSG_NOSIGNAL));
}

/** The same, but never blocks. @throws {Fault} `sys.call` also where the other side does not read. */
export function sendMessageNow(
  socket: number,
  bytes: Buffer,
  descriptors: readonly number[],
): void {
  checked("sendmsg", sendFlagged(socket, bytes, descriptors, MSG_DONTWAIT | MSG_NOSIGNAL));
}

function sendFlagged(
  socket: number,
  bytes: Buffer,
  descriptors: readonly number[],
  flags: number,
): number {
  if (bytes.length === 0 || descriptors.length > DESCRIPTORS_MAX) {
    throw new Fault("sys.call", "sendmsg: no bytes, or too many descriptors");
  }
  const data = allocateOnce(bytes);
  const controlBytes = CONTROL_HEADER_BYTES + 4 * descriptors.length;
  const control = scratchControl();
  control.bytes.fill(0);
  control.bytes.writeBigUInt64LE(BigInt(controlBytes), 0);
  control.bytes.writeInt32LE(SOL_SOCKET, 8);
  control.bytes.writeInt32LE(SCM_RIGHTS, 12);
  descriptors.forEach((fd, n) => control.bytes.writeInt32LE(fd, CONTROL_HEADER_BYTES + 4 * n));
  const vector = scratchVector();
  vector.bytes.writeBigUInt64LE(data.address, 0);
  vector.bytes.writeBigUInt64LE(BigInt(bytes.length), 8);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(vector.address, 16);
  header.writeBigUInt64LE(1n, 24);
  if (descriptors.length > 0) {
    header.writeBigUInt64LE(control.address, 32);
    header.writeBigUInt64LE(BigInt((controlBytes + 7) & ~7), 40);
  }
  return Number(native.sendmsg(socket, header, flags));
}

// koffi's memory is never returned, so each thread allocates these once, on first use.
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
const scratchData = once(() => allocate(MESSAGE_BYTES_MAX));
const scratchControl = once(() => allocate((CONTROL_HEADER_BYTES + 4 * DESCRIPTORS_MAX + 7) & ~7));
const scratchVector = once(() => allocate(16));
const scratchSend = once(() => allocate(MESSAGE_BYTES_MAX));

function allocateOnce(bytes: Buffer): ReturnType<typeof allocate> {
  if (bytes.length > MESSAGE_BYTES_MAX) throw new Fault("sys.call", "sendmsg: message too long");
  const data = scratchSend();
  bytes.copy(data.bytes);
  return data;
}
