/**
 * Autonomy that is earned: what persons let through again and again, unchanged, over weeks, and with nothing found, might pass
 * without them, within limits and until a day; and what passes without them and no longer deserves it might wait again.
 * These are proposals: a person changes the task file, and nothing else does.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import {
  matchesObject,
  matchesVerb,
  printObject,
  type Task,
  type TaskGrant,
  type TaskRule,
} from "../policy/index.ts";
import { editYaml, type YamlEdit } from "../yaml/index.ts";
import { textOf, type History, type PastAction } from "./history.ts";
import { objectsLike, pathsLike } from "./patterns.ts";

/** What must be behind a proposal to let something through. */
export const EARNED = { approvals: 20, runs: 3, days: 7 } as const;
/** How long leave is proposed for. */
export const LEAVE_DAYS = 30;
const DAY_MS = 86_400_000;

export interface Proposal {
  readonly kind: "let-through" | "take-back";
  /** One sentence: "let post.publish of blog pass 3 times a day until 2026-12-27". */
  readonly says: string;
  /** Why, each with entries of the record. */
  readonly evidence: readonly string[];
  readonly edits: readonly YamlEdit[];
  /** The task file with it. */
  readonly source: string;
}

/** A kind of action that persons decide over, and what is still missing for a proposal. */
export interface Waiting {
  readonly grant: string;
  readonly verb: string;
  readonly approved: number;
  /** In plain words; empty where it is proposed. */
  readonly missing: readonly string[];
}

export interface Autonomy {
  readonly proposals: readonly Proposal[];
  readonly waiting: readonly Waiting[];
}

export interface ProposeOptions {
  readonly task: Task;
  readonly source: string;
  readonly history: History;
  readonly nowMs: number;
  /** Reads a changed text as the original was read. @throws {Fault} where it is none. */
  parse(source: string): Task;
}

/** What the history of `task` speaks for. */
export function propose(options: ProposeOptions): Autonomy {
  const { task } = options;
  const waiting: Waiting[] = [];
  const proposals: Proposal[] = [];
  for (const [at, grant] of task.grants.entries()) {
    for (const [index, rule] of grant.allow.entries()) {
      const place = { grant, at, rule, index };
      const back = takeBack(place, options);
      if (back !== undefined) proposals.push(back);
    }
    for (const kind of kindsOf(grant, options)) {
      const { missing, proposal } = letThrough(kind, grant, at, options);
      waiting.push({ grant: grant.name, verb: kind.verb, approved: kind.approved.length, missing });
      if (proposal !== undefined) proposals.push(proposal);
    }
  }
  return { proposals, waiting };
}

interface RulePlace {
  readonly grant: TaskGrant;
  readonly at: number;
  readonly rule: TaskRule;
  readonly index: number;
}

function takeBack(
  { grant, at, rule, index }: RulePlace,
  options: ProposeOptions,
): Proposal | undefined {
  if (rule.unattended === undefined) return undefined;
  const { history, source } = options;
  const own = history.actions.filter((one) => one.system === grant.name && hasAction(rule, one));
  const passed = own.filter(({ verdict }) => verdict === "allow");
  const evidence = [
    ...history.runs.flatMap(({ run, findings }) =>
      passed.some((one) => one.run === run)
        ? findings.map(
            ({ seq, kind, detail }) =>
              `${kind} was found in ${run}, where it passed: ${detail} (entry ${seq})`,
          )
        : [],
    ),
    ...own.flatMap(({ seq, run, verb, approval }) =>
      approval === undefined || !isDoubted(approval)
        ? []
        : [`a person ${doubt(approval)} ${verb} in ${run} (entry ${seq})`],
    ),
  ];
  if (evidence.length === 0) return undefined;
  const edits = [{ remove: ["grants", at, "allow", index, "unattended"] }];
  const changed = editYaml(source, edits);
  if (changed === undefined) return undefined;
  const says = `have a person asked again by rule ${index + 1} of ${grant.name}`;
  return { kind: "take-back", says, evidence, edits, source: changed };
}

