/**
 * Changes of a task file that might make its blast radius smaller: each takes one thing away, or has a person asked, where a
 * way to some outcome rests on it.
 *
 * @module
 */
import { EFFECTS, type Effect } from "../../action/index.ts";
import {
  matchesObject,
  parseObjectGlob,
  printObject,
  type Task,
  type TaskGrant,
  type TaskRule,
} from "../../policy/index.ts";
import type { YamlEdit } from "../../yaml/index.ts";
import { reckonAll } from "../answer.ts";
import { groundsOf } from "../path.ts";
import type { Constant, Fact } from "../program.ts";
import type { Solution } from "../solve.ts";

/** One change, not yet known to be worth anything. */
export interface Candidate {
  /** What it is, in words. */
  readonly says: string;
  readonly edits: readonly YamlEdit[];
}

const OBJECTS_MAX = 20; // Of one outcome: what lies behind the others lies behind these, too, as a rule.
const UNATTENDED_WEIGHT = 10;
const PATTERNS_MAX = 20;

/** What makes some outcome possible and could be changed, with how much rests on it. */
function groundsWithWeights(solution: Solution): ReadonlyMap<Fact, number> {
  const weights = new Map<Fact, number>();
  for (const name of solution.program.outcomes.keys()) {
    for (const { atom, fooledAtom, unattended } of reckonAll(solution, name).slice(
      0,
      OBJECTS_MAX,
    )) {
      const weight = unattended === 0 ? 1 : UNATTENDED_WEIGHT;
      const grounds = new Set([atom, fooledAtom].flatMap((one) => groundsOf(solution, one)));
      for (const fact of grounds) {
        if (fact.change !== undefined) weights.set(fact, (weights.get(fact) ?? 0) + weight);
      }
    }
  }
  return weights;
}

/** Places of a task file, or of whatever `change` names, that something rests on; the most important first. */
export function changesOf(solution: Solution): readonly string[] {
  const weights = new Map<string, number>();
  for (const [{ change = "" }, weight] of groundsWithWeights(solution)) {
    weights.set(change, (weights.get(change) ?? 0) + weight);
  }
  return [...weights].sort(([, a], [, b]) => b - a).map(([change]) => change);
}

/** Candidates, the most promising first; each once. */
export function candidatesOf(task: Task, solution: Solution): readonly Candidate[] {
  const found = new Map<string, { readonly candidate: Candidate; weight: number }>();
  for (const [fact, weight] of groundsWithWeights(solution)) {
    for (const { worth, ...candidate } of offersFor(task, solution, fact)) {
      const key = JSON.stringify(candidate.edits);
      const known = found.get(key);
      if (known === undefined) found.set(key, { candidate, weight: weight * worth });
      else known.weight += weight * worth;
    }
  }
  return [...found.values()].sort((a, b) => b.weight - a.weight).map(({ candidate }) => candidate);
}

interface Offer extends Candidate {
  /** How much of what rests on it a change of this kind leaves to the task, from 0 to 1. */
  readonly worth: number;
}

const PLACE = /^grants\[(\d+)\](?:\.allow\[(\d+)\])?$/;

function offersFor(task: Task, solution: Solution, fact: Fact): readonly Offer[] {
  const { change = "" } = fact;
  if (change === "environment") return environmentOffer(task, fact);
  if (change === "compute") return computeOffers(task);
  const [, grantText, ruleText] = PLACE.exec(change) ?? [];
  const at = Number(grantText);
  const grant = grantText === undefined ? undefined : task.grants[at];
  if (grant === undefined) return [];
  const rule = ruleText === undefined ? undefined : grant.allow[Number(ruleText)];
  if (rule === undefined) return [withoutGrant(grant, at)];
  const place: RulePlace = { task, grant, at, rule, index: Number(ruleText) };
  return [...ruleOffers(place, solution, fact), withoutRule(place)];
}

function withoutGrant({ name }: TaskGrant, at: number): Offer {
  return { says: `take the grant ${name} away`, edits: [{ remove: ["grants", at] }], worth: 0.4 };
}

interface RulePlace {
  readonly task: Task;
  readonly grant: TaskGrant;
  readonly at: number;
  readonly rule: TaskRule;
  readonly index: number;
}

function withoutRule({ grant, at, index }: RulePlace): Offer {
  if (grant.allow.length === 1) return withoutGrant(grant, at);
  return {
    says: `take rule ${index + 1} of ${grant.name} away`,
    edits: [{ remove: ["grants", at, "allow", index] }],
    worth: 0.5,
  };
}

