/**
 * What patterns of a grant's rules could be of: a file that is not there yet, a key of some name. No system tells those, and
 * yet a rule may cover them.
 *
 * @module
 */
import { printObject, type TaskGrant } from "../policy/index.ts";

const EXAMPLES_MAX = 200;

/** One text for each pattern of `grant` that names something: `/etc/cron.d/*` gives `/etc/cron.d/x`. */
export function examplesOf(grant: Pick<TaskGrant, "allow">): readonly string[] {
  const texts = grant.allow.flatMap((rule) =>
    (rule.on ?? [])
      .filter((glob) => glob.some((segment) => !/^\*+$/.test(segment)))
      .map((glob) => printObject(glob, rule).replaceAll(/\*+/g, "x")),
  );
  return [...new Set(texts)].slice(0, EXAMPLES_MAX);
}
