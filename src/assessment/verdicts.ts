/**
 * What each grant of a task lets pass, lets wait and refuses, by the verbs of its system.
 *
 * @module
 */
import { factsOfTask, HTTP_VERBS, type Ground } from "../blast/index.ts";
import type { Task, TaskGrant } from "../policy/index.ts";

export interface GrantVerdicts {
  readonly grant: string;
  readonly system: string;
  /** Pass without a person, at least where they do the mildest that they can. */
  readonly allows: readonly string[];
  /** Wait for a person whatever they do. */
  readonly waits: readonly string[];
  /** Verbs that its system has and the grant does not. */
  readonly denies: readonly string[];
  /** Nobody judges what is asked there. */
  readonly isUninspected: boolean;
}

/** Of each grant, in the file's order. */
export function grantVerdicts(task: Task, ground: Ground): readonly GrantVerdicts[] {
  const least = new Map<string, Map<string, number>>();
  for (const { predicate, terms, persons } of factsOfTask(task, ground)) {
    if (predicate !== "may") continue;
    const [grant, verb] = [String(terms[0]), String(terms[1])];
    const verbs = least.get(grant) ?? new Map<string, number>();
    least.set(grant, verbs.set(verb, Math.min(persons, verbs.get(verb) ?? Infinity)));
  }
  return task.grants.map((grant) => verdictsOf(grant, least.get(grant.name) ?? new Map(), ground));
}

function verdictsOf(
  { name, system, kind }: TaskGrant,
  least: ReadonlyMap<string, number>,
  { verbsOf }: Ground,
): GrantVerdicts {
  const known = (system === "http" ? HTTP_VERBS : verbsOf(system)) ?? new Map<string, unknown>();
  const all = [...new Set([...known.keys(), ...least.keys()])].sort();
  const isUninspected = kind === "splice" || kind === "opaque";
  return {
    grant: name,
    system,
    allows: all.filter((verb) => least.get(verb) === 0),
    waits: all.filter((verb) => (least.get(verb) ?? 0) > 0),
    denies: isUninspected ? [] : all.filter((verb) => !least.has(verb)),
    isUninspected,
  };
}
