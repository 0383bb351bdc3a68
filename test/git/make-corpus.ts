/**
 * Writes test/corpus/git/pushes.yaml: pushes made by git itself, or by hand where git would not make them, with
 * what a server would have told. `sh scripts/node test/git/make-corpus.ts`
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { FLUSH, packet } from "../../src/git/index.ts";
import { FORMATS, idOf, type GitObject } from "../../src/git/object-format.ts";
import { commitData, handMade, NONE, packOf, Repository, treeData, type Wish } from "./kit.ts";

type Effects = readonly string[];
interface Expect {
  readonly verdict?: string;
  readonly verb?: string;
  readonly effects?: Effects;
  readonly includes?: Effects;
  readonly excludes?: Effects;
  readonly parts?: readonly { readonly verb: string; readonly object?: readonly string[] }[];
}
interface More {
  readonly with?: object;
  readonly allow?: readonly object[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly request?: string;
  readonly knowsNothing?: boolean;
  readonly branches?: Readonly<Record<string, string>>;
}

const cases: object[] = [];
const RECEIVE = "POST /me/site.git/git-receive-pack";
const TYPE = { "content-type": "application/x-git-receive-pack-request" };

function add(
  name: string,
  body: Buffer,
  expect: Expect,
  more: More & { readonly facts?: object } = {},
): void {
  cases.push({
    name,
    request: more.request ?? RECEIVE,
    headers: { ...TYPE, ...more.headers },
    bodyBase64: body.toString("base64"),
    ...(more.with === undefined ? {} : { with: more.with }),
    ...(more.allow === undefined ? {} : { allow: more.allow }),
    ...(more.facts === undefined ? {} : { facts: { git: more.facts } }),
    expect,
  });
}

const BASE = {
  "README.md": "# Site\n",
  "src/a.txt": Array.from({ length: 12 }, (_, at) => `line ${at}\n`).join(""),
  "package.json": '{ "name": "site" }\n',
  ".github/workflows/ci.yml": "on: push\n",
  "ci/deploy.yml": "on: push\n",
  ".gitattributes": "* text=auto\n",
};

type Made = {
  readonly wishes: readonly Wish[];
  readonly has?: readonly string[];
  readonly extra?: string;
  readonly tail?: Buffer;
  readonly thin?: boolean;
};

/** A push of a real repository: `make` gets it after one commit on main, and the commit. */
function real(
  name: string,
  make: (it: Repository, base: string) => Made,
  expect: Expect,
  more: More = {},
): void {
  const it = new Repository();
  try {
    const base = it.commit(BASE, "first");
    const made = make(it, base);
    const body = Buffer.concat([
      it.pushBody(made.wishes, {
        has: made.has ?? [base],
        thin: made.thin ?? true,
        ...(made.extra === undefined ? {} : { extra: made.extra }),
      }),
      made.tail ?? Buffer.alloc(0),
    ]);
    // The server has main where it was, and what the push says is there.
    it.git(["update-ref", "refs/heads/main", base]);
    it.git(["checkout", "-q", "-f", "main"]);
    for (const ref of it.text(["for-each-ref", "--format=%(refname)"]).split("\n")) {
      if (ref !== "refs/heads/main") it.git(["update-ref", "-d", ref]);
    }
    for (const { ref, old } of made.wishes) if (old !== undefined) it.git(["update-ref", ref, old]);
    for (const [branch, id] of Object.entries(more.branches ?? {}))
      it.git(["update-ref", branch, id]);
    const facts = more.knowsNothing === true ? undefined : it.inquire(body).facts;
    add(name, body, expect, { ...more, ...(facts === undefined ? {} : { facts }) });
  } finally {
    it.remove();
  }
}

const AGENT = "refs/heads/agent/x";
const object = (ref: string) => ref.split("/");

/** A push of one commit of `files` to `ref`, after the base. */
const change =
  (files: Readonly<Record<string, string | undefined>>, ref = AGENT) =>
  (it: Repository) => ({
    wishes: [{ ref, new: it.commit(files) }],
  });
const update = (ref: string) => (it: Repository, base: string) => ({
  wishes: [{ ref, old: base, new: it.commit({ "src/a.txt": "other\n" }) }],
});

