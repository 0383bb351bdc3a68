/**
 * One HTTP request from its head to its outcome: check, read, describe, judge, record, forward, record.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Action, Effect } from "../action/index.ts";
import { isFault } from "../base/index.ts";
import { routeOf, type Decision, type Policy } from "../policy/index.ts";
import { problemOf, upstreamProblem } from "./denial.ts";
import { actionOf, mustSync, strictest } from "./http-action.ts";
import { answerProblem, type After } from "./http-answer.ts";
import { isReadWhole, readWhole, type WholeBody } from "./http-body.ts";
import type { Access, BrokerPorts, HttpClient } from "./http-broker.ts";
import { forward, type Outcome } from "./http-forward.ts";
import { checkRequest, type CheckedRequest, type Refusal } from "./http-request.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";

/** A request as it stands on its connection. */
export interface Exchange extends HttpClient {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

/** Runs one exchange to its end. Throws only where the record cannot be written, or by a bug. */
export async function exchange(it: Exchange, ports: BrokerPorts): Promise<After> {
  const { incoming, origin, access } = it;
  const head = {
    method: incoming.method ?? "",
    url: incoming.url ?? "",
    httpVersion: incoming.httpVersion,
    rawHeaders: incoming.rawHeaders,
  };
  const checked = checkRequest(head, origin, ports.limits.headers);
  if (!checked.ok) return await refuse(it, checked.refusal, ports);
  if (access.kind === "explain") return await explain(it, access, ports);
  const { request } = checked;
  const body = await bodyOf(it, request, ports);
  if (body === "gone") return "last";
  if (body?.mining !== undefined) {
    it.flow.offend("stratum", body.mining, "in an HTTP request");
    return "last";
  }
  const at = ports.clock.now();
  const context = { run: ports.run.id, at, system: access.system, cause: it.flow.process };
  const action = actionOf(request, body, context);
  const decision = ports.run.decide(action);
  const done = decision.verdict === "allow" ? it.flow.stands(action) : () => {};
  try {
    await recordIntent(it, action, decision, ports);
    if (decision.verdict !== "allow") return await deny(it, action, decision, ports);
    if (it.flow.socket.destroyed) return "last"; // Cut while it was being written.
    return await perform(it, { request, action, body, agent: access.agent }, ports);
  } finally {
    done();
  }
}

/** What the action does: as the rule that decided says, else as the catalogue says. */
function effectsOf(policy: Policy, decision: Decision, action: Action): readonly Effect[] {
  const rules = policy.grants.flatMap((grant) => grant.rules);
  return rules.find((rule) => rule.name === decision.rule)?.effects ?? action.effects;
}

/** INV-9: resolves only when the intent is written; on disk where the effect cannot be taken back. */
async function recordIntent(
  it: Exchange,
  action: Action,
  decision: Decision,
  { run }: BrokerPorts,
): Promise<void> {
  const { verb, summary, fields, digest, kind } = action;
  const effects = effectsOf(run.policy, decision, action);
  await run.record(
    {
      type: "action",
      verdict: decision.verdict,
      rule: decision.rule,
      system: action.system,
      target: action.target,
      flow: it.flow.id,
      action: action.id,
      process: action.cause,
      data: { kind, verb, effects: [...effects], summary, fields, digest, reason: decision.reason },
    },
    { sync: mustSync(effects) },
  );
}

interface Permitted {
  readonly request: CheckedRequest;
  readonly action: Action;
  readonly body: WholeBody | undefined;
  readonly agent: UpstreamAgent;
}

async function perform(it: Exchange, permitted: Permitted, ports: BrokerPorts): Promise<After> {
  const { incoming, response, flow } = it;
  const { request, action, body, agent } = permitted;
  const { limits } = ports;
  const outcome = await forward({ request, incoming, response, body: body?.bytes, agent, limits });
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
      ...(outcome.status === undefined ? {} : { status: outcome.status }),
      ...(outcome.failure === undefined ? {} : { ...outcome.failure }),
      bytesOut: outcome.bytesOut,
      bytesIn: outcome.bytesIn,
      durationMs: Math.round(monoMs - action.monoMs),
    },
  });
  return incoming.complete && !response.destroyed ? "next" : "last";
}

const LATE: ReadonlySet<string> = new Set(["gateway.connect", "gateway.resolve"]);

async function answerFailure(
  it: Exchange,
  action: Action,
  { failure }: Outcome,
  { limits, log }: BrokerPorts,
): Promise<void> {
  if (failure === undefined || it.response.headersSent || it.response.destroyed) return;
  log.info("gateway.upstream.failed", { flow: it.flow.id, ...failure });
  const status = LATE.has(failure.code) ? 504 : 502;
  const problem = upstreamProblem(status, failure.code, failure.detail, action.id);
  await answerProblem(it, problem, limits, "next");
}

/** The whole body where it is short enough, nothing where it streams or is not there. */
async function bodyOf(
  it: Exchange,
  request: CheckedRequest,
  { limits }: BrokerPorts,
): Promise<WholeBody | undefined | "gone"> {
  if (!isReadWhole(request, limits)) return undefined;
  try {
    return await readWhole(it.incoming, limits);
  } catch (error) {
    if (!isFault(error)) throw error;
    it.flow.cut(error.message);
    return "gone";
  }
}

/** A request that is not one plain request for this origin: answered, and the last of its connection. */
async function refuse(it: Exchange, refusal: Refusal, ports: BrokerPorts): Promise<After> {
  const { flow, origin, access } = it;
  const { rule, title, reason } = refusal;
  const system = access.kind === "grant" ? access.system : "none";
  const route = routeOf({ verb: rule, port: origin.port, protocol: origin.scheme });
  const denial = flow.deny({ system, target: origin.host, route, rule, title, reason });
  flow.because(`denied: ${rule}`);
  return await answerProblem(it, problemOf(denial, refusal.status), ports.limits, "last");
}

/** A name that nothing is granted for: said, and closed. */
async function explain(
  it: Exchange,
  { rule, reason }: Access & { kind: "explain" },
  { limits }: BrokerPorts,
): Promise<After> {
  const { flow, origin } = it;
  // The name is what is denied, so every request to it is the same route.
  const route = routeOf({ port: origin.port, protocol: origin.scheme });
  const title = "Nothing is granted for this name";
  const denial = flow.deny({ target: origin.host, route, rule, title, reason });
  flow.because(`denied: ${rule}`);
  return await answerProblem(it, problemOf(denial, 403), limits, "last");
}

async function deny(
  it: Exchange,
  action: Action,
  decision: Decision,
  { limits, run }: BrokerPorts,
): Promise<After> {
  const { incoming, origin, flow } = it;
  const { reason, hint, rule, verdict } = decision;
  const denial = flow.deny({
    system: action.system,
    target: action.target,
    route: routeOf({ verb: incoming.method, port: origin.port, protocol: origin.scheme }),
    effect: strictest(effectsOf(run.policy, decision, action)),
    rule,
    title: verdict === "confirm" ? "This waits for a person" : "This request is not granted",
    reason: hint === undefined ? reason : `${reason}; ${hint}`,
    action: action.id,
  });
  return await answerProblem(it, problemOf(denial, 403), limits, "next");
}
