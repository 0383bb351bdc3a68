/** Cases: paths that somebody acts upon. */
import { AGENT, change, real } from "./corpus-maker.ts";
import type { Repository } from "./kit.ts";

export const CI = { verdict: "confirm", includes: ["execute"], parts: [{ verb: "push.ci" }] };
real("a workflow", change({ ".github/workflows/x.yml": "on: push\n" }), CI);
real("a workflow that is changed", change({ ".github/workflows/ci.yml": "on: [push]\n" }), CI);
real("a workflow in other letters", change({ ".GitHub/Workflows/x.yml": "on: push\n" }), CI);
real("a workflow that goes", change({ ".github/workflows/ci.yml": undefined }), CI);
real(
  "a workflow that a later commit takes away",
  (it) => {
    it.commit({ ".github/workflows/x.yml": "evil\n" });
    return {
      wishes: [{ ref: AGENT, new: it.commit({ ".github/workflows/x.yml": undefined, a: "b" }) }],
    };
  },
  CI,
);
real(
  "a workflow that comes by a rename of what is there",
  (it) => {
    it.git(["mv", "ci/deploy.yml", ".github/workflows/deploy.yml"]);
    return { wishes: [{ ref: AGENT, new: it.commit({}) }] };
  },
  CI,
);
real(
  "a folder of workflows that is another folder of the server",
  (it) => {
    it.git(["rm", "-rq", ".github"]);
    it.git(["mv", "ci", "tmp"]);
    it.commit({});
    it.git(["read-tree", "--prefix=.github/workflows/", "HEAD:tmp"]);
    it.git(["commit", "-qm", "x"]);
    return { wishes: [{ ref: AGENT, new: it.head() }] };
  },
  CI,
);
real(
  "a workflow in a side branch that is merged",
  (it, base) => {
    const one = it.commit({ "src/b.txt": "b\n" });
    it.git(["checkout", "-q", "--detach", base]);
    it.commit({ ".github/workflows/x.yml": "evil\n" });
    const side = it.commit({ ".github/workflows/x.yml": undefined });
    it.git(["checkout", "-q", "--detach", one]);
    it.git(["merge", "-q", "--no-ff", "-m", "merge", side]);
    return { wishes: [{ ref: AGENT, new: it.head() }] };
  },
  CI,
);
real(
  "a workflow that only the merge itself brings",
  (it, base) => {
    const one = it.commit({ a: "1" });
    it.git(["checkout", "-q", "--detach", base]);
    const two = it.commit({ b: "2" });
    it.git(["checkout", "-q", "--detach", one]);
    it.git(["merge", "-q", "--no-commit", "--no-ff", two]);
    return {
      wishes: [{ ref: AGENT, new: it.commit({ ".github/workflows/x.yml": "evil\n" }, "merge") }],
    };
  },
  CI,
);
for (const path of [
  ".gitlab-ci.yml",
  "Jenkinsfile",
  "sub/Jenkinsfile.prod",
  ".circleci/config.yml",
  "azure-pipelines.yml",
  ".woodpecker/x.yml",
  "bitbucket-pipelines.yml",
  ".forgejo/workflows/x.yaml",
  "action.yml",
  ".drone.yml",
  ".travis.yml",
]) {
  real(`CI: ${path}`, change({ [path]: "x\n" }), CI);
}
for (const path of [
  "package.json",
  "sub/package.json",
  "Makefile",
  "Dockerfile.prod",
  "setup.py",
  "build.rs",
  ".npmrc",
  "package-lock.json",
  "conftest.py",
  ".vscode/tasks.json",
  "MAKEFILE",
  "Dockerfile ",
  "pkg/Makefile::$DATA",
]) {
  real(`a build or an install runs ${JSON.stringify(path)}`, change({ [path]: "x\n" }), {
    verdict: "confirm",
    includes: ["execute"],
    parts: [{ verb: "push.scripts" }],
  });
}
for (const path of [
  ".husky/pre-commit",
  "hooks/pre-receive",
  ".githooks/post-merge",
  ".pre-commit-config.yaml",
  "lefthook.yml",
]) {
  real(`a hook: ${path}`, change({ [path]: "x\n" }), {
    verdict: "confirm",
    includes: ["execute"],
    parts: [{ verb: "push.hooks" }],
  });
}
for (const path of [
  "CODEOWNERS",
  "docs/CODEOWNERS",
  ".github/codeowners",
  ".github/settings.yml",
]) {
  real(`who reviews: ${path}`, change({ [path]: "* @me\n" }), {
    verdict: "confirm",
    includes: ["administer"],
    parts: [{ verb: "push.owners", object: path.split("/") }],
  });
}
for (const path of [
  "CLAUDE.md",
  "AGENTS.md",
  ".cursor/rules/x.mdc",
  ".mcp.json",
  ".claude/settings.json",
]) {
  real(`instructions for the next agent: ${path}`, change({ [path]: "x\n" }), {
    verdict: "confirm",
    includes: ["execute"],
    parts: [{ verb: "push.agents" }],
  });
}
real("where submodules come from", change({ ".gitmodules": '[submodule "x"]\n' }), {
  verdict: "confirm",
  includes: ["execute"],
  parts: [{ verb: "push.submodule", object: [".gitmodules"] }],
});
/** A commit of one tree, each entry `MODE TYPE ID<TAB>NAME`, beside a file. */
const treed =
  (entries: (it: Repository) => readonly string[]) => (it: Repository, base: string) => ({
    wishes: [{ ref: AGENT, new: it.commitTree(entries(it), [base]) }],
  });
