/**
 * What one types to search the record, and the same as a query: `run:r-x type:denial,finding effect:publish git push`.
 * Words with a known key narrow; all others must occur. Several values of a key are alternatives.
 *
 * @module
 */
import type { Effect, EventType, FindingKind, Verdict } from "../../../src/action/index.ts";
import type { RecordQuery } from "../../../src/api/index.ts";

/** What each type of entry is, for whoever searches for the first time. */
export const TYPES = {
  action: "a request, with its verdict, before anything leaves",
  outcome: "what became of an action",
  denial: "refused below the level of an action: a connect, a protocol",
  finding: "misbehaviour that was noticed",
  response: "what a finding led to",
  approval: "a step of a person's decision",
  "tool.call": "a tool call of a model",
  "tool.result": "what the agent told the model of it",
  model: "an exchange with a model",
  "process.start": "a program that was started",
  "flow.open": "a connection begins",
  "flow.out": "what left this host for a connection",
  "flow.close": "a connection ends",
  dns: "a question about a name",
  repeat: "more of the same reading",
  workspace: "changes applied or discarded",
  credential: "a credential added, rotated, revoked",
  policy: "a task file",
  "run.start": "a run begins",
  "run.proved": "its controls were tried from inside",
  "run.pause": "it stands still",
  lineage: "all runs of a job, agent or secret stand still, go on or end",
  "run.resume": "it goes on",
  "run.restart": "its command is started again",
  "run.end": "it is over",
  step: "a step of training",
  usage: "what a run uses",
  record: "something done to the record itself: pruned, held, restored",
  exec: "a command that somebody has a run execute",
  "exec.end": "what became of such a command",
  "daemon.start": "the daemon begins",
  "daemon.stop": "the daemon ends",
} as const satisfies Record<EventType, string>;

const VERDICTS = { allow: 0, confirm: 0, deny: 0 } as const satisfies Record<Verdict, 0>;
const EFFECTS = {
  ...{ read: 0, "read-private": 0, write: 0, publish: 0, send: 0 },
  ...{ execute: 0, delete: 0, administer: 0, spend: 0 },
} as const satisfies Record<Effect, 0>;
const FINDINGS = {
  ...{ tunnel: 0, mining: 0, scan: 0, metadata: 0, protocol: 0, resolver: 0, sticky: 0 },
  ...{ credential: 0, escape: 0, changed: 0, exfiltration: 0, beacon: 0, persistence: 0 },
  ...{ agent: 0, signal: 0, flood: 0, loop: 0, usage: 0, claim: 0, tampering: 0 },
} as const satisfies Record<FindingKind, 0>;

/** Keys with several values, and the values there are, where they are ours. */
const CHOICES = {
  run: undefined,
  type: Object.keys(TYPES),
  verdict: Object.keys(VERDICTS),
  system: undefined,
  effect: Object.keys(EFFECTS),
  finding: Object.keys(FINDINGS),
} as const;
export type Choice = keyof typeof CHOICES;
export const FACETS = Object.keys(CHOICES) as readonly Choice[];

const KEYS: readonly string[] = [...FACETS, "since", "until", "from", "to"];

export interface Parsed {
  readonly query: RecordQuery;
  /** What is not understood, and what to write instead. */
  readonly problem: string | undefined;
}

const PART = /([a-z]+):("[^"]*"|\S+)|"[^"]*"|\S+/g;

export function parseQuery(text: string): Parsed {
  const query: Record<string, unknown> = {};
  const words: string[] = [];
  let problem: string | undefined;
  for (const [all, key, value] of text.matchAll(PART)) {
    if (key === undefined || value === undefined || !KEYS.includes(key)) {
      words.push(bare(all));
      problem ??= misspelt(key);
      continue;
    }
    const read = readValue(key, bare(value));
    if (typeof read === "string") problem ??= read;
    else Object.assign(query, merged(query, read));
  }
  if (words.length > 0) query["text"] = words.join(" ");
  return { query, problem };
}

/** The same key twice is more alternatives; of a bound the last counts. */
function merged(known: Record<string, unknown>, read: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(read).map(([key, value]) => {
      const before = known[key];
      return [
        key,
        Array.isArray(value) && Array.isArray(before)
          ? [...new Set<unknown>(before.concat(value))]
          : value,
      ];
    }),
  );
}

/** The member of the query that `key` sets, or what is wrong. */
function readValue(key: string, value: string): Record<string, unknown> | string {
  if (isChoice(key)) {
    const values = value.split(",").filter((one) => one !== "");
    const known: readonly string[] | undefined = CHOICES[key];
    const wrong = known === undefined ? undefined : values.find((one) => !known.includes(one));
    if (values.length === 0) return `${key}: needs a value`;
    return wrong === undefined
      ? { [key]: values }
      : `${key} has no ${wrong}; ${nearest(wrong, known)}`;
  }
  if (key === "from" || key === "to") {
    return /^\d{1,15}$/.test(value)
      ? { [key]: Number(value) }
      : `${key}: takes the number of an entry, as ${key}:1200`;
  }
  const at = Date.parse(value);
  return Number.isNaN(at)
    ? `${key}: takes a day or a moment, as ${key}:2026-11-27 or ${key}:2026-11-27T09:30Z`
    : { [key]: new Date(at).toISOString() };
}

function isChoice(key: string): key is Choice {
  return Object.hasOwn(CHOICES, key);
}

function bare(text: string): string {
  return text.replaceAll('"', "");
}

/** `typ:` is not a word that anybody looks for. */
function misspelt(key: string | undefined): string | undefined {
  if (key === undefined || key.length < 2) return undefined;
  const meant = KEYS.find((known) => known.startsWith(key) || key === `${known}s`);
  return meant === undefined ? undefined : `there is no ${key}:, did you mean ${meant}:?`;
}

function nearest(wrong: string, known: readonly string[] = []): string {
  const alike = known.filter((one) => one.startsWith(wrong.slice(0, 2)));
  return `there ${alike.length === 1 ? "is" : "are"} ${(alike.length === 0 ? known : alike).join(", ")}`;
}

/** `text` with `value` of `key` in it, or without where it was. */
export function toggled(text: string, key: Choice, value: string): string {
  const { query } = parseQuery(text);
  const known: readonly string[] = query[key] ?? [];
  const next = known.includes(value) ? known.filter((one) => one !== value) : [...known, value];
  const others = [...text.matchAll(PART)].filter(([, own]) => own !== key).map(([all]) => all);
  const quoted = next.map((one) => (/\s/.test(one) ? `"${one}"` : one));
  return [...others, ...(next.length === 0 ? [] : [`${key}:${quoted.join(",")}`])].join(" ");
}
