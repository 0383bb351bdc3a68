/**
 * Writes one message after another onto a connection. A head waits for the body's first bytes, so that
 * both leave in one write, which is one TLS record and one packet.
 *
 * @module
 */
import type { Socket } from "node:net";
import { CHUNK_END, chunkHead, lastChunk } from "../wire/index.ts";
import type { ByteSink } from "./http-sides.ts";

/** How a body is delimited on the way out; `raw` needs nothing said: a length, the end, or no body. */
export type OutgoingFraming = "raw" | "chunked";

type Pairs = readonly (readonly [string, string])[];

/** Up to here copying bytes is cheaper than handing them to the kernel apart. */
const JOINED_BYTES_MAX = 16_384;
const EMPTY = Buffer.alloc(0);

export class Outgoing implements ByteSink {
  readonly #socket: Socket;
  #head = "";
  #framing: OutgoingFraming = "raw";

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Takes a head; it leaves with what comes next, or by {@link flush}. */
  begin(head: string, framing: OutgoingFraming): void {
    this.#head += head;
    this.#framing = framing;
  }

  flush(): void {
    if (this.#head !== "") this.#send(EMPTY, "");
  }

  write(bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    if (this.#framing === "raw") return this.#send(bytes, "");
    this.#head += chunkHead(bytes.length);
    return this.#send(bytes, CHUNK_END);
  }

  /** Ends the message, with what is left of its body. */
  end(bytes: Buffer, trailers: Pairs): void {
    if (this.#framing === "raw") {
      if (bytes.length > 0 || this.#head !== "") this.#send(bytes, "");
      return;
    }
    if (bytes.length > 0) this.#head += chunkHead(bytes.length);
    this.#send(bytes, (bytes.length > 0 ? CHUNK_END : "") + lastChunk(trailers.flat()));
  }

  on(event: "drain" | "close", listener: () => void): void {
    this.#socket.on(event, listener);
  }

  once(event: "drain" | "close", listener: () => void): void {
    this.#socket.once(event, listener);
  }

  removeListener(event: "drain" | "close", listener: () => void): void {
    this.#socket.removeListener(event, listener);
  }

  #send(bytes: Buffer, tail: string): boolean {
    const head = this.#head;
    this.#head = "";
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return false;
    if (head === "" && tail === "") return socket.write(bytes);
    if (bytes.length <= JOINED_BYTES_MAX) return socket.write(joined(head, bytes, tail));
    socket.cork();
    if (head !== "") socket.write(head, "latin1");
    let goesOn = socket.write(bytes);
    if (tail !== "") goesOn = socket.write(tail, "latin1");
    socket.uncork();
    return goesOn;
  }
}

function joined(head: string, bytes: Buffer, tail: string): Buffer {
  const all = Buffer.allocUnsafe(head.length + bytes.length + tail.length);
  all.write(head, 0, "latin1");
  bytes.copy(all, head.length);
  all.write(tail, head.length + bytes.length, "latin1");
  return all;
}
