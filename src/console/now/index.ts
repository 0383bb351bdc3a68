/** What happens now: a card for each run, folded from the record. */
export { agentOf, cardOf } from "./card.ts";
export { factsSchema, type RunFacts } from "./facts.ts";
export { KnownRuns } from "./known-runs.ts";
