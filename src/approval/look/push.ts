/**
 * Pushes of git: which ref becomes what, what is worth a look, the log and the differences.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { isMembers, membersIn, textOf, textsIn, without, type Members } from "./members.ts";
import type { Reading } from "./reading.ts";

const READ = new Set("repo refs options findings commits tags diffs notShown pack".split(" "));

/** `undefined` where the body is none that was read. */
export function readPush(body: Json | undefined): Reading | undefined {
  if (!isMembers(body) || !Array.isArray(body["refs"])) return undefined;
  const { pack } = body;
  return {
    content: {
      kind: "push",
      repo: textOf(body["repo"] ?? ""),
      refs: membersIn(body["refs"]).map((one) => named(one, ["ref", "old", "new", "how"])),
      findings: [...textsIn(body["findings"])],
      options: [...textsIn(body["options"])],
      commits: membersIn(body["commits"]).map((one) => ({
        ...named(one, ["id", "author", "committer", "message"]),
        parents: [...textsIn(one["parents"])],
        changes: [...textsIn(one["changes"])],
        isSigned: one["signed"] === true,
        isKnown: one["known"] === true,
      })),
      tags: membersIn(body["tags"]).map((one) => named(one, ["id", "text"])),
      diffs: membersIn(body["diffs"]).map((one) => ({
        ...named(one, ["of"]),
        lines: [...textsIn(one["lines"])],
      })),
      ...(isMembers(pack) ? { pack: named(pack, ["objects", "hash"]) } : {}),
    },
    rest: without(body, READ),
    hidden: textsIn(body["notShown"]),
  };
}

function named<Name extends string>(value: Members, names: readonly Name[]): Record<Name, string> {
  const entries = names.map((name) => [name, textOf(value[name])] as const);
  return Object.fromEntries(entries) as Record<Name, string>;
}
