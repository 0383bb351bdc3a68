/**
 * JSON as a person reads it: members, texts, and values laid out with nothing left out.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { visibleLine } from "../../base/index.ts";

export type Members = Readonly<Record<string, Json | undefined>>;

/** `value` laid out for reading: texts as they are, members one a line, nothing left out. */
export function valueLines(value: Json): readonly string[] {
  if (!isMembers(value)) return textOf(value).split("\n");
  return Object.entries(value).flatMap(([name, item]) => memberLines(name, item ?? null));
}

/** Member `name`, whose text stands indented below it where it has several lines. */
export function memberLines(name: string, item: Json): readonly string[] {
  const lines = textOf(item).split("\n");
  const head = visibleLine(name);
  if (lines.length === 1) return [`${head}: ${lines[0] ?? ""}`];
  return [`${head}:`, ...lines.map((line) => `  ${line}`)];
}

export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : layOut(value ?? null, "");
}

const SHORT_CHARS_MAX = 72;

/** JSON, with what is short on one line. */
function layOut(value: Json, indent: string): string {
  const short = JSON.stringify(value);
  if (typeof value !== "object" || value === null || short.length <= SHORT_CHARS_MAX) return short;
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const items = Object.entries(value).map(([name, item]: [string, Json | undefined]) => {
    const text = layOut(item ?? null, inner);
    return `${inner}${isList ? "" : `${JSON.stringify(name)}: `}${text}`;
  });
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  return `${open}\n${items.join(",\n")}\n${indent}${close}`;
}

export function isMembers(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `members` without `names`; `undefined` where nothing is left. */
export function without(members: Members, names: ReadonlySet<string>): Members | undefined {
  const left = Object.entries(members).filter(([name]) => !names.has(name));
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** The one text that `value` is: WordPress and others give one as {raw, rendered}. */
export function plain(value: Json | undefined): Json | undefined {
  return isMembers(value) && "raw" in value ? value["raw"] : value;
}

/** The objects of a list; none where it is no list. */
export function membersIn(value: Json | undefined): readonly Members[] {
  return itemsOf(value).filter(isMembers);
}

/** The items of a list as texts; none where it is no list. */
export function textsIn(value: Json | undefined): readonly string[] {
  return itemsOf(value).map(textOf);
}

function itemsOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
