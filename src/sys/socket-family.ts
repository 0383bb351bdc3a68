/**
 * Of which address family a socket is.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { checked, native } from "./libc.ts";

const SOL_SOCKET = 1;
const SO_DOMAIN = 39; // asm-generic/socket.h
const AF_INET = 2;
const AF_INET6 = 10;

/**
 * The internet protocol version of the socket at `descriptor`.
 *
 * @throws {Fault} `sys.address` for a socket of any other family, `sys.call` where it is no socket.
 */
export function internetFamily(descriptor: number): 4 | 6 {
  const value = Buffer.alloc(4);
  checked("getsockopt", native.getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, value, [4]));
  const family = value.readInt32LE(0);
  if (family === AF_INET) return 4;
  if (family === AF_INET6) return 6;
  throw new Fault("sys.address", `a socket of family ${family} where an internet one was expected`);
}
