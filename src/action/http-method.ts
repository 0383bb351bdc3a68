/**
 * What an HTTP method does where nothing more is known. Policy reads a rule by it, catalog an action.
 *
 * @module
 */
import type { Effect } from "./action.ts";

const EFFECTS_OF_METHOD: ReadonlyMap<string, readonly Effect[]> = new Map([
  ["GET", ["read"]],
  ["HEAD", ["read"]],
  ["OPTIONS", ["read"]],
  ["POST", ["write"]],
  ["PUT", ["write"]],
  ["PATCH", ["write"]],
  ["DELETE", ["delete"]],
]);
const EFFECTS_OF_UNKNOWN: readonly Effect[] = ["administer"]; // What we do not know may do anything.

/** Default effects of `method` (RFC 9110, 9.3), which is case-sensitive: `get` is unknown. */
export function effectsOfMethod(method: string): readonly Effect[] {
  return EFFECTS_OF_METHOD.get(method) ?? EFFECTS_OF_UNKNOWN;
}
