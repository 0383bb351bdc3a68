/**
 * How good the flow detectors are: precision and recall of each, measured as `npm run captures` does. The captures of
 * others and of real programs count where it fetched and made them (build/captures); the conversations of the tests
 * count always, and what was judged is said.
 *
 * @module
 */
import { CAPTURES, measureQuality, type Quality } from "../../test/captures/measure.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";

export const detectQuality: Part = {
  name: "detect-quality",
  group: "detect",
  async measure({ tell }) {
    const quality = await measureQuality([CAPTURES]);
    tell("quality", quality, sentence(quality));
    const sum = (of: "cases" | "hits" | "wrong") =>
      quality.detectors.reduce((all, detector) => all + detector[of], 0);
    const [cases, hits, wrong] = [sum("cases"), sum("hits"), sum("wrong")];
    const below = quality.detectors.filter(({ holds }) => !holds).length;
    return [
      createRow({
        name: "detect/flow-precision",
        unit: "%",
        values: [(hits / (hits + wrong)) * 100],
        goal: { of: "value", must: ">=", be: 100 },
      }),
      createRow({ name: "detect/flow-recall", unit: "%", values: [(hits / cases) * 100] }),
      createRow({
        name: "detect/flow-below-stated",
        unit: "detectors",
        values: [below],
        goal: { of: "value", must: "<", be: 1 },
      }),
    ];
  },
};

function sentence({ corpora, benignFlows, wrongFlows }: Quality): string {
  const what = corpora.map(
    ({ name, source, captures }) => `${name} (${source}, ${captures} captures)`,
  );
  const isPart = corpora.every(({ source }) => source === "committed");
  const more = isPart ? "; `npm run captures` fetches and makes more" : "";
  return `detectors were judged on ${what.join(", ")}: ${wrongFlows} findings in ${benignFlows} benign flows${more}`;
}
