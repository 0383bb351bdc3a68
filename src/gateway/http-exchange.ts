/**
 * One HTTP request from its head to its outcome: check, read, describe, judge, record, forward, record.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { assert, isFault } from "../base/index.ts";
import { routeOf, type Policy, type Rule } from "../policy/index.ts";
import { problemOf, upstreamProblem, webSocketProblem } from "./denial.ts";
import { actionOf, strictest } from "./http-action.ts";
import { isReadWhole, readWhole, type WholeBody } from "./http-body.ts";
import type { Access, BrokerPorts, HttpClient } from "./http-broker.ts";
import { forward, type Outcome } from "./http-forward.ts";
import { checkRequest, type CheckedRequest, type Refusal } from "./http-request.ts";
import type { After, ClientSide, UpstreamSide } from "./http-sides.ts";
import type { Verdict } from "./ports.ts";
import { asHandshake, checkHandshake } from "./websocket-handshake.ts";
import { openWebSocket } from "./websocket-open.ts";

/** A request as it stands on its connection. */
export interface Exchange extends HttpClient {
  readonly client: ClientSide;
  /** The connection's own, where something is granted. */
  readonly upstream: UpstreamSide | undefined;
}

/** Runs one exchange to its end. Throws only where the record cannot be written, or by a bug. */
export async function exchange(it: Exchange, ports: BrokerPorts): Promise<After> {
  const { client, origin, access, upstream } = it;
  const checked = checkRequest(client.head, origin, ports.limits.headers);
  if (!checked.ok) return await refuse(it, checked.refusal);
  if (access.kind === "explain") return await explain(it, access);
  assert(upstream !== undefined, "a grant has an upstream");
  let { request } = checked;
  if (client.head.isUpgrade === true) {
    const refusal = checkHandshake(client.head, request);
    if (refusal !== undefined) return await refuse(it, refusal);
    request = asHandshake(request);
  }
  const body = await bodyOf(it, request, ports);
  if (body === "gone") return "last";
  if (body?.mining !== undefined) {
    it.flow.offend("stratum", body.mining, "in an HTTP request");
    return "last";
  }
  const at = ports.clock.now();
  const context = { run: ports.run.id, at, system: access.system, cause: it.flow.process };
  const action = actionOf(request, body, context);
  const decision = await ports.run.intend(action, it.flow.id);
  if (decision.verdict !== "allow") return await deny(it, action, decision);
  const done = it.flow.stands(action);
  try {
    if (it.flow.socket.destroyed) return "last"; // Cut while it was being written.
    return await perform(it, { request, action, body, upstream, decision }, ports);
  } finally {
    done();
  }
}

function ruleOf(policy: Policy, decision: Verdict): Rule | undefined {
  const rules = policy.grants.flatMap((grant) => grant.rules);
  return rules.find((rule) => rule.name === decision.rule);
}

interface Permitted {
  readonly request: CheckedRequest;
  readonly action: Action;
  readonly body: WholeBody | undefined;
  readonly upstream: UpstreamSide;
  readonly decision: Verdict;
}

function carry(it: Exchange, permitted: Permitted, ports: BrokerPorts): Promise<Outcome> {
  const { client, flow } = it;
  const { request, action, body, upstream, decision } = permitted;
  const { limits, run } = ports;
  if (request.upgrade === undefined) {
    return forward({ request, client, body: body?.bytes, upstream, limits });
  }
  const opaque = ruleOf(run.policy, decision)?.opaque === true;
  return openWebSocket({ request, client, upstream, flow, system: action.system, opaque, limits });
}

