/**
 * Advisory whole-file locks (flock(2)): held by an open description, so the kernel lets go of one when
 * its last holder dies, however it dies.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { checked, lastErrno, native } from "./libc.ts";

const SYS_FLOCK = process.arch === "arm64" ? 32 : 73;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/**
 * Takes the exclusive lock of the open file or folder `descriptor`, which holds it until it is closed.
 * Returns false, without waiting, where another open description has it (in this process too).
 *
 * @throws {Fault} `sys.call` on any other failure, such as a file system without locks.
 */
export function tryLock(descriptor: number): boolean {
  if (process.arch !== "x64" && process.arch !== "arm64") {
    throw new Fault("sys.call", `flock: unsupported architecture ${process.arch}`);
  }
  const result = native.syscall(SYS_FLOCK, descriptor, LOCK_EX | LOCK_NB, 0, 0, 0, 0);
  if (Number(result) < 0 && lastErrno() === EWOULDBLOCK) return false;
  checked("flock", result);
  return true;
}
