/** Layer 3, pure: how bad could it get? Facts and rules -> what a run could reach, the shortest ways there, and what to change. */
export { answerOf, type Amount, type Answer, type Outcome, type OutcomeObject } from "./answer.ts";
export { ITSELF, placesOf, principalOf } from "./names.ts";
export {
  ANY,
  factsOfTask,
  patternsOf,
  type PatternObject,
  type PolicyFactsOptions,
  type VerbLookup,
} from "./policy-facts.ts";
export { parseFacts, parseRules } from "./parse.ts";
export { groundsOf, pathTo, type PathFact, type PathStep } from "./path.ts";
export {
  UNBOUNDED,
  type Constant,
  type Declaration,
  type Fact,
  type Program,
  type Rule,
} from "./program.ts";
export { solve, type Solution } from "./solve.ts";
export { printFact } from "./text.ts";
