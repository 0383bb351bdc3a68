/**
 * Numbers of system calls by architecture: asm/unistd_64.h (x64), asm-generic/unistd.h (arm64).
 *
 * @module
 */
import { Fault } from "../base/index.ts";

const NUMBERS = {
  // name: [x64, arm64]
  socket: [41, 198],
  connect: [42, 203],
  sendto: [44, 206],
  recvfrom: [45, 207],
  bind: [49, 200],
  execve: [59, 221],
  eventfd2: [290, 19],
  execveat: [322, 281],
  pidfd_send_signal: [424, 424],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
} as const;

export type SystemCall = keyof typeof NUMBERS;

/** The number of `call` on this machine. */
export function systemCallNumber(call: SystemCall): number {
  const column = { x64: 0, arm64: 1 }[process.arch as string];
  if (column === undefined) {
    throw new Fault("sys.architecture", `no system call numbers for ${process.arch}`, {
      hint: "Cofferdam runs on x64 and arm64",
    });
  }
  return NUMBERS[call][column === 0 ? 0 : 1];
}
