/**
 * What a denial says, and in which forms: RFC 9457 for HTTP, one JSON line in the run's denials file.
 *
 * A denial is written for the agent: what was refused, by which rule, and what it may do instead, so
 * that it changes its plan rather than its route.
 *
 * @module
 */
import { OWN_HOST, OWN_SYSTEM, type Effect, type Process } from "../action/index.ts";
import {
  canonicalHost,
  type Grant,
  matchesHost,
  type Policy,
  printHostPattern,
  printVerbs,
} from "../policy/index.ts";

const ALLOWED_MAX = 10; // Lines of "what you may do instead".
const DETAIL_CHARS_MAX = 500;
/** Where an agent reads what it may do, and asks for more. */
const HELP = `http://${OWN_HOST}/`;
const CONTENT_TYPE = "application/problem+json";

/** One refusal, whatever was refused. */
export interface Denial {
  /** The grant's system, or "none". */
  readonly system: string;
  /** What was refused, in the form that stickiness compares: a host, an address, a URL without query. */
  readonly target: string;
  /** The way that was tried, so that several ways to one target show; policy's `routeOf` writes it. */
  readonly route: string;
  readonly effect?: Effect;
  readonly rule: string;
  /** A few words, the same for every denial of this sort. */
  readonly title: string;
  /** One sentence: why. */
  readonly reason: string;
  /** What it may do instead, as lines for a reader. */
  readonly allowed: readonly string[];
  readonly process: Process;
  readonly flow?: string;
  readonly action?: string;
  /** It waits for a person, and is no attempt that failed: it counts for no stickiness. */
  readonly waits?: true;
  /** It only asks what there is, and counts for no stickiness either; policy's `isProbe`. */
  readonly probes?: true;
  /** How many equal refusals this stands for; 1 by default. */
  readonly count?: number;
}

/** A response in the form of RFC 9457. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Writes `denial` as a response. `type` is a URN of ours: there is no page behind it to fetch. */
export function problemOf(denial: Denial, status: number): Problem {
  return problem(status, "denied", {
    type: `urn:cofferdam:denial:${denial.rule.replace(/[^a-z0-9.-]+/gi, "-")}`,
    title: denial.title,
    detail: denial.reason,
    instance: `urn:cofferdam:${denial.action ?? denial.flow ?? "run"}`,
    rule: denial.rule,
    system: denial.system,
    allowed: denial.allowed,
    help: HELP,
  });
}

/**
 * To a refused WebSocket 426 says what a 403 does not: this protocol no, HTTP/1.1 yes (RFC 9110, 15.5.22). Clients
 * that can do without fall back at once, others take it for the refusal it is: docs/decisions/0112.
 */
export function webSocketProblem(denial: Denial): Problem {
  const refused = problemOf(denial, 426);
  return { ...refused, headers: { ...refused.headers, upgrade: "HTTP/1.1" } };
}

/**
 * To a request that waits for a person: never a success, and it says how to go on. Asking again with the
 * very same request joins the one that waits, and is given the answer once it was performed.
 */
export function pendingProblem(denial: Denial, approval: string): Problem {
  return problem(403, "approval-pending", {
    type: "urn:cofferdam:approval-pending",
    title: "This waits for a person",
    detail: denial.reason,
    instance: `urn:cofferdam:approval:${approval}`,
    approval,
    rule: denial.rule,
    system: denial.system,
    allowed: denial.allowed,
    help: HELP,
  });
}

/** A failure on the way to the upstream: the agent did nothing wrong, and may try again later. */
export function upstreamProblem(
  status: 502 | 503 | 504,
  code: string,
  detail: string,
  instance: string,
): Problem {
  const title = "The upstream could not be used";
  return problem(status, "upstream", {
    type: `urn:cofferdam:upstream:${code}`,
    title,
    detail,
    instance: `urn:cofferdam:${instance}`,
    code,
  });
}

/** `said` tells a client our answer from the site's own 403 or 502. */
function problem(status: number, said: string, members: Record<string, unknown>): Problem {
  const { type, title, ...rest } = members;
  const detail = typeof rest["detail"] === "string" ? clip(rest["detail"]) : undefined;
  const body = Buffer.from(`${JSON.stringify({ type, title, status, ...rest, detail })}\n`);
  return {
    status,
    headers: {
      "content-type": CONTENT_TYPE,
      "content-length": String(body.length),
      "cache-control": "no-store",
      "x-cofferdam": said,
    },
    body,
  };
}

/** The whole response as bytes, for where no parser stands behind the socket any more. */
export function problemBytes(answer: Problem): Buffer {
  const reason = answer.status === 421 ? "Misdirected Request" : "Refused";
  const head = [
    `HTTP/1.1 ${answer.status} ${reason}`,
    ...Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), answer.body]);
}

/** One line of `/run/cofferdam/denials.jsonl`, with its line feed. `at` is RFC 3339. */
export function denialLine(denial: Denial, at: string): string {
  const { system, target, route, effect, rule, title, allowed, flow, action } = denial;
  const { pid, exe } = denial.process;
  const reason = clip(denial.reason);
  const line = { at, system, target, route, effect, rule, title, reason, allowed, pid, exe };
  return `${JSON.stringify({ ...line, flow, action })}\n`;
}

/** What a run may do at `host`, or anywhere where it may do nothing there. */
export function allowedInstead(policy: Policy, host: string | undefined): readonly string[] {
  const grants = policy.grants.filter(({ name }) => name !== OWN_SYSTEM);
  const here = grants.filter((grant) => host !== undefined && grantCovers(grant, host));
  const lines = (here.length > 0 ? here : grants).flatMap(grantLines);
  if (lines.length <= ALLOWED_MAX) return lines;
  return [...lines.slice(0, ALLOWED_MAX), `and ${lines.length - ALLOWED_MAX} more rules`];
}

function clip(text: string): string {
  return text.length <= DETAIL_CHARS_MAX ? text : `${text.slice(0, DETAIL_CHARS_MAX)}...`;
}

function grantCovers(grant: Grant, host: string): boolean {
  const name = canonicalHost(host);
  return name !== undefined && grant.hosts.some((pattern) => matchesHost(pattern, name));
}

/** "GET, HEAD https://docs.example.com:443/v1/**", one line a rule. */
function grantLines({ system, hosts, ports, tls, rules, kind, revoked }: Grant): readonly string[] {
  if (revoked) return [];
  const names = hosts.map(printHostPattern).join(" or ");
  if (kind === "splice" || kind === "opaque")
    return [`connections to ${names}:${ports.join(",")}, not looked into`];
  const scheme = kind === "session" ? system : tls ? "https" : "http";
  const place = `${scheme}://${names}:${ports.join(",")}`;
  return rules.map((rule) => {
    const { methods, paths, verbs } = rule;
    if (verbs !== undefined) return `${system} at ${place}: ${printVerbs({ ...rule, verbs })}`;
    return `${methods.join(", ")} ${place} ${paths.map((glob) => glob.source).join(" or ")}`;
  });
}
