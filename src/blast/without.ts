/**
 * The same task without Cofferdam: the agent has the credentials in its own hands, no gateway stands between, and it
 * connects to whatever a host of its network can. Nothing of the task file narrows that; what stands beside the credentials
 * on such a host (other keys, other accounts) is not counted, since nobody told.
 *
 * @module
 */
import { EFFECTS, type Effect } from "../action/index.ts";
import type { Task, TaskGrant } from "../policy/index.ts";
import { assumedFacts } from "./assumed.ts";
import { ANY, everythingAt, ITSELF, placesOf, principalOf } from "./names.ts";
import {
  effectFacts,
  environmentFacts,
  HTTP_VERBS,
  isProbed,
  type PolicyFactsOptions,
  type Use,
} from "./policy-facts.ts";
import { UNBOUNDED, type Constant, type Fact } from "./program.ts";

/** Facts of `task` where nothing contains its agent, besides what is known. */
export function factsWithout(task: Task, options: PolicyFactsOptions): readonly Fact[] {
  return [
    ...task.grants.flatMap((grant) => [
      ...heldBy(grant),
      ...(grant.kind === "splice" || grant.kind === "opaque"
        ? []
        : [
            ...assumedFacts({ grant, uses: allUses(grant, options), ...options }),
            ...effectFacts(grant, options),
          ]),
    ]),
    ...reachable(options.known),
    ...environmentFacts(task),
    ...["processor hours", "GPU hours"].map((kind) =>
      assume("without Cofferdam nothing limits what it computes", "compute", kind, UNBOUNDED),
    ),
  ];
}

function assume(why: string, predicate: string, ...terms: readonly Constant[]): Fact {
  return { predicate, terms, persons: 0, from: why, isAssumed: true };
}

/** The credential, or none where none is needed, and the way there. */
function heldBy(grant: TaskGrant): readonly Fact[] {
  const { name, kind, credential, candidates } = grant;
  const principal = principalOf(grant);
  const given = { persons: 0, from: `the grant ${name}, without Cofferdam`, isAssumed: false };
  const state = (predicate: string, ...terms: readonly Constant[]): Fact => ({
    predicate,
    terms,
    ...given,
  });
  const places = placesOf(grant);
  const ways = places.map((place) => state("uninspected", ITSELF, place));
  if (kind === "splice" || kind === "opaque") return ways;
  const hasCredential = credential !== undefined || candidates !== undefined;
  const secret = `the credential of ${name}`;
  return [
    ...ways,
    ...places.map((place) => state("at", principal, place)),
    ...(hasCredential
      ? [state("run_knows", secret), state("opens", secret, principal)]
      : places.map((place) => state("anonymous", principal, place))),
  ];
}

/** Everything that the system of `grant` can be asked for, of all that it has. */
function allUses(grant: TaskGrant, { known, verbsOf }: PolicyFactsOptions): readonly Use[] {
  const verbs: ReadonlyMap<string, readonly Effect[]> =
    (grant.system === "http" ? HTTP_VERBS : verbsOf(grant.system)) ??
    new Map([["unknown", EFFECTS]]);
  const objects = isProbed(grant, known) ? [] : [ANY, everythingAt(grant)];
  return [...verbs].flatMap(([verb, does]) =>
    does.flatMap((effect) =>
      objects.map((object) => ({
        ...{ verb, effect, object, persons: 0, rule: "", isPattern: false },
      })),
    ),
  );
}

/** Every place that somebody is known to log in at, or some machine to reach. */
function reachable(known: readonly Fact[]): readonly Fact[] {
  const places = new Set<string>();
  for (const { predicate, terms } of known) {
    if (predicate === "at" || predicate === "reaches" || predicate === "anonymous") {
      places.add(String(terms[1]));
    }
  }
  const why =
    "without Cofferdam the agent connects to every place that a machine of its network could";
  return [...places].map((place) => assume(why, "uninspected", ITSELF, place));
}
