/**
 * What a grant's `credential:` names: one of the vault, or a variable of whoever starts the run (`$NAME`),
 * of which the run gets a placeholder only. Of a list the first that there is counts.
 *
 * @module
 */
import type { Task, TaskGrant } from "./task.ts";

/** The variable of `$NAME`; `undefined` for a name of the vault. */
export function variableOf(credential: string): string | undefined {
  return credential.startsWith("$") ? credential.slice(1) : undefined;
}

/** Variables of whoever starts a run of `task` that it needs: those that pass in, and those that do not. */
export function neededVariables({ environment, grants }: Task): readonly string[] {
  const secret = grants.flatMap(({ candidates = [] }) =>
    candidates.flatMap((one) => variableOf(one) ?? []),
  );
  return [...new Set([...environment, ...secret])];
}

/**
 * `task` with the credential that each grant has: the first of its candidates that `isThere`, or none. The
 * very same where it names no choice.
 */
export function resolveCredentials(task: Task, isThere: (credential: string) => boolean): Task {
  if (task.grants.every(({ candidates }) => candidates === undefined)) return task;
  return { ...task, grants: task.grants.map((grant) => resolveGrant(grant, isThere)) };
}

function resolveGrant(
  { candidates, ...grant }: TaskGrant,
  isThere: (credential: string) => boolean,
): TaskGrant {
  const credential = candidates?.find(isThere);
  if (credential === undefined) return grant;
  // Clients look for it where it was; a login of the vault stands in a file instead, and they must find no key.
  const own =
    variableOf(credential) === undefined ? [] : candidates?.flatMap((one) => variableOf(one) ?? []);
  const variables = grant.variables ?? own ?? [];
  return { ...grant, credential, ...(variables.length === 0 ? {} : { variables }) };
}
