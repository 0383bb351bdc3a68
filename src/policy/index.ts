/** Layer 2, pure: task files, and the decisions that follow from them. */
export type { Allowance } from "./allowance.ts";
export { neededVariables, resolveCredentials, variableOf } from "./credential-ref.ts";
export { judgeConnect, NO_GRANT, type ConnectDecision, type ConnectTarget } from "./connect.ts";
export { decide, isStanding, type Decision } from "./decide.ts";
export { isProbe, noteDenial, routeOf, type RouteParts } from "./denial.ts";
export {
  printDial,
  printProxy,
  type Dial,
  type DialOwn,
  type DialPath,
  type Proxy,
} from "./dial.ts";
export { explainParts, explainTask, isSecretName, type Explained } from "./explain.ts";
export {
  canonicalHost,
  matchesHost,
  parseHostPattern,
  printHostPattern,
  type Host,
  type HostPattern,
} from "./host-pattern.ts";
export { canonicalPath, PATH_CHARS_MAX, readingsOf, type PathReading } from "./path.ts";
export { matchesPath, parsePathGlob, type PathGlob } from "./path-glob.ts";
export {
  flawOfObjectGlob,
  matchesObject,
  parseObjectGlob,
  printObject,
  printVerbs,
} from "./object-glob.ts";
export {
  chargeOf,
  COUNTED,
  TIMES,
  DISTINCT,
  isAfterwards,
  lackFor,
  scaled,
  shareOf,
  unscaled,
  type Charge,
  type Counted,
  type Distinct,
  type LineageBudget,
  type LineageUse,
  type Passing,
} from "./lineage-budget.ts";
export {
  LINEAGES_FILE,
  NO_LINEAGE_RULES,
  parseLineages,
  type LineageRules,
} from "./lineages-file.ts";
export { OWN_GRANT } from "./own-grant.ts";
export {
  compilePolicy,
  compileRunPolicy,
  grantFor,
  type Grant,
  type Policy,
  type Rule,
} from "./policy.ts";
export { narrowPolicy, type Narrowing } from "./narrow.ts";
export { CONFIRMED_EFFECTS } from "./task-checks.ts";
export { printPublished, type Published } from "./publish.ts";
export { initialPolicyState, type DeniedAttempt, type PolicyState } from "./state.ts";
export { matchesVerb } from "./verb.ts";
export { parseTaskFile } from "./task-file.ts";
export {
  GATED_PROTOCOLS,
  RESPONSES,
  taskFileJsonSchema,
  type GatedProtocol,
  type Response,
} from "./task-schema.ts";
export type {
  Approvals,
  Detectors,
  Systems,
  Task,
  TaskCompute,
  GrantKind,
  TaskGrant,
  TaskRule,
  Unattended,
} from "./task.ts";
