/**
 * What zod found wrong with a file, in words: what, why, and the fix, which is what the schema
 * says of the key.
 *
 * @module
 */
import { z } from "zod";
import { nearestWord } from "./nearest.ts";
import type { Problem } from "./fault.ts";
import type { DataPath, FileKind, YamlData } from "./read.ts";

type Issue = z.core.$ZodIssue;

/** The part of JSON Schema that our schema uses. */
const partSchema = z.looseObject({
  description: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
});
type Part = z.output<typeof partSchema>;

const ISSUES_MAX = 200; // More are not shown in any case.

/**
 * Turns the issues of a file's schema into problems at their places.
 *
 * @param jsonSchema the schema as JSON Schema, whose descriptions are the hints
 */
export function problemsOf(
  issues: readonly Issue[],
  data: YamlData,
  jsonSchema: unknown,
  kind: FileKind,
): readonly Problem[] {
  const schema = partSchema.parse(jsonSchema);
  return issues
    .slice(0, ISSUES_MAX)
    .flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys
            .slice(0, ISSUES_MAX)
            .map((key) => unknownKey([...issue.path, key], data, schema))
        : [problemOf(issue, data, schema, kind)],
    );
}

/** `grants[0].allow[1].methods`: a path as a person writes it. */
export function printPath(path: DataPath): string {
  return path
    .map((key, at) =>
      typeof key === "number" ? `[${key}]` : `${at === 0 ? "" : "."}${String(key)}`,
    )
    .join("");
}

function unknownKey(path: DataPath, data: YamlData, schema: Part): Problem {
  const key = String(path.at(-1));
  const known = Object.keys(partAt(schema, path.slice(0, -1)).properties ?? {});
  const near = nearestWord(key, known);
  return {
    ...data.placeOfKey(path),
    message: `${JSON.stringify(key)} is not a key that is known here, and what is not understood is not obeyed`,
    hint:
      near === undefined
        ? `known are ${known.join(", ")}`
        : `did you mean ${JSON.stringify(near)}?`,
  };
}

function problemOf(issue: Issue, data: YamlData, schema: Part, kind: FileKind): Problem {
  const value = valueAt(data.value, issue.path);
  const visible = kind.isSecret?.(issue.path) === true ? {} : value;
  const name = printPath(issue.path);
  const shown = `${name === "" ? "the file" : name} ${show(visible)}`.trimEnd();
  const hint = partAt(schema, issue.path).description ?? `see ${kind.guide}`;
  const place = data.placeOf(issue.path);
  if (value === undefined) {
    return { ...place, message: `${JSON.stringify(printPath(issue.path))} is missing`, hint };
  }
  if (value === null) {
    const message = `${name} has no value, and nothing is never taken for a permission`;
    return { ...place, message, hint: `remove the key or give it a value. ${hint}` };
  }
  switch (issue.code) {
    case "custom": {
      const own: unknown = issue.params?.["hint"];
      return {
        ...place,
        message: withValue(name, visible, issue.message),
        hint: typeof own === "string" ? own : hint,
      };
    }
    case "invalid_type":
      return {
        ...place,
        message: `${shown} is not ${EXPECTED[issue.expected] ?? issue.expected}`,
        hint,
      };
    case "invalid_value": {
      const choices = issue.values.map(String);
      const near = typeof value === "string" ? nearestWord(value, choices) : undefined;
      const meant = near === undefined ? "" : `did you mean ${near}? `;
      return {
        ...place,
        message: `${shown} is not one of ${choices.join(", ")}`,
        hint: `${meant}${hint}`,
      };
    }
    case "too_small":
      return { ...place, message: `${shown} ${tooSmall(issue)}`, hint };
    case "too_big":
      return {
        ...place,
        message: `${shown} is too ${issue.origin === "number" ? "large" : "long"}: at most ${issue.maximum}`,
        hint,
      };
    default:
      return { ...place, message: `${shown} is not valid`, hint };
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys",
};

function tooSmall(issue: z.core.$ZodIssueTooSmall): string {
  if (issue.origin === "array") return "is an empty list, which would never match anything";
  if (issue.origin === "string") return "is empty";
  return `is too small: at least ${issue.minimum}`;
}

/** Messages of our own start with the value (`"4GB" is not a size`) or go on from the key's name. */
function withValue(name: string, value: unknown, message: string): string {
  if (message.startsWith('"')) return `${name}: ${message}`;
  return [name, show(value), message].filter((part) => part !== "").join(" ");
}

function show(value: unknown): string {
  if (typeof value === "string" && value.length > 60)
    return `(${JSON.stringify(value.slice(0, 60))}...)`;
  if (typeof value === "object") return "";
  return `(${JSON.stringify(value)})`;
}

function partAt(schema: Part, path: DataPath): Part {
  let part = schema;
  for (const key of path) {
    const next = typeof key === "number" ? part.items : part.properties?.[String(key)];
    // A list's entry has often no words of its own: then its list's hold.
    const described = part.description;
    const parsed = partSchema.safeParse(next);
    if (!parsed.success) return part;
    part = { ...parsed.data, description: parsed.data.description ?? described };
  }
  return part;
}

function valueAt(value: unknown, path: DataPath): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}
