/**
 * Logins that were found lying about and that nobody was asked about: whose they are, at their worst. What a probe or a
 * grant knows by the same system, place and user is that account, and is told by its own facts.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import { UNBOUNDED, type Constant, type Fact } from "./program.ts";

type VerbLookup = (system: string) => ReadonlyMap<string, readonly Effect[]> | undefined;

interface Login {
  readonly system: string;
  readonly user: string;
  /** Every name of the one place. */
  readonly places: ReadonlySet<string>;
}

/** Facts about accounts that secrets among `known` open, as far as `known` says nothing of them. */
export function assumedLogins(known: readonly Fact[], verbsOf: VerbLookup): readonly Fact[] {
  const index = new Index(known);
  const machines = known.filter(({ predicate }) => predicate === "login");
  const hosts = new Set(machines.map(({ terms }) => String(terms[1])));
  return loginsOf(known).flatMap((login) => [
    ...(index.isKnown(login) ? [] : factsOf(login, index, verbsOf)),
    // Nothing was scanned: whatever a machine was not seen to reach it may reach.
    ...[...hosts].flatMap((host) =>
      [...login.places].map((place) => assume(login, "reaches", host, place)),
    ),
  ]);
}

/** Secrets that open the same account of one place are one login. */
function loginsOf(known: readonly Fact[]): readonly Login[] {
  const bySecret = new Map<string, { system: string; user: string; places: Set<string> }>();
  for (const { predicate, terms } of known) {
    if (predicate !== "opens_login") continue;
    const [secret = "", system = "", user = "", place = ""] = terms.map(String);
    // Names of one place have the port in common.
    const key = JSON.stringify([secret, system, user, place.slice(place.lastIndexOf(":"))]);
    const login = bySecret.get(key) ?? { system, user, places: new Set() };
    login.places.add(place);
    bySecret.set(key, login);
  }
  return [...bySecret.values()];
}

class Index {
  readonly #at = new Map<string, Set<string>>();
  readonly #system = new Map<string, string>();
  readonly #users = new Map<string, Set<string>>();
  readonly #served = new Set<string>();

  constructor(known: readonly Fact[]) {
    for (const { predicate, terms } of known) {
      const [first = "", second = "", third = ""] = terms.map(String);
      if (predicate === "at") add(this.#at, first, second);
      if (predicate === "principal") this.#system.set(first, second);
      if (predicate === "user_of") add(this.#users, first, second);
      if (predicate === "serves") this.#served.add(third);
    }
  }

  /** Somebody was asked as whom this logs in. */
  isKnown({ system, user, places }: Login): boolean {
    return [...this.#users].some(
      ([principal, users]) =>
        users.has(user) &&
        this.#system.get(principal) === system &&
        [...(this.#at.get(principal) ?? [])].some((place) => places.has(place)),
    );
  }

  isServed({ places }: Login): boolean {
    return [...places].some((place) => this.#served.has(place));
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(value));
}

function factsOf(login: Login, index: Index, verbsOf: VerbLookup): readonly Fact[] {
  const { system, user, places } = login;
  const [place = ""] = places;
  const principal = `${system}:${user}@${place}`;
  const object = system === "ssh" ? "any" : `whatever ${principal} may`;
  const say = (predicate: string, ...terms: readonly Constant[]) =>
    assume(login, predicate, ...terms);
  const verbs = [...(verbsOf(system) ?? [])];
  const does = new Set(verbs.flatMap(([, effects]) => effects));
  const reads = does.has("read") || does.has("read-private");
  const machine = `the machine at ${place}`;
  return [
    say("principal", principal, system),
    say("user_of", principal, user),
    ...[...places].map((one) => say("at", principal, one)),
    ...verbs.flatMap(([verb, effects]) => [
      say("can", principal, verb, object),
      ...effects.map((effect) => say("is_effect", system, verb, effect)),
      ...(effects.includes("execute") && system !== "ssh"
        ? [say("runs_code_as", principal, verb)]
        : []),
    ]),
    ...(system !== "ssh" && reads
      ? [say("label", object, "customer"), say("rows", object, UNBOUNDED)]
      : []),
    ...(does.has("send") && system !== "ssh" ? [say("people", object, UNBOUNDED)] : []),
    ...(does.has("execute") && !index.isServed(login)
      ? [
          say("host", machine),
          say("runs_on", principal, machine, "its service"),
          ...(system === "ssh" ? [say("login", principal, machine, user)] : []),
        ]
      : []),
  ];
}

function assume(
  { system, user, places }: Login,
  predicate: string,
  ...terms: readonly Constant[]
): Fact {
  const [place = ""] = places;
  const from = `${user} of ${system} at ${place}: found, and not asked`;
  return { predicate, terms, persons: 0, from, isAssumed: true };
}
