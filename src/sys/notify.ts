/**
 * Seccomp user notification (seccomp_unotify(2)): the kernel holds a system call while we look.
 *
 * What stands in a notification and in the caller's memory are claims, as of that moment; who makes
 * the call is certain for as long as {@link isNotificationValid} says that the call is still held.
 *
 * @module
 */
import { constants } from "node:os";
import { Fault } from "../base/index.ts";
import { checked, lastErrno, native } from "./libc.ts";

// linux/seccomp.h; the numbers carry direction and size, and are the same on x64 and arm64.
const IOCTL_RECV = 0xc050_2100n;
const IOCTL_SEND = 0xc018_2101n;
const IOCTL_ID_VALID = 0x4008_2102n;
const IOCTL_SET_FLAGS = 0x4008_2104n;
const FLAG_CONTINUE = 1;
const FD_SYNC_WAKE_UP = 1; // Since 6.6: a notification wakes its reader on the same processor.

const { EAGAIN, EINTR, EINVAL, ENOENT, ENOTTY } = constants.errno;

// struct seccomp_notif: id 8, pid 4, flags 4, then seccomp_data: nr 4, arch 4, ip 8, args 6 x 8.
const NOTIFICATION_BYTES = 80;
// struct seccomp_notif_resp: id 8, val 8, error 4, flags 4.
const ANSWER_BYTES = 24;

/** One held system call. */
export interface Notification {
  readonly id: bigint;
  /** Thread id of the caller, in this process's pid namespace; 0 where it cannot be seen from here. */
  readonly tid: number;
  /** Number of the call, of the machine's own architecture. */
  readonly call: number;
  readonly args: readonly [bigint, bigint, bigint, bigint, bigint, bigint];
}

const request = Buffer.alloc(NOTIFICATION_BYTES);
const answer = Buffer.alloc(ANSWER_BYTES);
const idOnly = Buffer.alloc(8);
// Views, since a Buffer's own methods for 64 bits take ten times as long, and a run waits meanwhile.
const wordsOf = (bytes: Buffer) =>
  new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
const requestWords = wordsOf(request);
const answerWords = wordsOf(answer);
const idWords = wordsOf(idOnly);
const word = (n: number): bigint => requestWords[n] ?? 0n;

/**
 * Takes the next held call off `listener`. Waits where poll(2) did not say that there is one;
 * `undefined` where the caller went away meanwhile.
 *
 * @throws {Fault} `sys.call` on any other failure.
 */
export function receiveNotification(listener: number): Notification | undefined {
  request.fill(0); // The kernel refuses a buffer that is not zeroed.
  if (native.ioctl(listener, IOCTL_RECV, request) < 0) {
    const errno = lastErrno();
    if (errno === ENOENT || errno === EINTR || errno === EAGAIN) return undefined;
    checked("ioctl SECCOMP_IOCTL_NOTIF_RECV", -1);
  }
  return {
    id: word(0),
    tid: request.readUInt32LE(8),
    call: request.readInt32LE(16),
    args: [word(4), word(5), word(6), word(7), word(8), word(9)],
  };
}

/** Whether the call is still held, so that its thread id still means the caller. */
export function isNotificationValid(listener: number, id: bigint): boolean {
  idWords[0] = id;
  if (native.ioctl(listener, IOCTL_ID_VALID, idOnly) === 0) return true;
  if (lastErrno() === ENOENT) return false;
  checked("ioctl SECCOMP_IOCTL_NOTIF_ID_VALID", -1);
  return false;
}

/**
 * Answers a held call: `errno` makes it fail with that error, 0 lets the kernel carry it out.
 * From any thread. Returns whether the caller was still there.
 */
export function answerNotification(listener: number, id: bigint, errno: number): boolean {
  if (!Number.isInteger(errno) || errno < 0 || errno > 4095) {
    throw new Fault("sys.call", `not an errno: ${errno}`);
  }
  answerWords[0] = id;
  answerWords[1] = 0n;
  answer.writeInt32LE(-errno, 16);
  answer.writeUInt32LE(errno === 0 ? FLAG_CONTINUE : 0, 20);
  if (native.ioctl(listener, IOCTL_SEND, answer) === 0) return true;
  if (lastErrno() === ENOENT) return false;
  checked("ioctl SECCOMP_IOCTL_NOTIF_SEND", -1);
  return false;
}

/** Asks for wake-ups on the caller's processor (60 to 10 us); whether this kernel can (6.6). */
export function setSyncWakeUp(listener: number): boolean {
  const flags = BigInt(FD_SYNC_WAKE_UP);
  if (native.ioctl(listener, IOCTL_SET_FLAGS, flags) === 0) return true;
  const errno = lastErrno();
  if (errno === EINVAL || errno === ENOTTY) return false;
  checked("ioctl SECCOMP_IOCTL_NOTIF_SET_FLAGS", -1);
  return false;
}
