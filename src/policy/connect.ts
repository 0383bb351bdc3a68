/**
 * The decision at connect, before any byte: is this name and port granted at all?
 *
 * @module
 */
import { canonicalHost } from "./host-pattern.ts";
import { grantFor, grantsOfHost, type Grant, type Policy } from "./policy.ts";

/** What a connection is allowed to become. */
export type ConnectDecision =
  | { readonly kind: "grant"; readonly grant: Grant; readonly rule: string }
  /** Not granted, but accepted so that the denial can be read: HTTP or TLS, answered with 403. */
  | { readonly kind: "explain"; readonly rule: string; readonly reason: string }
  | { readonly kind: "refuse"; readonly rule: string; readonly reason: string };

/** The rule that decides where no grant does. */
export const NO_GRANT = "no-grant";
const EXPLAINED_PORTS: ReadonlySet<number> = new Set([80, 443]); // Clients speak HTTP there.

/** Whom a run wants to connect to; `host` is the name that the address was handed out for, if any. */
export interface ConnectTarget {
  readonly host?: string | undefined;
  readonly address: string;
  readonly port: number;
}

/** Decides over a connection. An address without a name is never granted. */
export function judgeConnect(policy: Policy, target: ConnectTarget): ConnectDecision {
  const { host, address, port } = target;
  if (host === undefined) {
    const reason = `${address} is an address, and only names are granted`;
    return { kind: "refuse", rule: NO_GRANT, reason };
  }
  const name = canonicalHost(host);
  if (name === undefined) {
    return { kind: "refuse", rule: NO_GRANT, reason: `${JSON.stringify(host)} is not a host name` };
  }
  const grant = grantFor(policy, name, port);
  if (grant !== undefined && !grant.revoked) return { kind: "grant", grant, rule: grant.rule };
  const kind = EXPLAINED_PORTS.has(port) ? "explain" : "refuse";
  if (grant === undefined) return { kind, rule: NO_GRANT, reason: reasonFor(policy, name, port) };
  return { kind, rule: grant.rule, reason: `the grant ${grant.name} was revoked` };
}

function reasonFor(policy: Policy, host: string, port: number): string {
  const ports = grantsOfHost(policy, host).flatMap((grant) => grant.ports);
  return ports.length === 0
    ? `the task grants nothing at ${host}`
    : `the task grants ${host} on port ${ports.join(", ")}, not on port ${port}`;
}