// Refs.
real("a new branch of its own", change({ "src/b.txt": "b\n" }), {
  verdict: "allow",
  verb: "push.create",
  effects: ["write"],
});
real("a branch of its own goes on", update(AGENT), {
  verdict: "allow",
  verb: "push.update",
  effects: ["write"],
});
real(
  "a branch that is put elsewhere loses commits",
  (it, base) => {
    const old = it.commit({ "src/a.txt": "one\n" });
    it.git(["reset", "-q", "--hard", base]);
    return { wishes: [{ ref: AGENT, old, new: it.commit({ "src/a.txt": "two\n" }) }], has: [old] };
  },
  { verdict: "confirm", verb: "push.force", effects: ["write", "delete"] },
);
real(
  "a branch that goes back loses commits",
  (it, base) => ({
    wishes: [{ ref: AGENT, old: it.commit({ x: "1" }), new: base }],
    has: [it.head(), base],
  }),
  { verdict: "confirm", verb: "push.force", effects: ["write", "delete"] },
);
real("a branch is deleted", (_it, base) => ({ wishes: [{ ref: AGENT, old: base }] }), {
  verdict: "confirm",
  verb: "push.delete",
  effects: ["delete"],
});
real("main is what others build from", update("refs/heads/main"), {
  verdict: "confirm",
  verb: "push.update",
  effects: ["write", "publish"],
});
real(
  "a protected branch is deleted",
  (_it, base) => ({ wishes: [{ ref: "refs/heads/main", old: base }] }),
  { verdict: "confirm", effects: ["delete", "publish"] },
);
for (const ref of [
  "refs/heads/Main",
  "refs/heads/MASTER",
  "refs/heads/ｍａｉｎ",
  "refs/heads/release/1.0",
  "refs/heads/Release/2/x",
  "refs/heads/production",
  "refs/heads/gh-pages",
]) {
  real(`${ref} is protected, however it is written`, update(ref), {
    verdict: "confirm",
    includes: ["publish"],
  });
}
real("a branch whose name only begins like a protected one", update("refs/heads/mainline-notes"), {
  verdict: "allow",
  effects: ["write"],
});
real(
  "a grant says which branches are protected",
  update("refs/heads/agent/stable"),
  { verdict: "confirm", effects: ["write", "publish"] },
  { with: { protected: ["agent/*"] } },
);
real(
  "what a grant says stands in the place of the usual",
  update("refs/heads/release/1.0"),
  { verdict: "allow", effects: ["write"] },
  { with: { protected: ["only-this"] } },
);
real(
  "the default branch is protected, whatever it is called",
  update("refs/heads/main"),
  { verdict: "confirm", effects: ["write", "publish"] },
  { with: { protected: ["other"] } },
);
real("a tag is a release", (_it, base) => ({ wishes: [{ ref: "refs/tags/v1", new: base }] }), {
  verdict: "confirm",
  verb: "push.tag",
  effects: ["publish"],
});
real(
  "a tag with a message",
  (it) => {
    it.git(["tag", "-a", "v1", "-m", "one"]);
    return { wishes: [{ ref: "refs/tags/v1", new: it.text(["rev-parse", "refs/tags/v1"]) }] };
  },
  { verdict: "confirm", verb: "push.tag", effects: ["publish"] },
);
real(
  "a tag is moved",
  (it, base) => ({ wishes: [{ ref: "refs/tags/v1", old: base, new: it.commit({ x: "1" }) }] }),
  { verdict: "confirm", verb: "push.tag", effects: ["publish", "delete"] },
);
real("a tag is deleted", (_it, base) => ({ wishes: [{ ref: "refs/tags/v1", old: base }] }), {
  verdict: "confirm",
  verb: "push.delete",
  effects: ["publish", "delete"],
});
for (const ref of [
  "refs/notes/commits",
  "refs/pull/1/head",
  "refs/meta/config",
  `refs/replace/${"a".repeat(40)}`,
  "refs/for/main",
  "refs/heads/refs/heads/main",
  "refs/heads/HEAD",
  "refs/heads/x/HEAD",
  `refs/heads/${"b".repeat(40)}`,
  "refs/heads/-delete",
  "refs/tags/refs/heads/main",
  "refs/remotes/origin/main",
  "refs/stash/x",
]) {
  real(`${ref} is neither branch nor tag`, change({ x: "1" }, ref), {
    verdict: "confirm",
    verb: "push.refs",
    includes: ["administer"],
  });
}
for (const [ref, why] of [
  ["HEAD", "no ref"],
  ["refs/heads/a..b", "no name"],
  ["refs/heads/x.lock", "no name"],
  ["refs/heads/a b", "a space"],
  ["refs/heads/a\u200bb", "what is not seen"],
  ["refs/heads/a\u202eb", "what turns a line round"],
  ["refs/heads/../../config", "leads out"],
  ["heads/x", "no ref"],
  ["refs/heads/", "nothing"],
  ["refs/heads/@{1}", "no name"],
] as const) {
  real(`${JSON.stringify(ref)} is ${why}`, change({ x: "1" }, ref), {
    verdict: "deny",
    verb: "unknown",
  });
}
real(
  "a ref twice",
  (it) => ({
    wishes: [
      { ref: AGENT, new: it.commit({ x: "1" }) },
      { ref: AGENT, new: it.commit({ x: "2" }) },
    ],
  }),
  { verdict: "deny", verb: "unknown" },
);
real(
  "a ref twice, to a server that folds letter case",
  (it) => ({
    wishes: [
      { ref: AGENT, new: it.commit({ x: "1" }) },
      { ref: "refs/heads/Agent/X", new: it.commit({ x: "2" }) },
    ],
  }),
  { verdict: "deny", verb: "unknown" },
);
real(
  "more refs than anybody reads",
  (it) => ({
    wishes: Array.from({ length: 65 }, (_, at) => ({
      ref: `refs/heads/agent/${at}`,
      new: it.head(),
    })),
  }),
  { verdict: "deny", verb: "unknown" },
);
real(
  "one ref of its own and one that is protected",
  (it, base) => ({
    wishes: [
      { ref: AGENT, new: it.commit({ x: "1" }) },
      { ref: "refs/heads/main", old: base, new: it.head() },
    ],
  }),
  {
    verdict: "confirm",
    verb: "push",
    includes: ["publish"],
    parts: [
      { verb: "push.create", object: object(AGENT) },
      { verb: "push.update", object: object("refs/heads/main") },
    ],
  },
);
real(
  "a rule for some branches does not cover another",
  update("refs/heads/main"),
  { verdict: "deny" },
  { allow: [{ verbs: ["push.*"], on: ["refs/heads/agent/**"] }] },
);
real(
  "a rule for some branches covers those",
  update("refs/heads/agent/y"),
  { verdict: "allow" },
  { allow: [{ verbs: ["push.update"], on: ["refs/heads/agent/**"] }] },
);
real(
  "a rule for refs covers no path",
  change({ Makefile: "x" }),
  { verdict: "deny" },
  { allow: [{ verbs: ["push.*"], on: ["refs/heads/agent/**"] }] },
);
real(
  "a rule for a path covers that path",
  change({ Makefile: "x" }),
  { verdict: "confirm" },
  { allow: [{ verbs: ["push.create"] }, { verbs: ["push.scripts"], on: ["Makefile"] }] },
);
real(
  "an update is not covered where only creation is granted",
  update(AGENT),
  { verdict: "deny" },
  { allow: [{ verbs: ["push.create"] }] },
);

