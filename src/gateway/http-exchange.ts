/**
 * One HTTP request from its head to its outcome: check, read, describe, judge, record, forward, record.
 *
 * @module
 */
import { effectsOfMethod, type Action } from "../action/index.ts";
import { contentOf, isBare, isNamedByContent, type Entry } from "../catalog/index.ts";
import { CANARY, type Seen } from "../detect/index.ts";
import { assert, describeError, isFault } from "../base/index.ts";
import { routeOf, type Policy, type Rule } from "../policy/index.ts";
import { pendingProblem, problemOf, upstreamProblem, webSocketProblem } from "./denial.ts";
import { actionOf, leavingOf, strictest } from "./http-action.ts";
import { isReadWhole, readWhole, spool, type WholeBody } from "./http-body.ts";
import type { Access, BrokerPorts, HttpClient } from "./http-broker.ts";
import { forward, type Outcome } from "./http-forward.ts";
import { checkRequest, type CheckedRequest, type Refusal } from "./http-request.ts";
import type { After, ClientSide, UpstreamSide } from "./http-sides.ts";
import { endToEnd } from "./http-headers.ts";
import { needsBody } from "../vault/index.ts";
import { AnswerScreen, withCredential } from "./credential.ts";
import {
  CANARY_NAME,
  CANARY_USED,
  credentialOf,
  mayTellCanary,
  strayIn,
  strayPlaceholders,
} from "./placeholders.ts";
import { lookUp } from "./lookups.ts";
import { watchModelSocket } from "./model-socket.ts";
import { watchModel, type Watched } from "./model-watch.ts";
import type { Resolution, Verdict } from "./ports.ts";
import { plainSpeech, type SayPlainly } from "./said-plainly.ts";
import { asHandshake, checkHandshake } from "./websocket-handshake.ts";
import { openWebSocket } from "./websocket-open.ts";

/** A request as it stands on its connection. */
export interface Exchange extends HttpClient {
  readonly client: ClientSide;
  /** The connection's own, where something is granted. */
  readonly upstream: UpstreamSide | undefined;
  /** How its client reads refusals, where that is not HTTP's way. */
  readonly say?: SayPlainly;
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
  const entry = ports.run.entryOf(access.grant.system);
  const isReadAhead = entry === undefined ? isQuestion(request) : !isNamedByContent(entry, request);
  const first = await bodyOf(it, request, isReadAhead, ports);
  if (typeof first === "string") return first;
  const say = plainSpeech(entry, request, first.body?.bytes);
  const judged = await judge(
    { ...it, access, upstream, say },
    { request, entry, body: first.body },
    ports,
  );
  if (typeof judged === "string") return judged;
  const { action, decision, body, seen } = judged;
  const done = it.flow.stands(action);
  try {
    if (it.flow.socket.destroyed) return "last"; // Cut while it was being written.
    const granted = { ...it, access, upstream };
    const sent = await credentialed(
      granted,
      { request, action, body, upstream, decision, seen },
      ports,
    );
    return typeof sent === "string" ? sent : await perform(granted, sent, ports);
  } finally {
    done();
  }
}

type Granted = Exchange & {
  readonly access: Access & { kind: "grant" };
  readonly upstream: UpstreamSide;
};

interface Judged {
  readonly action: Action;
  readonly decision: Verdict;
  readonly body: WholeBody | undefined;
  readonly seen: Seen | undefined;
}

/** What only asks has no long body; whole, it is looked at. */
function isQuestion({ method }: CheckedRequest): boolean {
  return effectsOfMethod(method).every((effect) => effect === "read");
}

