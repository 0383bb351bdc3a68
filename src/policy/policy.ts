/**
 * The compiled policy: a Task made ready to decide, frozen, with a digest that names it in the ledger.
 *
 * @module
 */
import { digestOf, OWN_SYSTEM, type Effect, type Json } from "../action/index.ts";
import type { Dial, Proxy } from "./dial.ts";
import {
  canonicalHost,
  matchesHost,
  parseHostPattern,
  type Host,
  type HostPattern,
} from "./host-pattern.ts";
import type { ObjectGlob } from "./object-glob.ts";
import { OWN_GRANT } from "./own-grant.ts";
import { parsePathGlob, type PathGlob } from "./path-glob.ts";
import type { GatedProtocol } from "./task-schema.ts";
import type { GrantKind, Task, TaskGrant, TaskRule, Unattended } from "./task.ts";

/** What a run may do. */
export interface Policy {
  /** Hex SHA-256 over the canonical form (RFC 8785) of the task, and of what was revoked since. */
  readonly digest: string;
  readonly grants: readonly Grant[];
}

/** A system that may be reached. */
export interface Grant {
  /** Its place in the task file, by which denials and log name it: `grants[0]`. */
  readonly rule: string;
  /** `Action.system`. */
  readonly name: string;
  readonly kind: GrantKind;
  /** `Action.kind` of what is asked there: `http`, `tcp`, or a system of the catalog. */
  readonly system: string;
  /** Taken back while the run lives. It still decides: nothing falls through to a later grant. */
  readonly revoked: boolean;
  readonly hosts: readonly HostPattern[];
  readonly ports: readonly number[];
  readonly tls: boolean;
  readonly dial?: Dial;
  readonly proxy?: Proxy;
  /** A file, relative to the task file's folder. */
  readonly ca?: string;
  /** Where a system of the catalog lives below its hosts. */
  readonly under?: string;
  /** What is particular to its kind of system. */
  readonly with?: Readonly<Record<string, Json>>;
  /** The credential that its requests are sent with, by its name in the vault. */
  readonly credential?: string;
  readonly mint?: Readonly<Record<string, Json>>;
  readonly variables?: readonly string[];
  readonly pairs: readonly string[];
  readonly protocols: readonly GatedProtocol[];
  /** The first that matches decides. */
  readonly rules: readonly Rule[];
}

/** Requests that a grant lets through. */
export interface Rule {
  /** `grants[0].allow[1]` */
  readonly name: string;
  readonly methods: readonly string[];
  readonly paths: readonly PathGlob[];
  /** Of a system of the catalog, which has neither methods nor paths. */
  readonly verbs?: readonly string[];
  /** What may be acted on. */
  readonly on?: readonly ObjectGlob[];
  /** What joins their segments for people. */
  readonly separator?: string;
  readonly isRooted?: true;
  readonly doing?: readonly Effect[];
  /** Replaces the action's own effects. */
  readonly effects?: readonly Effect[];
  readonly unattended?: Unattended;
  /** May be opened as a WebSocket. */
  readonly websocket?: true;
  /** Its WebSockets may carry binary messages that nobody here understands. */
  readonly opaque?: true;
}

/** Compiles `task`, less the grants of which the names are in `revoked`. */
export function compilePolicy(task: Task, revoked: readonly string[] = []): Policy {
  return deepFreeze({
    digest: digestOf(revoked.length === 0 ? task : { task, revoked: [...revoked].sort() }),
    grants: task.grants.map((grant, index) => ({
      ...compileGrant(grant, `grants[${index}]`),
      revoked: revoked.includes(grant.name),
    })),
  });
}

/** As {@link compilePolicy}, with what every run has: a way to ask Cofferdam about itself. */
export function compileRunPolicy(task: Task, revoked: readonly string[] = []): Policy {
  const { digest, grants } = compilePolicy(task, revoked);
  // First, so that no wildcard of the task stands before it.
  const own = { ...compileGrant(OWN_GRANT, OWN_SYSTEM), revoked: revoked.includes(OWN_SYSTEM) };
  return deepFreeze({ digest, grants: [own, ...grants] });
}

/** The grant that decides over `host` and `port`: the first that has both. */
export function grantFor(policy: Policy, host: Host, port: number): Grant | undefined {
  return policy.grants.find(
    (grant) =>
      grant.ports.includes(port) && grant.hosts.some((pattern) => matchesHost(pattern, host)),
  );
}

/** Grants that have `host`, on whatever port. */
export function grantsOfHost(policy: Policy, host: string): readonly Grant[] {
  const name = canonicalHost(host);
  if (name === undefined) return [];
  return policy.grants.filter((grant) => grant.hosts.some((pattern) => matchesHost(pattern, name)));
}

function compileGrant(grant: TaskGrant, rule: string): Omit<Grant, "revoked"> {
  const { hosts, allow, ...rest } = grant;
  return {
    ...rest,
    rule,
    hosts: hosts.map(parseHostPattern),
    rules: allow.map((source, at) => compileRule(source, `${rule}.allow[${at}]`)),
  };
}

function compileRule(source: TaskRule, name: string): Rule {
  return { ...source, name, paths: source.paths.map(parsePathGlob) };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
