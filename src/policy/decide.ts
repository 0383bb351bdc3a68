/**
 * The decision: an action, what the run has done so far, and the policy give a verdict, the rule that
 * decided, and what holds from now on. Pure: no clock, no memory of its own.
 *
 * @module
 */
import { SESSION_VERB, VERDICTS, type Action, type Effect, type Verdict } from "../action/index.ts";
import { useAllowance } from "./allowance.ts";
import { NO_GRANT } from "./connect.ts";
import { canonicalHost } from "./host-pattern.ts";
import { matchesObject, printObject, printVerbs, type Written } from "./object-glob.ts";
import { matchesPath } from "./path-glob.ts";
import { readingsOf, type PathReading } from "./path.ts";
import { printDuration } from "../base/index.ts";
import { grantFor, type Grant, type Policy, type Rule } from "./policy.ts";
import { initialPolicyState, type PolicyState } from "./state.ts";
import { CONFIRMED_EFFECTS } from "./task-checks.ts";
import type { Unattended } from "./task.ts";
import { matchesVerb } from "./verb.ts";

/** What becomes of an action. */
export interface Decision {
  /** `confirm` waits for a person. */
  readonly verdict: Verdict;
  /** The rule that decided: `grants[0].allow[1]`, `grants[0]`, `no-grant`. */
  readonly rule: string;
  readonly reason: string;
  /** What the run may do instead. */
  readonly hint?: string;
  /** What the action was judged to do: by the rules that matched, else as the action says. */
  readonly effects: readonly Effect[];
  /** The state from now on; the old one where nothing was allowed. */
  readonly state: PolicyState;
}

/** Decides over `action`. The strictest verdict over its effects and over all readings of its path. */
export function decide(policy: Policy, state: PolicyState, action: Action): Decision {
  const deny = (rule: string, reason: string, hint?: string): Decision => ({
    verdict: "deny",
    rule,
    reason,
    ...(hint === undefined ? {} : { hint }),
    effects: action.effects,
    state,
  });
  if (action.kind === "tcp") return decideConnection(policy, state, action);
  const place = readPlace(action);
  if (place === undefined) return deny(NO_GRANT, "the request was not understood");
  const host = canonicalHost(place.host);
  const grant = host === undefined ? undefined : grantFor(policy, host, place.port);
  if (grant === undefined) {
    return deny(NO_GRANT, `the task grants nothing at ${place.host}:${place.port}`);
  }
  if (grant.revoked) return deny(grant.rule, `the grant ${grant.name} was revoked`);
  if (grant.kind !== "http" && grant.kind !== "session") {
    return deny(grant.rule, `${grant.name} is no grant of requests`);
  }
  if (action.system !== grant.name) {
    return deny(grant.rule, `the request was taken for ${action.system}, but is ${grant.name}`);
  }
  if (action.kind !== grant.system) {
    const kind = JSON.stringify(action.kind);
    return deny(grant.rule, `${grant.name} is of kind ${grant.system}, and the request of ${kind}`);
  }
  if (grant.kind === "session") return decideVerbs(state, action, grant);
  const request = readRequest(action);
  if (request === undefined) return deny(NO_GRANT, "the request was not understood");
  const scheme = grant.tls ? "https" : "http";
  if (request.scheme !== scheme) {
    return deny(grant.rule, `${grant.name} is granted over ${scheme} only`, `use ${scheme}://`);
  }
  const readings = readingsOf(request.path);
  if (readings === undefined) {
    const reason = "servers differ on what this path means";
    return deny(grant.rule, reason, "send a path without dot segments, `//`, `;` and backslashes");
  }
  if (grant.system !== "http") return decideVerbs(state, action, grant);
  const rules = readings.map((reading) => ruleFor(grant, request.method, reading));
  const found = rules.filter((rule) => rule !== undefined);
  if (found.length < rules.length) {
    const reason = `${grant.name} grants no ${request.method} on ${request.path.slice(0, 200)}`;
    return deny(grant.rule, reason, allowedBy(grant));
  }
  if (request.upgrade !== undefined && found.some((rule) => rule.websocket !== true)) {
    const reason = `${grant.name} grants no ${request.upgrade} on ${request.path.slice(0, 200)}`;
    return deny(grant.rule, reason, "the rule would have to say websocket: true");
  }
  const uses = [...new Set(found)].map((rule) => ({
    rule,
    effects: rule.effects ?? action.effects,
    count: 1,
  }));
  return judge(state, { action, grant, uses });
}

