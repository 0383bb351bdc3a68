/**
 * The HTTP/1.1 broker: every request on a connection becomes an Action, is judged, recorded, and only
 * then sent. One request at a time, in order, whatever the client pipelines.
 *
 * @module
 */
import { createServer, ServerResponse, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describeError, isFault, type Clock, type Log } from "../base/index.ts";
import type { FlowRecord } from "./flow-record.ts";
import { endSocket } from "./http-answer.ts";
import { exchange } from "./http-exchange.ts";
import { listOf } from "./http-headers.ts";
import type { Origin } from "./http-request.ts";
import { Http1Client } from "./http1-client.ts";
import { refuseBytes, refuseTunnel, type ParseError } from "./http1-refusals.ts";
import { http1Upstream } from "./http1-upstream.ts";
import type { UpstreamSide } from "./http-sides.ts";
import type { GatewayLimits } from "./limits.ts";
import type { GatewayRun } from "./ports.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";
import { isWebSocketOffer } from "./websocket-handshake.ts";

/** What the connection may be used for: a grant's requests, or only to be told why not. */
export type Access =
  | { readonly kind: "grant"; readonly system: string; readonly agent: UpstreamAgent }
  | { readonly kind: "explain"; readonly rule: string; readonly reason: string };

/** A connection that speaks HTTP, and what is known about it. */
export interface HttpClient {
  readonly flow: FlowRecord;
  readonly origin: Origin;
  readonly access: Access;
}

export interface BrokerPorts {
  readonly run: GatewayRun;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: GatewayLimits;
}

/** The broker of one run. */
export interface HttpBroker {
  /** Takes over `stream`, whose first bytes are those of an HTTP/1.x request. */
  serve(stream: Socket, client: HttpClient): void;
  close(): void;
}

/** A connection under way. */
export interface Connection {
  readonly client: HttpClient;
  readonly upstream: UpstreamSide | undefined;
  queue: Promise<void>;
  /** Requests parsed and not yet answered. */
  waiting: number;
  headTimer: NodeJS.Timeout | undefined;
  /** What could not be parsed, where that came in pieces. */
  unparsed: Buffer;
  /** An answer said "close": what the client sent after that request is not looked at. */
  isLast: boolean;
}

export function createHttpBroker(ports: BrokerPorts): HttpBroker {
  const connections = new WeakMap<Duplex, Connection>();
  const server = strictServer(ports.limits);
  const withConnection = (stream: Duplex, act: (connection: Connection) => void) => {
    const connection = connections.get(stream);
    if (connection === undefined) stream.destroy(); // Not one that we handed in: cannot be.
    else act(connection);
  };
  const accept = (incoming: IncomingMessage, response: ServerResponse) =>
    withConnection(incoming.socket, (it) => enqueue(it, incoming, response, ports));

  server.on("request", accept);
  server.on("checkContinue", accept); // Whether to say 100 is the upstream's to decide.
  server.on("checkExpectation", accept); // Refused by the check of the head, like everything odd.
  server.on("connect", (incoming: IncomingMessage, stream: Duplex, head: Buffer) =>
    withConnection(stream, (it) => refuseTunnel(it, incoming, stream, head, ports)),
  );
  server.on("upgrade", (incoming: IncomingMessage, stream: Duplex, head: Buffer) =>
    withConnection(stream, (it) => {
      // A client waits for the answer before it speaks otherwise: bytes behind the request are no WebSocket's.
      const isWebSocket = isWebSocketOffer(incoming.rawHeaders) && head.length === 0;
      if (isWebSocket && it.waiting === 0)
        enqueue(it, incoming, responseOn(incoming, ports.limits), ports);
      else refuseTunnel(it, incoming, stream, head, ports);
    }),
  );
  server.on("clientError", (error: ParseError, stream: Duplex) =>
    withConnection(stream, (it) => refuseBytes(it, error, stream, ports)),
  );
  server.on("timeout", (stream: Socket) =>
    withConnection(stream, (it) => it.client.flow.cut("idle within an exchange")),
  );

  return {
    serve(stream, client) {
      const { access } = client;
      const connection: Connection = {
        client,
        upstream: access.kind === "grant" ? http1Upstream(access.agent, ports.limits) : undefined,
        queue: Promise.resolve(),
        waiting: 0,
        headTimer: undefined,
        unparsed: Buffer.alloc(0),
        isLast: false,
      };
      connections.set(stream, connection);
      armHeadTimer(connection, ports.limits);
      stream.once("end", () => watchHalfClosed(connection, stream, ports.limits));
      stream.once("close", () => {
        clearTimeout(connection.headTimer);
        if (access.kind === "grant") access.agent.destroy();
      });
      server.emit("connection", stream);
    },
    close() {
      server.close();
      server.removeAllListeners();
    },
  };
}

