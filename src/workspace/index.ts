/** Layer 3: the host's side of the copy-on-write workspace: lay out, show, apply, discard, measure. */
export { applyWorkspace, type ApplyOptions, type ApplyResult } from "./apply.ts";
export type { Remark } from "./apply-plan.ts";
export { changeDetail, type Change, type ChangeKind } from "./change.ts";
export { digestChanges } from "./changes-digest.ts";
export { readChangedTexts, type ChangedText, type TextsWanted } from "./changed-texts.ts";
export { CHANGES_MAX, diffWorkspace } from "./diff.ts";
export { discardLayer } from "./discard.ts";
export { EXECUTED_PATHS, matchExecutedPath, type ExecutedPath } from "./executed-paths.ts";
export { writeStartNames } from "./start-names.ts";
export { copyHost, COPY_BYTES_MAX, COPY_NAMES_MAX, type CopyDone } from "./copy.ts";
export { diffCommits, type Commits } from "./git-commits.ts";
export {
  createLayer,
  layOutLayer,
  openLayer,
  OVERLAY_OPTIONS,
  startLayer,
  type Ids,
  type Layer,
  type LayerOptions,
} from "./layer.ts";
export { measureLayer, type Measure } from "./measure.ts";
export { parsePathText, pathText, visibleText } from "./path-text.ts";
export { renderChanges, SHOWN_BYTES_MAX } from "./text-diff.ts";
