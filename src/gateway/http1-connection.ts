/**
 * A client's connection of HTTP/1.x: its requests, one at a time, in order, whatever it sends ahead. What
 * stands behind a request is not read before that request is answered.
 *
 * @module
 */
import type { Socket } from "node:net";
import { describeError, isFault } from "../base/index.ts";
import {
  createRequestReader,
  type Bad,
  type ReadEvent,
  type RequestMessage,
  type RequestReader,
} from "../wire/index.ts";
import { endSocket } from "./http-answer.ts";
import type { BrokerPorts, HttpClient } from "./http-broker.ts";
import { exchange } from "./http-exchange.ts";
import { drained } from "./http-forward.ts";
import { listOf } from "./http-headers.ts";
import type { UpstreamSide } from "./http-sides.ts";
import { IncomingBody } from "./http1-body.ts";
import { Http1Client } from "./http1-client.ts";
import { refuseBytes, refuseTunnel } from "./http1-refusals.ts";
import { http1Upstream } from "./http1-upstream.ts";
import { isWebSocketOffer } from "./websocket-handshake.ts";

const ONE = { open: 1, free: 1 } as const;

interface Current {
  readonly client: Http1Client;
  readonly body: IncomingBody;
}

export class ClientConnection {
  readonly #socket: Socket;
  readonly #client: HttpClient;
  readonly #ports: BrokerPorts;
  readonly #upstream: UpstreamSide | undefined;
  readonly #reader: RequestReader;
  #current: Current | undefined;
  /** Its head has just been read, and its exchange is not under way yet. */
  #fresh: Current | undefined;
  #isReading = false;
  #hasEnded = false;
  #isReleased = false;
  #headTimer: NodeJS.Timeout | undefined;
  /** What could not be parsed, and may be a protocol's name that comes in pieces. */
  #unparsed: Bad | undefined;

  constructor(socket: Socket, client: HttpClient, ports: BrokerPorts) {
    const { limits } = ports;
    const { access } = client;
    this.#socket = socket;
    this.#client = client;
    this.#ports = ports;
    this.#upstream = access.kind === "grant" ? http1Upstream(access.agent, limits, ONE) : undefined;
    // Up to twice what is served our own gate says no, and says why.
    this.#reader = createRequestReader({ headBytes: limits.headBytes, fields: 2 * limits.headers });
  }

