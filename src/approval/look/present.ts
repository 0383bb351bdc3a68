/**
 * What look-ups found of a system's present state.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { isMembers, type Members } from "./members.ts";

/** Facts by their names; some systems wrap each in `data`. */
export function factsOf(current: Json | undefined): readonly (readonly [string, Json])[] {
  if (!isMembers(current)) return [];
  return Object.entries(current).map(([name, fact = null]) => {
    const inner = isMembers(fact) && Object.keys(fact).length === 1 ? fact["data"] : undefined;
    return [name, isMembers(inner) ? inner : fact];
  });
}

/** The object that the request is about; where it names a version of it, that version's members. */
export function presentOf(current: Json | undefined): Members | undefined {
  const facts = new Map(factsOf(current));
  const [own, version] = [facts.get("current"), facts.get("version")];
  if (!isMembers(own)) return undefined;
  return isMembers(version) ? { ...own, ...version } : own;
}
