/**
 * Where a grant's connections go.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import type { Grant } from "../policy/index.ts";
import type { Destination } from "./dialer.ts";
import type { GatewayRun } from "./ports.ts";

/** @throws {Fault} `gateway.ca` where the grant names an authority that the run was started without. */
export function destinationOf(
  grant: Grant,
  { host, port }: { readonly host: string; readonly port: number },
  run: Pick<GatewayRun, "authorities">,
): Destination {
  const ca = authorityOf(grant, run);
  return {
    host,
    port,
    tls: grant.tls,
    ...(grant.dial === undefined ? {} : { dial: grant.dial }),
    ...(grant.proxy === undefined ? {} : { proxy: grant.proxy }),
    ...(ca === undefined ? {} : { ca }),
  };
}

function authorityOf(grant: Grant, run: Pick<GatewayRun, "authorities">): string | undefined {
  if (grant.ca === undefined) return undefined;
  const pem = run.authorities?.get(grant.name);
  if (pem !== undefined) return pem;
  throw new Fault("gateway.ca", `the authority of grant ${grant.name} was not read`);
}
