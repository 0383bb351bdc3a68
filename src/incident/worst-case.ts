/**
 * The worst that was possible under a run's policy: what its grants let it read, change, send or execute, without a person
 * and with one's yes. It is a list out of the task file on record, not a proof; what is not known of a system counts as all.
 *
 * @module
 */
import { effectsOfMethod, EFFECTS, type Effect } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import {
  CONFIRMED_EFFECTS,
  isSecretName,
  matchesVerb,
  type Task,
  type TaskGrant,
  type TaskRule,
} from "../policy/index.ts";
import { textOf } from "./describe.ts";
import { listed, listedSome, words, type Words } from "./words.ts";

/** What each verb of a system may do at most; undefined where the system is not known here. */
export type VerbLookup = (system: string) => ReadonlyMap<string, readonly Effect[]> | undefined;

const DOES: Readonly<Record<Effect, string>> = {
  read: "read",
  "read-private": "read private data",
  write: "change things",
  publish: "publish",
  send: "send messages",
  execute: "execute code or workflows",
  delete: "delete",
  administer: "administer",
  spend: "spend money",
};

/** Lines for a reader; `task` is absent where the task file on record cannot be read any more. */
export function worstCase(
  task: Task | undefined,
  entries: readonly Entry[],
  verbsOf: VerbLookup,
): readonly Words[] {
  if (task === undefined) {
    return [
      ["unknown: the task file is not on record whole, or names a system that is not known here"],
    ];
  }
  const { grants, environment, publish } = task;
  const secrets = environment.filter(isSecretName);
  return [
    ...(grants.length === 0 ? [["it could reach nothing outside"]] : []),
    ...grants.flatMap((grant) => ofGrant(grant, verbsOf)),
    ...(grants.length === 0
      ? []
      : [
          words`whatever it could read (its workspace, its home${environment.length === 0 ? [] : words`, the variables ${listedSome(environment, 20)}`}) it could put into requests to ${listedSome(
            grants.map(({ name }) => name),
            20,
          )}: a path or a query carries data, too`,
        ]),
    ...(secrets.length === 0
      ? []
      : [
          words`the variables ${listedSome(secrets, 20)} look like secrets, and the run held them itself`,
        ]),
    ...publish.map(
      ({ host, run }) =>
        words`programs of this machine could be served by it at port ${host} (${run} inside)`,
    ),
    ...compute(entries),
    ...narrowed(entries),
  ];
}

function ofGrant(grant: TaskGrant, verbsOf: VerbLookup): readonly Words[] {
  const { name, hosts, ports, kind, credential, candidates, mint } = grant;
  const place = words`at ${name} (${listedSome(hosts, 10)}, port ${listed(ports.slice(0, 10))})`;
  const ref = credential ?? candidates?.join(" or ");
  const as =
    ref === undefined
      ? []
      : mint === undefined
        ? words`, with the credential ${ref}, which it never held`
        : words`, with a credential made for it alone out of ${ref}`;
  if (kind === "splice" || kind === "opaque") {
    return [
      words`${place} it could send and receive anything: nothing in these connections is looked into`,
    ];
  }
  const alone = new Set<Effect>();
  const asked = new Set<Effect>();
  const counted: Words[] = [];
  for (const rule of grant.allow) {
    for (const effect of effectsOf(grant, rule, verbsOf)) {
      if (!CONFIRMED_EFFECTS.has(effect)) alone.add(effect);
      else if (rule.unattended === undefined) asked.add(effect);
      else {
        asked.add(effect);
        counted.push(words`${[DOES[effect]]}, ${rule.unattended.count} times`);
      }
    }
  }
  const inOrder = (all: ReadonlySet<Effect>): Words => {
    const some = EFFECTS.filter((effect) => all.has(effect)).map((effect) => [DOES[effect]]);
    return listed(some);
  };
  const isTalk = grant.allow.some(({ websocket }) => websocket === true);
  return [
    ...(alone.size === 0
      ? []
      : [words`without a person it could, ${place}${as}: ${inOrder(alone)}`]),
    ...(counted.length === 0
      ? []
      : [
          words`without a person and a limited number of times it could, ${place}${as}: ${listed(counted)}`,
        ]),
    ...(asked.size === 0
      ? []
      : [words`only with a person's yes it could, ${place}${as}: ${inOrder(asked)}`]),
    ...(isTalk
      ? [words`${place} it could keep a WebSocket open and talk through it both ways`]
      : []),
  ];
}

/** Everything that a rule covers may do. `doing` narrows: what does more is not covered. */
function effectsOf(grant: TaskGrant, rule: TaskRule, verbsOf: VerbLookup): readonly Effect[] {
  const { verbs, doing, effects, methods } = rule;
  if (effects !== undefined) return effects;
  if (verbs === undefined) return methods.flatMap(effectsOfMethod);
  const known = verbsOf(grant.system);
  if (known === undefined) return doing ?? EFFECTS;
  const all = [...known].flatMap(([verb, does]) =>
    verbs.some((pattern) => matchesVerb(pattern, verb)) ? does : [],
  );
  return doing === undefined ? all : all.filter((effect) => doing.includes(effect));
}

function compute(entries: readonly Entry[]): readonly Words[] {
  const start = entries.find(({ type }) => type === "run.start");
  const limits = start?.data?.["limits"];
  if (!Array.isArray(limits)) return [];
  const told = limits.flatMap((limit) => {
    if (typeof limit !== "object" || limit === null || Array.isArray(limit)) return [];
    const name = textOf(limit, "limit");
    if (name === "pause" || name === "kill") return [];
    const wanted = textOf(limit, "wanted");
    const note = textOf(limit, "note");
    return [words`${name} ${limit["hard"] === true || note === "" ? wanted : note}`];
  });
  return told.length === 0 ? [] : [words`it could use of this machine: ${listed(told)}`];
}

function narrowed(entries: readonly Entry[]): readonly Words[] {
  return entries
    .filter(({ type, data }) => type === "policy" && data?.["before"] !== undefined)
    .map(
      ({ seq, data }) => words`from entry ${seq} on less was possible: ${textOf(data, "reason")}`,
    );
}