/** What a system of the catalog is asked: each of its parts must be covered by a rule. */
function decideVerbs(state: PolicyState, action: Action, grant: Grant): Decision {
  const parts = action.parts ?? [{ verb: action.verb, effects: action.effects }];
  const uses: Use[] = [];
  for (const part of parts) {
    const { verb, effects } = part;
    const rule = isKeptUp(grant, part)
      ? sessionRule(grant)
      : grant.rules.find((one) => coversPart(one, part));
    if (rule === undefined) {
      const on =
        part.object === undefined
          ? ""
          : ` on ${printObject(part.object, writtenOf(grant, verb)).slice(0, OBJECT_CHARS_MAX)}`;
      const what = `${verb}${on} (${effects.join(", ")})`;
      const reason = `${grant.name} grants no ${what}`;
      return {
        verdict: "deny",
        rule: grant.rule,
        reason,
        hint: allowedBy(grant),
        effects: action.effects,
        state,
      };
    }
    uses.push({ rule, effects: rule.effects ?? effects, count: part.count ?? 1 });
  }
  return judge(state, { action, grant, uses });
}

/** How its objects are written, as far as its rules tell. */
function writtenOf({ rules }: Grant, verb: string): Written {
  const named = rules.filter(({ separator }) => separator !== undefined);
  const own = named.find(({ verbs = [] }) => verbs.some((pattern) => matchesVerb(pattern, verb)));
  return own ?? named[0] ?? {};
}

const OBJECT_CHARS_MAX = 200; // In a sentence.

/** Whether it only opens, keeps or ends a session, which every grant of one has. */
function isKeptUp(grant: Grant, { verb, effects }: Part): boolean {
  return (
    grant.kind === "session" && verb === SESSION_VERB && effects.every((one) => one === "read")
  );
}

function sessionRule({ rule: name }: Grant): Rule {
  return { name, methods: [], paths: [], verbs: [SESSION_VERB] };
}

type Part = NonNullable<Action["parts"]>[number];

function coversPart(rule: Rule, { verb, effects, object }: Part): boolean {
  const { verbs = [], on, doing } = rule;
  if (!verbs.some((pattern) => matchesVerb(pattern, verb))) return false;
  if (
    on !== undefined &&
    !(object !== undefined && on.some((glob) => matchesObject(glob, object)))
  ) {
    return false;
  }
  return doing === undefined || effects.every((effect) => doing.includes(effect));
}

/**
 * A connection whose content nobody judges: it is granted or not, as a whole. It may carry anything
 * anywhere, so after private data was read it is a write to another system.
 */
function decideConnection(policy: Policy, state: PolicyState, action: Action): Decision {
  const { host, port } = action.fields;
  const name = typeof host === "string" ? canonicalHost(host) : undefined;
  const grant =
    name === undefined || typeof port !== "number" ? undefined : grantFor(policy, name, port);
  const answer = (opinion: Opinion): Decision => ({ ...opinion, effects: action.effects, state });
  if (grant === undefined || grant.revoked || grant.kind === "http" || grant.kind === "session") {
    const reason = `no connection to ${action.target} is granted`;
    return answer({ verdict: "deny", rule: grant?.rule ?? NO_GRANT, reason });
  }
  if (action.system !== grant.name) {
    const reason = `the connection was taken for ${action.system}, but is ${grant.name}`;
    return answer({ verdict: "deny", rule: grant.rule, reason });
  }
  const source = unpairedSource(state, grant);
  if (source !== undefined) return answer(waitsForPair(grant, grant.rule, source, "a connection"));
  const held = heldBack(state, grant, "execute");
  if (held !== undefined) return answer(held);
  const reason = `${grant.name} may be connected to`;
  return answer({ verdict: "allow", rule: grant.rule, reason });
}

