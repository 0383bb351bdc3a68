/**
 * The HTTP/2 broker: every stream of a connection is one exchange, judged and recorded like a request of
 * HTTP/1.1. nghttp2 parses; every count that a peer can drive up has a named limit (INV-35).
 *
 * @module
 */
import { constants, performServerHandshake, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { describeError, isFault } from "../base/index.ts";
import type { BrokerPorts, HttpBroker, HttpClient } from "./http-broker.ts";
import { exchange, refuse } from "./http-exchange.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { UpstreamSide } from "./http-sides.ts";
import { cutStream } from "./http2-fields.ts";
import { Http2Client } from "./http2-client.ts";
import { guardSession } from "./http2-guard.ts";
import { readHttp2Head } from "./http2-head.ts";
import { http2Upstream } from "./http2-upstream.ts";
import type { GatewayLimits } from "./limits.ts";

const { NGHTTP2_REFUSED_STREAM } = constants;

/** A connection under way. */
interface Connection {
  readonly client: HttpClient;
  readonly upstream: UpstreamSide | undefined;
  /** Exchanges that are not over on our side, also those whose stream the client has reset. */
  open: number;
  /** Streams that the client gave up before their answer, less those that ended well. */
  abandoned: number;
}

export function createHttp2Broker(ports: BrokerPorts): HttpBroker {
  const { limits } = ports;
  let open = 0; // Exchanges of the whole run.

  async function take(
    connection: Connection,
    stream: ServerHttp2Stream,
    raw: RawHeaders,
  ): Promise<void> {
    stream.on("error", () => {}); // Its end is told by what reads or writes it.
    const { flow } = connection.client;
    if (open >= limits.h2RunStreams) {
      stream.close(NGHTTP2_REFUSED_STREAM); // "Not processed; try again" (RFC 9113, 8.7).
      return;
    }
    stream.setTimeout(limits.exchangeIdleMs, () => cutStream(stream));
    open += 1;
    connection.open += 1;
    // Reset streams no longer count for the peer, but their exchange does for us (CVE-2023-44487).
    if (connection.open > 2 * limits.h2Streams)
      flow.cut("more streams than it may have, by resets");
    try {
      await serveStream(connection, stream, raw, ports);
    } catch (error) {
      // Ours, or the ledger's: nothing has been forwarded that is not recorded. Closed, and said.
      ports.log.warn("gateway.exchange.failed", { flow: flow.id, error: describeError(error) });
      flow.cut(isFault(error) ? `failed: ${error.code}` : "failed: internal");
    } finally {
      open -= 1;
      connection.open -= 1;
    }
    const isAbandoned = stream.closed && !stream.headersSent;
    connection.abandoned = Math.max(0, connection.abandoned + (isAbandoned ? 1 : -1));
    if (connection.abandoned > limits.h2Abandoned) {
      flow.cut(`more than ${limits.h2Abandoned} streams given up before their answer`);
    }
  }

  return {
    serve(socket, client) {
      const { access, flow } = client;
      const upstream = access.kind === "grant" ? http2Upstream(access.agent, limits) : undefined;
      const connection: Connection = { client, upstream, open: 0, abandoned: 0 };
      const session = openSession(socket, limits);
      const late = () => {
        flow.because(`no request within ${limits.headMs / 1000} s`);
        session.close();
      };
      let idle = setTimeout(late, limits.headMs);
      session.on("stream", (stream, _fields, _flags, raw) => {
        clearTimeout(idle);
        void take(connection, stream, raw).then(() => {
          clearTimeout(idle);
          const isIdle = connection.open === 0 && !session.closed && !session.destroyed;
          if (isIdle) idle = setTimeout(late, limits.headMs);
        });
      });
      guardSession(session, limits, (why) => flow.cut(why));
      // Sockets here stay half open for HTTP/1; in HTTP/2 a client that has ended has left.
      socket.once("end", () => session.destroy());
      session.on("error", (error) => flow.because(`HTTP/2: ${describeError(error)}`));
      session.once("close", () => {
        clearTimeout(idle);
        socket.destroy();
        if (access.kind === "grant") access.agent.destroy();
      });
    },
    close() {},
  };
}

function openSession(socket: Socket, limits: GatewayLimits) {
  return performServerHandshake(socket, {
    maxSessionMemory: limits.h2SessionMegabytes,
    maxHeaderListPairs: limits.headers * 2, // Up to it our own gate says no, and says why.
    settings: {
      enablePush: false,
      enableConnectProtocol: false, // WebSockets come over HTTP/1.1 (docs/decisions/0103).
      maxConcurrentStreams: limits.h2Streams,
      maxHeaderListSize: limits.headBytes,
    },
  });
}

async function serveStream(
  connection: Connection,
  stream: ServerHttp2Stream,
  raw: RawHeaders,
  ports: BrokerPorts,
): Promise<void> {
  const { client: known, upstream } = connection;
  const head = readHttp2Head(raw, !stream.endAfterHeaders, known.origin);
  if (head.ok) {
    const client = new Http2Client(stream, head.head, ports.limits);
    await exchange({ ...known, client, upstream }, ports);
    return;
  }
  const unread = { method: head.method, url: "", httpVersion: "2", rawHeaders: [] };
  const client = new Http2Client(stream, unread, ports.limits);
  await refuse({ ...known, client, upstream }, head.refusal);
}