type Approval = NonNullable<PastAction["approval"]>;

function isDoubted({ state, isEdited, isTakenBack }: Approval): boolean {
  return state === "denied" || isEdited || isTakenBack;
}

function doubt({ state, isTakenBack }: Approval): string {
  if (isTakenBack) return "took back a yes to";
  return state === "denied" ? "denied" : "changed";
}

/** A verb that waits, as persons decided over it. */
interface Kind {
  readonly verb: string;
  readonly rule: TaskRule;
  readonly index: number;
  readonly all: readonly PastAction[];
  readonly approved: readonly PastAction[];
}

function kindsOf(grant: TaskGrant, { history }: ProposeOptions): readonly Kind[] {
  const waited = history.actions.filter(
    (one) => one.system === grant.name && one.verdict === "confirm",
  );
  const verbs = [...new Set(waited.map((one) => one.verb))].sort();
  return verbs.flatMap((verb) => {
    const all = waited.filter((one) => one.verb === verb);
    const index = grant.allow.findIndex((rule) => all.some((one) => hasAction(rule, one)));
    const rule = grant.allow[index];
    if (rule === undefined || rule.unattended !== undefined) return [];
    return [
      {
        verb,
        rule,
        index,
        all,
        approved: all.filter(({ approval }) => approval?.state === "performed"),
      },
    ];
  });
}

function hasAction(rule: TaskRule, { action }: PastAction): boolean {
  if (action === undefined) return false;
  const { method, path } = action.fields;
  if (rule.verbs === undefined) {
    return (
      typeof method === "string" &&
      rule.methods.includes(method) &&
      typeof path === "string" &&
      pathsLike([path], rule.paths) !== undefined
    );
  }
  const { verbs, on, doing } = rule;
  return (
    action.parts ?? [{ verb: action.verb, effects: action.effects, object: undefined }]
  ).every(
    ({ verb, effects, object }) =>
      verbs.some((pattern) => matchesVerb(pattern, verb)) &&
      (on === undefined ||
        (object !== undefined && on.some((glob) => matchesObject(glob, object)))) &&
      (doing === undefined || effects.every((effect) => doing.includes(effect))),
  );
}

function letThrough(
  kind: Kind,
  grant: TaskGrant,
  at: number,
  options: ProposeOptions,
): { readonly missing: readonly string[]; readonly proposal?: Proposal } {
  const missing = missingFor(kind, options);
  if (missing.length > 0) return { missing };
  const proposal = proposalFor(kind, grant, at, options);
  return proposal === undefined
    ? { missing: ["what was approved cannot be said by one rule"] }
    : { missing, proposal };
}

function missingFor({ all, approved }: Kind, { history, task }: ProposeOptions): readonly string[] {
  const effects = effectsOf(approved);
  const runs = new Set(approved.map(({ run }) => run));
  const first = Math.min(...approved.map(({ atMs }) => atMs));
  const last = Math.max(...approved.map(({ atMs }) => atMs));
  const days = approved.length === 0 ? 0 : Math.floor((last - first) / DAY_MS);
  const doubted = all.filter(({ approval }) => approval !== undefined && isDoubted(approval));
  const failed = all.filter(({ approval }) => approval?.state === "failed");
  const found = history.runs.filter(({ run, findings }) => runs.has(run) && findings.length > 0);
  return [
    ...(effects.includes("administer") ? ["what administers is asked for each time"] : []),
    ...(effects.some((effect) => task.approvals.fourEyes.includes(effect))
      ? ["it needs two persons"]
      : []),
    ...(approved.length < EARNED.approvals
      ? [`${EARNED.approvals} approvals; there are ${approved.length}`]
      : []),
    ...(runs.size < EARNED.runs
      ? [`approvals in ${EARNED.runs} runs; there are ${runs.size}`]
      : []),
    ...(days < EARNED.days
      ? [`${EARNED.days} days from the first to the last; there are ${days}`]
      : []),
    ...doubted.map(
      ({ seq, approval }) =>
        `none that a person doubted; one was ${doubt(approval ?? NO_APPROVAL)} (entry ${seq})`,
    ),
    ...failed.map(({ seq }) => `none that failed (entry ${seq})`),
    ...found.map(
      ({ run, findings }) =>
        `runs without findings; in ${run} there is ${findings[0]?.kind ?? "one"}`,
    ),
  ];
}
const NO_APPROVAL: Approval = { id: "", state: "", isEdited: false, isTakenBack: false };