function waitsForPair(grant: Grant, rule: string, source: string, what: string): Opinion {
  return {
    verdict: "confirm",
    rule,
    reason: `private data was read from ${source}, so ${what} to ${grant.name} waits for a person`,
    hint: `the task file can pair the two: pairs: [${source}] in the grant ${grant.name}`,
  };
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function readPlace({ fields }: Action): Place | undefined {
  const { host, port } = fields;
  return typeof host === "string" && typeof port === "number" ? { host, port } : undefined;
}

interface Request {
  readonly method: string;
  readonly scheme: string;
  readonly path: string;
  /** What the connection would become. */
  readonly upgrade?: string;
}

function readRequest({ fields }: Action): Request | undefined {
  const { method, scheme, path, upgrade } = fields;
  // Only what is known to be spoken in messages that are judged can be granted.
  if (upgrade !== undefined && upgrade !== "websocket") return undefined;
  return typeof method === "string" && typeof scheme === "string" && typeof path === "string"
    ? { method, scheme, path, ...(upgrade === undefined ? {} : { upgrade }) }
    : undefined;
}

function ruleFor(grant: Grant, method: string, reading: PathReading): Rule | undefined {
  return grant.rules.find(
    (rule) =>
      rule.methods.includes(method) && rule.paths.some((glob) => matchesPath(glob, reading)),
  );
}

/** A rule that an action needs, and what the action does by it. */
interface Use {
  readonly rule: Rule;
  readonly effects: readonly Effect[];
  /** How often: each uses up leave. */
  readonly count: number;
}

interface Case {
  readonly action: Action;
  readonly grant: Grant;
  /** For each reading of the path, or each part of the action. */
  readonly uses: readonly Use[];
}

interface Opinion {
  readonly verdict: Verdict;
  readonly rule: string;
  readonly reason: string;
  readonly hint?: string;
}

function judge(state: PolicyState, matched: Case): Decision {
  const { action, grant, uses } = matched;
  const opinions = uses.flatMap(({ rule, effects: does, count }, at) => {
    // Each part uses up leave of its own, and each statement of a part.
    const others = uses.slice(0, at).filter((use) => use.rule === rule && isConfirmed(use));
    const before = others.reduce((sum, use) => sum + use.count, 0) + count - 1;
    return does.map((effect) => opinionOn(state, { action, grant, rule, effect, before }));
  });
  const effects = [...new Set(uses.flatMap((use) => use.effects))];
  const [first, ...rest] = opinions;
  if (first === undefined) {
    const reason = "the action says not what it does";
    return { verdict: "deny", rule: grant.rule, reason, effects, state };
  }
  const strictest = rest.reduce((a, b) => (severity(b) > severity(a) ? b : a), first);
  if (strictest.verdict === "confirm") {
    return state.confirmAll === undefined
      ? withAllowance(state, matched, strictest, effects)
      : { ...strictest, effects, state };
  }
  const next = strictest.verdict === "allow" ? stateAfter(state, matched) : state;
  return { ...strictest, effects, state: next };
}

/** What a person let through for this run does not wait again. */
function withAllowance(
  state: PolicyState,
  matched: Case,
  strictest: Opinion,
  effects: readonly Effect[],
): Decision {
  const { action } = matched;
  for (const [at, allowance] of state.allowances.entries()) {
    const used = useAllowance(
      allowance,
      { ...action, effects: [...effects] },
      Date.parse(action.at),
    );
    if (used === undefined) continue;
    const after = stateAfter({ ...state, allowances: state.allowances.with(at, used) }, matched);
    const reason = `a person allowed more of the same for this run (${used.count} left)`;
    return { verdict: "allow", rule: `allowance.${allowance.id}`, reason, effects, state: after };
  }
  return { ...strictest, effects, state };
}

function severity(opinion: Opinion): number {
  return VERDICTS.indexOf(opinion.verdict);
}

interface Point {
  readonly action: Action;
  readonly grant: Grant;
  readonly rule: Rule;
  readonly effect: Effect;
  /** How many of the same action the rule lets pass before the last of this part. */
  readonly before: number;
}

function isConfirmed({ effects }: Use): boolean {
  return effects.some((effect) => CONFIRMED_EFFECTS.has(effect));
}

function opinionOn(state: PolicyState, point: Point): Opinion {
  const { grant, rule, effect } = point;
  if (effect === "read" || effect === "read-private") {
    return { verdict: "allow", rule: rule.name, reason: `${grant.name} may be read` };
  }
  const source = unpairedSource(state, grant);
  if (source !== undefined) return waitsForPair(grant, rule.name, source, effect);
  const held = heldBack(state, grant, effect);
  if (held !== undefined) return held;
  if (!CONFIRMED_EFFECTS.has(effect)) {
    return { verdict: "allow", rule: rule.name, reason: `${grant.name} allows ${effect}` };
  }
  return opinionOnHighImpact(state, point);
}

/** After a finding whose response is `confirm-all`, a person decides over every change (INV-151). */
function heldBack({ confirmAll }: PolicyState, grant: Grant, effect: Effect): Opinion | undefined {
  if (confirmAll === undefined) return undefined;
  if (effect === "write" && confirmAll.except.includes(grant.name)) return undefined;
  return {
    verdict: "confirm",
    rule: "finding.confirm-all",
    reason: `since ${confirmAll.why}, ${effect} waits for a person`,
  };
}

/** A system whose private data the run has read and which is not paired with this grant. */
function unpairedSource(state: PolicyState, grant: Grant): string | undefined {
  return state.readPrivately.find((name) => name !== grant.name && !grant.pairs.includes(name));
}

function opinionOnHighImpact(state: PolicyState, point: Point): Opinion {
  const { action, rule, effect, before } = point;
  const confirm = (why: string): Opinion => ({
    verdict: "confirm",
    rule: rule.name,
    reason: `${effect} waits for a person${why}`,
  });
  const { unattended } = rule;
  if (unattended === undefined) return confirm("");
  const nowMs = Date.parse(action.at);
  // Written so that a time which cannot be read counts as too late.
  if (!(nowMs < unattended.expiresMs)) return confirm(": the rule's `unattended` is over");
  const used = usedOf(state, rule.name, unattended, nowMs) + before;
  if (used >= unattended.count) {
    const within = unattended.perMs === undefined ? "" : ` of ${printDuration(unattended.perMs)}`;
    return confirm(`: the rule's ${unattended.count} unattended actions${within} are used up`);
  }
  const reason = `${effect} passes unattended (${used + 1} of ${unattended.count}): ${unattended.reason}`;
  return { verdict: "allow", rule: rule.name, reason };
}

/** How much of a rule's leave is used up: of the run, or of the time before now. */
function usedOf(state: PolicyState, rule: string, { perMs }: Unattended, nowMs: number): number {
  if (perMs === undefined) return state.unattendedUsed[rule] ?? 0;
  return (state.unattendedAt[rule] ?? []).filter((at) => at > nowMs - perMs).length;
}

/**
 * Reports whether what `action` was allowed is still granted, whatever counts were used up since. `isApproved`: a
 * person let it in, and not a rule.
 */
export function isStanding(
  policy: Policy,
  state: PolicyState,
  action: Action,
  isApproved = false,
): boolean {
  // Only a connection of which nobody sees the content is another thing after a private read.
  const { readPrivately } = action.kind === "tcp" ? state : initialPolicyState;
  const fresh = { ...initialPolicyState, readPrivately };
  const { verdict } = decide(policy, fresh, action);
  // What was let through by an allowance used it up by that.
  const isLeft = state.allowances.some(
    ({ system, verb }) => system === action.system && verb === action.verb,
  );
  return verdict === "allow" || (verdict === "confirm" && (isApproved || isLeft));
}

function stateAfter(state: PolicyState, { action, grant, uses }: Case): PolicyState {
  const used = { ...state.unattendedUsed };
  const at = { ...state.unattendedAt };
  const nowMs = Date.parse(action.at);
  let { readPrivately } = state;
  for (const { rule, effects, count } of uses) {
    if (effects.some((effect) => CONFIRMED_EFFECTS.has(effect))) {
      used[rule.name] = (used[rule.name] ?? 0) + count;
      const { perMs } = rule.unattended ?? {};
      if (perMs !== undefined) {
        const recent = (at[rule.name] ?? []).filter((one) => one > nowMs - perMs);
        at[rule.name] = [...recent, ...Array<number>(count).fill(nowMs)];
      }
    }
    if (effects.includes("read-private") && !readPrivately.includes(grant.name)) {
      readPrivately = [...readPrivately, grant.name];
    }
  }
  return { ...state, unattendedUsed: used, unattendedAt: at, readPrivately };
}

const HINT_RULES_MAX = 5;

function allowedBy(grant: Grant): string {
  const rules = grant.rules.slice(0, HINT_RULES_MAX).map((rule) => {
    const { methods, paths, verbs } = rule;
    if (verbs !== undefined) return printVerbs({ ...rule, verbs });
    const globs = paths.slice(0, HINT_RULES_MAX).map((glob) => glob.source);
    return `${methods.join(", ")} ${globs.join(" ")}`;
  });
  return `allowed there: ${rules.join("; ")}`;
}
