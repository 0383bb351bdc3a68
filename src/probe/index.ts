/** Layer 4: read-only questions to live systems: what can this credential really do? */
export { budgetTexts, type BudgetText } from "./budget-file.ts";
export { forgetFacts, readFacts, readRules, writeFacts } from "./fact-files.ts";
export {
  CREDENTIAL_MARK,
  QUESTIONS_MAX,
  type Probe,
  type Probed,
  type ProbePorts,
  type Question,
  type Reply,
} from "./probe.ts";
export { allProbes, findProbe } from "./registry.ts";
export { signatureOf } from "./signature.ts";