/** Node makes none for a request with an upgrade; where the answer is no, it is an ordinary one. */
function responseOn(incoming: IncomingMessage, limits: GatewayLimits): ServerResponse {
  const { socket } = incoming;
  const response = new ServerResponse(incoming);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once("finish", () => endSocket(socket, limits));
  return response;
}

/** A server that never listens: Node's parser and response writer, with nothing left lenient. */
function strictServer(limits: GatewayLimits): Server {
  const server = createServer({
    insecureHTTPParser: false,
    // Ours is stricter (http-request.ts) and, unlike Node's own answer, recorded.
    requireHostHeader: false,
    maxHeaderSize: limits.headBytes,
    keepAliveTimeout: 0, // Time between requests is `headMs`; Node's timers want a listening server.
    headersTimeout: 0,
    requestTimeout: 0,
    // An offer of h2c may be ignored (RFC 9110, 7.8), and old Java offers it always; any other
    // upgrade would make the connection something that was not judged.
    shouldUpgradeCallback: (incoming) => {
      const offers = listOf(incoming.rawHeaders, "upgrade");
      return !(offers.length > 0 && offers.every((offer) => offer === "h2c"));
    },
  });
  // By Node's own switch, which its types leave out: an end of the client's side is no end of its request.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.maxHeadersCount = 0; // Node would drop what is above it, silently; we refuse by number.
  server.timeout = limits.exchangeIdleMs;
  return server;
}

function armHeadTimer(connection: Connection, limits: GatewayLimits): void {
  clearTimeout(connection.headTimer);
  const { flow } = connection.client;
  connection.headTimer = setTimeout(
    () => flow.cut(`no complete request within ${limits.headMs / 1000} s`),
    limits.headMs,
  );
}

/**
 * A client that has ended its side may wait for its answer, or be gone: TCP does not say which until
 * something is written. It gets as long as its answer moves, and a moment before that (docs/decisions/0107).
 */
function watchHalfClosed(connection: Connection, stream: Socket, limits: GatewayLimits): void {
  const { flow } = connection.client;
  let written = -1;
  const look = () => {
    if (flow.socket.bytesWritten === written) flow.cut("the client left");
    written = flow.socket.bytesWritten;
  };
  if (connection.waiting === 0) return; // Node ends its own side, and that closes both.
  look();
  const timer = setInterval(look, limits.halfClosedMs);
  stream.once("close", () => clearInterval(timer));
}

function enqueue(
  connection: Connection,
  incoming: IncomingMessage,
  response: ServerResponse,
  ports: BrokerPorts,
): void {
  const { flow } = connection.client;
  clearTimeout(connection.headTimer);
  incoming.on("error", () => {}); // Each reader of the body is told as well; without one, nobody.
  response.on("error", () => {});
  connection.waiting += 1;
  // A client ahead of its answers is not read on: what it can make us hold is a chunk of requests. Not
  // at once, since Node reads on at the end of each message.
  setImmediate(() => {
    if (connection.waiting > 1) incoming.socket.pause();
  });
  if (connection.waiting > ports.limits.pipelined) {
    flow.cut(`more than ${ports.limits.pipelined} requests ahead of their answers`);
    return;
  }
  connection.queue = connection.queue.then(async () => {
    await take(connection, incoming, response, ports);
    connection.waiting -= 1;
    if (flow.socket.destroyed) return;
    if (connection.waiting <= 1) incoming.socket.resume();
    if (connection.waiting === 0) armHeadTimer(connection, ports.limits);
  });
}

async function take(
  connection: Connection,
  incoming: IncomingMessage,
  response: ServerResponse,
  ports: BrokerPorts,
): Promise<void> {
  const { flow } = connection.client;
  if (connection.isLast || flow.socket.destroyed || response.destroyed) return;
  try {
    const { upstream } = connection;
    const client = new Http1Client(incoming, response, ports.limits);
    const after = await exchange({ ...connection.client, client, upstream }, ports);
    connection.isLast = after === "last";
  } catch (error) {
    // Ours, or the ledger's: nothing has been forwarded that is not recorded. Closed, and said.
    ports.log.warn("gateway.exchange.failed", { flow: flow.id, error: describeError(error) });
    flow.cut(isFault(error) ? `failed: ${error.code}` : "failed: internal");
  }
}
