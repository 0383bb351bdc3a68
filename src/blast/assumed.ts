/**
 * What counts as so where nobody asked: the worst that the effects of a grant's verbs could mean at a system of its kind.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import type { TaskGrant } from "../policy/index.ts";
import { ANY, placesOf, principalOf } from "./names.ts";
import { isProbed, type PolicyFactsOptions, type Use } from "./policy-facts.ts";
import { UNBOUNDED, type Constant, type Fact } from "./program.ts";

interface Asked extends PolicyFactsOptions {
  readonly grant: TaskGrant;
  readonly uses: readonly Use[];
}

/** Facts about the system of `grant` that no probe has told, besides that whatever is granted can be done. */
export function assumedFacts(asked: Asked): readonly Fact[] {
  const { grant, uses, known } = asked;
  const principal = principalOf(grant);
  const isTold = isProbed(grant, known);
  const why = isTold
    ? `${grant.name}: not told by its system`
    : `${grant.name}: its system was not asked`;
  const assume = (predicate: string, ...terms: readonly Constant[]): Fact => ({
    predicate,
    terms,
    ...{ persons: 0, from: why, isAssumed: true },
  });
  // A pattern of the task file is what it covers: what the account may not do there is not known by it.
  const patterns = uses.filter(
    ({ isPattern, object }) => isPattern && (!isTold || isCommand(grant, object)),
  );
  const facts = [
    ...(isTold ? [] : [assume("principal", principal, grant.system)]),
    ...(isTold ? [] : placesOf(grant).map((place) => assume("at", principal, place))),
    ...patterns.map(({ verb, object }) => assume("can", principal, verb, object)),
    ...(grant.system === "ssh" ? patterns.flatMap(({ object }) => commandOf(object, assume)) : []),
  ];
  if (isTold) return facts;
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
  const [word = "", ...rest] = escalated(pattern.split(" "));
  const name = word.slice(word.lastIndexOf("/") + 1);
  // Within a folder that is written out a star is a file; what interprets that runs whatever lies there.
  const isFree = (one: string) =>
    one.includes("*") && (!one.startsWith("/") || RUNS_FILES.test(name));
  return rest.some(isFree) ? [assume("command", object, name)] : [];
}

const RUNS_FILES = /^((ba|da|z|k)?sh|python[\d.]*|perl|php|node|ruby|lua|make|env|xargs)$/;

/** `sudo -u www-data find **`: what is run is find. */
function escalated(words: readonly string[]): readonly string[] {
  const [first = "", ...rest] = words;
  if (first !== "sudo") return words;
  const at = rest.findIndex((one, index) => !one.startsWith("-") && rest[index - 1] !== "-u");
  return at < 0 || rest[at]?.includes("*") === true ? words : rest.slice(at);
}

function worstOf({ verb, effect, object }: Use, asked: Asked, assume: Assume): readonly Fact[] {
  const { grant, program } = asked;
  const isSomething = object !== ANY; // Which stands for what there is at every system.
  const says = (predicate: string) =>
    program.axioms.some(
      ({ predicate: one, terms }) => one === predicate && terms[0] === grant.system,
    );
  const facts: Readonly<Record<Effect, () => readonly Fact[]>> = {
    read: () => (isSomething && isPrivatePlace(grant) ? customers(object, assume) : []),
    "read-private": () => (isSomething ? customers(object, assume) : []),
    write: () => [],
    publish: () => [],
    send: () => (isSomething ? [assume("people", object, UNBOUNDED)] : []),
    execute: () => [
      ...machineOf(grant, assume),
      // By SSH commands run where one logs in; what a push brings runs wherever the forge has it run.
      ...(says("runs_code") || (grant.system === "ssh" && !verb.startsWith("push."))
        ? []
        : [assume("runs_code_as", principalOf(grant), verb)]),
    ],
    delete: () => (isSomething ? [assume("rows", object, UNBOUNDED)] : []),
    administer: () => (says("makes_logins") ? [] : [assume("makes_logins", grant.system, verb)]),
    spend: () => (isSomething ? [assume("money", object, UNBOUNDED)] : []),
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
