/**
 * Which approvals are of one kind, so that a person may go through them as one list: the same of the same, with
 * other words in it. Each is still shown, and each is still approved by its own code.
 *
 * @module
 */
import { digestOf, type Action, type Json } from "../../action/index.ts";
import type { ApprovalLimits } from "../approval.ts";
import type { Look } from "../../api/index.ts";

/** Equal for those that are alike; `undefined` where one is decided alone, whatever waits beside it. */
export function likenessOf(
  { run, system, verb, effects, parts, fields }: Action,
  { needsTwo, leaveMs }: ApprovalLimits,
  { hidden, conversation }: Look,
): string | undefined {
  const isWhole = hidden.length === 0 && conversation === undefined;
  if (needsTwo || leaveMs !== undefined || !isWhole) return undefined;
  if (effects.includes("administer") || effects.includes("execute")) return undefined;
  const acts = (parts ?? []).map((part) => part.verb);
  const verbs = [...new Set(acts)].sort();
  return digestOf([run, system, verb, [...effects], verbs, shapeOf(fields)]).slice(0, 16);
}

/** Names of members, and what kind of value each has. */
function shapeOf(value: Json): Json {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  if (Array.isArray(value)) {
    const shapes = (value as readonly Json[]).map((one) => JSON.stringify(shapeOf(one)));
    return [...new Set(shapes)].sort();
  }
  const own = value as Readonly<Record<string, Json>>;
  return Object.fromEntries(Object.entries(own).map(([name, item]) => [name, shapeOf(item)]));
}
