import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EXECUTED_PATHS, foldName, matchExecutedPath } from "./executed-paths.ts";
import { rawOf } from "./path-text.ts";

const raw = (text: string): string => rawOf(Buffer.from(text));

const EXECUTED: readonly (readonly [string, string, string])[] = [
  // path, what must be named, why
  [".git/hooks/pre-commit", ".git", "a hook"],
  [
    "a/b/c/d/e/f/.git/hooks/pre-commit",
    "a/b/c/d/e/f/.git",
    "a hook of a repository six levels down",
  ],
  ["vendor/x/.git", "vendor/x/.git", "a worktree pointer is a file of that name"],
  ["node_modules/x/.git/config", "node_modules/x/.git", "a repository inside a tree is still one"],
  [".GIT/config", ".GIT", "a file system that folds case"],
  [".g\u200cit/config", ".g\u200cit", "one that ignores characters without width (HFS+)"],
  [".ｇｉｔ/config", ".ｇｉｔ", "compatibility forms"],
  [".git. ./config", ".git. .", "trailing dots and spaces are cut on NTFS"],
  ["git~1/config", "git~1", "the short name on NTFS"],
  [".git::$INDEX_ALLOCATION/config", ".git::$INDEX_ALLOCATION", "a stream name on NTFS"],
  [".github/workflows/ci.yml", ".github/workflows/ci.yml", "runs on the forge with its secrets"],
  [
    "sub/.github/workflows/deep/ci.yml",
    "sub/.github/workflows/deep/ci.yml",
    "at any depth, and below",
  ],
  [".gitlab-ci.yml", ".gitlab-ci.yml", "the same elsewhere"],
  ["package.json", "package.json", "scripts"],
  ["packages/a/Package.JSON", "packages/a/Package.JSON", "in any case"],
  [".npmrc", ".npmrc", "names the registry and script shell"],
  [".envrc", ".envrc", "direnv"],
  ["ops/blast-budget.yaml", "ops/blast-budget.yaml", "what holds the next run (INV-177)"],
  [".vscode/tasks.json", ".vscode/tasks.json", "runs when the folder is opened"],
  [
    ".idea/runConfigurations/x.xml",
    ".idea/runConfigurations/x.xml",
    "an editor's run configuration",
  ],
  ["Makefile", "Makefile", "build rules"],
  ["x/rules.mk", "x/rules.mk", "which include others"],
  [".bashrc", ".bashrc", "every shell"],
  ["deploy/backup.service", "deploy/backup.service", "a systemd unit"],
  ["etc/cron.d/job", "etc/cron.d/job", "cron"],
  [".ssh/authorized_keys", ".ssh", "a login; the folder is confirmed as one"],
  ["home/authorized_keys", "home/authorized_keys", "wherever it lies"],
  [".pre-commit-config.yaml", ".pre-commit-config.yaml", "hooks manager"],
  [".husky/pre-push", ".husky/pre-push", "hooks manager"],
  ["CLAUDE.md", "CLAUDE.md", "the next agent's instructions"],
  ["docs/AGENTS.md", "docs/AGENTS.md", "read in every folder"],
  [".claude/settings.json", ".claude", "hooks of the next agent"],
  [".mcp.json", ".mcp.json", "servers that the next agent starts"],
  ["tests/conftest.py", "tests/conftest.py", "imported by its name"],
  ["lib/evil.pth", "lib/evil.pth", "run whenever Python starts"],
  ["sitecustomize.py", "sitecustomize.py", "the same"],
  [".cargo/config.toml", ".cargo/config.toml", "names the runner and linker"],
  ["crates/a/build.rs", "crates/a/build.rs", "run by every build"],
  [
    "gradle/wrapper/gradle-wrapper.jar",
    "gradle/wrapper/gradle-wrapper.jar",
    "the build tool itself",
  ],
  ["node_modules/a/index.js", "node_modules", "dependencies are one unit"],
  ["app/node_modules/a/node_modules/b/package.json", "app/node_modules", "the topmost one"],
  ["src/__pycache__/x.cpython-313.pyc", "src/__pycache__", "loaded in place of the source"],
  ["next.cofferdam.yaml", "next.cofferdam.yaml", "a run may not widen the next"],
];
for (const [path, unit, why] of EXECUTED) {
  test(`INV-16: ${JSON.stringify(path)} is executed: ${why}`, () => {
    const match = matchExecutedPath(raw(path), false);
    assert.equal(match?.unit, raw(unit));
    assert.equal(
      match?.rule.never === true,
      foldName(raw(unit).split("/").at(-1) ?? "") === ".git",
    );
  });
}

const ORDINARY: readonly (readonly [string, boolean, string])[] = [
  ["src/main.ts", false, "a source file"],
  ["README.md", false, "a text"],
  [".gitignore", false, "names what Git leaves out, runs nothing"],
  [".gitkeep", false, "begins like .git but is not"],
  ["digit/config", false, "ends like it"],
  ["my.git/x", false, "a bare repository is found by what it holds, not by its name"],
  ["package.json.md", false, "a longer name"],
  ["src/notmakefile", false, "the boundary is the component"],
  [".vscode", true, "the folder itself does nothing"],
  ["build", true, "a folder is not Bazel's file"],
  ["workflows/ci.yml", false, "only below .github"],
];
for (const [path, isFolder, why] of ORDINARY) {
  test(`${path} is ordinary: ${why}`, () =>
    assert.equal(matchExecutedPath(raw(path), isFolder), undefined));
}

test("every row is reached by its own pattern, says why, and is folded already", () => {
  for (const { pattern, reason, why } of EXECUTED_PATHS) {
    const path = pattern.replaceAll("**", "a/b").replaceAll("*", "x");
    assert.ok(matchExecutedPath(path, false), pattern);
    assert.equal(
      pattern
        .split("/")
        .map((one) => (one === "**" ? one : foldName(one)))
        .join("/"),
      pattern,
    );
    assert.ok(reason.length > 0 && why.length > 0);
  }
});

test("folding is a fixed point, and no spelling of .git in another case escapes", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const once = foldName(raw(name));
      assert.equal(foldName(raw(once)), once);
    }),
  );
  const cased = fc.tuple(
    fc.boolean(),
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom("", "\u200b", "\ufeff", "\u2060"),
  );
  fc.assert(
    fc.property(cased, ([g, i, t, invisible]) => {
      const name = `.${g ? "G" : "g"}${invisible}${i ? "I" : "i"}${t ? "T" : "t"}`;
      assert.equal(matchExecutedPath(raw(`a/${name}/hooks/x`), false)?.rule.never, true);
    }),
  );
});
