/**
 * Handles of processes (pidfd_open(2)): a signal through one can never hit a later owner of the number.
 *
 * @module
 */
import { constants } from "node:os";
import { checked, lastErrno, native } from "./libc.ts";

const PIDFD_OPEN = 434n; // The same on every architecture, as for all calls since Linux 5.1.
const PIDFD_SEND_SIGNAL = 424n;

/** Opens a handle of process `pid`; close it with `closeDescriptor`. */
export function openProcess(pid: number): number {
  return checked("pidfd_open", native.syscall(PIDFD_OPEN, BigInt(pid), 0n, 0n, 0n, 0n, 0n));
}

/** Sends a signal; `false` where the process has ended already. */
export function signalProcess(handle: number, name: NodeJS.Signals): boolean {
  const number = BigInt(constants.signals[name]);
  const result = native.syscall(PIDFD_SEND_SIGNAL, BigInt(handle), number, 0n, 0n, 0n, 0n);
  if (Number(result) < 0 && lastErrno() === constants.errno.ESRCH) return false;
  checked("pidfd_send_signal", result);
  return true;
}
