/**
 * What a task file lets a run do, as facts. Verdicts are the policy's own rules read at their widest: for each verb, effect
 * and object the mildest verdict that some action of that kind could get. What no probe has asked is assumed at its worst.
 *
 * @module
 */
import { effectsOfMethod, EFFECTS, type Effect } from "../action/index.ts";
import {
  CONFIRMED_EFFECTS,
  matchesObject,
  matchesVerb,
  parseObjectGlob,
  printObject,
  isSecretName,
  type Task,
  type TaskGrant,
  type TaskRule,
  type Unattended,
} from "../policy/index.ts";
import { assumedFacts } from "./assumed.ts";
import { assumedLogins } from "./assumed-logins.ts";
import { ANY, everythingAt, placesOf, principalOf } from "./names.ts";
import { UNBOUNDED, type Fact, type Program } from "./program.ts";
import type { VerbLookup } from "./verbs.ts";
import { factsWithout } from "./without.ts";

export interface PolicyFactsOptions {
  readonly program: Program;
  readonly verbsOf: VerbLookup;
  /** What probes found, and what a person states. */
  readonly known: readonly Fact[];
  /** The agent has the credentials in its own hands, and no gateway stands between. */
  readonly isWithout?: boolean;
}

/** Facts of `task`, besides `known`; those that are assumed say so. */
export function factsOfTask(task: Task, options: PolicyFactsOptions): readonly Fact[] {
  if (options.isWithout === true) return factsWithout(task, options);
  const facts: Fact[] = [];
  for (const [index, grant] of task.grants.entries()) {
    const at = `grants[${index}]`;
    facts.push(...reachOf(grant, at));
    if (grant.kind === "splice" || grant.kind === "opaque") continue;
    const uses = usesOf(task, grant, at, options);
    facts.push(...uses.flatMap((use) => factsOfUse(use, grant, task)));
    facts.push(...assumedFacts({ grant, uses, ...options }));
    facts.push(...effectFacts(grant, options));
  }
  // Whoever finds a login of a system that no grant of this task leads to may still do what it may.
  const granted = new Set(task.grants.map(({ system }) => system));
  const principals = options.known.filter(({ predicate }) => predicate === "principal");
  const systems = new Set(principals.map(({ terms }) => String(terms[1])));
  for (const system of systems)
    if (!granted.has(system)) facts.push(...effectFacts({ system }, options));
  const logins = assumedLogins([...options.known, ...facts], options.verbsOf);
  return [...facts, ...logins, ...environmentFacts(task), ...computeFacts(task)];
}

/** One thing that a grant lets a run do, at its mildest. */
export interface Use {
  readonly verb: string;
  readonly effect: Effect;
  /** What it is done to: an object of a probe, a pattern of the task file, or `any`. */
  readonly object: string;
  /** How many persons must say yes. */
  readonly persons: number;
  /** How often without one: absent where nothing counts. */
  readonly unattended?: Unattended;
  /** `grants[0].allow[1]` */
  readonly rule: string;
  /** The object is the task file's own pattern, and no object that a probe has found. */
  readonly isPattern: boolean;
}

/** Whether its system has told what the account of `grant` can do. */
export function isProbed(grant: TaskGrant, known: readonly Fact[]): boolean {
  const principal = principalOf(grant);
  return known.some(({ predicate, terms }) => predicate === "principal" && terms[0] === principal);
}

function usesOf(
  task: Task,
  grant: TaskGrant,
  at: string,
  { known, verbsOf }: PolicyFactsOptions,
): readonly Use[] {
  if (grant.system === "http") return usesOfMethods(task, grant, at);
  const verbs = verbsOf(grant.system) ?? new Map([["unknown", EFFECTS]]);
  const objects = objectsOf(grant, known);
  return [...verbs].flatMap(([verb, does]) =>
    [...objects, ...patternsOf(grant, verb)].flatMap((object) =>
      usesOfVerb({ task, grant, at, verb, does, object }),
    ),
  );
}

