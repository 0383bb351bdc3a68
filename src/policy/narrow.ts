/**
 * Narrowing: is one policy no wider than another? Asked before a living run's policy is replaced, and
 * answered so that a "no wider" is always true; a "wider" may be wrong where rules are tangled.
 *
 * The proof goes by what decides. The first grant with host and port decides over a connection, the
 * first rule over a request; so for whatever a new grant or rule could decide, everything that decides
 * there today must be at least as lenient, unless a new one before it takes that part away. Names tie
 * grants together, since what was read privately is remembered by name. docs/decisions/0025.
 *
 * @module
 */
import {
  coversPattern,
  printHostPattern,
  sharedPattern,
  type HostPattern,
} from "./host-pattern.ts";
import { areDisjointGlobs, coversGlob, type PathGlob } from "./path-glob.ts";
import { compilePolicy, compileRunPolicy, type Grant, type Policy, type Rule } from "./policy.ts";
import { printPublished } from "./publish.ts";
import type { PolicyState } from "./state.ts";
import type { Task } from "./task.ts";

const WIDER_MAX = 20; // Sentences; more are not read.

/** Whether `policy` may replace the present one. */
export interface Narrowing {
  readonly policy: Policy;
  /** What would be wider, in sentences; empty where nothing would. */
  readonly wider: readonly string[];
  /** The present state under the new policy: counts follow their rules. */
  readonly state: PolicyState;
  /** Rules of the new policy that let something pass unattended, each with the present one whose count is its own. */
  readonly counts: ReadonlyMap<string, string>;
}

/** What a run has now. */
export interface Present {
  readonly task: Task;
  readonly policy: Policy;
  readonly state: PolicyState;
}

/** Compares `task` with what a run has; what was revoked stays so. */
export function narrowPolicy(present: Present, task: Task): Narrowing {
  const revoked = present.policy.grants.filter((grant) => grant.revoked).map(({ name }) => name);
  const { grants } = compilePolicy(task, revoked); // What every run has besides is the same before and after.
  const counts = new Map<string, string>(); // New rule to the present one of which it takes the count.
  const wider = [
    ...widerTask(present.task, task),
    ...grants.flatMap((grant, at) =>
      grant.revoked ? [] : widerGrant(grant, grants.slice(0, at), present.policy.grants, counts),
    ),
  ];
  const used = Object.fromEntries(
    [...counts].map(([rule, from]) => [rule, present.state.unattendedUsed[from] ?? 0]),
  );
  const at = Object.fromEntries(
    [...counts].map(([rule, from]) => [rule, present.state.unattendedAt[from] ?? []]),
  );
  return {
    policy: compileRunPolicy(task, revoked),
    wider: [...new Set(wider)].slice(0, WIDER_MAX),
    state: { ...present.state, unattendedUsed: used, unattendedAt: at },
    counts,
  };
}

function widerTask(before: Task, after: Task): readonly string[] {
  const settled = differences(settledIn(before), settledIn(after)).map(
    ({ key }) => `${key.replace(/Ms$/, "")} is settled when a run starts`,
  );
  const responses = Object.entries(before.respond).flatMap(([kind, responses]) => {
    const next = after.respond[kind as keyof Task["respond"]];
    // A run that is ended needs nothing else.
    const lost = next.includes("kill") ? [] : responses.filter((one) => !next.includes(one));
    return lost.map((one) => `respond.${kind} would be milder than ${one}`);
  });
  const open = new Set(before.publish.map(printPublished));
  const ports = after.publish
    .map(printPublished)
    .filter((port) => !open.has(port))
    .map((port) => `publish ${port} is not open now`);
  return [...settled, ...responses, ...ports];
}

