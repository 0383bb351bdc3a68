/** Layer 3, pure: how bad could it get? Facts and rules -> what a run could reach, the shortest ways there, and what to change. */
export { printAmount, type Amount } from "./amount.ts";
export {
  answerOf,
  type Answer,
  type BackupState,
  type Both,
  type Outcome,
  type OutcomeObject,
  type WithoutOutcome,
} from "./answer.ts";
export { assess, solveTask, type Ground } from "./assess.ts";
export {
  differenceOf,
  printChanges,
  printDifference,
  type Difference,
  type NewWay,
  type OutcomeDifference,
} from "./difference.ts";
export { ANY, ITSELF, placesOf, principalOf } from "./names.ts";
export {
  BUDGET_FILE,
  excessesOf,
  parseBudget,
  parseLimit,
  printExcess,
  type Excess,
  type Limit,
} from "./budget.ts";
export {
  cutsOf,
  cutsOfFacts,
  TRIES_MAX,
  type Cut,
  type CutFile,
  type CutOutcome,
} from "./cut/index.ts";
export {
  factsOfTask,
  patternsOf,
  type PatternObject,
  type PolicyFactsOptions,
} from "./policy-facts.ts";
export { graphOf, renderDot, renderPage, type PageContent } from "./picture/index.ts";
export { printAnswer } from "./print.ts";
export { factsWithLeave, type LeaveAsked } from "./leave.ts";
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
export { loadVerbs, type VerbLookup } from "./verbs.ts";