interface KnownObject {
  readonly id: string;
  /** As rules write it; absent: whatever there is. */
  readonly text?: string;
  readonly glob?: readonly string[];
  /** What verbs on it do besides, as it was found: `always` of rules/ssh.rules. */
  readonly always?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What probes know to be there, by the names that grants have for it. */
function objectsOf(grant: TaskGrant, known: readonly Fact[]): readonly KnownObject[] {
  const principals = becoming(principalOf(grant), known);
  const named = new Map<string, string>();
  // What nobody has asked for is not the same at two systems.
  const ids = new Set<string>(isProbed(grant, known) ? [ANY] : [ANY, everythingAt(grant)]);
  const always = new Map<string, Map<string, Set<string>>>();
  for (const { predicate, terms } of known) {
    if (predicate === "named") named.set(String(terms[0]), String(terms[1]));
    if (predicate === "can" && principals.has(String(terms[0]))) ids.add(String(terms[2]));
    if (predicate === "always") {
      const [id = "", verb = "", effect = ""] = terms.map(String);
      const verbs = always.get(id) ?? new Map<string, Set<string>>();
      always.set(id, verbs.set(verb, (verbs.get(verb) ?? new Set()).add(effect)));
    }
  }
  return [...ids].map((id) => {
    const text = named.get(id);
    const more = always.get(id);
    return {
      id,
      ...(text === undefined ? {} : { text }),
      ...(more === undefined ? {} : { always: more }),
    };
  });
}

/** `principal`, and whoever it can become within its session. */
function becoming(principal: string, known: readonly Fact[]): ReadonlySet<string> {
  const all = new Set([principal]);
  const steps = known.filter(({ predicate }) => BECOMING.has(predicate));
  // A set that is walked while it grows: each is looked at once.
  for (const one of all) {
    for (const { terms } of steps) if (terms[0] === one) all.add(String(terms[1]));
  }
  return all;
}
const BECOMING: ReadonlySet<string> = new Set(["turns_into", "grants_itself"]);

/** What `rule` covers by `glob`, as the object of a fact where no probe has found one. */
export interface PatternObject {
  readonly id: string;
  readonly glob: readonly string[];
}

/** Patterns of rules stand for what they may cover, probed or not. */
export function patternsOf(grant: TaskGrant, verb: string): readonly PatternObject[] {
  const globs = grant.allow
    .filter(({ verbs = [] }) => verbs.some((pattern) => matchesVerb(pattern, verb)))
    .flatMap((rule) => (rule.on ?? []).map((glob) => ({ rule, glob })));
  return globs
    .filter(({ glob }) => !isAll(glob))
    .map(({ rule, glob }) => ({ id: `${printObject(glob, rule)} at ${grant.name}`, glob }));
}

function isAll(glob: readonly string[]): boolean {
  return glob.every((segment) => /^\*+$/.test(segment));
}

interface Case {
  readonly task: Task;
  readonly grant: TaskGrant;
  readonly at: string;
  readonly verb: string;
  readonly does: readonly Effect[];
  readonly object: KnownObject;
}

function usesOfVerb({ task, grant, at, verb, does, object }: Case): readonly Use[] {
  const found = new Map<Effect, Use>();
  const besides = does.filter((effect) => object.always?.get(verb)?.has(effect) === true);
  for (const [index, rule] of grant.allow.entries()) {
    if (!(rule.verbs ?? []).some((pattern) => matchesVerb(pattern, verb))) continue;
    if (!covers(rule, object)) continue;
    for (const effect of does) {
      const all = [effect, ...besides];
      if (rule.doing !== undefined && !all.every((one) => rule.doing?.includes(one))) continue;
      const uses = (rule.effects ?? all).map((one) =>
        useOf({ task, rule, at: `${at}.allow[${index}]`, verb, effect: one, object }),
      );
      // It is one action: the strictest verdict over its effects is that of each.
      const persons = Math.max(...uses.map((use) => use.persons));
      for (const use of uses) offer(found, { ...use, persons });
    }
    // What a rule covers whatever it does never comes to a later one.
    if (rule.doing === undefined) break;
  }
  return [...found.values()];
}

function covers(rule: TaskRule, { id, text, glob }: KnownObject): boolean {
  if (rule.on === undefined || rule.on.some(isAll)) return true;
  if (glob !== undefined) return rule.on.some((one) => one.join("\0") === glob.join("\0"));
  if (text === undefined || id === ANY) return false;
  const segments = parseObjectGlob(text, rule.separator ?? "");
  return rule.on.some((one) => matchesObject(one, segments));
}

function offer(found: Map<Effect, Use>, use: Use): void {
  const before = found.get(use.effect);
  const isMilder =
    before === undefined ||
    use.persons < before.persons ||
    (use.persons === before.persons && countOf(use) > countOf(before));
  if (isMilder) found.set(use.effect, use);
}

function countOf({ unattended }: Use): number {
  return unattended?.count ?? Infinity;
}

interface RuleCase {
  readonly task: Task;
  readonly rule: TaskRule;
  readonly at: string;
  readonly verb: string;
  readonly effect: Effect;
  readonly object: KnownObject;
}

function useOf({ task, rule, at, verb, effect, object }: RuleCase): Use {
  const base = { verb, effect, object: object.id, rule: at, isPattern: object.glob !== undefined };
  if (!CONFIRMED_EFFECTS.has(effect)) return { ...base, persons: 0 };
  if (rule.unattended !== undefined) return { ...base, persons: 0, unattended: rule.unattended };
  return { ...base, persons: task.approvals.fourEyes.includes(effect) ? 2 : 1 };
}

/** Plain HTTP: methods are verbs, paths are objects. */
function usesOfMethods(task: Task, grant: TaskGrant, at: string): readonly Use[] {
  return grant.allow.flatMap((rule, index) =>
    rule.methods.flatMap((verb) => {
      const does: readonly Effect[] = rule.websocket === true ? ["write"] : [];
      const effects = new Set([...(rule.effects ?? effectsOfMethod(verb)), ...does]);
      const id = `${rule.paths.slice(0, 3).join(" ")} at ${grant.name}`;
      const object = { id, glob: [] };
      return [...effects].map((effect) =>
        useOf({ task, rule, at: `${at}.allow[${index}]`, verb, effect, object }),
      );
    }),
  );
}

function factsOfUse(use: Use, { name }: TaskGrant, { lifetimeMs }: Task): readonly Fact[] {
  const { verb, effect, object, persons, unattended, rule } = use;
  const given = { from: rule, isAssumed: false, change: rule };
  const may: Fact = { predicate: "may", terms: [name, verb, effect, object], persons, ...given };
  if (!CONFIRMED_EFFECTS.has(effect)) return [may];
  // All that a rule covers is counted together: it is one thing that is limited.
  const leave = `${name}, ${rule}`;
  const times = (amount: number | string, yes: number): Fact => ({
    predicate: "times",
    terms: [name, verb, leave, amount],
    persons: yes,
    ...given,
  });
  // After the leave is used up, each needs a person; where one is asked anyway `may` says so.
  return unattended === undefined
    ? [may, times(UNBOUNDED, 0)]
    : [may, times(timesIn(lifetimeMs, unattended), 0), times(UNBOUNDED, 1)];
}

/** How often leave lets through at most in a run of `lifetimeMs`: the time that it counts in slides. */
function timesIn(lifetimeMs: number, { count, perMs }: Unattended): number {
  return perMs === undefined ? count : count * (Math.floor(lifetimeMs / perMs) + 1);
}

/** Where a grant leads, and as whom. */
function reachOf(grant: TaskGrant, at: string): readonly Fact[] {
  const given = { persons: 0, from: at, isAssumed: false, change: at };
  const { name, kind, credential, candidates } = grant;
  if (kind === "splice" || kind === "opaque") {
    return placesOf(grant).map((place) => ({
      predicate: "uninspected",
      terms: [name, place],
      ...given,
    }));
  }
  const uses: Fact = { predicate: "uses", terms: [name, principalOf(grant)], ...given };
  if (credential !== undefined || candidates !== undefined) return [uses];
  return [
    uses,
    ...placesOf(grant).map((place): Fact => ({
      predicate: "carries",
      terms: [name, place],
      ...given,
    })),
  ];
}

/** What the verbs of a system may do to whoever logs in there oneself. */
export function effectFacts(
  { system }: Pick<TaskGrant, "system">,
  { verbsOf }: Pick<PolicyFactsOptions, "verbsOf">,
): readonly Fact[] {
  const verbs = system === "http" ? HTTP_VERBS : verbsOf(system);
  return [...(verbs ?? [])].flatMap(([verb, does]) =>
    does.map((effect) => ({
      predicate: "is_effect",
      terms: [system, verb, effect],
      ...{ persons: 0, from: `catalog ${system}`, isAssumed: false },
    })),
  );
}

/** Methods, as verbs. */
export const HTTP_VERBS: ReadonlyMap<string, readonly Effect[]> = new Map(
  ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"].map((method) => [
    method,
    effectsOfMethod(method),
  ]),
);

/** Variables that pass in and are secrets by their name. */
export function environmentFacts({ environment }: Task): readonly Fact[] {
  return environment.filter(isSecretName).map((name) => ({
    predicate: "run_knows",
    terms: [`the variable ${name}`],
    ...{ persons: 0, from: `the variable ${name} passes in, and is a secret by its name` },
    ...{ isAssumed: true, change: "environment" },
  }));
}

const HOUR_MS = 3_600_000;

function computeFacts({ compute, lifetimeMs }: Task): readonly Fact[] {
  const hours = Math.ceil(lifetimeMs / HOUR_MS);
  const of = (kind: string, amount: number | string): Fact => ({
    predicate: "compute",
    terms: [kind, amount],
    ...{ persons: 0, from: "compute", isAssumed: false, change: "compute" },
  });
  const { cpus, gpu } = compute;
  return [
    of("processor hours", cpus === undefined ? UNBOUNDED : Math.ceil(cpus * hours)),
    ...(gpu === "none" ? [] : [of("GPU hours", gpu === "all" ? UNBOUNDED : gpu.length * hours)]),
  ];
}
