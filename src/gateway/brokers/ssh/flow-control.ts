/**
 * Writing without piling up: a writer waits for the channel, and for the socket below it. ssh2 itself writes to
 * a socket whatever it is told to, and a peer may allow a channel more than it reads.
 *
 * @module
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Fault } from "../../../base/index.ts";

/** What a socket may hold before its writers wait. */
const SOCKET_BYTES_MAX = 4 << 20;

/** Writes all of `bytes`, and resolves when there is room again. @throws {Fault} `ssh.closed` */
export async function writeAll(to: Writable, bytes: Buffer, socket?: Writable): Promise<void> {
  if (to.destroyed || to.writableEnded) throw closed();
  if (!to.write(bytes)) await settled(to);
  if (socket !== undefined && socket.writableLength > SOCKET_BYTES_MAX) await settled(socket);
}

async function settled(to: Writable): Promise<void> {
  const gone = new AbortController();
  try {
    const signal = gone.signal;
    await Promise.race([
      once(to, "drain", { signal }),
      once(to, "close", { signal }).then(() => Promise.reject(closed())),
    ]);
  } finally {
    gone.abort();
  }
}

function closed(): Fault {
  return new Fault("ssh.closed", "the other side closed the channel");
}

/** What comes on `from`; reading it to its end leaves the other direction open. */
export function chunksOf(from: Readable): AsyncIterable<Buffer> {
  return from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}