// What is sent.
real(
  "objects behind a deletion",
  (_it, base) => ({ wishes: [{ ref: AGENT, old: base }], tail: packOf([]) }),
  { verdict: "deny", verb: "unknown" },
);
add(
  "a ref without a pack",
  Buffer.concat([packet(`${NONE} ${"1".repeat(40)} ${AGENT}\0 report-status`), FLUSH]),
  { verdict: "deny", verb: "unknown" },
);
real(
  "bytes behind the pack",
  (it) => ({ wishes: [{ ref: AGENT, new: it.commit({ x: "1" }) }], tail: Buffer.from("x") }),
  { verdict: "deny", verb: "unknown" },
);
real(
  "a second pack behind the first",
  (it) => ({ wishes: [{ ref: AGENT, new: it.commit({ x: "1" }) }], tail: packOf([]) }),
  { verdict: "deny", verb: "unknown" },
);
real(
  "a capability that is not known",
  (it) => ({ wishes: [{ ref: AGENT, new: it.commit({ x: "1" }) }], extra: " push-cert=1" }),
  { verdict: "deny", verb: "unknown" },
);
real(
  "a capability twice",
  (it) => ({
    wishes: [{ ref: AGENT, new: it.commit({ x: "1" }) }],
    extra: " object-format=sha1 object-format=sha256",
  }),
  { verdict: "deny", verb: "unknown" },
);
real(
  "all or nothing",
  (it) => ({ wishes: [{ ref: AGENT, new: it.commit({ x: "1" }) }], extra: " atomic" }),
  { verdict: "allow", effects: ["write"] },
);
real(
  "a body that is packed as a whole",
  change({ x: "1" }),
  { verdict: "deny", verb: "unknown" },
  { headers: { "content-encoding": "gzip" } },
);
real(
  "a body that says it is something else",
  change({ x: "1" }),
  { verdict: "deny", verb: "unknown" },
  { headers: { "content-type": "text/plain" } },
);
real(
  "a push with a parameter",
  change({ x: "1" }),
  { verdict: "deny", verb: "unknown" },
  { request: `${RECEIVE}?service=git-upload-pack` },
);
real(
  "a push by another method",
  change({ x: "1" }),
  { verdict: "deny", verb: "unknown" },
  { request: RECEIVE.replace("POST", "PUT") },
);
real(
  "another repository than the grant's",
  change({ x: "1" }),
  { verdict: "deny", verb: "unknown" },
  { with: { repos: ["me/other"] } },
);
real(
  "the grant's repository",
  change({ x: "1" }),
  { verdict: "allow" },
  { with: { repos: ["me/site"] } },
);
real(
  "a repository in other letters may be another",
  change({ x: "1" }),
  { verdict: "deny", verb: "unknown" },
  { with: { repos: ["Me/Site"] } },
);