/** Asks whether the request may go; what waits for a person, or is denied, is answered here. */
async function judge(
  it: Granted,
  asked: { request: CheckedRequest; entry: Entry | undefined; body: WholeBody | undefined },
  ports: BrokerPorts,
): Promise<Judged | After> {
  const { flow, access, upstream } = it;
  const { request, entry } = asked;
  const { run, limits } = ports;
  let { body } = asked;
  const now = () => ports.clock.now();
  const look = () =>
    mayTellCanary(access.grant.system)
      ? undefined
      : ports.leaving.look(leavingOf(request, body, it.client.trailers));
  let seen = look();
  const context = () => ({
    run: run.id,
    at: now(),
    grant: access.grant,
    entry,
    cause: flow.process,
    seen,
  });
  const facts =
    entry === undefined
      ? {}
      : await lookUp(
          request,
          body?.bytes,
          { run, flow: flow.id, grant: access.grant, entry, upstream, limits, now },
          flow.process,
        );
  let action = actionOf(request, body, { ...context(), facts });
  const way = upstream.isUnconnected ? it.origin : undefined;
  let decision = await run.intend(action, flow.id, way);
  if (decision.connection !== undefined) upstream.adopt(decision.connection);
  if (decision.verdict === "allow") return { action, decision, body, seen };
  if (decision.verdict === "deny" || request.upgrade !== undefined)
    return await deny(it, action, decision);
  if (body === undefined && request.framing.kind !== "none") {
    // A person decides over all of it, so it is read to its end and judged once more.
    const whole = await bodyOf(it, request, true, ports);
    if (typeof whole === "string") return whole;
    body = whole.body;
    seen = look();
    action = actionOf(request, body, { ...context(), facts });
    decision = await run.intend(action, flow.id);
    if (decision.verdict !== "confirm") return await deny(it, action, decision);
  }
  const { scheme, host, port, method, target, headers } = request;
  // Its own placeholder gives way to the credential in the head, where that goes there; in what a person sees
  // nothing does.
  const own = isBare(entry, action.verb) ? undefined : access.grant.credential;
  const stray = [
    ...strayPlaceholders(run, { target, headers }, own),
    ...strayPlaceholders(run, { target: "", headers: [], body: body?.bytes }),
    ...strayIn(seen, [access.grant.credential]),
  ];
  if (stray.length > 0) return await refuseStray(it, action, decision, stray);
  const held = { scheme, host, port, method, target, headers, facts };
  const whole = body === undefined ? held : { ...held, body: body.bytes };
  const resolution = await run.hold(whole, action, flow.id);
  const watched = { run, grant: access.grant, entry, request, flow, action };
  await readHeld(watched, body?.bytes, resolution);
  return await resolve(it, action, decision, resolution);
}

/** What a person let through was sent and answered elsewhere; it is read before the agent gets it. */
async function readHeld(
  watched: Watched,
  body: Buffer | undefined,
  resolution: Resolution,
): Promise<void> {
  if (resolution.kind !== "answered") return;
  const model = watchModel(watched, body);
  const { status, headers, body: answer, isCut } = resolution.answer;
  await model?.request(body);
  model?.head(status, headers);
  await model?.push(answer);
  model?.end(isCut ? "its answer was cut" : undefined);
}

/** Tells the agent what became of a request that waited. */
async function resolve(
  it: Granted,
  action: Action,
  decision: Verdict,
  resolution: Resolution,
): Promise<After> {
  const { client, flow, say = asItIs } = it;
  if (client.isGone) return "last";
  const { approval } = resolution;
  if (resolution.kind === "answered") {
    const { answer, note } = resolution;
    const headers = endToEnd(answer.headers, ["content-length"]);
    const said = note === undefined ? [] : ["x-cofferdam-edited", note];
    const { status, body } = answer;
    const isWhole = client.head.method === "HEAD" || status === 204 || status === 304;
    const length = isWhole ? [] : ["content-length", String(body.length)];
    const fields = [...headers, ...length, "x-cofferdam-approval", approval, ...said];
    client.answer({ status, reason: "", headers: fields, isWhole }, isWhole ? NO_BODY : body, []);
    return client.isComplete ? "next" : "last";
  }
  const isPending = resolution.kind === "pending";
  const title = isPending ? "This waits for a person" : "A person did not allow this";
  const denial = flow.deny({
    ...denialOf(it, action, decision),
    ...(isPending ? { waits: true as const } : {}),
    rule: isPending ? "approval-pending" : "approval-denied",
    title,
    reason: resolution.reason,
  });
  const problem = isPending ? pendingProblem(denial, approval) : problemOf(denial, 403);
  return await client.refuse(say(problem, denial, action), "next");
}

