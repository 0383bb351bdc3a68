/**
 * Task files: text in, a Task or all that is wrong with it out. A file that is missing, empty or
 * broken in any way never means "allow": there is no half-understood task.
 *
 * @module
 */
import { assert } from "../base/index.ts";
import { checkKinds, checkPublish, checkSecrets } from "./kind-checks.ts";
import { checkDetect } from "./detect-checks.ts";
import { checkGrants } from "./task-checks.ts";
import { FileFault, printPath, problemsOf, readYaml } from "../yaml/index.ts";
import type { FileKind, Problem, YamlData } from "../yaml/index.ts";
import { taskFileJsonSchema, taskFileSchema } from "./task-schema.ts";
import { taskOf, type Detectors, type Systems, type Task } from "./task.ts";

const TASK_FILE: FileKind = {
  code: "policy.task_file",
  start: "task: my-task",
  empty: "an empty file allows nothing and runs nothing",
  tooLong: "split the task",
  guide: "docs/reference/task-file.md",
};

/**
 * Parses a task file.
 *
 * @param source the text, as {@link readYaml} takes it
 * @param fileName what the problems call the file
 * @param nowMs the present, in milliseconds since the epoch: permissions that have run out are refused
 * @param systems the systems of the catalog that grants may name
 * @param detectors the detectors that may be set
 * @throws {FileFault} `policy.task_file` with every problem found, each with its place and fix.
 */
export function parseTaskFile(
  source: string,
  fileName: string,
  nowMs: number,
  systems: Systems = NO_SYSTEMS,
  detectors: Detectors = NO_DETECTORS,
): Task {
  const data = readYaml(source, fileName, TASK_FILE);
  const result = taskFileSchema.safeParse(data.value);
  const problems = [
    ...data.problems,
    ...(result.success
      ? []
      : problemsOf(result.error.issues, data, taskFileJsonSchema(), TASK_FILE)),
    ...[
      ...checkGrants(partOf(data.value, "grants"), nowMs, systems),
      ...checkKinds(partOf(data.value, "grants"), systems),
      ...checkSecrets(partOf(data.value, "environment"), partOf(data.value, "grants")),
      ...checkPublish(partOf(data.value, "publish")),
      ...checkDetect(partOf(data.value, "detect"), detectors),
    ].map((finding) => placed(finding, data)),
  ];
  if (problems.length > 0) throw new FileFault(TASK_FILE.code, fileName, problems);
  assert(result.data !== undefined, "no problem means that the schema took the file");
  return taskOf(result.data, systems);
}

const NO_SYSTEMS: Systems = new Map();
const NO_DETECTORS: Detectors = new Map();

function placed(finding: ReturnType<typeof checkGrants>[number], data: YamlData): Problem {
  const { path, message, hint } = finding;
  return { ...data.placeOf(path), message: `${printPath(path)} ${message}`, hint };
}

function partOf(value: unknown, key: "grants" | "publish" | "environment" | "detect"): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