/** A push with options behind its commands. */
function withOptions(
  name: string,
  options: readonly string[],
  expect: Expect,
  more: More = {},
): void {
  const blob: GitObject = { kind: "blob", data: Buffer.from("x") };
  const tree: GitObject = {
    kind: "tree",
    data: treeData([["100644", "x", idOf(blob, FORMATS.sha1)]]),
  };
  const commit: GitObject = { kind: "commit", data: commitData(idOf(tree, FORMATS.sha1)) };
  const line = `${NONE} ${idOf(commit, FORMATS.sha1)} ${AGENT}\0 report-status push-options`;
  const body = Buffer.concat([
    packet(line),
    FLUSH,
    ...options.map((one) => packet(one)),
    FLUSH,
    packOf([blob, tree, commit]),
  ]);
  add(name, body, expect, { ...more, facts: { branches: {}, objects: {} } });
}
withOptions("a push option that the grant does not list", ["merge_request.create"], {
  verdict: "confirm",
  includes: ["execute", "administer"],
  parts: [{ verb: "push.option", object: ["merge_request.create"] }],
});
withOptions(
  "a push option that the grant lists",
  ["ci.skip"],
  { verdict: "allow", effects: ["write"] },
  { with: { push_options: ["ci.skip"] } },
);
withOptions(
  "a push option that begins like a listed one",
  ["ci.skip;admin=1"],
  { verdict: "confirm", includes: ["administer"] },
  { with: { push_options: ["ci.skip"] } },
);
withOptions(
  "a push option with a line of its own within",
  ["ci.skip\nx-admin: 1"],
  { verdict: "deny", verb: "unknown" },
  { with: { push_options: ["ci.skip"] } },
);

// Paths.
const CI = { verdict: "confirm", includes: ["execute"], parts: [{ verb: "push.ci" }] };
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

// Secrets. They are put together here, so that no file of this repository holds one.
const TOKEN = ["ghp", "a1B2".repeat(9)].join("_");
const KEY = ["AKIA", "ABCDEFGH12345678"].join("");
const PRIVATE = ["-----BEGIN OPENSSH PRIVATE", " KEY-----"].join("");
const SECRET = { verdict: "confirm", includes: ["publish"], parts: [{ verb: "push.secret" }] };
real("a token of a forge", change({ "src/x.txt": `token = ${TOKEN}\n` }), SECRET);
real("a key of a cloud", change({ ".env.example": `AWS=${KEY}\n` }), SECRET);
real("a private key", change({ "src/k": `${PRIVATE}\nx\n` }), SECRET);
real("a token in UTF-16", change({ "src/x.txt": [...`t=${TOKEN}`].join("\0") }), SECRET);
real(
  "a token that a later commit takes away",
  (it) => {
    it.commit({ t: TOKEN });
    return { wishes: [{ ref: AGENT, new: it.commit({ t: undefined, a: "b" }) }] };
  },
  SECRET,
);
real(
  "a token in a message",
  (it) => ({ wishes: [{ ref: AGENT, new: it.commit({ a: "b" }, `use ${TOKEN}`) }] }),
  SECRET,
);
real("what only begins like a token", change({ a: `ghp_short AKIA123 ${"x".repeat(50)}\n` }), {
  verdict: "allow",
  effects: ["write"],
});

