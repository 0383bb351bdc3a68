/**
 * The smallest task file that would have sufficed: what runs of a task never used is taken out of its file, rule by rule, and
 * whatever they did is judged again by the new one, which must let it through as before (INV-184).
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import {
  CONFIRMED_EFFECTS,
  decide,
  initialPolicyState,
  compilePolicy,
  matchesObject,
  matchesVerb,
  narrowPolicy,
  parseObjectGlob,
  printObject,
  type Task,
  type TaskGrant,
  type TaskRule,
} from "../policy/index.ts";
import { editYaml, type YamlEdit } from "../yaml/index.ts";
import { textOf, type History, type PastAction } from "./history.ts";
import { objectsLike, pathsLike } from "./patterns.ts";

export interface TightenOptions {
  readonly task: Task;
  readonly source: string;
  readonly history: History;
  /** Reads a changed text as the original was read. @throws {Fault} where it is none. */
  parse(source: string): Task;
}

export interface Tightened {
  /** The new file's text; the old one where nothing can go. */
  readonly source: string;
  /** What was taken away, and why, in sentences. */
  readonly taken: readonly string[];
  /** What rests on a single use: the new file keeps it, and one look more is due. */
  readonly once: readonly string[];
  /** What stays since the record does not tell whether it is used. */
  readonly kept: readonly string[];
}

/** One thing less, and what it says. */
interface Change {
  readonly edits: readonly YamlEdit[];
  readonly says: string;
}

/** Tightens `task` to what `history` used. Without a run nothing is known, and nothing is taken. */
export function tighten(options: TightenOptions): Tightened {
  const { task, source, history } = options;
  const used = history.actions.filter(isUse);
  const nothing = { source, taken: [], once: [], kept: [] };
  if (history.runs.length === 0) return nothing;
  const kept: string[] = [];
  let now = { source, task };
  const taken: string[] = [];
  for (const change of changesOf(task, used, history, kept)) {
    const next = attempt(now, change, options, used);
    if (next === undefined)
      kept.push(`${change.says}: not done, since what was done would then be refused`);
    else {
      now = next;
      taken.push(change.says);
    }
  }
  return { source: now.source, taken, once: onceOf(used), kept };
}

/** What a run had, and had a use for: also what a person said no to was asked for, but is no reason to keep a grant. */
function isUse({ verdict, approval }: PastAction): boolean {
  return verdict === "allow" || (verdict === "confirm" && approval?.state === "performed");
}

interface Present {
  readonly source: string;
  readonly task: Task;
}

/** `now` with `change`, where that reads, is nowhere wider, and lets through all that was done. */
function attempt(
  now: Present,
  { edits }: Change,
  { parse }: TightenOptions,
  used: readonly PastAction[],
): Present | undefined {
  const source = editYaml(now.source, edits);
  if (source === undefined) return undefined;
  let task: Task;
  try {
    task = parse(source);
  } catch {
    return undefined; // A grant without rules, `unattended` where nothing waits any more: such a file says so itself.
  }
  const present = { task: now.task, policy: compilePolicy(now.task), state: initialPolicyState };
  const isNarrower =
    narrowPolicy(present, { ...task, lifetimeMs: now.task.lifetimeMs, compute: now.task.compute })
      .wider.length === 0;
  return isNarrower && sufficesFor(task, used, now.task) ? { source, task } : undefined;
}

/** Whether each action is judged as mildly by `task` as by `before`. */
function sufficesFor(task: Task, used: readonly PastAction[], before: Task): boolean {
  const [policy, old] = [compilePolicy(task), compilePolicy(before)];
  return used.every(({ action }) => {
    if (action === undefined) return true;
    const { verdict } = decide(policy, initialPolicyState, action);
    return verdict === "allow" || verdict === decide(old, initialPolicyState, action).verdict;
  });
}

/** Changes from the end of the file to its beginning: what is taken away moves nothing that a later change names. */
function changesOf(
  task: Task,
  used: readonly PastAction[],
  history: History,
  kept: string[],
): readonly Change[] {
  const runs = history.runs.length === 1 ? "the one run" : `${history.runs.length} runs`;
  const grants = task.grants.map((grant, at) => {
    const uses = used.filter(({ system }) => system === grant.name);
    if (uses.length === 0) {
      return [{ edits: [{ remove: ["grants", at] }], says: `${grant.name}: not used in ${runs}` }];
    }
    const unread = uses.filter(({ action }) => action === undefined);
    if (unread.length > 0) {
      kept.push(`${grant.name}: ${unread.length} of its actions are not on record whole`);
      return [];
    }
    return grantChanges(grant, at, uses, kept);
  });
  return [...limitChanges(task, history), ...grants.reverse().flat()];
}

