/**
 * What an approved request left to take effect later: where it is read, whether it waits still, what must
 * stay as it was, and what stops it. Pure; whoever watches asks the system.
 *
 * @module
 */
import { canonicalJson, type Json } from "../action/index.ts";
import { fillTarget, instantOf, readRequest, type CatalogRequest } from "./describe.ts";
import { HOLE, type Entry, type LaterRule } from "./entry.ts";
import { isSecret } from "./secrets.ts";
import { holds, textOf, valuesAt, type Facts, type Sources } from "./values.ts";

/** A name for the answer of the system, beside those of what is read. */
export const ANSWER = "answer";

/** What is watched, as it was read. */
export interface LaterState {
  readonly waits: boolean;
  readonly isWithdrawn: boolean;
  /** RFC 3339. */
  readonly at?: string;
  /** By reference: one text that is the same where all its values are. */
  readonly values: Readonly<Record<string, string>>;
  /** What its waiting is known by: `status: publish`. */
  readonly standing: string;
}

/** A request that stops it, below its origin. */
export interface StopRequest {
  readonly method: string;
  readonly target: string;
  readonly content?: { readonly type: string; readonly text: string };
}

/** What a performed request left to be watched. */
export interface Later {
  /** Names of what is read, in order. */
  readonly reads: readonly string[];
  /** What of the answer is needed to find it again; nothing else of it is kept. */
  answerOf(answer: Json | undefined): Json;
  /**
   * Path and query of a GET; `null` where what was read before names nothing, `undefined` where it cannot be
   * told.
   */
  target(name: string, facts: Facts): string | null | undefined;
  /** The state; `undefined` where nothing that is compared was found: that is no answer. */
  state(facts: Facts): LaterState | undefined;
  /** What stops it, first to last; those whose place is not known are left out. */
  stops(facts: Facts): readonly StopRequest[];
}

/** What `request` leaves to take effect later, where its route says how that is seen. */
export function laterOf(entry: Entry, request: CatalogRequest): Later | undefined {
  const read = readRequest(entry, request);
  const rule = read?.route.later;
  if (read === undefined || rule === undefined) return undefined;
  const { base } = read;
  const sourcesOf = (facts: Facts): Sources => ({ ...read.sources, facts });
  const fill = (template: string, facts: Facts): string | undefined => {
    const target = fillTarget(template, sourcesOf(facts));
    return target === undefined ? undefined : `${base}${target}`;
  };
  return {
    reads: Object.keys(rule.read),
    answerOf: (answer) => partOf(rule, answer),
    target(name, facts) {
      const template = rule.read[name] ?? "";
      const isNothing = holesOf(template).some((reference) => {
        const [root = ""] = reference.split(".");
        if (!Object.hasOwn(rule.read, root)) return false;
        const [value] = valuesAt(reference, sourcesOf(facts));
        return value === undefined || value === null;
      });
      return isNothing ? null : fill(template, facts);
    },
    state: (facts) => stateOf(rule, sourcesOf(facts)),
    stops: (facts) =>
      rule.stop.flatMap(({ request: form, json, form: pairs }): readonly StopRequest[] => {
        const space = form.indexOf(" ");
        const target = fill(form.slice(space + 1), facts);
        if (target === undefined) return [];
        const content =
          json === undefined
            ? pairs && {
                type: "application/x-www-form-urlencoded",
                text: String(new URLSearchParams(pairs)),
              }
            : { type: "application/json", text: JSON.stringify(json) };
        const method = form.slice(0, space);
        return [{ method, target, ...(content === undefined ? {} : { content }) }];
      }),
  };
}

/** Whether the value at `reference` is a secret by its name, and not to be shown. */
export function isHidden(reference: string): boolean {
  return isSecret(reference.split(".").at(-1) ?? "");
}

function stateOf(rule: LaterRule, sources: Sources): LaterState | undefined {
  const allHold = (when: LaterRule["waits"]) =>
    Object.entries(when).every(([reference, test]) => holds(test, valuesAt(reference, sources)));
  const found = rule.compare.map((reference) => {
    // Neither names nor lists have an order that all servers keep.
    const texts = valuesAt(reference, sources).map((value) => canonicalJson(value as Json));
    return [reference, texts.sort().join(", ")] as const;
  });
  if (found.every(([, text]) => text === "")) return undefined;
  const at = rule.at === undefined ? undefined : instantOf(valuesAt(rule.at, sources));
  const standing = Object.keys(rule.waits).map(
    (reference) => `${reference}: ${valuesAt(reference, sources).map(textOf).join(", ") || "?"}`,
  );
  return {
    waits: allHold(rule.waits),
    isWithdrawn: rule.withdrawn !== undefined && allHold(rule.withdrawn),
    ...(at === undefined ? {} : { at }),
    values: Object.fromEntries(found),
    standing: standing.join("; "),
  };
}

/** The members of `answer` that holes name, and nothing else of it. */
function partOf(rule: LaterRule, answer: Json | undefined): Json {
  const templates = [...Object.values(rule.read), ...rule.stop.map(({ request }) => request)];
  const part: Record<string, Json> = {};
  for (const reference of templates.flatMap(holesOf)) {
    const [root, ...names] = reference.split(".");
    if (root !== ANSWER) continue;
    let [from, to]: [Json | undefined, Record<string, Json>] = [answer, part];
    for (const [at, name] of names.entries()) {
      from = memberOf(from, name);
      if (from === undefined) break;
      if (at === names.length - 1) to[name] = from;
      else to = (to[name] ??= {}) as Record<string, Json>;
    }
  }
  return part;
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, Json>>)[name] : undefined;
}

function holesOf(template: string): readonly string[] {
  return [...template.matchAll(HOLE)].map(([, reference = ""]) => reference);
}
