/** Which change of a task file would make its blast radius smaller at the least cost. */
export {
  cutsOf,
  cutsOfFacts,
  printCutOutcome,
  triedCuts,
  TRIES_MAX,
  type Cut,
  type CutFile,
  type CutOutcome,
  type CutTried,
} from "./cut.ts";
