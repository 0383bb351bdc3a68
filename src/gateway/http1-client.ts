/**
 * The client's side of an HTTP/1.x exchange: one request of its connection, and the answer to it.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { responseHead, type RequestMessage } from "../wire/index.ts";
import type { Problem } from "./denial.ts";
import { drain } from "./http-answer.ts";
import { valuesOf, type RawHeaders } from "./http-headers.ts";
import type { RequestHead } from "./http-request.ts";
import type { After, AnswerHead, ClientSide } from "./http-sides.ts";
import type { IncomingBody } from "./http1-body.ts";
import { Outgoing } from "./http1-outgoing.ts";
import type { GatewayLimits } from "./limits.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { STATUS_CODES } = process.getBuiltinModule("node:http");

export interface Http1ClientOptions {
  readonly message: RequestMessage;
  readonly body: IncomingBody;
  readonly socket: Socket;
  readonly limits: GatewayLimits;
  /** It asks for a WebSocket: the connection is not read on behind it. */
  readonly isUpgrade: boolean;
  /** Gives the connection away. */
  readonly release: () => void;
}

type Trailers = readonly [string, string][];

// A class and not an object with getters: V8 makes a shape of its own for each of those, and with that
// keeps what they close over until its next full collection.
export class Http1Client implements ClientSide {
  readonly head: RequestHead;
  readonly isAlone = true;
  readonly sink: Outgoing;
  isAnswered = false;
  readonly #options: Http1ClientOptions;
  #isLast: boolean;

  constructor(options: Http1ClientOptions) {
    const { method, target, version, fields, persists } = options.message;
    const { isUpgrade } = options;
    this.head = { method, url: target, httpVersion: version, rawHeaders: fields, isUpgrade };
    this.#options = options;
    this.#isLast = !persists || isUpgrade;
    this.sink = new Outgoing(options.socket);
  }

  get body(): Readable {
    return this.#options.body.stream;
  }

  whole(): Buffer | undefined {
    return this.#options.body.whole();
  }

  get isComplete(): boolean {
    return this.#options.body.isComplete;
  }

  get trailers(): RawHeaders {
    return this.#options.body.trailers;
  }

  get isGone(): boolean {
    return this.#options.socket.destroyed;
  }

  /** The connection ends with this exchange. */
  get isLast(): boolean {
    return this.#isLast || !this.isComplete;
  }

  onGone(): void {} // It leaves with its connection, and that ends its upstream.

  inform(status: number, headers: RawHeaders): void {
    if (this.head.httpVersion !== "1.1" || this.isAnswered) return;
    this.sink.begin(responseHead(status, STATUS_CODES[status] ?? "", headers), "raw");
    this.sink.flush();
  }

  begin(answer: AnswerHead): void {
    this.#begin(answer);
    // A body that came with the head goes out with it; a head alone (an event stream's) waits for nothing.
    setImmediate(() => this.sink.flush());
  }

  answer(answer: AnswerHead, body: Buffer, trailers: Trailers): void {
    this.#begin(answer);
    this.sink.end(body, trailers);
  }

  end(trailers: Trailers): void {
    this.sink.end(EMPTY, trailers);
  }

  cut(): void {
    this.#options.socket.destroy();
  }

  takeOver(): Socket {
    this.#options.release();
    return this.#options.socket;
  }

  async refuse(problem: Problem, after: After): Promise<After> {
    if (this.isGone || this.isAnswered) return "last";
    if (after === "last" || !this.isComplete) this.#isLast = true;
    const { status, body } = problem;
    const headers = Object.entries(problem.headers).flat();
    const reason = STATUS_CODES[status] ?? "";
    const isWhole = this.head.method === "HEAD";
    this.answer({ status, reason, headers, isWhole }, isWhole ? EMPTY : body, []);
    if (!this.isComplete) await drain(this.body, this.#options.limits);
    return this.#isLast ? "last" : "next";
  }

  #begin({ status, reason, headers }: AnswerHead): void {
    this.isAnswered = true;
    const isChunked = !this.#isBodiless(status) && valuesOf(headers, "content-length").length === 0;
    const mayChunk = this.head.httpVersion === "1.1";
    // Whoever has not sent all of a request by now cannot be sure where the next one begins.
    if (!this.isComplete || (isChunked && !mayChunk)) this.#isLast = true;
    const fields = [...headers];
    if (this.#isLast) fields.push("connection", "close");
    if (isChunked && mayChunk) fields.push("transfer-encoding", "chunked");
    const framing = isChunked && mayChunk ? "chunked" : "raw";
    this.sink.begin(responseHead(status, reason, fields), framing);
  }

  #isBodiless(status: number): boolean {
    return status === 204 || status === 304 || this.head.method === "HEAD";
  }
}

const EMPTY = Buffer.alloc(0);