// What the server has.
real(
  "nothing is known of the server: each path could be new",
  (it) => ({ wishes: [{ ref: AGENT, new: it.commit({ z: "1" }) }], thin: false }),
  { verdict: "confirm", includes: ["execute"] },
  { knowsNothing: true },
);
real(
  "nothing is known, and the pack builds upon it",
  update(AGENT),
  { verdict: "deny", verb: "unknown" },
  { knowsNothing: true },
);
real(
  "a branch at what is the tip of another",
  (_it, base) => ({ wishes: [{ ref: AGENT, new: base }] }),
  { verdict: "allow", verb: "push.create", effects: ["write"] },
);
real(
  "a branch at a commit of no branch",
  (it) => {
    const evil = it.commit({ ".github/workflows/x.yml": "evil\n" });
    return { wishes: [{ ref: AGENT, new: evil }], has: [evil] };
  },
  CI,
);
real(
  "a branch that comes after a commit of no branch",
  (it) => {
    const evil = it.commit({ ".github/workflows/x.yml": "evil\n" });
    return { wishes: [{ ref: AGENT, new: it.commit({ a: "b" }) }], has: [evil] };
  },
  CI,
);
real(
  "a branch is put after a commit of no branch",
  (it, base) => {
    const evil = it.commit({ ".github/workflows/x.yml": "evil\n" });
    return { wishes: [{ ref: AGENT, old: base, new: it.commit({ a: "b" }) }], has: [base, evil] };
  },
  CI,
);
real(
  "a reviewed branch becomes main",
  (it, base) => {
    const tip = it.commit({ a: "b" });
    return { wishes: [{ ref: "refs/heads/main", old: base, new: tip }], has: [base, tip] };
  },
  { verdict: "confirm", verb: "push.update", effects: ["write", "publish"] },
);
{
  const it = new Repository();
  const base = it.commit(BASE);
  const body = it.pushBody([{ ref: AGENT, new: it.commit({ z: "1" }) }], {
    has: [base],
    thin: false,
  });
  const { facts } = it.inquire(body) as { facts: { objects: Record<string, string> } };
  const forged = Object.fromEntries(
    Object.entries(facts.objects).map(([id, text]) => [id, text.replace(/ .{8}/, " AAAAAAAA")]),
  );
  add(
    "objects that are not what they are called are not believed",
    body,
    { verdict: "confirm", includes: ["execute"] },
    { facts: { ...facts, objects: forged } },
  );
  it.remove();
}

// Objects that git would not make.
const BLOB: GitObject = { kind: "blob", data: Buffer.from("x\n") };
const BLOB_ID = idOf(BLOB, FORMATS.sha1);
const TREE: GitObject = { kind: "tree", data: treeData([["100644", "x", BLOB_ID]]) };
const TREE_ID = idOf(TREE, FORMATS.sha1);
const EMPTY = { branches: {}, objects: {} };
const bad = (name: string, body: Buffer) =>
  add(name, body, { verdict: "deny", verb: "unknown" }, { facts: EMPTY });
