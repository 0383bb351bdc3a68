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
  type Task,
  type TaskGrant,
  type TaskRule,
} from "../policy/index.ts";
import { assumedFacts } from "./assumed.ts";
import { ITSELF, placesOf, principalOf } from "./names.ts";
import { UNBOUNDED, type Fact, type Program } from "./program.ts";

/** What each verb of a system may do at most; undefined where the system is not known. */
export type VerbLookup = (system: string) => ReadonlyMap<string, readonly Effect[]> | undefined;

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
  const { isWithout = false } = options;
  const facts: Fact[] = [];
  for (const [index, grant] of task.grants.entries()) {
    const at = `grants[${index}]`;
    facts.push(...(isWithout ? withoutGateway(grant, at) : reachOf(grant, at)));
    if (grant.kind === "splice" || grant.kind === "opaque") continue;
    const uses = usesOf(task, grant, at, options);
    facts.push(...uses.flatMap((use) => factsOfUse(use, grant)));
    facts.push(...assumedFacts({ grant, at, uses, ...options }));
    facts.push(...effectFacts(grant, options));
  }
  return [...facts, ...computeFacts(task)];
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
  readonly count?: number;
  /** `grants[0].allow[1]` */
  readonly rule: string;
  /** The object is the task file's own pattern, and no object that a probe has found. */
  readonly isPattern: boolean;
}

/** An object that stands for whatever there is. */
export const ANY = "any";

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
}

/** What probes know to be there, by the names that grants have for it. */
function objectsOf(grant: TaskGrant, known: readonly Fact[]): readonly KnownObject[] {
  const principals = becoming(principalOf(grant), known);
  const named = new Map<string, string>();
  const ids = new Set<string>([ANY]);
  for (const { predicate, terms } of known) {
    if (predicate === "named") named.set(String(terms[0]), String(terms[1]));
    if (predicate === "can" && principals.has(String(terms[0]))) ids.add(String(terms[2]));
  }
  return [...ids].map((id) => {
    const text = named.get(id);
    return text === undefined ? { id } : { id, text };
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
  for (const [index, rule] of grant.allow.entries()) {
    if (!(rule.verbs ?? []).some((pattern) => matchesVerb(pattern, verb))) continue;
    if (!covers(rule, object)) continue;
    for (const effect of does) {
      if (rule.doing !== undefined && !rule.doing.includes(effect)) continue;
      const said = rule.effects ?? [effect];
      for (const one of said)
        offer(found, useOf({ task, rule, at: `${at}.allow[${index}]`, verb, effect: one, object }));
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
    (use.persons === before.persons && (use.count ?? Infinity) > (before.count ?? Infinity));
  if (isMilder) found.set(use.effect, use);
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
  if (rule.unattended !== undefined) return { ...base, persons: 0, count: rule.unattended.count };
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

function factsOfUse(use: Use, { name }: TaskGrant): readonly Fact[] {
  const { verb, effect, object, persons, count, rule } = use;
  const given = { from: rule, isAssumed: false, change: rule };
  const may: Fact = { predicate: "may", terms: [name, verb, effect, object], persons, ...given };
  if (!CONFIRMED_EFFECTS.has(effect)) return [may];
  const times = (amount: number | string, yes: number): Fact => ({
    predicate: "times",
    terms: [name, verb, amount],
    persons: yes,
    ...given,
  });
  // After the leave is used up, each needs a person; where one is asked anyway `may` says so.
  return count === undefined
    ? [may, times(UNBOUNDED, 0)]
    : [may, times(count, 0), times(UNBOUNDED, 1)];
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

/** The same credential in the agent's own hands. */
function withoutGateway(grant: TaskGrant, at: string): readonly Fact[] {
  const given = { persons: 0, from: at, isAssumed: false };
  const principal = principalOf(grant);
  const secret = `the credential of ${grant.name}`;
  return [
    ...placesOf(grant).flatMap((place): readonly Fact[] => [
      { predicate: "uninspected", terms: [ITSELF, place], ...given },
      { predicate: "at", terms: [principal, place], ...given },
    ]),
    { predicate: "run_knows", terms: [secret], ...given },
    { predicate: "opens", terms: [secret, principal], ...given },
  ];
}

/** What the verbs of a system may do to whoever logs in there oneself. */
function effectFacts(
  { system, kind }: TaskGrant,
  { verbsOf }: PolicyFactsOptions,
): readonly Fact[] {
  if (kind !== "session" && system === "http") return [];
  return [...(verbsOf(system) ?? [])].flatMap(([verb, does]) =>
    does.map((effect) => ({
      predicate: "is_effect",
      terms: [system, verb, effect],
      ...{ persons: 0, from: `catalog ${system}`, isAssumed: false },
    })),
  );
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
