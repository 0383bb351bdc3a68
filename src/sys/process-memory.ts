/**
 * Reading another process's memory (process_vm_readv(2)).
 *
 * @module
 */
import { constants } from "node:os";
import { allocate, checked, lastErrno, native } from "./libc.ts";

const { EFAULT } = constants.errno;
const PAGE_BYTES = 4096; // The smallest page of x64 and arm64: no read crosses into an unmapped one.
const PAGE_MASK = BigInt(PAGE_BYTES - 1);
/** Longest single read, in bytes. */
export const MEMORY_READ_BYTES_MAX = 4096;

// struct iovec (LP64): base 8, length 8. koffi's memory is never returned: one set per thread.
const target = allocate(MEMORY_READ_BYTES_MAX);
const local = allocate(16);
const remote = allocate(16);
local.bytes.writeBigUInt64LE(target.address, 0);
// A view, since a Buffer's own method for 64 bits takes ten times as long.
const remoteWords = new BigUint64Array(remote.bytes.buffer, remote.bytes.byteOffset, 2);

/** Reads within one page; empty where it is not mapped or not readable. The result is not a copy. */
function readWithinPage(pid: number, address: bigint, length: number): Buffer {
  local.bytes.writeUInt32LE(length, 8); // The high half stays 0.
  remoteWords[0] = address;
  remote.bytes.writeUInt32LE(length, 8);
  const count = Number(native.processVmReadv(pid, local.pointer, 1, remote.pointer, 1, 0));
  if (count < 0 && lastErrno() === EFAULT) return target.bytes.subarray(0, 0);
  return target.bytes.subarray(0, checked("process_vm_readv", count));
}

const leftInPage = (address: bigint) => PAGE_BYTES - Number(address & PAGE_MASK);

/**
 * Reads up to `length` bytes at `address` of process `pid`: fewer where memory ends.
 *
 * @throws {Fault} `sys.call` where the process is gone or may not be read.
 */
export function readMemory(pid: number, address: bigint, length: number): Buffer {
  const max = Math.min(length, MEMORY_READ_BYTES_MAX);
  if (max <= leftInPage(address)) return Buffer.from(readWithinPage(pid, address, max));
  const parts: Buffer[] = [];
  let at = address;
  for (let left = max; left > 0;) {
    const wanted = Math.min(left, leftInPage(at));
    const part = Buffer.from(readWithinPage(pid, at, wanted));
    parts.push(part);
    if (part.length < wanted) break;
    at += BigInt(wanted);
    left -= wanted;
  }
  return Buffer.concat(parts);
}

/**
 * Reads a C string of up to `max` bytes; `undefined` where it is not readable to its end. A longer
 * one is cut.
 */
export function readMemoryText(pid: number, address: bigint, max: number): string | undefined {
  const parts: Buffer[] = [];
  let at = address;
  for (let left = max; left > 0;) {
    const wanted = Math.min(left, leftInPage(at));
    const part = readWithinPage(pid, at, wanted);
    const end = part.indexOf(0);
    if (end >= 0) {
      parts.push(Buffer.from(part.subarray(0, end)));
      return Buffer.concat(parts).toString("utf8");
    }
    if (part.length < wanted) return undefined;
    parts.push(Buffer.from(part));
    at += BigInt(wanted);
    left -= wanted;
  }
  return Buffer.concat(parts).toString("utf8");
}
