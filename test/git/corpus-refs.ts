/** Cases: refs, and what is sent. */
import { FLUSH, packet } from "../../src/git/index.ts";
import { FORMATS, idOf, type GitObject } from "../../src/git/object-format.ts";
import {
  add,
  AGENT,
  change,
  object,
  real,
  RECEIVE,
  update,
  type Expect,
  type More,
} from "./corpus-maker.ts";
import { commitData, NONE, packOf, treeData } from "./kit.ts";

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
