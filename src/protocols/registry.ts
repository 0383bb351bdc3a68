/**
 * The session protocols that Cofferdam speaks.
 *
 * @module
 */
import { MCP } from "./mcp/index.ts";
import { POSTGRES } from "./postgres/index.ts";
import type { Protocol } from "./protocol.ts";
import { redis } from "./redis/index.ts";
import { smtp } from "./smtp/index.ts";
import { sshProtocol } from "./ssh/index.ts";

/** Each by its name; a protocol is added here and in src/gateway/brokers/index.ts. */
const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map(
  ([MCP, POSTGRES, redis, smtp, sshProtocol] as readonly Protocol[]).map((one) => [
    one.system,
    one,
  ]),
);

/** The protocol for grants of `system: kind`. */
export function findProtocol(kind: string): Protocol | undefined {
  return PROTOCOLS.get(kind);
}

/** Every protocol, by its name. */
export function allProtocols(): ReadonlyMap<string, Protocol> {
  return PROTOCOLS;
}

/** Loads what the protocols named in `kinds` need before they can describe anything. */
export async function loadProtocols(kinds: Iterable<string>): Promise<void> {
  await Promise.all([...new Set(kinds)].map(async (kind) => findProtocol(kind)?.load?.()));
}
