/**
 * The daemon's way out: how every connection to a granted place is made, whoever it is for.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Clock } from "../base/index.ts";
import { createConnector, GATEWAY_LIMITS, type Connector } from "../gateway/index.ts";
import { resolveHost } from "./resolve.ts";

/** A way out of its own, with what it has resolved; `own` connects to Cofferdam itself. */
export function createWayOut(clock: Clock, own?: () => Socket): Connector {
  return createConnector({
    clock,
    limits: GATEWAY_LIMITS,
    resolve: resolveHost,
    ownAddresses: () => [],
    ...(own === undefined ? {} : { own }),
    unread: true,
  });
}
