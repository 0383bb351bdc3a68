/**
 * The upstream side of one client connection: at most one connection to the granted name at a time,
 * kept for that client's next request, never shared with another client, name or run.
 *
 * One to one is what makes a poisoned response queue (an answer that arrives before its question)
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
    this.#dialer.dial(this.#to, this.#gone.signal).then(
      (upstream) => {
        if (this.#gone.signal.aborted) {
          upstream.raw.destroy();
          done(new Fault("gateway.aborted", "the client left"));
          return;
        }
        this.#watch(upstream);
        done(null, upstream.socket);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
    return undefined;
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