const good = commitData(TREE_ID);
add(
  "objects made by hand as git makes them",
  handMade([BLOB, TREE, { kind: "commit", data: good }]),
  { verdict: "allow", effects: ["write"] },
  { facts: EMPTY },
);
bad(
  "an object that nothing needs, for a push to come",
  handMade([
    { kind: "blob", data: Buffer.from("evil") },
    BLOB,
    TREE,
    { kind: "commit", data: good },
  ]),
);
bad("an object twice", handMade([BLOB, BLOB, TREE, { kind: "commit", data: good }]));
bad(
  "two authors",
  handMade([BLOB, TREE, { kind: "commit", data: commitData(TREE_ID, "author B <b@x> 1 +0000\n") }]),
);
bad(
  "a message that ends for some at a NUL",
  handMade([BLOB, TREE, { kind: "commit", data: commitData(TREE_ID, "", "ok\0evil\n") }]),
);
bad("a branch that is a tree", handMade([BLOB, TREE]));
for (const [name, data] of [
  [
    "a tree that is not sorted",
    treeData([
      ["100644", "b", BLOB_ID],
      ["100644", "a", BLOB_ID],
    ]),
  ],
  [
    "a name twice in a tree",
    treeData([
      ["100644", "a", BLOB_ID],
      ["100755", "a", BLOB_ID],
    ]),
  ],
  ["a name with a slash in a tree", treeData([["100644", "a/b", BLOB_ID]])],
  ["a tree that leads out", treeData([["100644", "..", BLOB_ID]])],
  ["a mode that is none", treeData([["104755", "a", BLOB_ID]])],
  ["a mode with a zero before it", treeData([["0100644", "a", BLOB_ID]])],
] as const) {
  const tree: GitObject = { kind: "tree", data };
  bad(name, handMade([BLOB, tree, { kind: "commit", data: commitData(idOf(tree, FORMATS.sha1)) }]));
}
const three = [BLOB, TREE, { kind: "commit" as const, data: good }];
bad("a pack that says it has fewer objects", handMade(three, AGENT, packOf(three, 2)));
bad("a pack that says it has more objects", handMade(three, AGENT, packOf(three, 4)));
bad(
  "a pack that says it has four thousand million",
  handMade(three, AGENT, packOf(three, 0xffffffff)),
);
bad(
  "an object that inflates to more than it says",
  handMade(
    three,
    AGENT,
    packOf([{ kind: "blob", data: Buffer.alloc(100_000), says: 10 }, ...three]),
  ),
);
bad(
  "an object that says it is 64 GiB",
  handMade(
    three,
    AGENT,
    packOf([{ kind: "blob", data: Buffer.from("x"), says: 2 ** 36 }, ...three]),
  ),
);
bad(
  "objects that inflate to 80 MiB of nothing",
  handMade(
    three,
    AGENT,
    packOf([
      ...Array.from({ length: 6 }, (_, at) => ({
        kind: "blob" as const,
        data: Buffer.alloc((14 << 20) - at),
      })),
      ...three,
    ]),
  ),
);
{
  // Ten names in each folder, twelve folders deep, of a few bytes: 10^12 paths.
  const objects: GitObject[] = [BLOB];
  let [mode, id] = ["100644", BLOB_ID];
  for (let depth = 0; depth < 12; depth += 1) {
    const tree: GitObject = {
      kind: "tree",
      data: treeData(Array.from({ length: 10 }, (_, at) => [mode, `${at}`, id] as const)),
    };
    objects.push(tree);
    [mode, id] = ["40000", idOf(tree, FORMATS.sha1)];
  }
  bad(
    "folders that unfold without end",
    handMade([...objects, { kind: "commit", data: commitData(id) }]),
  );
}

// Fetches and large files.
const fetch = (
  name: string,
  lines: readonly (string | Buffer)[],
  expect: Expect,
  more: More = {},
) =>
  add(
    name,
    Buffer.concat(lines.map((one) => (typeof one === "string" ? packet(one) : one))),
    expect,
    {
      request: "POST /me/site.git/git-upload-pack",
      headers: { "content-type": "application/x-git-upload-pack-request" },
      ...more,
    },
  );
const ONE = "1".repeat(40);
fetch(
  "a clone",
  [
    `want ${ONE} multi_ack_detailed side-band-64k thin-pack ofs-delta agent=git/2.39.5\n`,
    FLUSH,
    "done\n",
  ],
  { verdict: "allow", verb: "repo.read", effects: ["read"] },
);
fetch(
  "a fetch of a private repository",
  [`want ${ONE}\n`, FLUSH, "done\n"],
  { verdict: "allow", effects: ["read-private"] },
  { with: { private: true } },
);
fetch(
  "a fetch by version 2",
  ["command=fetch\n", "object-format=sha1", Buffer.from("0001"), `want ${ONE}\n`, "done\n", FLUSH],
  { verdict: "allow", effects: ["read"] },
);
fetch("two commands in one request", ["command=ls-refs\n", FLUSH, "command=fetch\n", FLUSH], {
  verdict: "deny",
  verb: "unknown",
});
fetch("a command of a version to come", ["command=push\n", FLUSH], {
  verdict: "deny",
  verb: "unknown",
});
fetch(
  "a push that is sent to where fetches go",
  [`${NONE} ${ONE} refs/heads/x\0 report-status`, FLUSH],
  { verdict: "deny", verb: "unknown" },
);
fetch("no packets", [Buffer.from("GET / HTTP/1.1\r\n\r\n")], { verdict: "deny", verb: "unknown" });

mkdirSync(join(import.meta.dirname, "../corpus/git"), { recursive: true });
writeFileSync(
  join(import.meta.dirname, "../corpus/git/pushes.yaml"),
  `# Written by test/git/make-corpus.ts: bodies are what git sends, or would have to. Names of GitHub's tokens, AWS's
# keys and a private key's first line stand in some of them, and are none.
${stringify(cases, { lineWidth: 0 })}`,
);
console.log(`${cases.length} cases`);