/** What `grant` would decide more leniently than `present` does, behind the new grants `earlier`. */
function widerGrant(
  grant: Grant,
  earlier: readonly Grant[],
  present: readonly Grant[],
  counts: Map<string, string>,
): readonly string[] {
  const wider: string[] = [];
  const same = new Set<Grant>();
  for (const host of grant.hosts) {
    for (const port of grant.ports) {
      wider.push(...widerAt(grant, { host, port }, earlier, present, same));
    }
  }
  for (const old of same) wider.push(...widerTerms(old, grant), ...widerRules(old, grant, counts));
  return wider;
}

interface Place {
  readonly host: HostPattern;
  readonly port: number;
}

/** Adds to `same` the present grant of this name, where it decides at `place` today. */
function widerAt(
  grant: Grant,
  { host, port }: Place,
  earlier: readonly Grant[],
  present: readonly Grant[],
  same: Set<Grant>,
): readonly string[] {
  const where = `${printHostPattern(host)} on port ${port}`;
  const wider: string[] = [];
  for (const old of present) {
    if (!old.ports.includes(port)) continue;
    const shared = old.hosts.flatMap((pattern) => sharedPattern(pattern, host) ?? []);
    if (shared.length === 0) continue;
    const isTaken = (part: HostPattern) => earlier.some((one) => covers(one, { host: part, port }));
    if (old.name === grant.name && !old.revoked) same.add(old);
    else if (!shared.every(isTaken)) {
      const why = old.revoked ? "was revoked" : `decides over ${where} now`;
      wider.push(`${grant.name}: the grant ${old.name} ${why}`);
    }
    if (covers(old, { host, port })) return wider;
  }
  return [...wider, `${grant.name}: ${where} is not granted now`];
}

function covers(grant: Grant, { host, port }: Place): boolean {
  return grant.ports.includes(port) && grant.hosts.some((pattern) => coversPattern(pattern, host));
}

/** All of a task that cannot change while its run lives, also what is not known here yet. */
function settledIn(task: Task): object {
  return without(task, ["task", "purpose", "grants", "publish", "respond"]);
}

/** How the connection is made, and what else a grant lets be. */
function widerTerms(old: Grant, grant: Grant): readonly string[] {
  const differs = differences(wayOf(old), wayOf(grant)).map(
    ({ key, was }) => `${key} is ${was === undefined ? "absent" : JSON.stringify(was)} now`,
  );
  if (grant.ca !== undefined && grant.ca !== old.ca)
    differs.push(`ca is ${old.ca ?? "absent"} now`);
  const pairs = grant.pairs.filter((name) => !old.pairs.includes(name));
  if (pairs.length > 0) differs.push(`it is not paired with ${pairs.join(", ")} now`);
  const more = grant.protocols.filter((name) => !old.protocols.includes(name));
  if (more.length > 0) differs.push(`${more.join(", ")} is closed now`);
  return differs.map((text) => `${grant.name}: ${text}`);
}

/** What of a grant must be equal: all that is not compared on its own. */
function wayOf(grant: Grant): object {
  return without(grant, ["rule", "name", "hosts", "ports", "rules", "revoked", ...COMPARED]);
}
const COMPARED = ["pairs", "protocols", "ca"] as const;

function widerRules(old: Grant, grant: Grant, counts: Map<string, string>): readonly string[] {
  if (grant.system !== "http") return nameAll(grant, widerVerbs(old, grant, counts));
  return grant.rules.flatMap((rule, at) => {
    const earlier = grant.rules.slice(0, at);
    const deciding = new Set<Rule>();
    const wider = rule.methods.flatMap((method) =>
      rule.paths.flatMap((glob) =>
        widerAtPath(rule, { method, glob }, earlier, old.rules, deciding),
      ),
    );
    if (rule.unattended === undefined || wider.length > 0) return nameAll(grant, wider);
    // A count is one rule's: two that shared it could use it up twice.
    const [source, ...others] = deciding;
    const isTaken = source !== undefined && [...counts.values()].includes(source.name);
    if (source === undefined || others.length > 0 || isTaken) {
      return nameAll(grant, [`${rule.name}: its unattended count is not one rule's now`]);
    }
    counts.set(rule.name, source.name);
    return [];
  });
}

