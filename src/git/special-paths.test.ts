import assert from "node:assert/strict";
import { test } from "node:test";
import { isDisguised, isDotGit, specialOf } from "./special-paths.ts";

const CASES = [
  // path, verb, why
  [".github/workflows/ci.yml", "push.ci", "the forge runs it"],
  ["sub/.github/workflows/a/b.yml", "push.ci", "at any depth"],
  [".GITHUB/WORKFLOWS/ci.yml", "push.ci", "in any letters"],
  [".github/workflows", "push.ci", "a link where the folder would be"],
  [".github/ISSUE_TEMPLATE.md", undefined, "beside it"],
  ["workflows/ci.yml", undefined, "not below .github"],
  ["Jenkinsfile", "push.ci", "exact"],
  ["Jenkinsfiles/readme.md", undefined, "a folder is no file"],
  ["jenkinsfile.groovy", "push.ci", "with an ending"],
  ["a/package.json", "push.scripts", "scripts of an install"],
  ["a/package.json5x", undefined, "another name"],
  ["Makefile.", "push.scripts", "NTFS cuts the dot"],
  ["Makefile ", "push.scripts", "and the space"],
  ["Makefile:x", "push.scripts", "and the stream"],
  ["Make\u200bfile", "push.scripts", "and HFS what has no width"],
  ["docs/CODEOWNERS", "push.owners", "who reviews"],
  ["src/index.ts", undefined, "what it is all about"],
  ["x\\Makefile", "push.scripts", "a backslash is a slash elsewhere"],
] as const;
for (const [path, verb, why] of CASES) {
  test(`${JSON.stringify(path)} is ${verb ?? "nothing special"}: ${why}`, () => {
    const components = path.split("/").map((one) => Buffer.from(one).toString("latin1"));
    assert.equal(specialOf(components)?.verb, verb);
  });
}

test("git's own names, as file systems spell them", () => {
  for (const name of [".git", ".GIT", ".git ", ".git.", ".git::$DATA", "git~1", "GIT~2"]) {
    assert.ok(isDotGit(name), name);
  }
  for (const name of [".gitignore", "git", "git~", ".gitx", "x.git"]) {
    assert.ok(!isDotGit(name), name);
  }
  for (const name of [".GitModules", ".gitmodules.", "gitmod~1", "GI7EBA~1"]) {
    assert.ok(isDisguised(name), name);
  }
  assert.ok(!isDisguised(".gitmodules"));
});
