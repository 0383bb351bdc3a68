/**
 * Makes the {@link Action} of an operation of a session protocol: for the session in which it is asked, for the
 * daemon that has it decided, and for whoever explains it.
 *
 * @module
 */
import { hash } from "node:crypto";
import {
  canonicalJson,
  digestOf,
  SESSION_VERB,
  type Action,
  type Json,
  type Process,
} from "../action/index.ts";
import { isLasting } from "../catalog/index.ts";
import { createId, Fault, type Instant } from "../base/index.ts";
import type { Grant } from "../policy/index.ts";
import { findProtocol, type Described, type Protocol } from "../protocols/index.ts";
import type { HeldOperation } from "./ports.ts";

export interface OperationContext {
  readonly run: string;
  readonly at: Instant;
  readonly grant: Pick<Grant, "name" | "system" | "with">;
  readonly cause: Process;
}

/** The protocol of `grant`, with what the grant says that is particular to it. */
export function protocolOf({ system, with: given }: Pick<Grant, "system" | "with">): {
  readonly protocol: Protocol;
  readonly options: Json;
} {
  const protocol = findProtocol(system);
  if (protocol === undefined) throw new Fault("gateway.protocol", `nobody here speaks ${system}`);
  return { protocol, options: protocol.options.parse(given ?? {}) };
}

/** Describes `held`. */
export function actionOfOperation(held: HeldOperation, context: OperationContext): Action {
  const { host, port, operation, body, facts } = held;
  const { protocol, options } = protocolOf(context.grant);
  const described = protocol.describe(operation, { host, port, options, body, facts });
  const bytes = body === undefined ? {} : { body: sumOf(body) };
  return madeOf({ ...described, fields: { ...described.fields, ...shownFacts(facts) } }, context, {
    host,
    port,
    digest: digestOf({ host, port, operation, ...bytes }),
  });
}

/**
 * Whether both do the same to the same, in all that a verdict depends on: what differs is only what a person is
 * shown, and the bytes (docs/decisions/0307).
 */
export function isSameDeed(one: Action, other: Action): boolean {
  const judged = ({ system, kind, verb, effects, target, parts, impact, fields }: Action) => {
    const { host, port, scheme } = fields;
    return canonicalJson({
      ...{ system, kind, verb, effects, target },
      ...(parts === undefined ? {} : { parts }),
      ...(impact === undefined ? {} : { impact }),
      place: [host ?? null, port ?? null, scheme ?? null],
    });
  };
  return judged(one) === judged(other);
}

/** What `action` is now that `held` is all of it; `undefined` where that would be another thing than was judged. */
export function completeAction(
  action: Action,
  held: HeldOperation,
  context: OperationContext,
): Action | undefined {
  const whole = actionOfOperation(held, context);
  const { id, at, monoMs } = action;
  return isSameDeed(action, whole) ? { ...whole, id, at, monoMs } : undefined;
}

/** The action of connecting and logging in, with which the credential comes. */
export function actionOfConnecting(
  { host, port }: { readonly host: string; readonly port: number },
  context: OperationContext,
): Action {
  const { system } = context.grant;
  const fields = { scheme: system };
  const described = {
    verb: SESSION_VERB,
    effects: ["read"] as const,
    target: `${system}://${host}:${port}`,
    summary: `Connect to ${host}:${port} and log in`,
    fields,
  };
  return madeOf(described, context, { host, port, digest: digestOf({ host, port, ...fields }) });
}

interface Made {
  readonly host: string;
  readonly port: number;
  readonly digest: string;
}

function madeOf(described: Described, context: OperationContext, made: Made): Action {
  const { run, at, grant, cause } = context;
  const { verb, effects, target, summary, parts, impact } = described;
  const { host, port, digest } = made;
  return {
    id: createId("a", at.wallMs),
    run,
    at: new Date(at.wallMs).toISOString(),
    monoMs: at.monoMs,
    system: grant.name,
    kind: grant.system,
    verb,
    effects: [...effects],
    target,
    summary,
    // Whatever a protocol says of it, where it goes is what was granted.
    fields: { ...described.fields, host, port },
    digest,
    ...(parts === undefined ? {} : { parts }),
    ...(impact === undefined ? {} : { impact }),
    cause,
  };
}

/**
 * What was looked up: `found` is compared before it is performed, `preview` only shown. Objects of git, which stay
 * what they are, are neither: what was made of them is.
 */
function shownFacts(facts: HeldOperation["facts"]): Readonly<Record<string, Json>> {
  const { preview, ...looked } = facts;
  const found = Object.fromEntries(Object.entries(looked).filter(([name]) => !isLasting(name)));
  return {
    ...(Object.keys(found).length === 0 ? {} : { found }),
    ...(preview === undefined ? {} : { preview }),
  };
}

function sumOf(body: Buffer): Json {
  return { bytes: body.length, sha256: hash("sha256", body) };
}
