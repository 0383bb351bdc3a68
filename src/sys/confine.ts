/**
 * What a process does to confine itself: a system-call filter over all of its threads, and ends that
 * hang together with its parent's (prctl(2), seccomp(2)).
 *
 * @module
 */
import { constants } from "node:os";
import { Fault } from "../base/index.ts";
import { allocate, checked, errnoName, lastErrno, native } from "./libc.ts";

const isArm = process.arch === "arm64";
const PRCTL = isArm ? 167n : 157n;
const SECCOMP = isArm ? 277n : 317n;
const PR_SET_PDEATHSIG = 1n;
const SECCOMP_SET_MODE_FILTER = 1n;
const SECCOMP_FILTER_FLAG_TSYNC = 1n;
const INSTRUCTION_BYTES = 8; // struct sock_filter

/** Has the kernel kill this process when its parent ends. A change of ids undoes it. */
export function dieWithParent(): void {
  const signal = BigInt(constants.signals.SIGKILL);
  checked("prctl", native.syscall(PRCTL, PR_SET_PDEATHSIG, signal, 0n, 0n, 0n, 0n));
}

/**
 * Puts every thread of this process under `program`, for good; needs no_new_privs.
 *
 * @throws {Fault} `sys.call` where the kernel refuses, or one thread could not be taken along.
 */
export function filterAllThreads(program: Buffer): void {
  const code = allocate(program.length);
  program.copy(code.bytes);
  const description = allocate(16); // struct sock_fprog (LP64): len u16, pad 6, filter 8.
  description.bytes.writeUInt16LE(program.length / INSTRUCTION_BYTES, 0);
  description.bytes.writeBigUInt64LE(code.address, 8);
  const result = checked(
    "seccomp",
    native.syscall(
      SECCOMP,
      SECCOMP_SET_MODE_FILTER,
      SECCOMP_FILTER_FLAG_TSYNC,
      description.address,
      0n,
      0n,
      0n,
    ),
  );
  if (result !== 0) throw new Fault("sys.call", `seccomp: thread ${result} could not be filtered`);
}

/** What a raw system call comes to: "ok", or the name of its errno. For proofs of what is refused. */
export function tryCall(number: number, ...rest: readonly number[]): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = rest.map(BigInt);
  const result = Number(native.syscall(number, a, b, c, d, e, 0));
  return result < 0 ? errnoName(lastErrno()) : "ok";
}