function grantChanges(
  grant: TaskGrant,
  at: number,
  uses: readonly PastAction[],
  kept: string[],
): readonly Change[] {
  const changes = grant.allow.map((rule, index) => {
    const path = ["grants", at, "allow", index];
    const name = `rule ${index + 1} of ${grant.name}`;
    const own = uses.filter((use) => covers(grant, index, use));
    if (own.length === 0) return [{ edits: [{ remove: path }], says: `${name}: not used` }];
    return grant.system === "http"
      ? httpChanges(rule, path, name, own)
      : verbChanges(rule, { path, name, own, kept });
  });
  return [...changes.reverse().flat(), ...hostChanges(grant, at, uses)];
}

/** The first rule that has it, as the decision has it. */
function covers({ allow, system }: TaskGrant, index: number, use: PastAction): boolean {
  return partsOf(use).some((part) => {
    const first = allow.findIndex((rule) =>
      system === "http" ? hasRequest(rule, use) : hasPart(rule, part),
    );
    return first === index;
  });
}

function hasRequest({ methods, paths }: TaskRule, { action }: PastAction): boolean {
  const { method, path } = action?.fields ?? {};
  return (
    typeof method === "string" &&
    methods.includes(method) &&
    typeof path === "string" &&
    paths.some((glob) => pathsLike([path], [glob]) !== undefined)
  );
}

interface Part {
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly object?: readonly string[] | undefined;
}

function partsOf({ action }: PastAction): readonly Part[] {
  return action === undefined ? [] : (action.parts ?? [action]);
}

function hasPart({ verbs = [], on, doing }: TaskRule, { verb, effects, object }: Part): boolean {
  if (!verbs.some((pattern) => matchesVerb(pattern, verb))) return false;
  if (on !== undefined && !(object !== undefined && on.some((glob) => matchesObject(glob, object))))
    return false;
  return doing === undefined || effects.every((effect) => doing.includes(effect));
}

type Path = readonly (string | number)[];

function httpChanges(
  rule: TaskRule,
  path: Path,
  name: string,
  own: readonly PastAction[],
): readonly Change[] {
  const requests = own.map(({ action }) => action?.fields ?? {});
  const methods = rule.methods.filter((method) => requests.some((one) => one["method"] === method));
  const paths = [...new Set(requests.map((one) => textOf(one["path"])))];
  const like = pathsLike(paths, rule.paths) ?? rule.paths;
  return [
    ...less(rule.methods, methods, [...path, "methods"], `${name}: methods`),
    ...less(rule.paths, like, [...path, "paths"], `${name}: paths`),
  ];
}

interface RulePlace {
  readonly path: Path;
  readonly name: string;
  readonly own: readonly PastAction[];
  readonly kept: string[];
}

function verbChanges(rule: TaskRule, { path, name, own, kept }: RulePlace): readonly Change[] {
  const parts = own.flatMap(partsOf).filter((part) => hasPart(rule, part));
  const verbs = [...new Set(parts.map(({ verb }) => verb))].sort();
  const changes = [...less(rule.verbs ?? [], verbs, [...path, "verbs"], `${name}: verbs`)];
  const effects = [...new Set(parts.flatMap((part) => part.effects))];
  if (rule.effects === undefined && rule.unattended === undefined) {
    changes.push(...less(rule.doing ?? [], effects, [...path, "doing"], `${name}: doing`));
  }
  const objects = parts.map(({ object }) => object);
  const named = objects.filter((object) => object !== undefined);
  if (named.length > 0 && named.length === objects.length) {
    const { separator, isRooted } = rule;
    const written = {
      ...(separator === undefined ? {} : { separator }),
      ...(isRooted === undefined ? {} : { isRooted }),
    };
    const like = objectsLike(named).map((glob) => printObject(glob, written));
    const before = (rule.on ?? []).map((glob) => printObject(glob, written));
    if (rule.on === undefined)
      kept.push(
        `${name}: it may act on whatever there is; \`on: [${like.join(", ")}]\` would have sufficed`,
      );
    else if (like.every((one) => parseObjectGlob(one, separator ?? "").length > 0)) {
      changes.push(...less(before, like, [...path, "on"], `${name}: on`));
    }
  }
  return [...changes, ...leaveChange(rule, path, name, own)];
}

