/**
 * What comes on a connection of HTTP/1.x and is no request that is served: tunnels, and bytes that are no
 * HTTP. Named, refused, and the connection closed (INV-13).
 *
 * @module
 */
import type { Socket } from "node:net";
import { routeOf } from "../policy/index.ts";
import { classifyFirstBytes, type Bad, type RequestMessage } from "../wire/index.ts";
import { problemOf } from "./denial.ts";
import { endWithProblem } from "./http-answer.ts";
import type { BrokerPorts, HttpClient } from "./http-broker.ts";
import { listOf } from "./http-headers.ts";
import type { GatewayLimits } from "./limits.ts";

/** CONNECT, or an upgrade: the connection would become something that nobody judges. */
export function refuseTunnel(
  { flow, origin }: HttpClient,
  message: RequestMessage,
  socket: Socket,
  behind: Buffer,
  { limits }: BrokerPorts,
): void {
  if (behind.length > 0) {
    const { protocol, detail } = classifyFirstBytes(behind);
    if (protocol !== "http" && protocol !== "unknown") {
      flow.offend(protocol, detail, "after an HTTP upgrade");
      return;
    }
  }
  const isConnect = message.method === "CONNECT";
  const offers = listOf(message.fields, "upgrade").join(", ").slice(0, 100);
  const denial = flow.deny({
    target: origin.host,
    route: routeOf({ verb: isConnect ? "CONNECT" : "upgrade", port: origin.port }),
    rule: isConnect ? "http.connect" : "http.upgrade",
    title: "The connection stays HTTP",
    reason: isConnect
      ? "CONNECT is not served: connect to the name itself, there is no proxy to go through"
      : `an upgrade to ${JSON.stringify(offers)} is not granted`,
  });
  endWithProblem(socket, problemOf(denial, isConnect ? 405 : 403), limits);
}

/** Bytes at fault, and whether an answer is due before ours could be heard. */
export interface Refused {
  readonly bad: Bad;
  readonly isAnswering: boolean;
}

const UNPARSED_BYTES_MAX = 64;

/**
 * What is to be done about bytes that are no HTTP request, by whoever lets go of the connection first; or
 * that more of them are needed to name them: where a request should begin they may be a protocol's name
 * that comes in pieces. INV-13.
 */
export function refuseBytes(
  { flow, origin }: HttpClient,
  { bad, isAnswering }: Refused,
  socket: Socket,
  limits: GatewayLimits,
): (() => void) | "undecided" {
  const { protocol, certain, detail } = classifyFirstBytes(bad.seen);
  if (!["http", "unknown", "json"].includes(protocol)) {
    return () => flow.offend(protocol, detail, "after an HTTP request");
  }
  if (bad.flaw === "start" && !certain && bad.seen.length < UNPARSED_BYTES_MAX) return "undecided";
  return () => {
    const denial = flow.deny({
      target: origin.host,
      route: routeOf({ verb: "http.parse", port: origin.port, protocol: origin.scheme }),
      rule: "http.parse",
      title: "The request is not one that is forwarded",
      reason: `not a well-formed HTTP/1.1 request: ${bad.why}`,
    });
    if (isAnswering) flow.cut("denied: http.parse");
    else endWithProblem(socket, problemOf(denial, bad.flaw === "size" ? 431 : 400), limits);
  };
}
