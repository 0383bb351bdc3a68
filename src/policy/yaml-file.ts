/**
 * Other files that a person writes, read as strictly as a task file, with the same words for what is wrong.
 *
 * @module
 */
import { z } from "zod";
import { assert } from "../base/index.ts";
import { TaskFileFault, type Problem } from "./task-fault.ts";
import { printPath, problemsOf } from "./task-problems.ts";
import { readTaskYaml, type DataPath } from "./task-yaml.ts";

/** Something that the schema cannot see. */
export interface Finding {
  readonly path: DataPath;
  readonly message: string;
  readonly hint: string;
}

export interface YamlFile<T> {
  readonly schema: z.ZodType<T>;
  /** A first line that such a file could have. */
  readonly start: string;
  /** Whether what stands at `path` may be a secret that somebody put there: no fault shows it. */
  isSecret(path: DataPath): boolean;
  /** What is wrong with a file that fits the schema. */
  check(data: T): readonly Finding[];
}

/**
 * Parses `source` as `file` says.
 *
 * @throws {TaskFileFault} with every problem found, each with its place and fix.
 */
export function parseYamlFile<T>(source: string, fileName: string, file: YamlFile<T>): T {
  const data = readTaskYaml(source, fileName, file.start);
  const result = file.schema.safeParse(data.value);
  const problems: Problem[] = [...data.problems];
  if (result.success) {
    for (const { path, message, hint } of file.check(result.data)) {
      problems.push({ ...data.placeOf(path), message: `${printPath(path)} ${message}`, hint });
    }
  } else {
    const json = z.toJSONSchema(file.schema, { io: "input", unrepresentable: "any" });
    problems.push(...problemsOf(result.error.issues, data, { json, isSecret: file.isSecret }));
  }
  if (problems.length > 0) throw new TaskFileFault(fileName, problems);
  assert(result.success, "no problem means that the schema took the file");
  return result.data;
}
