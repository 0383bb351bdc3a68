/**
 * The client's side of an HTTP/2 exchange: one stream of its connection.
 *
 * @module
 */
import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from "node:http2";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { InvariantError } from "../base/index.ts";
import type { Problem } from "./denial.ts";
import { drain } from "./http-answer.ts";
import { headerPairs, type RawHeaders } from "./http-headers.ts";
import type { RequestHead } from "./http-request.ts";
import type { After, AnswerHead, ClientSide } from "./http-sides.ts";
import { cutStream, lowerNames, sendTrailers, trailerFields } from "./http2-fields.ts";
import type { GatewayLimits } from "./limits.ts";

const { NGHTTP2_NO_ERROR } = constants;
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

export class Http2Client implements ClientSide {
  readonly head: RequestHead;
  readonly isAlone = false;
  trailers: RawHeaders = [];
  readonly #stream: ServerHttp2Stream;
  readonly #limits: GatewayLimits;
  #own: readonly [string, string][] = [];
  #isWhole = false;
  #isEnded = false;

  constructor(stream: ServerHttp2Stream, head: RequestHead, limits: GatewayLimits) {
    this.head = head;
    this.#stream = stream;
    this.#limits = limits;
    stream.on("trailers", (_fields, _flags, raw) => (this.trailers = raw));
    stream.on("wantTrailers", () => sendTrailers(stream, this.#own));
  }

  get body(): Readable {
    return this.#stream;
  }

  get sink(): Writable {
    return this.#stream;
  }

  /** A reset ends the body like its end does, so that its end alone says nothing. */
  get isComplete(): boolean {
    const { endAfterHeaders, readableEnded, aborted, rstCode } = this.#stream;
    return endAfterHeaders || (readableEnded && !aborted && rstCode === NGHTTP2_NO_ERROR);
  }

  get isAnswered(): boolean {
    return this.#stream.headersSent;
  }

  get isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  onGone(left: () => void): void {
    this.#stream.once("close", () => {
      if (!this.#isEnded) left(); // A reset ends the stream too, so `writableFinished` says nothing.
    });
  }

  inform(status: number, headers: RawHeaders): void {
    if (this.#stream.headersSent || this.#stream.closed) return;
    const fields = trailerFields(headerPairs(headers));
    this.#stream.additionalHeaders({ ":status": status, ...fields });
  }

  begin(answer: AnswerHead): void {
    if (this.#stream.closed) return;
    const isWhole = answer.isWhole || hasNoBody(answer, this.head.method);
    this.#isWhole = isWhole;
    const fields = [":status", String(answer.status), ...lowerNames(answer.headers)];
    this.#stream.respond(fields, options({ endStream: isWhole, waitForTrailers: !isWhole }));
  }

  end(trailers: readonly [string, string][]): void {
    this.#isEnded = true;
    if (this.#stream.closed) return;
    this.#own = trailers;
    if (!this.#isWhole) this.#stream.end();
    // An early answer: the rest of the request is not wanted (RFC 9113, 8.1).
    if (!this.isComplete) this.#stream.close(NGHTTP2_NO_ERROR);
  }

  cut(): void {
    cutStream(this.#stream);
  }

  takeOver(): Socket {
    throw new InvariantError("no stream of HTTP/2 is granted to become something else");
  }

  async refuse(problem: Problem): Promise<After> {
    const stream = this.#stream;
    if (stream.closed || stream.headersSent) return "next";
    const fields = Object.entries(problem.headers).flat();
    const endStream = this.head.method === "HEAD";
    stream.respond([":status", String(problem.status), ...fields], options({ endStream }));
    if (!endStream) stream.end(problem.body);
    // What still comes is read for a moment; then the stream ends, and the connection goes on.
    if (!this.isComplete) await drain(stream, this.#limits);
    if (!stream.closed) stream.close(NGHTTP2_NO_ERROR);
    return "next";
  }
}

function hasNoBody({ status, headers }: AnswerHead, method: string): boolean {
  if (method === "HEAD" || WITHOUT_BODY.has(status)) return true;
  return headerPairs(headers).some(([name, value]) => name === "content-length" && value === "0");
}

/** Node would add a date of its own, by an option that its types leave out. */
function options(of: ServerStreamResponseOptions): ServerStreamResponseOptions {
  const own = { ...of, sendDate: false };
  return own;
}
