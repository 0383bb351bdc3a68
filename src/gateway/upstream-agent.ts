/**
 * The upstream side of one client connection: as many connections to the granted name at a time as that
 * client may have requests under way (one, for HTTP/1.1), kept for its next request, never shared with
 * another client, name or run.
 *
 * That is what makes a poisoned response queue (an answer that arrives before its question)
 * harm nobody but the client that asked.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Fault } from "../base/index.ts";
import type { Destination, Dialer, Upstream } from "./dialer.ts";

/** Bytes on the wire, as counted at the upstream's sockets. */
export interface WireBytes {
  readonly sent: number;
  readonly received: number;
}

const GONE = "the client left"; // Without a reason an exception is made, with its stack, for every connection.

/** Opens connections to one destination, and knows all that it opened. */
export class UpstreamAgent {
  readonly #dialer: Dialer;
  readonly #to: Destination;
  readonly #gone = new AbortController();
  readonly #open = new Set<Upstream>();
  #offered: Upstream | undefined;
  /** Connected, and nothing more; one that failed tells whoever wants it. */
  #adopted: Promise<Socket> | undefined;
  #sent = 0;
  #received = 0;

  constructor(dialer: Dialer, to: Destination) {
    this.#dialer = dialer;
    this.#to = to;
  }

  /** The connection that was given back, or a new one that speaks HTTP/1.1. */
  async next(): Promise<Upstream> {
    const offered = this.#offered;
    this.#offered = undefined;
    return offered?.socket.destroyed === false ? offered : await this.open();
  }

  /**
   * Opens a connection that offers these protocols by ALPN where it speaks TLS.
   *
   * @throws {Fault} as {@link Dialer.dial} does.
   */
  async open(alpn: readonly string[] = ["http/1.1"]): Promise<Upstream> {
    const made = await this.#takeAdopted();
    const to = { ...this.#to, alpn, ...(made === undefined ? {} : { made }) };
    const upstream = await this.#dialer.dial(to, this.#gone.signal);
    if (this.#gone.signal.aborted) {
      upstream.raw.destroy();
      throw new Fault("gateway.aborted", "the client left");
    }
    this.#watch(upstream);
    return upstream;
  }

  /** Gives back a connection from {@link open} that no request has used: the next request's. */
  offer(upstream: Upstream): void {
    this.#offered = upstream;
  }

  /** Takes a connection that was made ahead of {@link open}, which is what uses it. */
  adopt(connection: Promise<Socket>): void {
    this.#adopted = connection;
    connection.then(
      (socket) => {
        socket.on("error", () => {}); // Ends in its close.
        if (this.#gone.signal.aborted) socket.destroy();
      },
      () => {}, // Told by `open`.
    );
  }

  /** A connection is there, or on its way, that the next request would use. */
  get hasNext(): boolean {
    return this.#adopted !== undefined || this.#offered?.socket.destroyed === false;
  }

  async #takeAdopted(): Promise<Socket | undefined> {
    const adopted = this.#adopted;
    this.#adopted = undefined;
    const socket = await adopted;
    return socket?.destroyed === false ? socket : undefined;
  }

  /** What has passed so far, over all connections. */
  bytes(): WireBytes {
    let [sent, received] = [this.#sent, this.#received];
    for (const { raw } of this.#open) {
      sent += raw.bytesWritten;
      received += raw.bytesRead;
    }
    return { sent, received };
  }

  /** Ends everything at once, also what is still being dialled. */
  destroy(): void {
    this.#gone.abort(GONE);
    this.#adopted?.then(
      (socket) => socket.destroy(),
      () => {},
    );
    for (const { socket, raw } of this.#open) {
      socket.destroy();
      raw.destroy();
    }
  }

  #watch(upstream: Upstream): void {
    this.#open.add(upstream);
    const { raw, socket } = upstream;
    const count = (closed: Socket) => {
      if (!this.#open.delete(upstream)) return;
      this.#sent += closed.bytesWritten;
      this.#received += closed.bytesRead;
    };
    // An error is told to the request that is under way; an idle connection has nobody to tell.
    raw.on("error", () => {});
    socket.on("close", () => count(raw));
    raw.on("close", () => count(raw));
  }
}
