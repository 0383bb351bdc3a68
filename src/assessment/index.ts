/** Layer 5: a task file, looked at whole: what it means, how bad it could get, what its record says of it; for command line and console. */
export {
  adviseAutonomy,
  adviseTighter,
  type AutonomyAdvice,
  type TighterAdvice,
} from "./advice.ts";
export { checkTask, type TaskMeaning } from "./meaning.ts";
export { compareTasks, limitsBeside, type Comparison } from "./compare.ts";
export {
  groundOf,
  readTaskFile,
  LivingSurroundings,
  surroundingsOf,
  type KnownAt,
  type Surroundings,
  type TaskFile,
  type TaskText,
} from "./surroundings.ts";
export { grantVerdicts, type GrantVerdicts } from "./verdicts.ts";
export { helpAt, type Help, type HelpOption } from "./help.ts";
export { assessUnder, AS_IT_IS, type Assessed, type WhatIf } from "./what-if.ts";
export { grantLines, placesOf, type FilePlace } from "./places.ts";
