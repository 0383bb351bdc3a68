/**
 * What the form of an entry cannot say of it, checked before it is used: that its paths can be read, that
 * what it refers to can be there, and that no verb of ours is taken.
 *
 * @module
 */
import { BATCH_VERB, HOLE, UNKNOWN_VERB, type Entry, type Route } from "./entry.ts";
import { ANSWER } from "./later.ts";
import { namesOf } from "./route.ts";

/** One thing wrong with an entry: where, what, and what to do. */
export interface EntryFlaw {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint: string;
}

/** Everything wrong with `entry`; nothing for one that can be used. */
export function flawsOf(entry: Entry): readonly EntryFlaw[] {
  const seen = new Set<string>();
  return entry.routes.flatMap((route, at) => {
    const flaws = [
      ...flawsOfForms(route, seen),
      ...flawsOfVerbs(route),
      ...flawsOfNames(route),
      ...flawsOfLater(route),
    ];
    return flaws.map((flaw) => ({ ...flaw, path: ["routes", at, ...flaw.path] }));
  });
}

function flawsOfForms(route: Route, seen: Set<string>): readonly EntryFlaw[] {
  return [route.request].flat().flatMap((form): readonly EntryFlaw[] => {
    const path = ["request"];
    try {
      namesOf(form);
    } catch (error) {
      const hint = "write {name}, {name:expression}, or {name...} at the end";
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      return [{ path, message: `cannot be read: ${error.message}`, hint }];
    }
    const space = form.indexOf(" ");
    const taken = form
      .slice(0, space)
      .split("|")
      .map((method) => `${route.root === true ? "/" : ""} ${method}${form.slice(space)}`)
      .filter((one) => seen.has(one) || (seen.add(one), false));
    if (taken.length === 0) return [];
    const message = `(${JSON.stringify(form)}) stands in a route before, which is taken instead`;
    return [{ path, message, hint: "remove one, or make it a case of the other" }];
  });
}

function flawsOfVerbs({ verb, cases = [] }: Route): readonly EntryFlaw[] {
  const verbs = [
    { path: ["verb"], verb },
    ...cases.map((one, at) => ({ path: ["cases", at, "verb"], verb: one.verb })),
  ];
  return verbs.flatMap(({ path, verb: own }) =>
    own === UNKNOWN_VERB || own === BATCH_VERB
      ? [{ path, message: `(${own}) has a meaning of its own`, hint: "choose another verb" }]
      : [],
  );
}

const SOURCES = new Set(["body", "query", "param", "path", "header"]);

/** What is referred to must be a part of every form of the path, or a look-up. */
function flawsOfNames(route: Route): readonly EntryFlaw[] {
  const names = [route.request].flat().map(readableNames);
  const lookups = new Set(Object.keys(route.lookup ?? {}));
  return referencesOf(route).flatMap(({ path, reference }) => {
    const [root = "", name = ""] = reference.split(".");
    if (root === "path") {
      if (names.every((own) => own === undefined || own.includes(name))) return [];
      const message = `refers to ${reference}, and not every path of the route has {${name}}`;
      return [{ path, message, hint: "use a name that stands in each" }];
    }
    if (SOURCES.has(root) || lookups.has(root)) return [];
    const message = `refers to ${reference}, and "${root}" is neither a part of the request nor a look-up`;
    return [{ path, message, hint: `begin with ${[...SOURCES, ...lookups].join(", ")}` }];
  });
}

/**
 * What is watched is found by the request, the answer and what was read before; what is told of it stands in
 * what is read. Look-ups are not made again for it.
 */
function flawsOfLater({ request, later }: Route): readonly EntryFlaw[] {
  if (later === undefined) return [];
  const forms = [request].flat().map(readableNames);
  const reads = Object.keys(later.read);
  const given = [...SOURCES, ANSWER];
  const within = (
    names: readonly string[],
    { path, reference }: Referred,
  ): readonly EntryFlaw[] => {
    const [root = "", name = ""] = reference.split(".");
    const isThere =
      root !== "path" || forms.every((own) => own === undefined || own.includes(name));
    if (names.includes(root) && isThere) return [];
    const what = names.length === 0 ? "nothing" : names.join(", ");
    const message = `refers to ${reference}, which is not known there`;
    return [{ path: ["later", ...path], message, hint: `begin with ${what}` }];
  };
  const taken = reads.filter((name) => given.includes(name));
  return [
    ...taken.map((name) => ({
      path: ["later", "read", name],
      message: "has the name of a part of the request",
      hint: "choose another name",
    })),
    ...Object.entries(later.read).flatMap(([name, text], at) =>
      inText(["read", name], text).flatMap((one) => within([...given, ...reads.slice(0, at)], one)),
    ),
    ...later.stop.flatMap(({ request: text, json, form }, at): readonly EntryFlaw[] => [
      ...inText(["stop", String(at)], text).flatMap((one) => within(given, one)),
      ...(json === undefined || form === undefined
        ? []
        : [
            {
              path: ["later", "stop", at],
              message: "has json and form, and a request has one body",
              hint: "keep one",
            },
          ]),
    ]),
    ...[
      ...only(["at"], later.at),
      ...Object.keys(later.waits).map((reference) => ({ path: ["waits"], reference })),
      ...Object.keys(later.withdrawn ?? {}).map((reference) => ({
        path: ["withdrawn"],
        reference,
      })),
      ...later.compare.map((reference, at) => ({ path: ["compare", at], reference })),
    ].flatMap((one) => within(reads, one)),
  ];
}

function readableNames(form: string): readonly string[] | undefined {
  try {
    return namesOf(form);
  } catch {
    return undefined; // Said by flawsOfForms.
  }
}

interface Referred {
  readonly path: readonly (string | number)[];
  readonly reference: string;
}

function referencesOf(route: Route): readonly Referred[] {
  const { cases = [], recipients = [], amount, children, lookup = {} } = route;
  const currency =
    amount !== undefined && /^[a-z]/.test(amount.currency) ? amount.currency : undefined;
  return [
    ...inText(["summary"], route.summary),
    ...cases.flatMap(({ when, summary = "" }, at) => [
      ...Object.keys(when).map((reference) => ({ path: ["cases", at, "when"], reference })),
      ...inText(["cases", at, "summary"], summary),
    ]),
    ...recipients.map((reference, at) => ({ path: ["recipients", at], reference })),
    ...only(["amount", "value"], amount?.value),
    ...only(["amount", "currency"], currency),
    ...only(["takes_effect_at"], route.takes_effect_at),
    ...only(["children", "items"], children?.items),
    ...Object.entries(lookup).flatMap(([name, text]) => inText(["lookup", name], text)),
  ];
}

function only(path: readonly string[], reference: string | undefined): readonly Referred[] {
  return reference === undefined ? [] : [{ path, reference }];
}

/** `{body.title}` in a sentence or a target. */
function inText(path: readonly (string | number)[], text: string): readonly Referred[] {
  return [...text.matchAll(HOLE)].map(([, reference = ""]) => ({ path, reference }));
}
