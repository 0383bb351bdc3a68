/**
 * What answers the endpoints on lineages.
 *
 * @module
 */
import type { Handlers } from "./server.ts";
import type { Lineages } from "./lineages.ts";

export function lineageHandlers(
  lineages: Lineages,
): Pick<Handlers, Extract<keyof Handlers, `lineage.${string}`>> {
  return {
    "lineage.list": async () => [...lineages.list()],
    "lineage.show": async ({ lineage }) => lineages.show(lineage),
    "lineage.pause": async ({ lineage }) =>
      lineages.pause(lineage, `${lineage} was paused by hand`),
    "lineage.resume": async ({ lineage }) => lineages.resume(lineage),
    "lineage.kill": async ({ lineage }) => lineages.kill(lineage),
  };
}
