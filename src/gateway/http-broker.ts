/**
 * The HTTP/1.1 broker: every request on a connection becomes an Action, is judged, recorded, and only
 * then sent. One request at a time, in order, whatever the client pipelines.
 *
 * @module
 */
import type { LeavingWatch } from "../detect/index.ts";
import type { Socket } from "node:net";
import type { Clock, Log } from "../base/index.ts";
import type { Grant } from "../policy/index.ts";
import type { FlowRecord } from "./flow-record.ts";
import type { Origin } from "./http-request.ts";
import { ClientConnection } from "./http1-connection.ts";
import type { GatewayLimits } from "./limits.ts";
import type { GatewayRun } from "./ports.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";

/** What the connection may be used for: a grant's requests, or only to be told why not. */
export type Access =
  | { readonly kind: "grant"; readonly grant: Grant; readonly agent: UpstreamAgent }
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
  /** What leaves this run by requests. */
  readonly leaving: LeavingWatch;
}

/** The broker of one run. */
export interface HttpBroker {
  /** Takes over `stream`, whose first bytes are those of an HTTP/1.x request. */
  serve(stream: Socket, client: HttpClient): void;
}

export function createHttpBroker(ports: BrokerPorts): HttpBroker {
  return {
    serve: (stream, client) => new ClientConnection(stream, client, ports).serve(),
  };
}
