/** Which change of a task file would make its blast radius smaller at the least cost. */
export {
  cutsOf,
  cutsOfFacts,
  printCutOutcome,
  TRIES_MAX,
  type Cut,
  type CutFile,
  type CutOutcome,
} from "./cut.ts";
