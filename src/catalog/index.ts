/** Layer 2, pure: what a request to an external system means, one file for each kind of system. */
export { allEntries, catalogSystems, findEntry } from "./catalog.ts";
export { flawsOf } from "./check.ts";
export {
  describeRequest,
  lookupsOf,
  type CatalogRequest,
  type Described,
  type Lookup,
} from "./describe.ts";
export {
  entrySchema,
  isBare,
  UNKNOWN_VERB,
  verbsOf,
  type Entry,
  type EntrySource,
  type Mint,
} from "./entry.ts";
export { describeHttp, type Description, type HttpRequest } from "./http.ts";
export { readFact } from "./fact.ts";
export {
  contentOf,
  gitRefusalOf,
  inquiryOf,
  isLasting,
  isNamedByContent,
  sampleOf,
  type ExpectedContent,
  type Inquiry,
} from "./git.ts";
export {
  ANSWER,
  isHidden,
  laterOf,
  type Later,
  type LaterState,
  type StopRequest,
} from "./later.ts";
export { hasModels, modelRouteOf } from "./model.ts";
export { placesOf, verbInfos, type VerbInfo } from "./page.ts";
export { readNodes, type WorkflowNode } from "./readers/n8n-workflow.ts";
export { readJson } from "./strict-json.ts";
export type { Facts } from "./values.ts";
