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
import { Agent } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Fault } from "../base/index.ts";
import type { Destination, Dialer, Upstream } from "./dialer.ts";

/** Bytes on the wire, as counted at the upstream's sockets. */
export interface WireBytes {
  readonly sent: number;
  readonly received: number;
}

type Connected = (error: Error | null, stream: Duplex) => void;

/** An agent of Node's HTTP client that knows one destination only. */
export class UpstreamAgent extends Agent {
  readonly #dialer: Dialer;
  readonly #to: Destination;
  readonly #gone = new AbortController();
  readonly #open = new Set<Upstream>();
  #offered: Upstream | undefined;
  #sent = 0;
  #received = 0;

  constructor(dialer: Dialer, to: Destination, idleMs: number) {
    super({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1, timeout: idleMs });
    this.#dialer = dialer;
    this.#to = to;
  }

  /** Node calls this for each new connection; what the request says about host and port is not asked. */
  override createConnection(_options: unknown, connected?: Connected): undefined {
    const done = connected as (error: Error | null, stream?: Duplex) => void;
    const offered = this.#offered;
    this.#offered = undefined;
    const opened = offered?.socket.destroyed === false ? Promise.resolve(offered) : this.open();
    opened.then(
      (upstream) => done(null, upstream.socket),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
    return undefined;
  }

  /**
   * Opens a connection that offers these protocols by ALPN where it speaks TLS.
   *
   * @throws {Fault} as {@link Dialer.dial} does.
   */
  async open(alpn: readonly string[] = ["http/1.1"]): Promise<Upstream> {
    const upstream = await this.#dialer.dial({ ...this.#to, alpn }, this.#gone.signal);
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
  override destroy(): void {
    this.#gone.abort();
    for (const { socket, raw } of this.#open) {
      socket.destroy();
      raw.destroy();
    }
    super.destroy();
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
