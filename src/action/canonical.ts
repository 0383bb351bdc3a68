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

/** Strings that are their own JSON: nearly all of ours, and several times as fast. */
const PLAIN = /^[ !#-[\]-~]*$/;
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
      if (PLAIN.test(value)) return `"${value}"`;
      if (!value.isWellFormed())
        throw new Fault("action.canonical", "a lone surrogate in a string");
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value))
        throw new Fault("action.canonical", `${value} is no JSON number`);
      return String(value); // As JSON has it, but for those refused above.
    case "boolean":
      return value ? "true" : "false";
    case "object":
      break;
    default:
      throw new TypeError(`not JSON: a ${typeof value}`); // A bug of the caller's, whatever its type says.
  }
  if (value === null) return "null";
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) {
      text += `${text === "" ? "" : ","}${write(item, depth + 1)}`;
    }
    return `[${text}]`;
  }
  const members = value as Readonly<Record<string, Json | undefined>>;
  // RFC 8785, 3.2.3: by UTF-16 code units, which is how `sort` compares.
  for (const key of Object.keys(members).sort()) {
    const item = members[key];
    if (item === undefined) continue;
    text += `${text === "" ? "" : ","}${write(key, depth)}:${write(item, depth + 1)}`;
  }
  return `{${text}}`;
}