  /** Reads until the connection ends. */
  serve(): void {
    const { access } = this.#client;
    this.#armHeadTimer();
    this.#socket.setTimeout(this.#ports.limits.exchangeIdleMs);
    this.#socket.on("timeout", this.#onTimeout);
    this.#socket.on("data", this.#onData);
    this.#socket.on("end", this.#onEnd);
    this.#socket.once("close", () => {
      clearTimeout(this.#headTimer);
      this.#current?.body.fail(new Error("the client left"));
      if (access.kind === "grant") access.agent.destroy();
    });
  }

  readonly #onTimeout = () => this.#client.flow.cut("idle within an exchange");

  readonly #onData = (chunk: Buffer) => {
    if (this.#unparsed !== undefined) {
      this.#refuse({ ...this.#unparsed, seen: Buffer.concat([this.#unparsed.seen, chunk]) });
      return;
    }
    this.#reader.push(chunk);
    this.#advance();
  };

  readonly #onEnd = () => {
    this.#hasEnded = true;
    if (this.#unparsed !== undefined) this.#refuse({ ...this.#unparsed, flaw: "syntax" });
    else if (this.#current?.body.isComplete === true) this.#watchHalfClosed();
    else this.#advance();
  };

  /** Reads what may be read by now, then starts the exchange whose head was in it. */
  #advance(): void {
    if (this.#isReading || this.#isReleased) return;
    this.#isReading = true;
    this.#read();
    this.#isReading = false;
    const fresh = this.#fresh;
    this.#fresh = undefined;
    if (fresh !== undefined) void this.#exchange(fresh.client);
  }

  #read(): void {
    while (!this.#isReleased) {
      const body = this.#current?.body;
      if (body?.isFull === true || (body?.isComplete === true && this.#isAhead)) {
        this.#socket.pause();
        return;
      }
      const event = body?.isComplete === true ? undefined : this.#reader.next();
      if (event !== undefined) {
        this.#heed(event);
        continue;
      }
      if (this.#hasEnded && body?.isComplete !== true) this.#leave();
      else if (this.#socket.isPaused()) this.#socket.resume();
      return;
    }
  }

  /** The client has sent more ahead than a request's head: till then it is read, to see it leave. */
  get #isAhead(): boolean {
    return this.#reader.unread > this.#ports.limits.headBytes;
  }

  #heed(event: ReadEvent<RequestMessage>): void {
    if (event.kind === "bad") this.#refuse(event);
    else if (event.kind === "head") this.#begin(event.head);
    else if (event.kind === "data") this.#current?.body.push(event.bytes);
    else this.#current?.body.finish(event.trailers);
  }

  #begin(message: RequestMessage): void {
    clearTimeout(this.#headTimer);
    const offers = offersOf(message);
    // A client waits for the answer before it speaks otherwise: bytes behind the request are no WebSocket's.
    const isUpgrade = offers && isWebSocketOffer(message.fields) && this.#reader.unread === 0;
    if (message.method === "CONNECT" || (offers && !isUpgrade)) {
      this.#release();
      refuseTunnel(this.#client, message, this.#socket, this.#reader.rest(), this.#ports);
      return;
    }
    const body = new IncomingBody(() => this.#advance());
    const client = new Http1Client({
      message,
      body,
      socket: this.#socket,
      limits: this.#ports.limits,
      isUpgrade,
      release: () => this.#release(),
    });
    if (isUpgrade) this.#socket.pause();
    this.#current = this.#fresh = { client, body };
  }

  async #exchange(client: Http1Client): Promise<void> {
    const { flow } = this.#client;
    let after: "next" | "last" = "last";
    try {
      after = await exchange({ ...this.#client, client, upstream: this.#upstream }, this.#ports);
    } catch (error) {
      // Ours, or the ledger's: nothing has been forwarded that is not recorded. Closed, and said.
      const { log } = this.#ports;
      log.warn("gateway.exchange.failed", { flow: flow.id, error: describeError(error) });
      flow.cut(isFault(error) ? `failed: ${error.code}` : "failed: internal");
    }
    // Who does not read its answers is asked for no more questions.
    if (this.#socket.writableNeedDrain) await drained(this.#socket);
    this.#current = undefined;
    if (this.#socket.destroyed || flow.socket.destroyed || this.#isReleased) return;
    if (after === "last" || client.isLast) {
      this.#release();
      // What follows a handshake may be there already: it is read, so that the refusal is heard.
      if (client.head.isUpgrade === true) endSocket(this.#socket, this.#ports.limits);
      else this.#socket.destroySoon();
      return;
    }
    this.#armHeadTimer();
    this.#advance();
  }

  /** Bytes that are no request: nothing behind them is read. */
  #refuse(bad: Bad): void {
    clearTimeout(this.#headTimer);
    const { limits } = this.#ports;
    const isAnswering = this.#current !== undefined;
    const refused = refuseBytes(this.#client, { bad, isAnswering }, this.#socket, limits);
    if (refused !== "undecided") {
      this.#release();
      refused();
      return;
    }
    this.#unparsed = bad;
    const settled: Bad = { ...bad, flaw: "syntax" };
    this.#headTimer = setTimeout(() => this.#refuse(settled), limits.undecidedMs);
  }

  /** The client has ended its side, with nothing left to answer. */
  #leave(): void {
    const cut = this.#reader.end();
    if (cut !== undefined) {
      this.#client.flow.because("the client left within a request");
      this.#socket.destroy();
    } else this.#socket.destroySoon();
  }

  /** From here on the connection is somebody else's. */
  #release(): void {
    this.#isReleased = true;
    clearTimeout(this.#headTimer);
    this.#socket.setTimeout(0);
    this.#socket.removeListener("timeout", this.#onTimeout);
    this.#socket.removeListener("data", this.#onData);
    this.#socket.removeListener("end", this.#onEnd);
  }

  #armHeadTimer(): void {
    const { headMs } = this.#ports.limits;
    clearTimeout(this.#headTimer);
    this.#headTimer = setTimeout(
      () => this.#client.flow.cut(`no complete request within ${headMs / 1000} s`),
      headMs,
    );
  }

  /**
   * A client that has ended its side may wait for its answer, or be gone: TCP does not say which until
   * something is written. It gets as long as its answer moves, and a moment before that (docs/decisions/0107).
   */
  #watchHalfClosed(): void {
    const { flow } = this.#client;
    let written = flow.socket.bytesWritten;
    const look = () => {
      if (flow.socket.bytesWritten === written) flow.cut("the client left");
      written = flow.socket.bytesWritten;
    };
    const timer = setInterval(look, this.#ports.limits.halfClosedMs);
    this.#socket.once("close", () => clearInterval(timer));
  }
}

/**
 * Whether the connection would become something else. An offer of h2c may be ignored (RFC 9110, 7.8), and
 * old Java offers it always.
 */
function offersOf({ fields }: RequestMessage): boolean {
  const offers = listOf(fields, "upgrade");
  return (
    offers.some((offer) => offer !== "h2c") && listOf(fields, "connection").includes("upgrade")
  );
}