/** Leave that nothing needed, or that was never used up. */
function leaveChange(
  rule: TaskRule,
  path: Path,
  name: string,
  own: readonly PastAction[],
): readonly Change[] {
  if (rule.unattended === undefined) return [];
  const alone = own.filter(
    ({ verdict, action }) =>
      verdict === "allow" && action?.effects.some((one) => CONFIRMED_EFFECTS.has(one)),
  );
  if (alone.length === 0)
    return [
      { edits: [{ remove: [...path, "unattended"] }], says: `${name}: nothing passed unattended` },
    ];
  const byRun = new Map<string, number>();
  for (const { run } of alone) byRun.set(run, (byRun.get(run) ?? 0) + 1);
  const most = Math.max(...byRun.values());
  if (rule.unattended.perMs !== undefined || most >= rule.unattended.count) return [];
  return [
    {
      edits: [{ set: [...path, "unattended", "count"], value: most }],
      says: `${name}: unattended ${rule.unattended.count} times, of which ${most} were the most in one run`,
    },
  ];
}

/** A shorter list, or one that says the same more narrowly. */
function less(
  before: readonly string[],
  after: readonly string[],
  path: Path,
  name: string,
): readonly Change[] {
  const isSame = before.length === after.length && after.every((one) => before.includes(one));
  if (isSame || after.length === 0) return [];
  const was = before.length === 0 ? "" : `, and not ${before.join(", ")}`;
  return [{ edits: [{ set: path, value: [...after] }], says: `${name} ${after.join(", ")}${was}` }];
}

function hostChanges(grant: TaskGrant, at: number, uses: readonly PastAction[]): readonly Change[] {
  const fields = uses.map(({ action }) => action?.fields ?? {});
  const hosts = [
    ...new Set(fields.flatMap(({ host }) => (typeof host === "string" ? [host] : []))),
  ].sort();
  const ports = new Set(fields.map(({ port }) => port));
  const changes: Change[] = [];
  const named =
    hosts.length <= HOSTS_MAX
      ? less(grant.hosts, hosts, ["grants", at, "hosts"], `${grant.name}: hosts`)
      : [];
  changes.push(...named);
  const kept = grant.ports.filter((port) => ports.has(port));
  if (kept.length > 0 && kept.length < grant.ports.length) {
    changes.push({
      edits: [{ set: ["grants", at, "ports"], value: kept }],
      says: `${grant.name}: ports ${kept.join(", ")}, and not ${grant.ports.join(", ")}`,
    });
  }
  return changes;
}
const HOSTS_MAX = 10; // More names of a wildcard are what the wildcard is for.

const MINUTE_MS = 60_000;
const MEBIBYTE = 1 << 20;

/** Time and memory with half as much again: a run is no machine. */
function limitChanges({ lifetimeMs, compute }: Task, { runs }: History): readonly Change[] {
  const longest = Math.max(...runs.map(({ startedMs, endedMs }) => endedMs - startedMs));
  const minutes = Math.max(5, Math.ceil((longest * 1.5) / MINUTE_MS));
  const changes: Change[] = [];
  if (minutes * MINUTE_MS < lifetimeMs) {
    changes.push({
      edits: [{ set: ["lifetime"], value: `${minutes}m` }],
      says: `lifetime ${minutes}m: the longest run took ${Math.ceil(longest / MINUTE_MS)}m`,
    });
  }
  const memory = Math.max(0, ...runs.map(({ memoryBytes = 0 }) => memoryBytes));
  const mebibytes = Math.max(64, Math.ceil((memory * 1.5) / MEBIBYTE / 64) * 64);
  if (
    memory > 0 &&
    compute.memoryBytes !== undefined &&
    mebibytes * MEBIBYTE < compute.memoryBytes
  ) {
    changes.push({
      edits: [{ set: ["compute", "memory"], value: `${mebibytes}MiB` }],
      says: `memory ${mebibytes}MiB: ${Math.ceil(memory / MEBIBYTE)}MiB were the most`,
    });
  }
  return changes;
}

const ONCE_MAX = 40;

/** What was seen in one action only. */
function onceOf(used: readonly PastAction[]): readonly string[] {
  const seen = new Map<string, { count: number; use: PastAction }>();
  for (const use of used) {
    const { method, path } = use.action?.fields ?? {};
    const object = use.action?.parts?.[0]?.object?.join(" ");
    const what =
      use.action?.kind === "http"
        ? `${textOf(method)} ${textOf(path)}`
        : `${use.verb}${object === undefined ? "" : ` on ${object}`}`;
    const key = `${use.system}: ${what}`;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { count: use.count, use });
    else known.count += use.count;
  }
  const once = [...seen]
    .filter(([, { count }]) => count === 1)
    .map(([key, { use }]) => `${key} (entry ${use.seq} of ${use.run})`);
  return once.length > ONCE_MAX
    ? [...once.slice(0, ONCE_MAX), `and ${once.length - ONCE_MAX} more`]
    : once;
}
