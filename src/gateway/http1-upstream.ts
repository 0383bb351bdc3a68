/**
 * The upstream's side of an HTTP/1.1 exchange: the request is written anew by Node's client from the
 * checked parts; the client's bytes never reach an upstream as they came.
 *
 * @module
 */
import { request as sendRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { authorityOf, type CheckedRequest } from "./http-request.ts";
import type {
  Sending,
  Switched,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamSide,
} from "./http-sides.ts";
import type { GatewayLimits } from "./limits.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";
import { handshakeFields } from "./websocket-handshake.ts";

export function http1Upstream(agent: UpstreamAgent, limits: GatewayLimits): UpstreamSide {
  return {
    call: (sending) => Promise.resolve(startCall(sending, agent, limits)),
    askUpgrade: (request) => askUpgrade(request, agent, limits),
  };
}

function send(
  request: CheckedRequest,
  headers: readonly string[],
  { agent, limits }: { readonly agent: UpstreamAgent; readonly limits: GatewayLimits },
): ClientRequest {
  const upstream = sendRequest({
    agent,
    method: request.method,
    path: request.target,
    host: request.host,
    port: request.port,
    headers,
    setHost: false,
    insecureHTTPParser: false,
    maxHeaderSize: limits.responseHeadBytes,
  });
  upstream.on("error", () => {}); // Told to whoever waits; what comes after an answer is its end.
  return upstream;
}

function askUpgrade(
  request: CheckedRequest,
  agent: UpstreamAgent,
  limits: GatewayLimits,
): Promise<Switched | UpstreamAnswer> {
  const headers = ["Host", authorityOf(request), ...handshakeFields(request)];
  const upstream = send(request, headers, { agent, limits });
  const switched = new Promise<Switched>((resolve) => {
    upstream.once("upgrade", ({ rawHeaders }, socket, head) => {
      socket.on("error", () => {}); // It ends in its close.
      if (head.length > 0) socket.unshift(head);
      resolve({ headers: rawHeaders, socket });
    });
  });
  const answer = answerOf(upstream, () => {});
  upstream.end();
  return Promise.race([switched, answer]);
}

function startCall(sending: Sending, agent: UpstreamAgent, limits: GatewayLimits): UpstreamCall {
  const upstream = send(sending.request, headersOf(sending), { agent, limits });
  return {
    sink: upstream,
    isReused: () => upstream.reusedSocket,
    answer: (inform) => {
      upstream.once("upgrade", (_message, socket) => {
        socket.destroy();
        upstream.destroy(new Error("the upstream switched protocols unasked"));
      });
      return answerOf(upstream, inform);
    },
    flush: () => upstream.flushHeaders(),
    end(body, trailers) {
      if (trailers.length > 0) upstream.addTrailers(trailers);
      upstream.end(body);
    },
    cut: (error) => void upstream.destroy(error),
  };
}

function answerOf(
  upstream: ClientRequest,
  inform: (status: number, headers: readonly string[]) => void,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    // Every exchange ends by a close: an error is made, with its stack, only where it says something.
    const ended = () => reject(new Error("the connection ended without an answer"));
    upstream.once("error", reject);
    upstream.once("close", ended);
    upstream.once("response", (message) => {
      upstream.removeListener("close", ended);
      if (message.httpVersionMajor === 1) resolve(answered(message));
      else {
        message.destroy();
        reject(new Error(`the answer says HTTP/${message.httpVersion}`));
      }
    });
    upstream.on("information", (info) => {
      try {
        inform(info.statusCode, info.rawHeaders);
      } catch (error) {
        // Rejected first: an answer in the same packet is still parsed after `destroy`.
        reject(error instanceof Error ? error : new Error(String(error)));
        upstream.destroy();
      }
    });
  });
}

function answered(message: IncomingMessage): UpstreamAnswer {
  const text = message.statusMessage ?? "";
  return {
    status: message.statusCode ?? 502,
    reason: /^[\t\x20-\x7e]*$/.test(text) ? text : "",
    headers: message.rawHeaders,
    isWhole: false, // What says so is the method and the status, and Node's writer knows both.
    body: message,
    isCut: () => !message.complete,
    trailers: () => message.rawTrailers,
  };
}

const WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);

function headersOf({ request, body, trailerNames }: Sending): string[] {
  const headers = ["Host", authorityOf(request), ...request.headers];
  if (body !== undefined) headers.push("Content-Length", String(body.length));
  else if (request.framing.kind === "length") {
    headers.push("Content-Length", String(request.framing.bytes));
  } else if (request.framing.kind === "chunked") {
    headers.push("Transfer-Encoding", "chunked");
    if (trailerNames.length > 0) headers.push("Trailer", trailerNames.join(", "));
  } else if (!WITHOUT_BODY.has(request.method)) {
    headers.push("Content-Length", "0"); // RFC 9110, 8.6: says that there is no body to wait for.
  }
  if (request.expectContinue && body === undefined) headers.push("Expect", "100-continue");
  // `TE` is for this hop, so it is said anew; the only coding that matters to anyone is trailers.
  if (request.wantsTrailers) headers.push("TE", "trailers", "Connection", "keep-alive, TE");
  return headers;
}
