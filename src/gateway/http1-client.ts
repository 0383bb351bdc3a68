/**
 * The client's side of an HTTP/1.x exchange: Node's request and response.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerProblem } from "./http-answer.ts";
import type { GatewayLimits } from "./limits.ts";
import type { ClientSide } from "./http-sides.ts";

function flushHead(response: ServerResponse): void {
  // Written to, it has sent its head already.
  if (!response.destroyed && !response.writableEnded) response.flushHeaders();
}

/** `incoming.upgrade` is Node's own mark of a request behind which it reads no more. */
export function http1Client(
  incoming: IncomingMessage,
  response: ServerResponse,
  limits: GatewayLimits,
): ClientSide {
  return {
    head: {
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      httpVersion: incoming.httpVersion,
      rawHeaders: incoming.rawHeaders,
      isUpgrade: "upgrade" in incoming && incoming.upgrade === true,
    },
    body: incoming,
    sink: response,
    isAlone: true,
    get isComplete() {
      return incoming.complete;
    },
    get trailers() {
      return incoming.rawTrailers;
    },
    get isAnswered() {
      return response.headersSent;
    },
    get isGone() {
      // One that was written to its end counts as destroyed a moment later, as a broken one does.
      return response.destroyed && !response.writableFinished;
    },
    onGone() {}, // It leaves with its connection, and that ends its upstream.
    inform(status, headers) {
      if (incoming.httpVersion === "1.1" && !response.headersSent) {
        response.writeInformation(status, [...headers]);
      }
    },
    begin({ status, reason, headers }) {
      // Whoever has not sent all of a request by now cannot be sure where the next one begins.
      const last = incoming.complete ? [] : ["connection", "close"];
      response.sendDate = false;
      response.writeHead(status, reason, [...headers, ...last]);
      // A body that came with the head goes out with it; a head alone (an event stream's) waits for nothing.
      setImmediate(flushHead, response);
    },
    end(trailers) {
      if (trailers.length > 0) response.addTrailers(trailers);
      response.end();
    },
    cut: () => void response.destroy(),
    takeOver() {
      const { socket } = incoming;
      response.detachSocket(socket);
      return socket;
    },
    refuse: (problem, after) => answerProblem({ incoming, response }, problem, limits, after),
  };
}
