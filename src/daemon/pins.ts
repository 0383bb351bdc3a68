/**
 * What is kept of a request or operation that waits: the grant that it came by, pinned to its place, and its
 * bytes; and what is made of that again when it is performed.
 *
 * @module
 */
import { canonicalJson, type Action, type Cause, type Effect, type Json } from "../action/index.ts";
import { otherAction, type Approval, type Spool } from "../approval/index.ts";
import { assert, Fault } from "../base/index.ts";
import { findEntry, isLasting, type Entry, type Facts } from "../catalog/index.ts";
import { isOperation, type Held, type HeldRequest } from "../gateway/index.ts";
import {
  compilePolicy,
  OWN_GRANT,
  type Grant,
  type Policy,
  type Task,
  type TaskGrant,
} from "../policy/index.ts";
import type { Run } from "./run.ts";

/** What is needed to perform a request when its run is over: the grant that it came by, on its host alone. */
export interface Pin {
  readonly grant: TaskGrant;
  /** What the request does by itself; a rule of the task file may have said more. */
  readonly effects: Effect[];
  /** PEM of the grant's own authority. */
  readonly ca?: string;
  /** Its system, where that is one of the user's own: as it was when the run began. */
  readonly own?: Entry;
  /** What it was asked for by: its step, above all. */
  readonly cause?: Cause;
}

/** A policy of nothing but `grant`: what is performed reaches no further. */
export function policyOf(grant: TaskGrant): Policy {
  return compilePolicy({ grants: [grant] } as unknown as Task);
}

export function onlyGrant(policy: Policy): Grant {
  const [grant] = policy.grants;
  assert(grant !== undefined, "a pin holds one grant");
  return grant;
}

/** What the system of `approval` meant when it was asked for. */
export function entryOf({ pin }: Approval, { system }: Pick<Grant, "system">): Entry | undefined {
  return findEntry(system) ?? (pin as unknown as Pin).own;
}

/** Why `approval` was asked for, as its entries say it; what nothing performs has no pin. */
export function causeIn({ pin }: Approval): { readonly cause?: Cause } {
  const cause = (pin as Pin | null)?.cause;
  return cause === undefined ? {} : { cause };
}

export function pinOf(run: Run, { host, port }: Held, action: Action): Json {
  const { id, system, effects, cause: process } = action;
  const grant = [...run.task.grants, OWN_GRANT].find(({ name }) => name === system);
  if (grant === undefined)
    throw new Fault("daemon.no_such_grant", `the run has no grant ${system}`);
  const ca = run.authorities.get(system);
  const own = run.own.get(grant.system)?.entry;
  const cause = run.recorder.causeOf({ type: "approval", action: id, process });
  const pinned = { ...grant, hosts: [host], ports: [port] };
  return {
    grant: pinned as unknown as Json,
    effects: [...effects],
    ...(ca === undefined ? {} : { ca }),
    ...(own === undefined ? {} : { own: own as unknown as Json }),
    ...(cause === undefined ? {} : { cause: cause as unknown as Json }),
  };
}

/**
 * What a person made of `approval`, of which the edited request by itself is `own`. Effects that a rule of the task file
 * gave it stay what they are: the rule says them of whatever it lets through.
 *
 * @throws {Fault} `approval.edit` where it does more by itself than was asked for.
 */
export function editedOf(approval: Approval, own: Action): { action: Action; pin: Json } {
  const pin = approval.pin as unknown as Pin;
  const { effects: shown } = approval.action;
  if (own.effects.some((one) => !pin.effects.includes(one))) throw otherAction();
  const isRuled =
    shown.length !== pin.effects.length || shown.some((one) => !pin.effects.includes(one));
  return {
    action: isRuled ? { ...own, effects: shown } : own,
    pin: { ...(approval.pin as { [name: string]: Json }), effects: [...own.effects] },
  };
}

/** What is stored of `held`; its facts are read again before it is performed. */
export function spoolOf(held: Held): Spool {
  if (isOperation(held)) {
    const { host, port, operation, body, facts } = held;
    const kept = { ...wayOf(facts), ...lastingOf(facts).facts };
    const stored = Object.keys(kept).length === 0 ? {} : { facts: kept };
    return { request: { host, port, operation, ...stored }, body };
  }
  const { body, facts, ...request } = held;
  const lasting = lastingOf(facts);
  return { request: { ...request, headers: [...request.headers], ...lasting }, body };
}

/** How an operation travels, which is only shown and not read again: whoever performs it must know. */
function wayOf({ preview }: Held["facts"]): Held["facts"] {
  const way =
    typeof preview === "object" && preview !== null && "way" in preview ? preview.way : undefined;
  return way === undefined ? {} : { preview: { way } };
}

/** Those facts that stay true, and are kept with what waits. */
export function lastingOf(facts: Facts): { readonly facts?: Facts } {
  const kept = Object.entries(facts).filter(([name]) => isLasting(name));
  return kept.length === 0 ? {} : { facts: Object.fromEntries(kept) };
}

export function heldOf({ request, body }: Spool): Held {
  const held = request as unknown as Omit<Held, "body" | "facts"> & Partial<Pick<Held, "facts">>;
  const whole = body === undefined ? {} : { body: Buffer.from(body) };
  return { ...held, facts: held.facts ?? {}, ...whole } as Held;
}

/** An operation with what was found of it just now; how it travels stays what it was. */
export function withFacts(held: Held, facts: Facts): Held {
  if (!isOperation(held)) return held;
  const membersOf = (value: Json | undefined): Readonly<Record<string, Json>> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, Json>>)
      : {};
  const before = membersOf(held.facts["preview"]);
  const preview = { ...membersOf(facts["preview"]), ...before };
  const shown = Object.keys(preview).length === 0 ? {} : { preview };
  return { ...held, facts: { ...held.facts, ...facts, ...shown } };
}

/** As {@link heldOf}, of what can only be a request. @throws {Fault} `daemon.no_request` */
export function requestHeldIn(spool: Spool): HeldRequest {
  const held = heldOf(spool);
  if (isOperation(held)) throw new Fault("daemon.no_request", "this is no request of HTTP");
  return held;
}

/** Names of the parts of a body that differ. */
export function changedNames(before: unknown, after: unknown): readonly string[] {
  if (
    typeof before !== "object" ||
    typeof after !== "object" ||
    before === null ||
    after === null
  ) {
    return [];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const at = (value: object, name: string): string =>
    JSON.stringify(Reflect.get(value, name) as unknown) ?? "";
  return [...names].filter((name) => at(before, name) !== at(after, name));
}

/** Whether two actions are the same but for their names, and for what is only shown of them. */
export function isSameAction(one: Action, other: Action): boolean {
  const bare = ({ id: _id, fields: { preview: _preview, ...fields }, ...rest }: Action) =>
    canonicalJson({ ...rest, fields });
  return bare(one) === bare(other);
}