async function perform(it: Exchange, permitted: Permitted, ports: BrokerPorts): Promise<After> {
  const { client, flow } = it;
  const { request, action } = permitted;
  const outcome = await carry(it, permitted, ports);
  const { monoMs } = ports.clock.now();
  if (outcome.mining !== undefined) flow.offend("stratum", outcome.mining, "in an HTTP exchange");
  else if (outcome.failure !== undefined) await answerFailure(it, action, outcome, ports);
  await ports.run.record({
    type: "outcome",
    system: action.system,
    target: action.target,
    flow: flow.id,
    action: action.id,
    data: {
      // Only where it is not the usual one: no rule may ask.
      ...(client.head.httpVersion === "1.1" ? {} : { http: client.head.httpVersion }),
      ...(outcome.status === undefined ? {} : { status: outcome.status }),
      ...(outcome.failure === undefined ? {} : { ...outcome.failure }),
      ...(outcome.messagesOut === undefined
        ? {}
        : { messagesOut: outcome.messagesOut, messagesIn: outcome.messagesIn ?? 0 }),
      ...(outcome.bodySha256 === undefined ? {} : { bodySha256: outcome.bodySha256 }),
      bytesOut: outcome.bytesOut,
      bytesIn: outcome.bytesIn,
      durationMs: Math.round(monoMs - action.monoMs),
    },
  });
  return request.upgrade === undefined && client.isComplete && !client.isGone ? "next" : "last";
}

const LATE: ReadonlySet<string> = new Set(["gateway.connect", "gateway.resolve"]);

async function answerFailure(
  it: Exchange,
  action: Action,
  { failure }: Outcome,
  { log }: BrokerPorts,
): Promise<void> {
  if (failure === undefined || it.client.isAnswered || it.client.isGone) return;
  log.info("gateway.upstream.failed", { flow: it.flow.id, ...failure });
  const status = LATE.has(failure.code) ? 504 : 502;
  const problem = upstreamProblem(status, failure.code, failure.detail, action.id);
  await it.client.refuse(problem, "next");
}

/** The whole body where it is short enough, nothing where it streams or is not there. */
async function bodyOf(
  it: Exchange,
  request: CheckedRequest,
  { limits }: BrokerPorts,
): Promise<WholeBody | undefined | "gone"> {
  const { client, flow } = it;
  if (!isReadWhole(request, limits)) return undefined;
  try {
    const body = await readWhole(client.body, client.head.rawHeaders, limits);
    if (client.isComplete) return body;
    client.cut();
  } catch (error) {
    if (!isFault(error)) throw error;
    if (client.isAlone) flow.cut(error.message);
    else client.cut();
  }
  return "gone";
}

/** A request that is not one plain request for this origin: answered, and the last of its connection. */
export async function refuse(it: Exchange, refusal: Refusal): Promise<After> {
  const { client, flow, origin, access } = it;
  const { rule, title, reason } = refusal;
  const system = access.kind === "grant" ? access.system : "none";
  const route = routeOf({ verb: rule, port: origin.port, protocol: origin.scheme });
  const denial = flow.deny({ system, target: origin.host, route, rule, title, reason });
  if (client.isAlone) flow.because(`denied: ${rule}`); // Else the connection goes on.
  return await client.refuse(problemOf(denial, refusal.status), "last");
}

/** A name that nothing is granted for: said, and closed. */
async function explain(
  it: Exchange,
  { rule, reason }: Access & { kind: "explain" },
): Promise<After> {
  const { client, flow, origin } = it;
  // The name is what is denied, so every request to it is the same route.
  const route = routeOf({ port: origin.port, protocol: origin.scheme });
  const title = "Nothing is granted for this name";
  const denial = flow.deny({ target: origin.host, route, rule, title, reason });
  flow.because(`denied: ${rule}`);
  return await client.refuse(problemOf(denial, 403), "last");
}

async function deny(it: Exchange, action: Action, decision: Verdict): Promise<After> {
  const { client, origin, flow } = it;
  const { reason, hint, rule, verdict } = decision;
  const denial = flow.deny({
    system: action.system,
    target: action.target,
    route: routeOf({ verb: client.head.method, port: origin.port, protocol: origin.scheme }),
    effect: strictest(decision.effects),
    rule,
    title: verdict === "confirm" ? "This waits for a person" : "This request is not granted",
    reason: hint === undefined ? reason : `${reason}; ${hint}`,
    action: action.id,
  });
  const isUpgrade = client.head.isUpgrade === true;
  return await client.refuse(isUpgrade ? webSocketProblem(denial) : problemOf(denial, 403), "next");
}
