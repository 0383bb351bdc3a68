/**
 * Where a task file says what facts rest on: `grants[0].allow[1]` is rule 2 of shop, in line 14.
 *
 * @module
 */
import type { Task } from "../policy/index.ts";
import { readYaml, type FileKind } from "../yaml/index.ts";

export interface FilePlace {
  readonly says: string;
  readonly line: number;
}

const TASK_FILE: FileKind = {
  code: "policy.task_file",
  start: "",
  empty: "",
  tooLong: "",
  guide: "",
};

/** Lines of the grants of a text that reads as a task, by their names. */
export function grantLines(source: string, { grants }: Task): ReadonlyMap<string, number> {
  const data = readYaml(source, "", TASK_FILE);
  return new Map(grants.map(({ name }, at) => [name, data.placeOf(["grants", at]).line]));
}

/**
 * Places of `source`, which `whole` was read from, by the names that facts of `task` have for them: it may be without some of
 * the grants of the whole.
 */
export function placesOf(
  source: string,
  whole: Task,
  task: Task,
): Readonly<Record<string, FilePlace>> {
  const data = readYaml(source, "", TASK_FILE);
  const places: Record<string, FilePlace> = {};
  for (const [at, { name, allow }] of task.grants.entries()) {
    const own = whole.grants.findIndex((one) => one.name === name);
    const lineOf = (path: readonly (string | number)[]) =>
      data.placeOf(["grants", own, ...path]).line;
    places[`grants[${at}]`] = { says: `the grant ${name}`, line: lineOf([]) };
    for (const index of allow.keys()) {
      const says = `rule ${index + 1} of ${name}`;
      places[`grants[${at}].allow[${index}]`] = { says, line: lineOf(["allow", index]) };
    }
  }
  for (const key of ["environment", "compute"]) {
    places[key] = { says: key, line: data.placeOfKey([key]).line };
  }
  return places;
}
