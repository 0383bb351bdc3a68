/**
 * The client's side of an HTTP/1.x exchange: Node's request and response.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { Problem } from "./denial.ts";
import { answerProblem } from "./http-answer.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { RequestHead } from "./http-request.ts";
import type { After, AnswerHead, ClientSide } from "./http-sides.ts";
import type { GatewayLimits } from "./limits.ts";

// A class and not an object with getters: V8 makes a shape of its own for each of those, and with that
// keeps what they close over (the request, the response) until its next full collection.
export class Http1Client implements ClientSide {
  readonly head: RequestHead;
  readonly isAlone = true;
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #limits: GatewayLimits;

  constructor(incoming: IncomingMessage, response: ServerResponse, limits: GatewayLimits) {
    this.#incoming = incoming;
    this.#response = response;
    this.#limits = limits;
    this.head = {
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      httpVersion: incoming.httpVersion,
      rawHeaders: incoming.rawHeaders,
      // Node's own mark of a request behind which it reads no more.
      isUpgrade: "upgrade" in incoming && incoming.upgrade === true,
    };
  }

  get body(): Readable {
    return this.#incoming;
  }

  get sink(): Writable {
    return this.#response;
  }

  get isComplete(): boolean {
    return this.#incoming.complete;
  }

  get trailers(): RawHeaders {
    return this.#incoming.rawTrailers;
  }

  get isAnswered(): boolean {
    return this.#response.headersSent;
  }

  get isGone(): boolean {
    // One that was written to its end counts as destroyed a moment later, as a broken one does.
    return this.#response.destroyed && !this.#response.writableFinished;
  }

  onGone(): void {} // It leaves with its connection, and that ends its upstream.

  inform(status: number, headers: RawHeaders): void {
    if (this.#incoming.httpVersion === "1.1" && !this.#response.headersSent) {
      this.#response.writeInformation(status, [...headers]);
    }
  }

  begin({ status, reason, headers }: AnswerHead): void {
    const response = this.#response;
    // Whoever has not sent all of a request by now cannot be sure where the next one begins.
    const last = this.#incoming.complete ? [] : ["connection", "close"];
    response.sendDate = false;
    response.writeHead(status, reason, [...headers, ...last]);
    // A body that came with the head goes out with it; a head alone (an event stream's) waits for nothing.
    setImmediate(flushHead, response);
  }

  end(trailers: readonly [string, string][]): void {
    if (trailers.length > 0) this.#response.addTrailers(trailers);
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }

  takeOver(): Socket {
    const { socket } = this.#incoming;
    this.#response.detachSocket(socket);
    return socket;
  }

  async refuse(problem: Problem, after: After): Promise<After> {
    const answering = { incoming: this.#incoming, response: this.#response };
    return await answerProblem(answering, problem, this.#limits, after);
  }
}

function flushHead(response: ServerResponse): void {
  // Written to, it has sent its head already.
  if (!response.destroyed && !response.writableEnded) response.flushHeaders();
}
