/**
 * Makes the {@link Action} of an HTTP request: what policy judges and the ledger keeps.
 *
 * @module
 */
import { digestOf, EFFECTS, type Action, type Effect, type Json } from "../action/index.ts";
import { createId, type Instant } from "../base/index.ts";
import {
  describeHttp,
  describeRequest,
  type CatalogRequest,
  type Described,
  type Entry,
  type Facts,
} from "../catalog/index.ts";
import type { Leaving, Seen } from "../detect/index.ts";
import { readingsOf, type Grant } from "../policy/index.ts";
import type { Process } from "../action/index.ts";
import type { WholeBody } from "./http-body.ts";
import { headerPairs, withoutSecrets, type RawHeaders } from "./http-headers.ts";
import type { CheckedRequest } from "./http-request.ts";

export interface ActionContext {
  readonly run: string;
  readonly at: Instant;
  /** The grant that the request came by. */
  readonly grant: Pick<Grant, "name" | "system" | "under" | "with">;
  /** What the catalog knows of the grant's system; absent for plain HTTP. */
  readonly entry?: Entry | undefined;
  /** What look-ups found. */
  readonly facts?: Facts | undefined;
  readonly cause: Process;
  /** What was seen in it. */
  readonly seen?: Seen | undefined;
}

/** A request as far as something can leave by it. */
export function leavingOf(
  { host, path, query, headers }: CheckedRequest,
  body: WholeBody | undefined,
  trailers: RawHeaders,
): Leaving {
  const late = headerPairs(trailers);
  return { host, path, query, headers: headerPairs(headers), body: body?.bytes, trailers: late };
}

/** Describes `request`; `body` where it was read whole. */
export function actionOf(
  request: CheckedRequest,
  body: WholeBody | undefined,
  context: ActionContext,
): Action {
  const { grant, entry, facts, seen } = context;
  const plain = catalogRequestOf(request, body?.bytes, grant);
  const described: Described =
    entry === undefined ? describeHttp(plain) : describeRequest(entry, plain, facts);
  const trace = traceOf(plain.headers["traceparent"]);
  return {
    id: createId("a", context.at.wallMs),
    run: context.run,
    at: new Date(context.at.wallMs).toISOString(),
    monoMs: context.at.monoMs,
    system: grant.name,
    kind: grant.system,
    verb: described.verb,
    effects: [...described.effects],
    target: described.target,
    summary: described.summary,
    // The same JSON; zod's type of it has arrays that can be written to.
    fields: described.fields as Action["fields"],
    digest: digestOf(sentForm(request, body)),
    ...(described.parts === undefined ? {} : { parts: described.parts }),
    ...(described.impact === undefined ? {} : { impact: described.impact }),
    cause: context.cause,
    ...(seen === undefined || seen.carries.length === 0 ? {} : { carries: [...seen.carries] }),
    ...(trace === undefined ? {} : { trace }),
  };
}

/** `request` as the catalog reads it. */
export function catalogRequestOf(
  request: CheckedRequest,
  body: Buffer | undefined,
  { under, with: options }: Pick<Grant, "under" | "with">,
): CatalogRequest {
  const { method, scheme, host, port, path, query, upgrade } = request;
  return {
    method,
    scheme,
    host,
    port,
    path,
    query,
    headers: groupedHeaders(request.headers),
    readings: readingsOf(path) ?? [],
    ...(upgrade === undefined ? {} : { upgrade }),
    ...(under === undefined ? {} : { under }),
    ...(options === undefined ? {} : { options }),
    ...(body === undefined ? {} : { body }),
  };
}

/** W3C Trace Context, 3.2.2: `version-traceId-parentId-flags`. */
function traceOf(header: string | readonly string[] | undefined): Action["trace"] {
  const [, traceId = "", spanId = ""] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(
      typeof header === "string" ? header : "",
    ) ?? [];
  return traceId === "" ? undefined : { traceId, spanId };
}

/** By name; a field that stands once as text, else as a list. */
function groupedHeaders(raw: RawHeaders): Record<string, string | readonly string[]> {
  const grouped = new Map<string, string | readonly string[]>();
  for (const [name, value] of headerPairs(raw)) {
    const known = grouped.get(name);
    if (known === undefined) grouped.set(name, value);
    else grouped.set(name, typeof known === "string" ? [known, value] : [...known, value]);
  }
  return Object.fromEntries(grouped);
}

/** Everything that will be sent, less the values of secrets, in one canonical shape. */
function sentForm(request: CheckedRequest, body: WholeBody | undefined): Json {
  const { method, scheme, host, port, target, headers, framing, upgrade } = request;
  return {
    method,
    scheme,
    host,
    port,
    target,
    ...(upgrade === undefined ? {} : { upgrade }),
    headers: withoutSecrets(headers),
    body:
      body === undefined
        ? { framing: framing.kind, ...(framing.kind === "length" ? { bytes: framing.bytes } : {}) }
        : { bytes: body.bytes.length, sha256: body.sha256 },
  };
}

/** The strictest of `effects`. */
export function strictest(effects: readonly Effect[]): Effect {
  const last = Math.max(...effects.map((effect) => EFFECTS.indexOf(effect)));
  return EFFECTS[last] ?? "administer";
}