real(
  "a submodule",
  treed(() => [`160000 commit ${"c".repeat(40)}\tlib`]),
  {
    verdict: "confirm",
    includes: ["execute"],
    parts: [{ verb: "push.submodule", object: ["lib"] }],
  },
);
real("attributes that make git run a filter", change({ ".gitattributes": "*.c filter=evil\n" }), {
  verdict: "confirm",
  includes: ["execute"],
  parts: [{ verb: "push.attributes" }],
});
real("attributes that hide a difference", change({ "src/.gitattributes": "* -diff\n" }), {
  verdict: "confirm",
  parts: [{ verb: "push.attributes" }],
});
real(
  "attributes that hide it as generated",
  change({ "src/.gitattributes": "* linguist-generated=true\n" }),
  { verdict: "confirm", parts: [{ verb: "push.attributes" }] },
);
real(
  "attributes that only say how lines end",
  change({ "src/.gitattributes": "*.txt text eol=lf\n# x\n" }),
  { verdict: "allow", effects: ["write"] },
);
real(
  "attributes that keep large files elsewhere",
  change({ "art/.gitattributes": "*.psd filter=lfs diff=lfs merge=lfs -text\n" }),
  { verdict: "allow", effects: ["write"] },
);
for (const [target, why] of [
  ["/etc/passwd", "an absolute path"],
  ["../../outside", "a folder above"],
  ["C:\\Windows", "a drive"],
  ["src/../../x", "above, by a way"],
  [".git/config", "git's own folder"],
  [".GIT/hooks", "git's own folder in other letters"],
] as const) {
  real(`a link to ${why}`, change({ link: `-> ${target}` }), {
    verdict: "confirm",
    includes: ["execute"],
    parts: [{ verb: "push.link", object: ["link"] }],
  });
}
real("a link within the repository", change({ "docs/link": "-> ../README.md" }), {
  verdict: "allow",
  effects: ["write"],
});
real(
  "a link in the place of the workflows",
  (it) => {
    it.git(["rm", "-rq", ".github"]);
    return { wishes: [{ ref: AGENT, new: it.commit({ ".github": "-> ci" }) }] };
  },
  CI,
);
real("a link in the place of an editor's folder", change({ ".vscode": "-> src" }), {
  verdict: "confirm",
  parts: [{ verb: "push.scripts", object: [".vscode"] }],
});
for (const name of [
  ".git",
  ".GIT",
  ".Git ",
  ".git.",
  "git~1",
  "GIT~1",
  ".g\u200cit",
  ".git::$INDEX_ALLOCATION",
  ".git\\hooks",
  "a\\..\\b",
  "\u200d.git",
  ".GITMODULES",
  ".gitmodules .",
  "gitmod~1",
  ".git\u200battributes",
]) {
  real(
    `${JSON.stringify(name)} is git's own on some file system`,
    treed((it) => [
      `100644 blob ${it.blob("x")}\t${JSON.stringify(name).replaceAll(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))}`,
    ]),
    { verdict: "confirm", includes: ["execute", "administer"], parts: [{ verb: "push.dotgit" }] },
  );
}
real(
  "names that a file system takes for one, of which one is a link",
  treed((it) => [
    `120000 blob ${it.blob(".git")}\tA`,
    `040000 tree ${it.text(["mktree"], `100644 blob ${it.blob("x")}\tpost-checkout\n`)}\ta`,
  ]),
  { verdict: "confirm", parts: [{ verb: "push.link" }] },
);