function effectsOf(actions: readonly PastAction[]): readonly Effect[] {
  return [...new Set(actions.flatMap(({ action }) => action?.effects ?? []))];
}

function proposalFor(
  { verb, rule, index, approved }: Kind,
  grant: TaskGrant,
  at: number,
  { source, nowMs, parse }: ProposeOptions,
): Proposal | undefined {
  const expires = new Date(nowMs + LEAVE_DAYS * DAY_MS).toISOString().slice(0, 10);
  const count = mostInADay(approved);
  const first = new Date(Math.min(...approved.map(({ atMs }) => atMs))).toISOString().slice(0, 10);
  const reason = `Approved ${approved.length} times since ${first}, never changed or denied, and nothing was found.`;
  const narrowed = narrowerRule(rule, verb, approved);
  if (narrowed === undefined) return undefined;
  const value = { ...narrowed, unattended: { count, per: "1d", reason, expires } };
  const edits = [{ insert: ["grants", at, "allow", index], value }];
  const changed = editYaml(source, edits);
  if (changed === undefined || !reads(changed, parse)) return undefined;
  const runs = new Set(approved.map(({ run }) => run)).size;
  return {
    kind: "let-through",
    says: `let ${verb} of ${grant.name} pass without a person ${count} times a day until ${expires}`,
    evidence: [
      `${approved.length} approvals in ${runs} runs since ${first}, entries ${approved[0]?.seq} to ${approved.at(-1)?.seq}`,
      "none denied, changed, taken back or failed; nothing found in these runs",
      `at most ${count} on one day`,
    ],
    edits,
    source: changed,
  };
}

function reads(source: string, parse: (source: string) => Task): boolean {
  try {
    parse(source);
    return true;
  } catch {
    return false; // A rule that would let the later one match nothing, or leave that nothing needs.
  }
}

/** A rule for what was approved, and nothing else. */
function narrowerRule(
  rule: TaskRule,
  verb: string,
  approved: readonly PastAction[],
): Readonly<Record<string, unknown>> | undefined {
  const effects = effectsOf(approved);
  if (rule.verbs === undefined) {
    const paths = pathsLike(
      approved.map(({ action }) => textOf(action?.fields["path"])),
      rule.paths,
    );
    return paths === undefined ? undefined : { methods: [verb], paths, effects };
  }
  const parts = approved.flatMap(
    ({ action }) =>
      action?.parts ??
      (action === undefined
        ? []
        : [{ verb: action.verb, effects: action.effects, object: undefined }]),
  );
  const verbs = [...new Set(parts.map((one) => one.verb))];
  const objects = parts.flatMap(({ object }) => (object === undefined ? [] : [object]));
  const said = rule.effects === undefined ? { doing: effects } : { effects: rule.effects };
  const { separator, isRooted } = rule;
  // Without `on` the rule's own pattern is not known, nor how objects are written there.
  if (objects.length === 0 || rule.on === undefined)
    return rule.on === undefined ? { verbs, ...said } : undefined;
  const written = {
    ...(separator === undefined ? {} : { separator }),
    ...(isRooted === undefined ? {} : { isRooted }),
  };
  return { verbs, on: objectsLike(objects).map((glob) => printObject(glob, written)), ...said };
}

function mostInADay(actions: readonly PastAction[]): number {
  const days = new Map<string, number>();
  for (const { atMs, count } of actions) {
    const day = new Date(atMs).toISOString().slice(0, 10);
    days.set(day, (days.get(day) ?? 0) + count);
  }
  return Math.max(...days.values());
}
