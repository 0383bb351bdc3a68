/**
 * What a service manager is told by its service: one datagram on the Unix socket that it names (sd_notify(3)). Node has no
 * datagrams of that family.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { systemCallNumber } from "./call-number.ts";
import { allocate, checked, closeDescriptor, native, type Native } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** sun_path (unix(7)), with the zero byte that ends a path or begins an abstract name. */
const PATH_BYTES_MAX = 108;
const TEXT_BYTES_MAX = 4096;

// koffi's memory is never returned, so a thread allocates these once, on first use.
let scratch: { readonly name: Native; readonly text: Native; readonly vector: Native } | undefined;

/**
 * Sends `text` (`READY=1`, lines of them) to the socket at `path`, which is absolute or, after `@`, abstract. Never waits.
 *
 * @throws {Fault} `sys.notify_socket` for a path of another form or too long a text, `sys.call` where nobody listens.
 */
export function notifyService(path: string, text: string): void {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  const bytes = Buffer.from(text);
  const isName = /^[/@]./.test(path) && !path.includes("\0") && name.length < PATH_BYTES_MAX;
  if (!isName || bytes.length === 0 || bytes.length > TEXT_BYTES_MAX) {
    throw new Fault(
      "sys.notify_socket",
      `not a service manager's socket: ${JSON.stringify(path)}`,
      {
        hint: "systemd sets NOTIFY_SOCKET; unset it where the daemon is started by hand",
      },
    );
  }
  const memory = (scratch ??= {
    name: allocate(2 + PATH_BYTES_MAX),
    text: allocate(TEXT_BYTES_MAX),
    vector: allocate(16),
  });
  memory.name.bytes.fill(0);
  memory.name.bytes.writeUInt16LE(AF_UNIX, 0);
  name.copy(memory.name.bytes, 2);
  bytes.copy(memory.text.bytes);
  memory.vector.bytes.writeBigUInt64LE(memory.text.address, 0);
  memory.vector.bytes.writeBigUInt64LE(BigInt(bytes.length), 8);
  // struct msghdr (LP64): name 8, namelen 4, pad 4, iov 8, iovlen 8, control 8, controllen 8, flags 4.
  const header = Buffer.alloc(56);
  header.writeBigUInt64LE(memory.name.address, 0);
  header.writeUInt32LE(2 + name.length, 8);
  header.writeBigUInt64LE(memory.vector.address, 16);
  header.writeBigUInt64LE(1n, 24);
  const call = systemCallNumber("socket");
  const socket = checked("socket", native.syscall3(call, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    checked("sendmsg", native.sendmsg(socket, header, MSG_DONTWAIT | MSG_NOSIGNAL));
  } finally {
    closeDescriptor(socket);
  }
}
