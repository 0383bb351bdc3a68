/** Layer 1, pure: files that people write: strict YAML, and each thing wrong with its place and fix. */
export { editYaml, type YamlEdit } from "./edit.ts";
export { FileFault, type Problem } from "./fault.ts";
export { parseYamlFile, type Finding, type YamlFile } from "./file.ts";
export { lineEdits, unifiedDiff, type LineEdit } from "./line-edits.ts";
export { nearestWord } from "./nearest.ts";
export { printPath, problemsOf } from "./problems.ts";
export { FILE_CHARS_MAX, readYaml, type DataPath, type FileKind, type YamlData } from "./read.ts";
