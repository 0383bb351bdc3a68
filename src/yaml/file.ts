/**
 * A whole file: read as YAML, held to its schema, and to what a schema cannot say.
 *
 * @module
 */
import { z } from "zod";
import { assert } from "../base/index.ts";
import { FileFault, type Problem } from "./fault.ts";
import { printPath, problemsOf } from "./problems.ts";
import { readYaml, type DataPath, type FileKind } from "./read.ts";

/** Something that the schema cannot see. */
export interface Finding {
  readonly path: DataPath;
  readonly message: string;
  readonly hint: string;
}

export interface YamlFile<T> extends FileKind {
  readonly schema: z.ZodType<T>;
  /** What is wrong with a file that fits the schema. */
  check(data: T): readonly Finding[];
}

/**
 * Parses `source` as `file` says.
 *
 * @throws {FileFault} of the code of `file`, with every problem found, each with its place and fix.
 */
export function parseYamlFile<T>(source: string, fileName: string, file: YamlFile<T>): T {
  const data = readYaml(source, fileName, file);
  const result = file.schema.safeParse(data.value);
  const problems: Problem[] = [...data.problems];
  if (result.success) {
    for (const { path, message, hint } of file.check(result.data)) {
      problems.push({ ...data.placeOf(path), message: `${printPath(path)} ${message}`, hint });
    }
  } else {
    const json = z.toJSONSchema(file.schema, { io: "input", unrepresentable: "any" });
    problems.push(...problemsOf(result.error.issues, data, json, file));
  }
  if (problems.length > 0) throw new FileFault(file.code, fileName, problems);
  assert(result.success, "no problem means that the schema took the file");
  return result.data;
}
