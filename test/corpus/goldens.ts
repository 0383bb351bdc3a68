/**
 * The golden requests of the catalog's systems as a corpus.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { describeGolden } from "../../src/catalog/golden-kit.ts";
import { GOLDENS } from "../../src/catalog/goldens.ts";

/** Every golden request, with what is not as it says. */
export function goldenResults(): readonly { title: string; failures: readonly string[] }[] {
  return [...GOLDENS].flatMap(([system, rows]) =>
    rows.map((row) => {
      const { verb, effects } = describeGolden(system, row);
      const failures = [
        ...(verb === row.verb ? [] : [`verb is ${verb}, not ${row.verb}`]),
        ...(isDeepStrictEqual([...effects].sort(), [...row.effects].sort())
          ? []
          : [`effects are ${effects.join()}, not ${row.effects.join()}`]),
      ];
      return { title: `${system}: ${row.request}: ${row.why}`, failures };
    }),
  );
}
