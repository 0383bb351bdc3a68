/**
 * What counts as so where nobody asked: the worst that the effects of a grant's verbs could mean at a system of its kind.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import type { TaskGrant } from "../policy/index.ts";
import { placesOf, principalOf } from "./names.ts";
import type { PolicyFactsOptions, Use } from "./policy-facts.ts";
import { UNBOUNDED, type Constant, type Fact } from "./program.ts";

interface Asked extends PolicyFactsOptions {
  readonly grant: TaskGrant;
  readonly at: string;
  readonly uses: readonly Use[];
}

/** Facts about the system of `grant` that no probe has told, besides that whatever is granted can be done. */
export function assumedFacts(asked: Asked): readonly Fact[] {
  const { grant, uses, known } = asked;
  const principal = principalOf(grant);
  const isProbed = known.some(
    ({ predicate, terms }) => predicate === "principal" && terms[0] === principal,
  );
  const why = isProbed
    ? `${grant.name}: not told by its system`
    : `${grant.name}: its system was not asked`;
  const assume = (predicate: string, ...terms: readonly Constant[]): Fact => ({
    predicate,
    terms,
    ...{ persons: 0, from: why, isAssumed: true },
  });
  // A pattern of the task file is what it covers: what the account may not do there is not known by it.
  const patterns = uses.filter(
    ({ isPattern, object }) => isPattern && (!isProbed || isCommand(grant, object)),
  );
  const facts = [
    ...(isProbed ? [] : [assume("principal", principal, grant.system)]),
    ...(isProbed ? [] : placesOf(grant).map((place) => assume("at", principal, place))),
    ...patterns.map(({ verb, object }) => assume("can", principal, verb, object)),
    ...(grant.system === "ssh" ? patterns.flatMap(({ object }) => commandOf(object, assume)) : []),
  ];
  if (isProbed) return facts;
  const machine = grant.system === "ssh" ? machineOf(grant, assume) : [];
  return [
    ...facts,
    ...machine,
    ...uses.flatMap((use) => worstOf(use, asked, assume)),
    ...uses.map(({ verb, object }) => assume("can", principal, verb, object)),
  ];
}

/** A command is what is typed: the account may type any. */
function isCommand({ system }: TaskGrant, object: string): boolean {
  return system === "ssh" && !object.startsWith("/") && !object.startsWith("~");
}

type Assume = (predicate: string, ...terms: readonly Constant[]) => Fact;

/** `find ** at web`: the command find, with whatever arguments. */
function commandOf(object: string, assume: Assume): readonly Fact[] {
  const [pattern = ""] = object.split(" at ");
  const [word = "", ...rest] = pattern.split(" ");
  const name = word.slice(word.lastIndexOf("/") + 1);
  return rest.some((one) => one.includes("*")) ? [assume("command", object, name)] : [];
}

function worstOf({ verb, effect, object }: Use, asked: Asked, assume: Assume): readonly Fact[] {
  const { grant, program } = asked;
  const says = (predicate: string) =>
    program.axioms.some(
      ({ predicate: one, terms }) => one === predicate && terms[0] === grant.system,
    );
  const facts: Readonly<Record<Effect, () => readonly Fact[]>> = {
    read: () => (isPrivatePlace(grant) ? customers(object, assume) : []),
    "read-private": () => customers(object, assume),
    write: () => [],
    publish: () => [],
    send: () => [assume("people", object, UNBOUNDED)],
    execute: () => [
      ...machineOf(grant, assume),
      ...(says("runs_code") || grant.system === "ssh"
        ? []
        : [assume("runs_code_as", principalOf(grant), verb)]),
    ],
    delete: () => [assume("rows", object, UNBOUNDED)],
    administer: () => (says("makes_logins") ? [] : [assume("makes_logins", grant.system, verb)]),
    spend: () => [assume("money", object, UNBOUNDED)],
  };
  return facts[effect]();
}

function machineOf(grant: TaskGrant, assume: Assume): readonly Fact[] {
  const host = `the machine of ${grant.name}`;
  const principal = principalOf(grant);
  return [
    assume("host", host),
    assume("runs_on", principal, host, "its service"),
    assume("login", principal, host, "its account"),
  ];
}

function customers(object: string, assume: Assume): readonly Fact[] {
  return [assume("label", object, "customer"), assume("rows", object, UNBOUNDED)];
}

/** Plain HTTP with a credential, or to a place that is not public: what is read there is not everyone's. */
function isPrivatePlace({ system, credential, candidates, dial }: TaskGrant): boolean {
  return system === "http" && (credential ?? candidates ?? dial) !== undefined;
}
