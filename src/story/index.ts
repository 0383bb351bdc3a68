/** Layer 4, pure: a run's entries folded into what a person reads: a timeline joined by cause, processes, a map of traffic. */
export { Story } from "./story.ts";
export { chainOf, childrenOf, locateIn, rowsOf, stripOf, type Window } from "./window.ts";
export { processRows } from "./process-rows.ts";
export { entryNumbersOf, itemOf } from "./item.ts";
