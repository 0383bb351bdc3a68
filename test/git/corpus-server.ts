/** Cases: secrets, what the server has, objects that git would not make, fetches and large files. */
import { FLUSH, packet } from "../../src/git/index.ts";
import { FORMATS, idOf, type GitObject } from "../../src/git/object-format.ts";
import {
  add,
  AGENT,
  BASE,
  change,
  real,
  RECEIVE,
  update,
  type Expect,
  type More,
} from "./corpus-maker.ts";
import { CI } from "./corpus-paths.ts";
import { commitData, handMade, NONE, packOf, Repository, treeData } from "./kit.ts";

// Secrets. They are put together here, so that no file of this repository holds one.
const TOKEN = ["ghp", "a1B2".repeat(9)].join("_");
const KEY = ["AKIA", "ABCDEFGH12345678"].join("");
const PRIVATE = ["-----BEGIN OPENSSH PRIVATE", " KEY-----"].join("");
const SECRET = { verdict: "confirm", includes: ["publish"], parts: [{ verb: "push.secret" }] };
real("a token of a forge", change({ "src/x.txt": `token = ${TOKEN}\n` }), SECRET);
real("a key of a cloud", change({ ".env.example": `AWS=${KEY}\n` }), SECRET);
real("a private key", change({ "src/k": `${PRIVATE}\nx\n` }), SECRET);
real("a token in UTF-16", change({ "src/x.txt": `t=${TOKEN}`.split("").join("\0") }), SECRET);
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

real(
  "a branch that is another name of a protected one",
  (it, base) => {
    const now = it.commit({ a: "b" });
    return {
      wishes: [{ ref: "refs/heads/alias", old: base, new: now }],
      symbolic: "refs/heads/alias",
    };
  },
  { verdict: "confirm", effects: ["write", "publish"] },
);
real(
  "where large files come from",
  change({ ".lfsconfig": "[lfs]\n\turl = https://e.example\n" }),
  {
    verdict: "confirm",
    includes: ["execute"],
    parts: [{ verb: "push.submodule", object: [".lfsconfig"] }],
  },
);
real(
  "a repository whose path is escaped",
  change({ a: "b" }),
  { verdict: "deny" },
  { request: RECEIVE.replace("me/site", "me%2fsite"), with: { repos: ["me/site"] } },
);
real(
  "a repository whose name holds a backslash",
  change({ a: "b" }),
  { verdict: "deny" },
  { request: RECEIVE.replace("site", "x%5Csite") },
);

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
