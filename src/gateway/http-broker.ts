/**
 * The HTTP/1.1 broker: every request on a connection becomes an Action, is judged, recorded, and only
 * then sent. One request at a time, in order, whatever the client pipelines.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describeError, isFault, type Clock, type Log } from "../base/index.ts";
import { routeOf } from "../policy/index.ts";
import { classifyFirstBytes } from "../wire/index.ts";
import { problemOf, webSocketProblem } from "./denial.ts";
import type { FlowRecord } from "./flow-record.ts";
import { endWithProblem } from "./http-answer.ts";
import { exchange } from "./http-exchange.ts";
import { listOf } from "./http-headers.ts";
import type { Origin } from "./http-request.ts";
import type { GatewayLimits } from "./limits.ts";
import type { GatewayRun } from "./ports.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";

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
interface Connection {
  readonly client: HttpClient;
  queue: Promise<void>;
  /** Requests parsed and not yet answered. */
  waiting: number;
  headTimer: NodeJS.Timeout | undefined;
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
    withConnection(stream, (it) => refuseTunnel(it, incoming, stream, head, ports)),
  );
  server.on("clientError", (error: ParseError, stream: Duplex) =>
    withConnection(stream, (it) => refuseBytes(it, error, stream, ports)),
  );
  server.on("timeout", (stream: Socket) =>
    withConnection(stream, (it) => it.client.flow.cut("idle within an exchange")),
  );

  return {
    serve(stream, client) {
      const connection: Connection = {
        client,
        queue: Promise.resolve(),
        waiting: 0,
        headTimer: undefined,
        isLast: false,
      };
      connections.set(stream, connection);
      armHeadTimer(connection, ports.limits);
      stream.once("close", () => {
        clearTimeout(connection.headTimer);
        if (client.access.kind === "grant") client.access.agent.destroy();
      });
      server.emit("connection", stream);
    },
    close() {
      server.close();
      server.removeAllListeners();
    },
  };
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
    const after = await exchange({ ...connection.client, incoming, response }, ports);
    connection.isLast = after === "last";
  } catch (error) {
    // Ours, or the ledger's: nothing has been forwarded that is not recorded. Closed, and said.
    ports.log.warn("gateway.exchange.failed", { flow: flow.id, error: describeError(error) });
    flow.cut(isFault(error) ? `failed: ${error.code}` : "failed: internal");
  }
}

/** CONNECT, or an upgrade: the connection would become something that nobody judges. */
function refuseTunnel(
  connection: Connection,
  incoming: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  { limits }: BrokerPorts,
): void {
  const { flow, origin } = connection.client;
  clearTimeout(connection.headTimer);
  stream.on("error", () => {});
  if (head.length > 0) {
    const { protocol, detail } = classifyFirstBytes(head);
    if (protocol !== "http" && protocol !== "unknown") {
      flow.offend(protocol, detail, "after an HTTP upgrade");
      return;
    }
  }
  const isConnect = incoming.method === "CONNECT";
  const offers = listOf(incoming.rawHeaders, "upgrade").join(", ").slice(0, 100);
  const denial = flow.deny({
    target: origin.host,
    route: routeOf({ verb: isConnect ? "CONNECT" : "upgrade", port: origin.port }),
    rule: isConnect ? "http.connect" : "http.upgrade",
    title: "The connection stays HTTP",
    reason: isConnect
      ? "CONNECT is not served: connect to the name itself, there is no proxy to go through"
      : `an upgrade to ${JSON.stringify(offers)} is not granted`,
  });
  // With answers to earlier requests still due, ours would stand in their place.
  if (connection.waiting > 0) flow.cut("denied behind unanswered requests");
  else if (/^websocket$/i.test(offers)) endWithProblem(stream, webSocketProblem(denial), limits);
  else endWithProblem(stream, problemOf(denial, isConnect ? 405 : 403), limits);
}

/** What Node's parser reports, with the bytes it could not take. */
interface ParseError extends Error {
  readonly code?: string;
  readonly reason?: string;
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** What could not be parsed, from the start of its line: what stood before it was a request. */
function unparsedLine({ rawPacket, bytesParsed = 0 }: ParseError): Buffer | undefined {
  if (rawPacket === undefined) return undefined;
  const lineEnd = bytesParsed === 0 ? -1 : rawPacket.lastIndexOf(0x0a, bytesParsed - 1);
  return rawPacket.subarray(lineEnd + 1);
}

/** Bytes that are no HTTP request: named, refused, and the connection closed. INV-13. */
function refuseBytes(
  connection: Connection,
  error: ParseError,
  stream: Duplex,
  { limits }: BrokerPorts,
): void {
  const { flow, origin } = connection.client;
  clearTimeout(connection.headTimer);
  const code = error.code ?? "";
  if (!code.startsWith("HPE_") || code === "HPE_INVALID_EOF_STATE") {
    flow.because(`the client left: ${code}`);
    stream.destroy();
    return;
  }
  const rest = unparsedLine(error);
  if (rest !== undefined) {
    const { protocol, detail } = classifyFirstBytes(rest);
    if (!["http", "unknown", "json"].includes(protocol)) {
      flow.offend(protocol, detail, "after an HTTP request");
      return;
    }
  }
  const denial = flow.deny({
    target: origin.host,
    route: routeOf({ verb: "http.parse", port: origin.port, protocol: origin.scheme }),
    rule: "http.parse",
    title: "The request is not one that is forwarded",
    reason: `not a well-formed HTTP/1.1 request: ${error.reason ?? code}`,
  });
  if (connection.waiting > 0) flow.cut("denied: http.parse");
  else
    endWithProblem(stream, problemOf(denial, code === "HPE_HEADER_OVERFLOW" ? 431 : 400), limits);
}
