/**
 * What a request changes of what the system has now, so far as the catalog looked that up.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { visibleLine } from "../../base/index.ts";
import { diffJson } from "./diff.ts";
import { isMembers, memberLines, plain, textOf, type Members } from "./members.ts";
import { factsOf } from "./present.ts";

/** Told though the request leaves it: it says who sees the object. */
const ALWAYS = ["status", "state", "active", "visibility"];

export function changesOf(
  current: Json | undefined,
  body: Json | undefined,
): { readonly now: readonly string[]; readonly change: readonly string[] } {
  const given = givenOf(body);
  const now: string[] = [];
  const change: string[] = [];
  for (const [fact, value] of factsOf(current)) {
    if (!isMembers(value)) {
      now.push(...memberLines(fact, value));
      continue;
    }
    const names = Object.keys(given).filter((name) => value[name] !== undefined);
    const pick = (from: Members) =>
      Object.fromEntries(names.map((name) => [name, plain(from[name])]));
    const [before, after] = [pick(value), pick(given)];
    change.push(...diffJson(before, after));
    const same = names.filter((name) => textOf(before[name]) === textOf(after[name]));
    const kept = ALWAYS.filter((name) => value[name] !== undefined && !names.includes(name));
    now.push(...kept.flatMap((name) => memberLines(name, value[name] ?? null)));
    if (same.length > 0) now.push(`the same as asked for: ${same.map(visibleLine).join(", ")}`);
  }
  return { now, change };
}

/** What the request gives anew; LinkedIn wraps it. */
function givenOf(body: Json | undefined): Members {
  if (!isMembers(body)) return {};
  const { patch } = body;
  const set = isMembers(patch) ? patch["$set"] : undefined;
  return isMembers(set) ? set : body;
}
