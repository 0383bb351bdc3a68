/**
 * Values at a reference (`body.status`, `param.status`, `current.status`), all of them: a request may hold a
 * name several times, in its query and in its body, and which one the server takes is not ours to guess.
 *
 * @module
 */
import type { Json } from "../action/index.ts";
import type { Content, Pair } from "./content.ts";
import type { Entry, Test } from "./entry.ts";
import { foldName } from "./strict-json.ts";

/** What look-ups found, by name; absent where one was not made or failed. */
export type Facts = Readonly<Record<string, Json>>;

/** Where values are taken from. */
export interface Sources {
  readonly path: Readonly<Record<string, string>>;
  readonly content: Content;
  readonly facts: Facts;
  readonly dialect: Entry["dialect"];
}

/** Every value at `reference`, in no promised order. */
export function valuesAt(reference: string, sources: Sources): readonly unknown[] {
  const [root = "", ...names] = reference.split(".");
  const { content, facts } = sources;
  switch (root) {
    case "path":
      return names.flatMap((name) => sources.path[name] ?? []);
    case "query":
      return pairsAt(content.query, names, sources);
    case "header":
      return names.flatMap((name) => content.headers[name.toLowerCase()] ?? []);
    case "body":
      return bodyAt(names, sources);
    case "param":
      return [...pairsAt(content.query, names, sources), ...bodyAt(names, sources)];
    default:
      return Object.hasOwn(facts, root) ? walk(facts[root], names, false) : [];
  }
}

function bodyAt(names: readonly string[], sources: Sources): readonly unknown[] {
  const { json, pairs } = sources.content;
  if (json !== undefined) return walk(json, names, sources.dialect.includes("go-json"));
  return pairs === undefined ? [] : pairsAt(pairs, names, sources);
}

/** `a.b` of a form is the field `a[b]`; `a` is also `a[]` and `a[0]`. */
function pairsAt(
  pairs: readonly Pair[],
  names: readonly string[],
  { dialect }: Sources,
): readonly unknown[] {
  if (names[0] === "@") return pairs.map(([name]) => name);
  const wanted = names.filter((name) => name !== "*");
  return pairs.flatMap(([name, value]): unknown => {
    const parts = partsOf(dialect.includes("php") ? phpName(name) : name);
    if (!wanted.every((part, at) => part === parts[at])) return [];
    // `a[b]=c` is a value of `a` too, as {"a":{"b":"c"}} is: else `a` would seem absent.
    const deeper = parts.slice(wanted.length);
    return deeper.length === 0 ? value : { [deeper.join(".")]: value };
  });
}

/** `a[b][]` as a and b; list indices stand for their list. */
function partsOf(name: string): readonly string[] {
  const [first = "", ...rest] = name.split("[");
  return [
    first,
    ...rest.map((part) => part.replace(/\]$/, "")).filter((part) => !/^\d*$/.test(part)),
  ];
}

/** PHP drops spaces before a name and makes `.`, space and an unclosed `[` of it `_` (php.net, "Variables From External Sources"). */
export function phpName(name: string): string {
  const bare = name.replace(/^ +/, "");
  const at = bare.indexOf("[");
  const head = (at < 0 ? bare : bare.slice(0, at)).replaceAll(/[ .]/g, "_");
  if (at < 0) return head;
  return bare.indexOf("]", at) < 0 ? `${head}_${bare.slice(at + 1)}` : head + bare.slice(at);
}

function walk(value: unknown, names: readonly string[], isCaseless: boolean): readonly unknown[] {
  const [name, ...rest] = names;
  if (name === undefined) return value === undefined ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  if (name === "*") {
    return Object.values(value).flatMap((item) => walk(item, rest, isCaseless));
  }
  if (name === "**") return within(value).flatMap((item) => walk(item, rest, isCaseless));
  if (name === "@") return rest.length === 0 ? Object.keys(value) : [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === name || (isCaseless && foldName(key) === foldName(name))
      ? walk(item, rest, isCaseless)
      : [],
  );
}

/** `value` and everything in it; JSON is read to a depth only (strict-json.ts). */
function within(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [value];
  return [value, ...Object.values(value).flatMap(within)];
}

/** Reports whether `test` holds for the values at its reference; `others` stand at `differs_from`. */
export function holds(
  test: Test,
  values: readonly unknown[],
  others: readonly unknown[] = [],
): boolean {
  // Compared as text: a form has nothing else, and servers take "1" for 1 and "true" for true.
  const texts = values.map((value) => textOf(value));
  const isIn = (list: readonly unknown[]) => (text: string) =>
    list.some((one) => textOf(one) === text);
  if (test.absent === true && texts.length > 0) return false;
  if (test.present === true && texts.length === 0) return false;
  if (test.any !== undefined && !texts.some(isIn(test.any))) return false;
  if (test.only !== undefined && (texts.length === 0 || !texts.every(isIn(test.only))))
    return false;
  if (test.none !== undefined && (texts.length === 0 || texts.some(isIn(test.none)))) return false;
  if (test.differs_from !== undefined) {
    if (texts.length === 0 || others.length === 0 || texts.some(isIn(others))) return false;
  }
  const isLike = (source: string) => {
    const expression = new RegExp(source, "u");
    return (text: string) => expression.test(text);
  };
  if (test.any_like !== undefined && !texts.some(isLike(test.any_like))) return false;
  if (test.only_like !== undefined && (texts.length === 0 || !texts.every(isLike(test.only_like))))
    return false;
  return true;
}

/** A value as text, as it stands in a condition or a sentence. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