const asItIs: SayPlainly = (problem) => problem;

const NO_BODY = Buffer.alloc(0);

function ruleOf(policy: Policy, decision: Verdict): Rule | undefined {
  const rules = policy.grants.flatMap((grant) => grant.rules);
  return rules.find((rule) => rule.name === decision.rule);
}

/** The request with its credential, where its grant names one; the last thing before it is sent. */
async function credentialed(
  it: Granted,
  permitted: Permitted,
  ports: BrokerPorts,
): Promise<Permitted | After> {
  const { access } = it;
  const { action, decision } = permitted;
  const { request } = permitted;
  let { body } = permitted;
  const bare = isBare(ports.run.entryOf(access.grant.system), action.verb);
  const credential = credentialOf(ports.run, access.grant, decision, bare);
  let sent: Permitted = permitted;
  if (credential !== undefined) {
    if (needsBody(credential.lease) && body === undefined && request.framing.kind !== "none") {
      const whole = await bodyOf(it, request, true, ports);
      if (typeof whole === "string") return whole;
      body = whole.body;
    }
    try {
      const attached = withCredential(request, body?.bytes, credential, ports.clock.now().wallMs);
      sent = { ...permitted, request: attached, body, screen: new AnswerScreen(credential.lease) };
    } catch (error) {
      if (!isFault(error)) throw error;
      return await refuseCredential(it, action, decision, describeError(error));
    }
  }
  // What is left of placeholders now was where no credential goes.
  const { target, headers } = sent.request;
  const looked = { target, headers, body: body?.bytes };
  const own = mayTellCanary(access.grant.system) ? CANARY_NAME : undefined;
  const stray = [
    ...strayPlaceholders(ports.run, looked, own),
    ...strayIn(permitted.seen, [own, access.grant.credential]),
  ];
  if (stray.length === 0) return sent;
  return await refuseStray(it, action, decision, stray);
}

async function refuseStray(
  it: Granted,
  action: Action,
  decision: Verdict,
  stray: readonly string[],
): Promise<After> {
  if (stray.includes(CANARY_NAME)) {
    const about = { detector: CANARY.name, score: 1, action: action.id };
    it.flow.find("exfiltration", `${CANARY_USED}: ${action.target}`, about);
    return await refuseCredential(it, action, decision, CANARY_USED);
  }
  const reason = `the placeholder of ${stray.join(", ")} stands where that credential does not belong`;
  it.flow.find("credential", `${reason}: ${action.target}`);
  return await refuseCredential(it, action, decision, reason);
}

/** It was allowed, and is not sent. */
async function refuseCredential(
  it: Granted,
  action: Action,
  decision: Verdict,
  reason: string,
): Promise<After> {
  const title = "The credential cannot be used so";
  const denial = it.flow.deny({
    ...denialOf(it, action, decision),
    rule: "credential",
    title,
    reason,
  });
  return await it.client.refuse(problemOf(denial, 403), "next");
}

interface Permitted {
  readonly request: CheckedRequest;
  readonly action: Action;
  readonly body: WholeBody | undefined;
  readonly upstream: UpstreamSide;
  readonly decision: Verdict;
  readonly seen: Seen | undefined;
  readonly screen?: AnswerScreen;
}

