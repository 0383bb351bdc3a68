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

/** A way out of its own, with what it has resolved; `own` connects to Cofferdam itself. */
export function createWayOut(
  clock: Clock,
  own?: (host: string) => Socket | Promise<Socket>,
): Connector {
  return createConnector({
    clock,
    limits: GATEWAY_LIMITS,
    resolve: resolveHost,
    ownAddresses: () => [],
    ...(own === undefined ? {} : { own }),
    unread: true,
  });
}
