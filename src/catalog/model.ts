/**
 * Which requests of a system are exchanges with a model.
 *
 * @module
 */
import type { CatalogRequest } from "./describe.ts";
import type { Entry, Route } from "./entry.ts";
import { matchRoute } from "./route.ts";

/** The protocol that a route of `entry` names for `request`, in any way in which its path may be read. */
export function modelRouteOf(
  entry: Entry,
  { method, readings, under = "" }: Pick<CatalogRequest, "method" | "readings" | "under">,
): Route["model"] {
  const skipped = under.split("/").length - 1;
  for (const segments of readings) {
    const model = matchRoute(entry, method, segments.slice(skipped))?.route.model;
    if (model !== undefined) return model;
  }
  return undefined;
}

/** Whether the system is an API of models at all. */
export function hasModels({ routes }: Entry): boolean {
  return routes.some(({ model }) => model !== undefined);
}
