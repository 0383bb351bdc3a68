/** Names that a task file may have in the console's folder, as the server takes them. */

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,60}(?:\.[A-Za-z0-9_-]{1,40}){0,3}\.ya?ml$/;

/** What is wrong with a name; undefined where nothing is. */
export function nameProblem(name: string, taken: ReadonlySet<string>): string | undefined {
  if (name === "") return undefined;
  if (!NAME.test(name)) return "letters, digits, - and _, and .yaml at its end: ops.yaml";
  return taken.has(name) ? "there is one of this name already" : undefined;
}

/** The last part of a path. */
export function fileNameOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