/** Of a system of the catalog: its rules must be the present ones in their order, less some at most. */
function widerVerbs(old: Grant, grant: Grant, counts: Map<string, string>): readonly string[] {
  const same = (one: Rule, other: Rule) =>
    differences(without(one, ["name"]), without(other, ["name"])).length === 0;
  let at = 0;
  return grant.rules.flatMap((rule) => {
    while (at < old.rules.length && !same(old.rules[at] ?? rule, rule)) at += 1;
    // Behind a rule that was left out another may decide, and no rule may be given its place.
    const isFound = at < old.rules.length && rule.name === old.rules[at]?.name;
    at += 1;
    if (isFound) counts.set(rule.name, rule.name); // What was used of its leave stays used.
    return isFound
      ? []
      : [`${rule.name}: the verbs of a living run can only lose their last rules`];
  });
}

function nameAll(grant: Grant, sentences: readonly string[]): readonly string[] {
  return sentences.map((text) => `${grant.name}: ${text}`);
}

interface Request {
  readonly method: string;
  readonly glob: PathGlob;
}

/** Adds to `deciding` the present rules that decide over such requests today. */
function widerAtPath(
  rule: Rule,
  { method, glob }: Request,
  earlier: readonly Rule[],
  present: readonly Rule[],
  deciding: Set<Rule>,
): readonly string[] {
  const wider: string[] = [];
  const isTaken = (part: PathGlob) =>
    earlier.some(
      (one) => one.methods.includes(method) && one.paths.some((p) => coversGlob(p, part)),
    );
  for (const old of present) {
    if (!old.methods.includes(method)) continue;
    const shared = old.paths.filter((path) => !areDisjointGlobs(path, glob));
    if (shared.length === 0) continue;
    if (isNoMoreLenient(rule, old)) deciding.add(old);
    else if (!shared.every(isTaken)) {
      wider.push(
        `${rule.name}: ${method} ${glob.source} is judged more strictly now, by ${old.name}`,
      );
    }
    if (shared.some((path) => coversGlob(path, glob))) return wider;
  }
  return [...wider, `${rule.name}: ${method} ${glob.source} is not granted now`];
}

/** More effects are never more lenient: the strictest verdict over all of them rules. */
function isNoMoreLenient(rule: Rule, old: Rule): boolean {
  const { effects, unattended } = rule;
  if (differences(termsOf(rule), termsOf(old)).length > 0) return false;
  if ((effects === undefined) !== (old.effects === undefined)) return false;
  if (old.effects?.some((effect) => !effects?.includes(effect)) === true) return false;
  if (unattended === undefined) return true;
  return (
    old.unattended !== undefined &&
    unattended.count <= old.unattended.count &&
    unattended.perMs === old.unattended.perMs &&
    unattended.expiresMs <= old.unattended.expiresMs
  );
}

/** All of a rule that is not compared on its own. */
function termsOf(rule: Rule): object {
  return without(rule, ["name", "methods", "paths", "effects", "unattended"]);
}

function without<Value extends object>(value: Value, keys: readonly (keyof Value)[]): object {
  const left = new Set<PropertyKey>(keys);
  return Object.fromEntries(Object.entries(value).filter(([key]) => !left.has(key)));
}

/** Keys of which the values differ, with what they are in `one`. */
function differences(one: object, other: object): readonly { key: string; was: unknown }[] {
  const values = new Map<string, unknown>(Object.entries(one));
  const others = new Map<string, unknown>(Object.entries(other));
  return [...new Set([...values.keys(), ...others.keys()])]
    .filter((key) => JSON.stringify(values.get(key)) !== JSON.stringify(others.get(key)))
    .map((key) => ({ key, was: values.get(key) }));
}
