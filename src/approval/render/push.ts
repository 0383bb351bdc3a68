/**
 * Pushes of git as blocks: refs, what is worth a look, the log and the differences.
 *
 * @module
 */
import { visibleLine } from "../../base/index.ts";
import type { LookOf } from "../../api/index.ts";
import { block, laidOut, listed, type Block } from "./block.ts";

type PushLook = LookOf<"push">;

export function printPush(push: PushLook): readonly Block[] {
  const { repo, refs, findings, options, commits, tags, diffs, pack } = push;
  return [
    ...listed("Repository", [repo]),
    ...listed(
      "Refs",
      refs.map(({ ref, old, new: now, how }) => `${ref}: ${old} -> ${now} (${how})`),
    ),
    ...listed("Look at", findings),
    ...listed("Options", options),
    ...commits.map((one, at) => block(`Commit ${at + 1}`, commitLines(one))),
    ...tags.flatMap(({ id, text }) => laidOut("Tag", [id, ...text.split("\n")])),
    ...diffs.flatMap(({ of, lines }) => laidOut("Difference", [visibleLine(of), ...lines])),
    ...(pack === undefined
      ? []
      : listed("Pack", [`${pack.objects} objects, SHA-256 of the push ${pack.hash}`])),
  ];
}

function commitLines(commit: PushLook["commits"][number]): readonly string[] {
  const { id, author, committer, message, parents, changes, isKnown, isSigned } = commit;
  return [
    `${id}${isKnown ? " (on the server already)" : ""}${isSigned ? " (carries a signature, not checked)" : ""}`,
    `author ${author}`,
    ...(author === committer ? [] : [`committer ${committer}`]),
    parents.length === 0 ? "without a parent" : `after ${parents.join(", ")}`,
    ...message
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    ...changes,
  ].map(visibleLine);
}
