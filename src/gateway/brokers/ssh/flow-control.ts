/**
 * Writing without piling up: a writer waits for the channel, and for the socket below it. ssh2 itself writes to
 * a socket whatever it is told to, and a peer may allow a channel more than it reads.
 *
 * @module
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { ServerChannel } from "ssh2";
import { Fault } from "../../../base/index.ts";
import { forgetWritten, isWritableChannel } from "./ssh2-internals.ts";

/** What a socket may hold before its writers wait. */
const SOCKET_BYTES_MAX = 4 << 20;

/** Writes all of `bytes`, and resolves when there is room again. @throws {Fault} `ssh.closed` */
export async function writeAll(to: Writable, bytes: Buffer): Promise<void> {
  if (to.destroyed || to.writableEnded) throw closed();
  if (!to.write(bytes)) await settled(to);
}

/** What is being written on each channel of an agent: output and errors one after another. */
const turns = new WeakMap<ServerChannel, Promise<void>>();

/**
 * Writes `bytes` on one of the two streams of `channel`, and resolves when they are with the socket, and that
 * has room. Only one of both is ever waiting: ssh2 wakes but one of them when there is room again.
 *
 * @throws {Fault} `ssh.closed`
 */
export async function writeOut(
  channel: ServerChannel,
  bytes: Buffer,
  { isError = false, socket }: { readonly isError?: boolean; readonly socket?: Writable } = {},
): Promise<void> {
  const before = turns.get(channel) ?? Promise.resolve();
  const { promise: mine, resolve: done } = Promise.withResolvers<void>();
  turns.set(channel, mine);
  await before;
  try {
    await flushed(channel, isError ? channel.stderr : channel, bytes);
    if (socket !== undefined && socket.writableLength > SOCKET_BYTES_MAX) await settled(socket);
  } finally {
    done();
  }
}

/** Resolves when everything that was written on `channel` is with the socket. */
export async function written(channel: ServerChannel): Promise<void> {
  await turns.get(channel);
}

async function flushed(channel: ServerChannel, to: Writable, bytes: Buffer): Promise<void> {
  if (channel.destroyed || channel.writableEnded || !isWritableChannel(channel)) throw closed();
  const gone = new AbortController();
  try {
    await Promise.race([
      new Promise<void>((resolve) => to.write(bytes, () => resolve())),
      once(channel, "close", { signal: gone.signal }).then(() => Promise.reject(closed())),
    ]);
    forgetWritten(channel);
  } finally {
    gone.abort();
  }
}

async function settled(to: Writable): Promise<void> {
  const gone = new AbortController();
  try {
    const { signal } = gone;
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
