/**
 * The daemon's way out: how every connection to a granted place is made, whoever it is for.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Clock } from "../base/index.ts";
import { createConnector, GATEWAY_LIMITS, type Connector } from "../gateway/index.ts";
import { OWN_HOST } from "../action/index.ts";
import type { EnquiryServer } from "../enquiry/index.ts";
import type { Consoles } from "./consoles.ts";
import type { McpServers } from "./mcp-servers.ts";
import { resolveHost } from "./resolve.ts";

/** Whatever of Cofferdam's own stands under a name that a run was granted. */
export interface OwnPlaces {
  readonly enquiries: EnquiryServer;
  readonly servers: McpServers;
}

/** Connects `run` to it. */
export function connectOwn(
  { enquiries, servers }: OwnPlaces,
  run: string,
  host: string,
): Socket | Promise<Socket> {
  return host === OWN_HOST ? enquiries.connect(run) : servers.connect(run, host);
}

export interface WayOutPorts {
  readonly clock: Clock;
  readonly consoles: Consoles;
}

/** A way out of its own, with what it has resolved; `connectOwn` connects to what answers runs about themselves. */
export function createWayOut(
  { clock, consoles }: WayOutPorts,
  connectOwn?: (host: string) => Socket | Promise<Socket>,
): Connector {
  return createConnector({
    clock,
    limits: GATEWAY_LIMITS,
    resolve: resolveHost,
    own: () => consoles.places,
    ...(connectOwn === undefined ? {} : { connectOwn }),
    unread: true,
  });
}
