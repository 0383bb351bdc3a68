/**
 * What each verb of a task's systems may do at most.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import { verbInfos, type Entry } from "../catalog/index.ts";
import type { Task } from "../policy/index.ts";
import { findProtocol, loadProtocols } from "../protocols/index.ts";

/** What each verb of a system may do at most; undefined where the system is not known. */
export type VerbLookup = (system: string) => ReadonlyMap<string, readonly Effect[]> | undefined;

/** Loads the protocols of `task`, and looks verbs up in them and in the catalog. */
export async function loadVerbs(
  task: Task | undefined,
  entryOf: (system: string) => Entry | undefined,
): Promise<VerbLookup> {
  const sessions = (task?.grants ?? []).filter(({ kind }) => kind === "session");
  await loadProtocols(sessions.map(({ system }) => system));
  return (system) => {
    const entry = entryOf(system);
    if (entry !== undefined) {
      return new Map(verbInfos(entry).map(({ verb, effects }) => [verb, effects]));
    }
    const verbs = findProtocol(system)?.verbs;
    return verbs && new Map(Object.entries(verbs).map(([verb, { effects }]) => [verb, effects]));
  };
}
