/**
 * What an entry says, for a person: its verbs, what each does, and the requests that are it.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import type { Entry } from "./entry.ts";

/** One verb of a system. */
export interface VerbInfo {
  readonly verb: string;
  /** All that it may do; where that differs by request, of all of them together. */
  readonly effects: readonly Effect[];
  /** `POST /wp/v2/posts`, below the system's base. */
  readonly requests: readonly string[];
  readonly summary: string;
}

/** Every verb of `entry`, in the order of its routes. */
export function verbInfos(entry: Entry): readonly VerbInfo[] {
  const found = new Map<string, { effects: Set<Effect>; requests: Set<string>; summary: string }>();
  for (const route of entry.routes) {
    const { verb, effects, summary, cases = [], reads = [] } = route;
    for (const one of [...cases, { verb, effects, summary }, ...reads]) {
      const name = one.verb ?? verb;
      const info = found.get(name) ?? {
        effects: new Set(),
        requests: new Set(),
        summary: one.summary ?? summary,
      };
      for (const effect of one.effects ?? effects) info.effects.add(effect);
      for (const form of [route.request].flat()) info.requests.add(form);
      found.set(name, info);
    }
  }
  return [...found].map(([verb, { effects, requests, summary }]) => ({
    ...{ verb, effects: [...effects], requests: [...requests], summary },
  }));
}

/** Where a credential of `entry` goes, in words. */
export function placesOf({ credential }: Entry): readonly string[] {
  return credential.map((place) => {
    if (place.in === "query") return `query parameter ${place.name}`;
    if (place.in === "path") return `path, after ${place.after}`;
    return `header ${place.name}${place.scheme === undefined ? "" : `: ${place.scheme} ...`}`;
  });
}
