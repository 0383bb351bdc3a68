/**
 * What comes on a connection of HTTP/1.x and is no request that is served: tunnels, and bytes that Node's
 * parser could not take. Named, refused, and the connection closed (INV-13).
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { routeOf } from "../policy/index.ts";
import { classifyFirstBytes, type FirstBytes } from "../wire/index.ts";
import { problemOf } from "./denial.ts";
import { endWithProblem } from "./http-answer.ts";
import type { BrokerPorts, Connection } from "./http-broker.ts";
import { listOf } from "./http-headers.ts";
import type { GatewayLimits } from "./limits.ts";

/** CONNECT, or an upgrade: the connection would become something that nobody judges. */
export function refuseTunnel(
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
  else endWithProblem(stream, problemOf(denial, isConnect ? 405 : 403), limits);
}

/** What Node's parser reports, with the bytes it could not take. */
export interface ParseError extends Error {
  readonly code?: string;
  readonly reason?: string;
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** What could not be parsed, from the start of its line: what stood before it was a request. */
function unparsedLine({ rawPacket, bytesParsed = 0 }: ParseError): Buffer {
  if (rawPacket === undefined) return Buffer.alloc(0);
  const lineEnd = bytesParsed === 0 ? -1 : rawPacket.lastIndexOf(0x0a, bytesParsed - 1);
  return rawPacket.subarray(lineEnd + 1);
}

/** Bytes that are no HTTP request: named, refused, and the connection closed. INV-13. */
export function refuseBytes(
  connection: Connection,
  error: ParseError,
  stream: Duplex,
  { limits }: BrokerPorts,
): void {
  const { flow } = connection.client;
  clearTimeout(connection.headTimer);
  const code = error.code ?? "";
  if (!code.startsWith("HPE_") || code === "HPE_INVALID_EOF_STATE") {
    flow.because(`the client left: ${code}`);
    stream.destroy();
    return;
  }
  const seen = Buffer.concat([connection.unparsed, unparsedLine(error)]);
  connection.unparsed = seen;
  const { protocol, certain, detail } = classifyUnparsed(seen);
  if (!["http", "unknown", "json"].includes(protocol)) {
    flow.offend(protocol, detail, "after an HTTP request");
    return;
  }
  // Where a method stands it may be a protocol's name that comes in pieces: the parser reports each.
  if (code === "HPE_INVALID_METHOD" && !certain && seen.length < UNPARSED_BYTES_MAX) {
    connection.headTimer = setTimeout(
      () => refuseUnparsed(connection, error, stream, limits),
      limits.undecidedMs,
    );
    return;
  }
  refuseUnparsed(connection, error, stream, limits);
}

const UNPARSED_BYTES_MAX = 64;

/** With what the parser has already taken for a method's beginning, of which only S begins SSH too. */
function classifyUnparsed(seen: Buffer): FirstBytes {
  const alone = classifyFirstBytes(seen);
  const whole = classifyFirstBytes(Buffer.concat([Buffer.from("S"), seen]));
  if (whole.protocol === "ssh") return whole;
  return alone.certain && !whole.certain ? { ...alone, certain: false } : alone;
}

function refuseUnparsed(
  { client: { flow, origin }, waiting }: Connection,
  error: ParseError,
  stream: Duplex,
  limits: GatewayLimits,
): void {
  const code = error.code ?? "";
  const denial = flow.deny({
    target: origin.host,
    route: routeOf({ verb: "http.parse", port: origin.port, protocol: origin.scheme }),
    rule: "http.parse",
    title: "The request is not one that is forwarded",
    reason: `not a well-formed HTTP/1.1 request: ${error.reason ?? code}`,
  });
  if (waiting > 0) flow.cut("denied: http.parse");
  else
    endWithProblem(stream, problemOf(denial, code === "HPE_HEADER_OVERFLOW" ? 431 : 400), limits);
}