async function carry(it: Granted, permitted: Permitted, ports: BrokerPorts): Promise<Outcome> {
  const { client, flow } = it;
  const { request, action, body, upstream, decision, screen } = permitted;
  const { limits, run } = ports;
  const { grant } = it.access;
  const entry = run.entryOf(grant.system);
  const watched: Watched = { run, grant, entry, request, flow, action };
  if (request.upgrade === undefined) {
    const { method, path } = request;
    const { with: options = {} } = grant;
    const content = contentOf(entry, action.verb, { method, path, options });
    const model = watchModel(watched, body?.bytes);
    const isWhole = body !== undefined || request.framing.kind === "none";
    if (isWhole) await model?.request(body?.bytes);
    const outcome = await forward({
      ...{ request, client, body: body?.bytes, upstream, screen, content, model, limits },
    });
    model?.end(outcome.failure?.detail);
    return outcome;
  }
  return openWebSocket({
    request,
    client,
    upstream,
    flow,
    system: action.system,
    opaque: ruleOf(run.policy, decision)?.opaque === true,
    screen,
    model: watchModelSocket(watched),
    limits,
  });
}

async function perform(it: Granted, permitted: Permitted, ports: BrokerPorts): Promise<After> {
  const { client, flow } = it;
  const { request, action } = permitted;
  const outcome = await carry(it, permitted, ports);
  const { monoMs } = ports.clock.now();
  if (outcome.redacted !== undefined) {
    flow.find(
      "credential",
      `the answer of ${action.target} held its credential, which was blackened`,
    );
  }
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
      ...(outcome.redacted === undefined ? {} : { redacted: outcome.redacted }),
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

/** The whole body where it is short enough or has to be, nothing where it streams or is not there. */
async function bodyOf(
  it: Exchange,
  request: CheckedRequest,
  mustBeWhole: boolean,
  { limits }: BrokerPorts,
): Promise<{ readonly body: WholeBody | undefined } | After> {
  const { client, flow } = it;
  const isSpooled = mustBeWhole && request.framing.kind !== "none";
  if (!isSpooled && !isReadWhole(request, limits)) return { body: undefined };
  try {
    const body = isSpooled ? await spool(client, request, limits) : await readWhole(client, limits);
    if (body.mining !== undefined) {
      flow.offend("stratum", body.mining, "in an HTTP request");
      return "last";
    }
    if (client.isComplete) return { body };
    client.cut();
  } catch (error) {
    if (!isFault(error)) throw error;
    if (error.code === "gateway.body_long") {
      const title = "The request cannot be judged as a whole";
      const reason = describeError(error);
      return await refuse(it, { status: 413, rule: "http.body_long", title, reason });
    }
    if (client.isAlone) flow.cut(error.message);
    else client.cut();
  }
  return "last";
}

/** A request that is not one plain request for this origin: answered, and the last of its connection. */
export async function refuse(it: Exchange, refusal: Refusal): Promise<After> {
  const { client, flow, origin, access } = it;
  const { rule, title, reason } = refusal;
  const system = access.kind === "grant" ? access.grant.name : "none";
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

function denialOf({ client, origin }: Exchange, action: Action, { effects }: Verdict) {
  return {
    system: action.system,
    target: action.target,
    route: routeOf({ verb: client.head.method, port: origin.port, protocol: origin.scheme }),
    effect: strictest(effects),
    action: action.id,
  };
}

async function deny(it: Exchange, action: Action, decision: Verdict): Promise<After> {
  const { client, flow, say = asItIs } = it;
  const { reason, hint, rule, verdict } = decision;
  const denial = flow.deny({
    ...denialOf(it, action, decision),
    rule,
    title: verdict === "confirm" ? "Nobody can be asked about this" : "This request is not granted",
    reason: hint === undefined ? reason : `${reason}; ${hint}`,
  });
  const isUpgrade = client.head.isUpgrade === true;
  const problem = isUpgrade ? webSocketProblem(denial) : problemOf(denial, 403);
  return await client.refuse(say(problem, denial, action), "next");
}
