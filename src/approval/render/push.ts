/**
 * Pushes of git: which ref becomes what, what is worth a look, the log and the differences.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { visibleLine } from "../../base/index.ts";
import {
  block,
  isMembers,
  laidOut,
  listed,
  textOf,
  without,
  type Members,
  type Rendering,
} from "./block.ts";

const READ = new Set("repo refs options findings commits tags diffs notShown pack".split(" "));

/** `undefined` where the body is none that was read. */
export function renderPush(body: Json | undefined): Rendering | undefined {
  if (!isMembers(body) || !Array.isArray(body["refs"])) return undefined;
  const { pack } = body;
  const commits = members(body["commits"]);
  return {
    blocks: [
      ...listed("Repository", [textOf(body["repo"] ?? "")]),
      ...listed("Refs", members(body["refs"]).map(refLine)),
      ...listed("Look at", texts(body["findings"])),
      ...listed("Options", texts(body["options"])),
      ...commits.map((one, at) => block(`Commit ${at + 1}`, commitLines(one))),
      ...members(body["tags"]).flatMap((one) =>
        laidOut("Tag", [textOf(one["id"]), ...textOf(one["text"]).split("\n")]),
      ),
      ...members(body["diffs"]).flatMap((one) =>
        laidOut("Difference", [visibleLine(textOf(one["of"])), ...texts(one["lines"])]),
      ),
      ...(isMembers(pack)
        ? listed("Pack", [
            `${textOf(pack["objects"])} objects, SHA-256 of the push ${textOf(pack["hash"])}`,
          ])
        : []),
    ],
    rest: without(body, READ),
    hidden: texts(body["notShown"]),
  };
}

function refLine(ref: Members): string {
  const [old, now] = [textOf(ref["old"]), textOf(ref["new"])];
  return `${textOf(ref["ref"])}: ${old} -> ${now} (${textOf(ref["how"])})`;
}

function commitLines(commit: Members): readonly string[] {
  const parents = texts(commit["parents"]);
  const [author, committer] = [textOf(commit["author"]), textOf(commit["committer"])];
  return [
    `${textOf(commit["id"])}${commit["known"] === true ? " (on the server already)" : ""}${commit["signed"] === true ? " (carries a signature, not checked)" : ""}`,
    `author ${author}`,
    ...(author === committer ? [] : [`committer ${committer}`]),
    parents.length === 0 ? "without a parent" : `after ${parents.join(", ")}`,
    ...textOf(commit["message"])
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    ...texts(commit["changes"]),
  ].map(visibleLine);
}

function members(value: Json | undefined): readonly Members[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isMembers) : [];
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(textOf) : [];
}
