/**
 * The client's side of an HTTP/2 exchange: one stream of its connection.
 *
 * @module
 */
import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from "node:http2";
import { InvariantError } from "../base/index.ts";
import type { GatewayLimits } from "./limits.ts";
import { drain } from "./http-answer.ts";
import { headerPairs, type RawHeaders } from "./http-headers.ts";
import type { RequestHead } from "./http-request.ts";
import type { AnswerHead, ClientSide } from "./http-sides.ts";
import { cutStream, lowerNames, sendTrailers, trailerFields } from "./http2-fields.ts";

const { NGHTTP2_NO_ERROR } = constants;
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

export function http2Client(
  stream: ServerHttp2Stream,
  head: RequestHead,
  limits: GatewayLimits,
): ClientSide {
  let trailers: RawHeaders = [];
  let own: readonly [string, string][] = [];
  let isWhole = false;
  let isEnded = false;
  stream.on("trailers", (_fields, _flags, raw) => (trailers = raw));
  stream.on("wantTrailers", () => sendTrailers(stream, own));
  // A reset ends the body like its end does, so that its end alone says nothing.
  const isRead = () =>
    stream.endAfterHeaders ||
    (stream.readableEnded && !stream.aborted && stream.rstCode === NGHTTP2_NO_ERROR);
  return {
    head,
    body: stream,
    sink: stream,
    isAlone: false,
    get isComplete() {
      return isRead();
    },
    get trailers() {
      return trailers;
    },
    get isAnswered() {
      return stream.headersSent;
    },
    get isGone() {
      return stream.destroyed || stream.closed;
    },
    onGone(left) {
      stream.once("close", () => {
        if (!isEnded) left(); // A reset ends the stream too, so `writableFinished` says nothing.
      });
    },
    inform(status, headers) {
      if (stream.headersSent || stream.closed) return;
      stream.additionalHeaders({ ":status": status, ...trailerFields(headerPairs(headers)) });
    },
    begin(answer) {
      if (stream.closed) return;
      isWhole = answer.isWhole || hasNoBody(answer, head.method);
      const fields = [":status", String(answer.status), ...lowerNames(answer.headers)];
      stream.respond(fields, options({ endStream: isWhole, waitForTrailers: !isWhole }));
    },
    end(pairs) {
      isEnded = true;
      if (stream.closed) return;
      own = pairs;
      if (!isWhole) stream.end();
      // An early answer: the rest of the request is not wanted (RFC 9113, 8.1).
      if (!isRead()) stream.close(NGHTTP2_NO_ERROR);
    },
    cut: () => cutStream(stream),
    takeOver: () => {
      throw new InvariantError("no stream of HTTP/2 is granted to become something else");
    },
    async refuse(problem) {
      if (stream.closed || stream.headersSent) return "next";
      const fields = Object.entries(problem.headers).flat();
      const endStream = head.method === "HEAD";
      stream.respond([":status", String(problem.status), ...fields], options({ endStream }));
      if (!endStream) stream.end(problem.body);
      // What still comes is read for a moment; then the stream ends, and the connection goes on.
      if (!isRead()) await drain(stream, limits);
      if (!stream.closed) stream.close(NGHTTP2_NO_ERROR);
      return "next";
    },
  };
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
