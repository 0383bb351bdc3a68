/**
 * System calls that Node does not offer, through koffi: socket pairs, passing descriptors, socket
 * options, polling and ioctl, reading another process's memory, pseudo-terminals.
 *
 * Each face here takes and returns plain values, throws {@link Fault} `sys.call` with the call and the
 * errno's name, and never blocks unless it says so.
 *
 * @module
 */
import { constants } from "node:os";
import koffi from "koffi";
import { Fault } from "../base/index.ts";

const libc = koffi.load(libcName());

function libcName(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  if (report.header?.glibcVersionRuntime !== undefined) return "libc.so.6";
  return `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
}

export const native = {
  socketpair: libc.func("int socketpair(int, int, int, _Out_ int *)"),
  sendmsg: libc.func("int64_t sendmsg(int, void *, int)"),
  recvmsg: libc.func("int64_t recvmsg(int, void *, int)"),
  recv: libc.func("int64_t recv(int, void *, uint64_t, int)"),
  /** For calls that are made thousands of times: both pointers into memory of {@link allocate}. */
  getsockoptAt: libc.func("getsockopt", "int", ["int", "int", "int", "void *", "void *"]),
  getsockopt: libc.func("int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)"),
  setsockopt: libc.func("int setsockopt(int, int, int, uint8_t *, uint32_t)"),
  close: libc.func("int close(int)"),
  ioctl: libc.func("int ioctl(int, uint64_t, void *)"),
  fcntl: libc.func("int fcntl(int, int, uint64_t)"),
  poll: libc.func("int poll(void *, uint64_t, int)"),
  epollCreate: libc.func("int epoll_create1(int)"),
  epollControl: libc.func("int epoll_ctl(int, int, int, void *)"),
  epollWait: libc.func("int epoll_wait(int, void *, int, int)"),
  read: libc.func("int64_t read(int, void *, uint64_t)"),
  write: libc.func("int64_t write(int, void *, uint64_t)"),
  processVmReadv: libc.func(
    "int64_t process_vm_readv(int, void *, uint64_t, void *, uint64_t, uint64_t)",
  ),
  syscall: libc.func("syscall", "int64_t", [
    "int64_t",
    "int64_t",
    "int64_t",
    "int64_t",
    "int64_t",
    "int64_t",
    "int64_t",
  ]),
  /** System calls with three small arguments: numbers pass much faster than big integers. */
  syscall3: libc.func("syscall", "int64_t", ["int64_t", "int64_t", "int64_t", "int64_t"]),
  kill: libc.func("int kill(int, int)"),
} as const;

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** The name of errno value `value`: `EPERM`, or `errno 524` where Node knows none. */
export function errnoName(value: number): string {
  return ERRNO_NAMES.get(value) ?? `errno ${value}`;
}

/** The errno that the last native call on this thread left. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Turns a negative result into a fault; any other is returned as a number. */
export function checked(call: string, result: number | bigint): number {
  const value = Number(result);
  if (value >= 0) return value;
  const errno = lastErrno();
  throw new Fault("sys.call", `${call}: ${errnoName(errno)}`, { cause: { errno } });
}

/** Memory outside the JavaScript heap, whose address can stand in another structure. */
export interface Native {
  readonly bytes: Buffer;
  readonly address: bigint;
  readonly pointer: unknown;
}

/** Allocates `size` zeroed bytes that live until the process ends: keep and reuse them. */
export function allocate(size: number): Native {
  const pointer: unknown = koffi.alloc("uint8_t", size);
  const bytes = Buffer.from(koffi.view(pointer, size));
  bytes.fill(0);
  return { bytes, address: koffi.address(pointer), pointer };
}

/** Closes a descriptor that no Node object owns. */
export function closeDescriptor(descriptor: number): void {
  checked("close", native.close(descriptor));
}
