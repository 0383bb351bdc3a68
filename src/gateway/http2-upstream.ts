/**
 * The upstream's side for a client that speaks HTTP/2: one session of its own where the upstream speaks
 * it too, else HTTP/1.1 on a few connections of its own. Nothing of it is shared with another client.
 *
 * @module
 */
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import { TLSSocket } from "node:tls";
import { authorityOf } from "./http-request.ts";
import type { Sending, UpstreamAnswer, UpstreamCall, UpstreamSide } from "./http-sides.ts";
import { http1Upstream } from "./http1-upstream.ts";
import { cutStream, lowerNames, plainFields, sendTrailers } from "./http2-fields.ts";
import { guardSession } from "./http2-guard.ts";
import type { GatewayLimits } from "./limits.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";

const { NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR } = constants;

/** What the upstream chose; over TLS it may be either, by ALPN. */
type Link = { readonly session: ClientHttp2Session; used: boolean } | "http/1.1";

export function http2Upstream(agent: UpstreamAgent, limits: GatewayLimits): UpstreamSide {
  // A stream that waits for another's end could wait for ever: each may have a connection.
  const http1 = http1Upstream(agent, limits, {
    open: limits.h2Streams,
    free: limits.h2FreeSockets,
  });
  let link: Promise<Link> | undefined;

  async function open(): Promise<Link> {
    const upstream = await agent.open(["h2", "http/1.1"]);
    const { socket, raw } = upstream;
    if (socket instanceof TLSSocket && socket.alpnProtocol !== "h2") {
      agent.offer(upstream);
      return "http/1.1";
    }
    // What it is told of where it goes is not asked: the socket is there already.
    const session = connect("http://upstream.invalid", {
      createConnection: () => socket,
      maxSessionMemory: limits.h2SessionMegabytes,
      maxHeaderListPairs: limits.headers * 4,
      settings: {
        enablePush: false,
        initialWindowSize: limits.h2WindowBytes,
        maxHeaderListSize: limits.responseHeadBytes,
      },
    });
    session.once("connect", () => session.setLocalWindowSize(limits.h2SessionWindowBytes));
    session.on("error", () => {}); // Told to every stream under way; an idle session has nobody to tell.
    guardSession(session, limits, () => session.destroy());
    session.once("close", () => raw.destroy());
    return { session, used: false };
  }

  /** The link as it stands, or a new one: an upstream that has said GOAWAY takes nothing more on its own. */
  async function current(): Promise<Link> {
    const asked = (link ??= open());
    const forget = () => {
      if (link === asked) link = undefined;
    };
    try {
      const it = await asked;
      if (it === "http/1.1" || !(it.session.closed || it.session.destroyed)) return it;
    } catch (error) {
      forget();
      throw error;
    }
    forget();
    return await (link ??= open());
  }

  return {
    async call(sending) {
      const it = await current();
      if (it === "http/1.1") return await http1.call(sending);
      const isReused = it.used;
      it.used = true;
      return startCall(it.session, sending, isReused);
    },
    // What it connects is chosen with the protocol, when the first request is sent.
    isUnconnected: false,
    adopt: (connection) => http1.adopt(connection),
    askUpgrade: (request) => http1.askUpgrade(request),
  };
}

function startCall(session: ClientHttp2Session, sending: Sending, isReused: boolean): UpstreamCall {
  const { framing } = sending.request;
  const endStream =
    sending.body === undefined ? framing.kind === "none" : sending.body.length === 0;
  const stream = session.request(headersOf(sending), { endStream, waitForTrailers: !endStream });
  let own: readonly [string, string][] = [];
  let reason: Error | undefined;
  stream.on("error", () => {}); // Told by `answer`, and by the end of its body.
  stream.on("wantTrailers", () => sendTrailers(stream, own));
  return {
    sink: stream,
    isReused: () => isReused,
    answer: (inform) => answerOf(stream, inform, () => reason),
    flush() {}, // It is sent as soon as it is made.
    end(body, trailers) {
      own = trailers;
      if (!endStream) stream.end(body);
    },
    cut(error) {
      reason = error;
      cutStream(stream);
    },
  };
}

function answerOf(
  stream: ClientHttp2Stream,
  inform: (status: number, headers: readonly string[]) => void,
  reason: () => Error | undefined,
): Promise<UpstreamAnswer> {
  let trailers: readonly string[] = [];
  stream.on("trailers", (_fields: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    trailers = raw;
  });
  return new Promise((resolve, reject) => {
    stream.once("error", (error) => reject(reason() ?? error));
    const ended = () =>
      reject(reason() ?? new Error(`the stream ended without an answer (${stream.rstCode})`));
    stream.once("close", ended);
    stream.once("response", (fields, flags, raw) => {
      stream.removeListener("close", ended);
      resolve({
        status: Number(fields[":status"]),
        reason: "",
        headers: plainFields(raw),
        isWhole: (flags & NGHTTP2_FLAG_END_STREAM) !== 0,
        body: stream,
        whole: () => undefined,
        // A reset ends the body like its end does.
        broken: () =>
          stream.aborted || stream.rstCode !== NGHTTP2_NO_ERROR
            ? new Error("the answer broke off")
            : undefined,
        trailers: () => plainFields(trailers),
      });
    });
    stream.on("headers", (fields, _flags, raw) => {
      try {
        inform(Number(fields[":status"]), plainFields(raw));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        cutStream(stream);
      }
    });
  });
}

function headersOf({ request, body, trailerNames }: Sending): string[] {
  const fields = [
    ":method",
    request.method,
    ":scheme",
    request.scheme,
    ":authority",
    authorityOf(request),
    ":path",
    request.target,
    ...lowerNames(request.headers),
  ];
  if (body !== undefined) fields.push("content-length", String(body.length));
  else if (request.framing.kind === "length") {
    fields.push("content-length", String(request.framing.bytes));
  }
  if (request.expectContinue && body === undefined) fields.push("expect", "100-continue");
  if (request.wantsTrailers) fields.push("te", "trailers");
  if (trailerNames.length > 0) fields.push("trailer", trailerNames.join(", "));
  return fields;
}
