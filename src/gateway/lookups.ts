/**
 * Look-ups: the state of a system that decides what a request does (is the post that is edited public
 * already?). Each is an action like any other, judged and on record; what may not be read, or does not
 * answer, is not known, and the request then counts as the strictest that it could be.
 *
 * @module
 */
import { hash } from "node:crypto";
import { inquiryOf, lookupsOf, readFact, type Entry, type Facts } from "../catalog/index.ts";
import type { Grant } from "../policy/index.ts";
import { ask, type CollectedAnswer } from "./collected-client.ts";
import { actionOf, catalogRequestOf, type ActionContext } from "./http-action.ts";
import { headerPairs } from "./http-headers.ts";
import type { CheckedRequest } from "./http-request.ts";
import type { UpstreamSide } from "./http-sides.ts";
import { credentialOf } from "./placeholders.ts";
import type { GatewayLimits } from "./limits.ts";
import { requestOf } from "./held.ts";
import type { GatewayRun, HeldRequest } from "./ports.ts";

/** Where a request stands whose look-ups are made. */
export interface LookupContext {
  readonly run: GatewayRun;
  readonly flow: string;
  readonly grant: Grant;
  readonly entry: Entry;
  readonly upstream: UpstreamSide;
  readonly limits: GatewayLimits;
  now(): ActionContext["at"];
}

/** What is known of the state that `request` depends on. */
export async function lookUp(
  request: CheckedRequest,
  body: Buffer | undefined,
  context: LookupContext,
  cause: ActionContext["cause"],
): Promise<Facts> {
  const { entry, grant } = context;
  const wanted = lookupsOf(entry, catalogRequestOf(request, body, grant));
  const facts: Record<string, Facts[string]> = {};
  for (const { name, target } of wanted) {
    const answer = await lookUpOne(lookupRequest(request, target), context, cause);
    const fact = answer === undefined ? undefined : readFact(answer.body);
    if (fact !== undefined) facts[name] = fact;
  }
  return { ...facts, ...(await inquire(request, body, context, cause)) };
}

/** Of an answer to one question of an inquiry this much is kept: folders of a large repository. */
const INQUIRY_BYTES_MAX = 8 << 20;

/** What is learnt question by question, where the system is asked so. */
async function inquire(
  request: CheckedRequest,
  body: Buffer | undefined,
  context: LookupContext,
  cause: ActionContext["cause"],
): Promise<Facts> {
  const { entry, grant } = context;
  const inquiry = inquiryOf(entry, catalogRequestOf(request, body, grant));
  if (inquiry === undefined) return {};
  const limits = { ...context.limits, keptAnswerBytes: INQUIRY_BYTES_MAX };
  for (let one = inquiry.next(); one !== undefined; one = inquiry.next()) {
    const { target, headers, body: bytes } = one;
    const plain = lookupRequest(request, target);
    const kept = headerPairs(plain.headers).filter(
      ([name]) => !/^(?:accept|git-protocol)$/.test(name),
    );
    const asked: CheckedRequest = {
      ...plain,
      method: "POST",
      headers: [...kept.flat(), ...headers],
      framing: { kind: "length", bytes: bytes.length },
    };
    const answer = await lookUpOne(asked, { ...context, limits }, cause, bytes);
    inquiry.tell(answer?.body);
  }
  return inquiry.facts();
}

/** The look-ups of `held` as requests of their own, by name: what is read again before it is performed. */
export function lookupTargets(
  held: HeldRequest,
  grant: Grant,
  entry: Entry | undefined,
): readonly { readonly name: string; readonly request: HeldRequest }[] {
  if (entry === undefined) return [];
  const request = requestOf(held);
  return lookupsOf(entry, catalogRequestOf(request, held.body, grant)).map(({ name, target }) => {
    const { scheme, host, port, method, headers } = lookupRequest(request, target);
    return { name, request: { scheme, host, port, method, target, headers, facts: {} } };
  });
}

/** A request of ours beside `held`: the same client, at the same place. */
export function requestBeside(
  held: HeldRequest,
  { method, target, content }: BesideRequest,
): HeldRequest {
  const { scheme, host, port, headers } = lookupRequest(requestOf(held), target);
  const plain = { scheme, host, port, method, target, headers, facts: {} };
  if (content === undefined) return plain;
  const typed = [...headers, "Content-Type", content.type];
  return { ...plain, headers: typed, body: Buffer.from(content.text) };
}

/** What is asked beside another request. */
interface BesideRequest {
  readonly method: string;
  readonly target: string;
  readonly content?: { readonly type: string; readonly text: string };
}

/** Asked about the body it carries; a cached or partial answer would tell of another state. */
const NOT_ASKED =
  /^(?:content-|if-|accept$|accept-encoding$|range$|idempotency-key$|x-restli-method$)/;

/** A GET of `target` beside `request`, with what the agent's own client says of versions and itself. */
export function lookupRequest(request: CheckedRequest, target: string): CheckedRequest {
  const mark = target.indexOf("?");
  const { scheme, host, port } = request;
  const kept = headerPairs(request.headers).filter(([name]) => !NOT_ASKED.test(name));
  return {
    scheme,
    host,
    port,
    method: "GET",
    target,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    headers: [...kept.flat(), "Accept", "application/json"],
    framing: { kind: "none" },
    expectContinue: false,
    wantsTrailers: false,
  };
}

async function lookUpOne(
  request: CheckedRequest,
  { run, flow, grant, entry, upstream, limits, now }: LookupContext,
  cause: ActionContext["cause"],
  body?: Buffer,
): Promise<CollectedAnswer | undefined> {
  const whole = body && { bytes: body, sha256: hash("sha256", body), mining: undefined };
  const described = actionOf(request, whole, { run: run.id, at: now(), grant, entry, cause });
  const summary = `Look up the state that an effect depends on: ${described.target}`;
  // The run is told nothing of it, so it reads nothing privately.
  const action = { ...described, effects: ["read" as const], summary };
  const verdict = await run.intend(action, flow);
  if (verdict.verdict !== "allow") return undefined;
  const { outcome, answer } = await ask(
    upstream,
    { request, body, credential: credentialOf(run, grant, verdict) },
    limits,
  );
  await run.record({
    type: "outcome",
    system: action.system,
    target: action.target,
    flow,
    action: action.id,
    data: { lookup: true, ...outcome, bytesOut: outcome.bytesOut, bytesIn: outcome.bytesIn },
  });
  return answer?.status === 200 && !answer.isCut ? answer : undefined;
}
