/**
 * Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest means the value.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

const DEPTH_MAX = 64; // Nothing of ours nests deeper; hostile input could.

/**
 * The RFC 8785 form of `value`. Members that are `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws {Fault} `action.canonical` for NaN, infinities, lone surrogates (RFC 8785, 3.2.2.2 and
 *   3.2.2.3) and nesting beyond 64.
 */
export function canonicalJson(value: Json): string {
  return write(value, 0);
}

function write(value: Json, depth: number): string {
  if (depth > DEPTH_MAX) throw new Fault("action.canonical", "nested deeper than 64 levels");
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed())
        throw new Fault("action.canonical", "a lone surrogate in a string");
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value))
        throw new Fault("action.canonical", `${value} is no JSON number`);
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    default:
      break;
  }
  if (value === null) return "null";
  if (Array.isArray(value))
    return `[${value.map((item: Json) => write(item, depth + 1)).join(",")}]`;
  const members = Object.entries(value as Readonly<Record<string, Json | undefined>>)
    .filter((member): member is [string, Json] => member[1] !== undefined)
    // RFC 8785, 3.2.3: by UTF-16 code units, which is what `<` compares.
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, item]) => `${write(key, depth)}:${write(item, depth + 1)}`).join(",")}}`;
}
