/**
 * Serves a resolver on sockets of the run: UDP, and TCP for what UDP had to cut.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import type { Socket } from "node:net";
import { QUERY_BYTES_MAX } from "./query.ts";
import type { Resolver } from "./resolver.ts";

/** An idle TCP connection is closed after so long (RFC 7766, 6.2.3: some seconds). */
const TCP_IDLE_MS = 10_000;
/** Questions on one TCP connection; a client has one or two. */
const TCP_QUESTIONS_MAX = 1000;
/** `length` u16 before each message (RFC 1035, 4.2.2). */
const LENGTH_BYTES = 2;

/**
 * Answers on the bound UDP socket `fd`, which it then owns.
 *
 * @returns a function that stops and closes it.
 */
export function serveDnsUdp(fd: number, resolver: Resolver, family: 4 | 6 = 4): () => void {
  const socket = createSocket(family === 4 ? "udp4" : "udp6");
  let closed = false;
  socket.on("message", (packet, { address, port }) => {
    const reply = resolver.answer(packet, { transport: "udp", from: { address, port } });
    // A reply that cannot be sent is lost, as any UDP reply may be; the client asks again.
    const send = () => {
      if (reply !== undefined && !closed) socket.send(reply, port, address, () => {});
    };
    const settled = resolver.settled();
    if (settled === undefined) send();
    else void settled.then(send);
  });
  // Errors of single sends come here too (a client that is gone); the socket itself stays.
  socket.on("error", () => resolver.odd("malformed", "a reply could not be sent"));
  socket.bind({ fd, exclusive: true });
  return () => {
    if (!closed) socket.close();
    closed = true;
  };
}

/** Answers on a TCP connection until its client is done, idle, or breaks the framing. */
export function serveDnsTcp(socket: Socket, resolver: Resolver): void {
  const from = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
  let pending: Buffer = Buffer.alloc(0);
  let questions = 0;
  let draining = false;

  const refuse = (why: string) => {
    resolver.odd("malformed", why);
    socket.destroy();
  };

  /** Answers the whole messages in `pending`, as far as the client reads the replies. */
  function answerPending(): void {
    while (!draining && pending.length >= LENGTH_BYTES) {
      const length = pending.readUInt16BE(0);
      if (length > QUERY_BYTES_MAX) {
        refuse("a TCP message that is too long for a query");
        return;
      }
      if (pending.length < LENGTH_BYTES + length) return;
      questions += 1;
      if (questions > TCP_QUESTIONS_MAX) {
        refuse("too many questions on one TCP connection");
        return;
      }
      const packet = pending.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      pending = pending.subarray(LENGTH_BYTES + length);
      const reply = resolver.answer(packet, { transport: "tcp", from });
      if (reply === undefined) continue;
      const settled = resolver.settled();
      if (settled === undefined) draining = !socket.write(frame(reply));
      else {
        draining = true;
        void settled.then(() => {
          if (socket.write(frame(reply))) drained();
        });
      }
    }
    // Nothing more is read while the client does not read: neither buffer grows.
    if (draining) socket.pause();
  }

  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    answerPending();
  });
  function drained(): void {
    draining = false;
    socket.resume();
    answerPending();
  }
  socket.on("drain", drained);
  socket.on("end", () => socket.end());
  socket.on("error", () => socket.destroy()); // The client went away; nothing else can be told.
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
}

function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
