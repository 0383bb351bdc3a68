/** Layer 3, pure: how bad could it get? Facts and rules -> what a run could reach, the shortest ways there, and what to change. */
export { printAmount, type Amount } from "./amount.ts";
export {
  answerOf,
  reckonAll,
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
  triedCuts,
  TRIES_MAX,
  type Cut,
  type CutFile,
  type CutOutcome,
  type CutTried,
} from "./cut/index.ts";
export {
  factsOfTask,
  HTTP_VERBS,
  patternsOf,
  type PatternObject,
  type PolicyFactsOptions,
} from "./policy-facts.ts";
export {
  drawnGraph,
  graphOf,
  pictureOf,
  renderDot,
  renderPage,
  type DrawnGraph,
  type PageContent,
  type Picture,
} from "./picture/index.ts";
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
export { printAtom, printFact } from "./text.ts";
export { loadVerbs, type VerbLookup } from "./verbs.ts";