function ruleOffers(place: RulePlace, solution: Solution, fact: Fact): readonly Offer[] {
  const { task, grant, at, rule, index } = place;
  const path = ["grants", at, "allow", index];
  const offers: Offer[] = [];
  if (rule.unattended !== undefined) {
    const says = `have a person asked again by rule ${index + 1} of ${grant.name}`;
    offers.push({ says, edits: [{ remove: [...path, "unattended"] }], worth: 1 });
  }
  if (fact.predicate !== "may") return offers;
  const [, verb = "", effectText, object = ""] = fact.terms;
  const effect = EFFECTS.find((one) => one === effectText);
  const words = grant.system === "http" ? "methods" : "verbs";
  const verbs = rule[words] ?? [];
  if (verbs.length > 1 && verbs.includes(String(verb))) {
    const kept = verbs.filter((one) => one !== verb);
    const says = `take ${verb} from rule ${index + 1} of ${grant.name}`;
    offers.push({ says, edits: [{ set: [...path, words], value: kept }], worth: 0.8 });
  }
  if (effect === undefined) return offers;
  offers.push(...doingOffers(place, solution, effect));
  offers.push(...objectOffers(place, solution, object));
  if (fact.persons === 1) {
    const value = [...task.approvals.fourEyes, effect];
    const says = `have two persons asked before anything that would ${VERBS_OF[effect]}`;
    offers.push({ says, edits: [{ set: ["approvals", "four_eyes"], value }], worth: 0.3 });
  }
  return offers;
}

const VERBS_OF: Readonly<Record<Effect, string>> = {
  read: "read",
  "read-private": "read private data",
  write: "write",
  publish: "publish",
  send: "send",
  execute: "execute",
  delete: "delete",
  administer: "administer",
  spend: "spend",
};

/** The same rule for what does not do this, nor whatever else of it leads somewhere. */
function doingOffers(place: RulePlace, solution: Solution, effect: Effect): readonly Offer[] {
  const { grant, at, rule, index } = place;
  if (grant.system === "http" || rule.effects !== undefined) return [];
  const there = new Set<Constant>();
  for (const atom of solution.of("may")) {
    const isOf = solution
      .factsOf(atom)
      .some(({ change }) => change === `grants[${at}].allow[${index}]`);
    if (isOf) there.add(solution.termsOf(atom)[2] ?? "");
  }
  const has = EFFECTS.filter((one) => there.has(one));
  const value = has.filter((one) => one !== effect);
  const mild = has.filter((one) => MILD.has(one));
  const offer = (doing: readonly Effect[], worth: number): readonly Offer[] =>
    doing.length === 0 || doing.length === has.length
      ? []
      : [
          {
            says: `let rule ${index + 1} of ${grant.name} only ${orList(doing)}`,
            edits: [{ set: ["grants", at, "allow", index, "doing"], value: doing }],
            worth,
          },
        ];
  return [
    ...offer(value, 0.9),
    ...offer(
      mild.filter((one) => one !== effect),
      0.85,
    ),
  ];
}

const MILD: ReadonlySet<Effect> = new Set(["read", "read-private", "write"]);

function orList(effects: readonly Effect[]): string {
  const words = effects.map((one) => VERBS_OF[one]);
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The same rule for other objects: less a pattern, or for those only that a probe has found beside. */
function objectOffers(place: RulePlace, solution: Solution, object: Constant): readonly Offer[] {
  const { grant, at, rule, index } = place;
  const path = ["grants", at, "allow", index, "on"];
  const separator = rule.separator ?? "";
  const names = namesIn(solution);
  const own = names.get(object);
  if (rule.on !== undefined) {
    const segments = own === undefined ? undefined : parseObjectGlob(own, separator);
    const left = rule.on.filter(
      (glob) =>
        object !== `${printObject(glob, rule)} at ${grant.name}` &&
        (segments === undefined || !matchesObject(glob, segments)),
    );
    if (left.length === 0 || left.length === rule.on.length) return [];
    const value = left.map((glob) => printObject(glob, rule));
    const says = `take what leads to ${own ?? object} from rule ${index + 1} of ${grant.name}`;
    return [{ says, edits: [{ set: path, value }], worth: 0.9 }];
  }
  if (own === undefined) return [];
  const others = new Set<string>();
  for (const atom of solution.of("may")) {
    const [by, , , other = ""] = solution.termsOf(atom);
    const name = names.get(other);
    if (by === grant.name && name !== undefined && name !== own) others.add(name);
  }
  if (others.size === 0 || others.size > PATTERNS_MAX) return [];
  const says = `let rule ${index + 1} of ${grant.name} act on what is there beside ${own} only`;
  return [{ says, edits: [{ set: path, value: [...others].sort() }], worth: 0.7 }];
}

/** As rules write what probes have found. */
function namesIn(solution: Solution): ReadonlyMap<Constant, string> {
  return new Map(
    solution.of("named").map((atom) => {
      const [named = "", text = ""] = solution.termsOf(atom);
      return [named, String(text)] as const;
    }),
  );
}

function environmentOffer({ environment }: Task, { terms }: Fact): readonly Offer[] {
  const at = environment.findIndex((name) => terms[0] === `the variable ${name}`);
  if (at < 0) return [];
  const says = `keep the variable ${environment[at]} outside`;
  return [{ says, edits: [{ remove: ["environment", at] }], worth: 0.7 }];
}

const HOUR_MS = 3_600_000;

function computeOffers({ compute, lifetimeMs }: Task): readonly Offer[] {
  const offers: Offer[] = [];
  if (compute.cpus === undefined) {
    const says = "let it use two processors at most";
    offers.push({ says, edits: [{ set: ["compute", "cpus"], value: 2 }], worth: 0.2 });
  }
  if (lifetimeMs > HOUR_MS) {
    const says = "let it live for an hour at most";
    offers.push({ says, edits: [{ set: ["lifetime"], value: "1h" }], worth: 0.1 });
  }
  return offers;
}
