/**
 * Closing a TCP connection at once.
 *
 * @module
 */
import { checked, native } from "./libc.ts";

const SOL_SOCKET = 1;
const SO_LINGER = 13; // asm-generic/socket.h

/**
 * Has the close of `descriptor` throw away what was not sent and reset the connection, rather than end
 * it in order. Node's own `resetAndDestroy` waits for pending writes, which a peer that does not read
 * holds up for ever, and never closes the socket at all while its end is under way (libuv's
 * `uv_tcp_close_reset` then refuses).
 *
 * @throws {Fault} `sys.call`
 */
export function resetOnClose(descriptor: number): void {
  const linger = Buffer.alloc(8); // struct linger: on i32, seconds i32
  linger.writeInt32LE(1, 0);
  checked("setsockopt", native.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, linger, 8));
}
