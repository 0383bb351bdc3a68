/**
 * What a card is made of: labelled blocks of lines, in which nothing of others draws, hides or reorders.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { visibleLine, visibleLines } from "../../base/index.ts";

/** One labelled part of a card. Labels are ours, never of the content. */
export interface Block {
  readonly label: string;
  readonly lines: readonly string[];
}

/** The content of an action as its kind is read. */
export interface Rendering {
  readonly blocks: readonly Block[];
  /** What of the body the blocks do not show; `undefined` where they show all of it. */
  readonly rest: Json | undefined;
  /** What cannot be shown, each in words. */
  readonly hidden: readonly string[];
}

export type Members = Readonly<Record<string, Json | undefined>>;

export function block(label: string, lines: readonly string[]): Block {
  return { label, lines: lines.flatMap((line) => visibleLines(line).split("\n")) };
}

/** A block of lines as they were laid out, or none where there are none. */
export function laidOut(label: string, lines: readonly string[]): readonly Block[] {
  return lines.length === 0 ? [] : [block(label, lines)];
}

/** The same of items, each on a line of its own: none can pass for two. */
export function listed(label: string, items: readonly string[]): readonly Block[] {
  return laidOut(label, items.map(visibleLine));
}

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
