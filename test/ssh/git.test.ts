/**
 * git over SSH through the broker: a real git and OpenSSH on the one side, a real sshd and git on the other.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Lease } from "../../src/vault/index.ts";
import { Repository } from "../git/kit.ts";
import { Sshd } from "../support/sshd.ts";
import { BrokerKit, UNATTENDED, type KitOptions, type Ran } from "./session-kit.ts";

const sshd = new Sshd();
/** Lets no `GIT_PROTOCOL` through, as most do: only protocol version 0 is spoken there. */
const plain = new Sshd();
const kits: BrokerKit[] = [];
const repositories: Repository[] = [];
before(async () => {
  await Promise.all([sshd.start(), plain.start({ config: "SetEnv GIT_PROTOCOL=version=0" })]);
});
after(async () => {
  for (const kit of kits) await kit.close();
  await Promise.all([sshd.close(), plain.close()]);
  for (const it of repositories) it.remove();
});

const BASE = {
  "README.md": "# Site\n",
  "src/a.txt": Array.from({ length: 40 }, (_, at) => `line ${at}\n`).join(""),
  "package.json": "{}\n",
  ".github/workflows/ci.yml": "on: push\n",
};

interface World {
  readonly kit: BrokerKit;
  /** At the server, bare. */
  readonly there: Repository;
  /** The agent's clone. */
  readonly here: Repository;
  readonly url: string;
  git(...args: readonly string[]): Promise<Ran>;
  /** Refs of the server. */
  refs(): string;
}

const RULES = [
  { verbs: ["repo.read"] },
  { verbs: ["push.create", "push.update"], on: ["refs/heads/agent/**", "refs/heads/main"] },
  { verbs: ["push.force"], on: ["refs/heads/agent/**"] },
  { verbs: ["push.ci"], on: [".github/workflows/**"] },
];

interface WorldOptions extends Partial<KitOptions> {
  readonly format?: "sha1" | "sha256";
  readonly server?: Sshd;
  /** Repositories that are there already. */
  readonly at?: Pick<World, "there" | "here">;
}

async function world({
  format = "sha1",
  server = sshd,
  at,
  ...more
}: WorldOptions = {}): Promise<World> {
  const { there, here } = at ?? {
    there: new Repository({ format }),
    here: new Repository({ format }),
  };
  if (at === undefined) {
    repositories.push(there, here);
    there.commit(BASE, "first");
    there.git(["symbolic-ref", "HEAD", "refs/heads/main"]);
  }
  there.git(["config", "receive.denyCurrentBranch", "ignore"]);
  for (const one of ["receive.advertisePushOptions", "receive.fsckObjects"])
    there.git(["config", one, "true"]);
  there.git(["config", "uploadpack.allowAnySHA1InWant", "false"]);
  const attach = { kind: "ssh-key", user: server.user, privateKey: server.userKey } as const;
  const lease: Lease = { credential: "c", attach, secrets: [server.userKey] };
  const kit = await new BrokerKit({
    port: server.port,
    hostKey: server.hostKey,
    lease,
    allow: RULES,
    ...more,
    with: { repos: [there.folder], ...more.with },
  }).start();
  kits.push(kit);
  const url = `ssh://127.0.0.1${there.folder}`;
  const git = async (...args: readonly string[]): Promise<Ran> => {
    const ssh = ["ssh", ...kit.sshOptions].join(" ");
    const child = spawn("git", ["-C", here.folder, ...args], {
      env: { ...process.env, GIT_SSH_COMMAND: ssh, GIT_CONFIG_NOSYSTEM: "1", HOME: "/nonexistent" },
      timeout: 60_000,
    });
    const out: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => out.push(chunk));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: Buffer.concat(out).toString("utf8"), stderr: "" };
  };
  const refs = () => there.text(["for-each-ref", "--format=%(refname) %(objectname)"]);
  const made = { kit, there, here, url, git, refs };
  if (at !== undefined) return made;
  const fetched = await git("fetch", "-q", url, "main");
  assert.equal(fetched.code, 0, fetched.stdout);
  here.git(["reset", "-q", "--hard", "FETCH_HEAD"]);
  here.git(["remote", "add", "origin", url]);
  here.git(["update-ref", "refs/remotes/origin/base", "HEAD"]);
  return made;
}

let common: World | undefined;
/** One that several tests use, as it was cloned. */
async function shared(): Promise<World> {
  common ??= await world();
  const { here, kit } = common;
  here.git(["reset", "-q", "--hard", "origin/base"]);
  here.git(["clean", "-q", "-fd"]);
  kit.judged.length = 0;
  kit.outcomes.length = 0;
  return common;
}

const verbs = ({ kit }: World) => kit.judged.map(({ action }) => action.verb);

for (const [what, more] of [
  ["protocol 2", {}],
  ["protocol 0", { server: plain }],
  ["SHA-256, protocol 0", { format: "sha256", server: plain }],
] as const) {
  test(`a branch of its own goes out as it is: ${what}`, async () => {
    const it = await world(more);
    it.here.commit(
      { "src/a.txt": BASE["src/a.txt"].replace("line 7\n", "line seven\n") },
      "Spell seven",
    );
    const made = await it.git("push", "origin", "HEAD:refs/heads/agent/seven");
    assert.equal(made.code, 0, made.stdout);
    it.here.commit({ "src/a.txt": "all other\n" }, "Other");
    const added = await it.git("push", "origin", "HEAD:refs/heads/agent/seven");
    assert.equal(added.code, 0, added.stdout);
    assert.equal(it.there.text(["rev-parse", "agent/seven"]), it.here.head());
    assert.equal(it.there.text(["fsck", "--strict"]), "");
    assert.deepEqual(verbs(it), [
      "repo.read",
      "repo.read",
      "push.create",
      "repo.read",
      "push.update",
    ]);
    for (const { decision, action } of it.kit.judged)
      assert.equal(decision.verdict, "allow", action.summary);
    const [, data] = it.kit.outcomes.at(-2) ?? [];
    assert.deepEqual([data?.["taken"], data?.["exit"]], [true, 0]);
    const upToDate = await it.git("push", "origin", "HEAD:refs/heads/agent/seven");
    assert.match(upToDate.stdout, /up-to-date/);
  });
}

/** Pushes that are told as git tells them, and of which nothing arrives. */
const REFUSED: readonly (readonly [
  what: string,
  change: (it: World) => void,
  args: readonly string[],
  said: RegExp,
  more?: WorldOptions,
])[] = [
  ["a deletion", () => {}, ["origin", ":refs/heads/main"], /ng|grants no push\.delete/],
  ["a tag", (it) => it.here.git(["tag", "v1"]), ["origin", "v1"], /push\.tag/],
  [
    "a branch that is not granted",
    (it) => it.here.commit({ a: "1" }),
    ["origin", "HEAD:refs/heads/other"],
    /push\.create on refs/,
  ],
  [
    "several refs of which one is not granted",
    (it) => it.here.commit({ a: "1" }),
    ["origin", "HEAD:refs/heads/agent/x", "HEAD:refs/heads/other"],
    /agent\/x \(No: .*push\.create on refs[\s\S]*other \(No/,
  ],
  [
    "the same, all or none",
    (it) => it.here.commit({ a: "1" }),
    ["--atomic", "origin", "HEAD:refs/heads/agent/x", "HEAD:refs/heads/other"],
    /push\.create on refs/,
  ],
  [
    "an option that is not listed",
    (it) => it.here.commit({ a: "1" }),
    ["-o", "ci.variable=x", "origin", "HEAD:refs/heads/agent/x"],
    /push\.option/,
  ],
  [
    "a script in a commit before the last",
    (it) => {
      it.here.commit({ "package.json": '{ "scripts": { "postinstall": "x" } }\n' });
      it.here.commit({ "package.json": "{}\n" });
    },
    ["origin", "HEAD:refs/heads/agent/x"],
    /push\.scripts/,
  ],
  [
    "a token",
    (it) => it.here.commit({ t: `ghp_${"a1B2".repeat(9)}\n` }),
    ["origin", "HEAD:refs/heads/agent/x"],
    /push\.secret/,
  ],
  [
    "notes",
    (it) => it.here.git(["notes", "add", "-m", "x"]),
    ["origin", "refs/notes/commits"],
    /push\.refs/,
  ],
  [
    "more than is read",
    (it) =>
      writeFileSync(join(it.here.folder, "blob"), randomBytes(3_000_000)) ??
      it.here.commit({ x: "" }),
    ["origin", "HEAD:refs/heads/agent/x"],
    /more than 100000 bytes are not read/,
    { limits: { spoolBytes: 100_000 } },
  ],
  [
    "another repository",
    () => {},
    ["ssh://127.0.0.1/tmp", "HEAD:refs/heads/agent/x"],
    /with: repos` does not name: \/tmp[\s\S]*Could not read from remote/,
  ],
];

for (const [what, change, args, said, more] of REFUSED) {
  test(`INV-126: ${what} is refused in git's own words, and nothing arrives`, async () => {
    const it = more === undefined ? await shared() : await world(more);
    change(it);
    const before = it.refs();
    const { code, stdout } = await it.git("push", ...args);
    assert.notEqual(code, 0, stdout);
    assert.match(stdout, said);
    assert.equal(it.refs(), before);
  });
}

/** What waits, and what a person sees of it. */
const performed = ({ kit }: World) =>
  kit.judged.filter(({ decision }) => decision.verdict === "confirm");

test("INV-127: a push that waits is kept whole, and the very pack that was shown is what arrives", async () => {
  const it = await shared();
  const base = it.here.head();
  it.here.commit({ "src/a.txt": "line 1\n" }, "Shorten it");
  const { code, stdout } = await it.git("push", "origin", "HEAD:refs/heads/main");
  assert.equal(code, 0, stdout);
  assert.match(stdout, /HEAD -> main/);
  assert.equal(it.there.text(["rev-parse", "main"]), it.here.head());
  const [one] = performed(it);
  assert.equal(one?.action.verb, "push.update");
  assert.deepEqual([one?.action.effects].flat().sort(), ["publish", "write"]);
  const shown = JSON.stringify(one?.action.fields);
  for (const text of ["Shorten it", "-line 3", base, "agent@example.org", '"show":"push"'])
    assert.ok(shown.includes(text), `${text} in ${shown}`);
  assert.ok(!shown.includes('"found"'), "objects are no part of what is shown");
});

for (const decision of ["pending", "denied"] as const) {
  test(`INV-127: a push that is ${decision} is rejected, and nothing arrives`, async () => {
    const it = await world({ decision });
    const before = it.refs();
    it.here.commit({ "src/a.txt": "line 1\n" });
    const { code, stdout } = await it.git("push", "origin", "HEAD:refs/heads/main");
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`remote rejected.*${decision}`));
    assert.equal(it.refs(), before);
  });
}

test("INV-127: where the server's ref moved meanwhile the server itself rejects what was approved, and that is told", async () => {
  let move = () => {};
  const it = await world({ whileHeld: () => move() });
  it.here.commit({ "src/a.txt": "line 1\n" });
  move = () => void it.there.commit({ b: "2" }, "Meanwhile");
  const { code, stdout } = await it.git("push", "origin", "HEAD:refs/heads/main");
  assert.equal(code, 1);
  assert.match(stdout, /remote rejected.*(?:failed to update ref|cannot lock ref|fetch first)/);
  assert.equal(it.there.text(["log", "-1", "--format=%s", "main"]), "Meanwhile");
  const [push] = performed(it);
  const resolution = await it.kit.perform(push?.asking ?? { operation: null });
  assert.equal(resolution.kind === "answered" && resolution.answer.status, 500, "it is no success");
  const elsewhere = { op: "exec", command: `git-receive-pack '${it.there.folder}/none'` };
  await it.kit.perform({ ...push?.asking, operation: elsewhere });
  assert.deepEqual(it.kit.failures, ["ssh.git"]);
});

test("a push over what was not there is forced: it waits, and a hook of the server that rejects it is heard", async () => {
  const it = await shared();
  it.here.commit({ b: "1" }, "one");
  assert.equal((await it.git("push", "origin", "HEAD:refs/heads/agent/x")).code, 0);
  it.here.git(["commit", "-q", "--amend", "-m", "other"]);
  const forced = await it.git("push", "-f", "origin", "HEAD:refs/heads/agent/x");
  assert.equal(forced.code, 0, forced.stdout);
  assert.equal(performed(it)[0]?.action.verb, "push.force");
  assert.equal(it.there.text(["rev-parse", "agent/x"]), it.here.head());
  const hook = join(it.there.folder, ".git/hooks/pre-receive");
  writeFileSync(hook, "#!/bin/sh\necho no, says the hook\nexit 1\n", { mode: 0o755 });
  it.here.commit({ b: "2" });
  const { code, stdout } = await it.git("push", "origin", "HEAD:refs/heads/agent/y");
  rmSync(hook);
  assert.equal(code, 1);
  assert.match(stdout, /remote: no, says the hook[\s\S]*pre-receive hook declined/);
  const told = it.kit.outcomes.findLast(([verb]) => verb === "push.create")?.[1];
  assert.deepEqual(
    [told?.["taken"], told?.["refused"]],
    [false, { unpack: "ok", "refs/heads/agent/y": "pre-receive hook declined" }],
  );
});

test("what is listed is an option like any other, deletions have no pack, and all of several refs goes at once", async () => {
  const allow = [
    ...RULES,
    { verbs: ["push.option"], on: ["ci.skip"] },
    { verbs: ["push.delete"], on: ["refs/heads/agent/**"] },
  ];
  const it = await world({ allow, with: { push_options: ["ci.skip"] } });
  it.here.commit({ b: "1" });
  const pushed = await it.git(
    "push",
    "--atomic",
    "-o",
    "ci.skip",
    "origin",
    "HEAD:refs/heads/agent/x",
    "HEAD:refs/heads/agent/y",
  );
  assert.equal(pushed.code, 0, pushed.stdout);
  const gone = await it.git("push", "origin", ":refs/heads/agent/x", ":refs/heads/agent/y");
  assert.equal(gone.code, 0, gone.stdout);
  assert.doesNotMatch(it.refs(), /agent/);
  assert.deepEqual(
    performed(it).map(({ action }) => action.effects),
    [["delete"]],
  );
});

test("a shallow clone pushes, an empty repository gets its first branch", async () => {
  const it = await world();
  it.there.commit({ "src/a.txt": "two\n" }, "second");
  const shallow = join(it.here.folder, "shallow");
  assert.equal((await it.git("clone", "-q", "--depth", "1", it.url, shallow)).code, 0);
  it.here.git(["-C", shallow, "commit", "-q", "--allow-empty", "-m", "third"]);
  const pushed = await it.git("-C", shallow, "push", "origin", "HEAD:refs/heads/agent/shallow");
  assert.equal(pushed.code, 0, pushed.stdout);
  assert.equal(it.there.text(["log", "-1", "--format=%s", "agent/shallow"]), "third");
  it.there.git(["init", "-q", "--bare", "empty.git"]);
  const empty = `${it.there.folder}/empty.git`;
  const first = await (
    await world({
      allow: [{ verbs: ["*"], unattended: UNATTENDED }],
      with: { repos: [empty] },
      at: it,
    })
  ).git("push", `ssh://127.0.0.1${empty}`, "HEAD:refs/heads/agent/first");
  assert.equal(first.code, 0, first.stdout);
});

test("a signed push is refused with what to do, and so is what is no push", async () => {
  const it = await shared();
  it.there.git(["config", "receive.certNonceSeed", "seed"]);
  const key = join(it.here.folder, ".git/key");
  it.here.git(["config", "gpg.format", "ssh"]);
  it.here.git(["config", "user.signingkey", key]);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  it.here.commit({ b: "1" });
  const before = it.refs();
  const { code, stdout } = await it.git(
    "push",
    "--signed",
    "origin",
    "HEAD:refs/heads/agent/signed",
  );
  assert.notEqual(code, 0);
  assert.match(stdout, /a signed push is not taken: push without --signed/);
  const body = it.here.pushBody([{ ref: "refs/heads/agent/x", new: it.here.head() }]);
  for (const [input, said] of [
    [Buffer.concat([body, Buffer.from("more")]), /ends before it is whole/],
    [body.subarray(0, -1), /ends before it is whole/],
    ["GET / HTTP/1.0\r\n\r\n", /the length of a packet is no number/],
  ] as const) {
    const ran = await it.kit.run(`git-receive-pack '${it.there.folder}'`, input);
    assert.match(`${ran.stdout}${ran.stderr}`, said);
  }
  assert.equal(it.refs(), before);
});

test("an archive is read as a repository is; large files are refused with what to do instead", async () => {
  const it = await shared();
  const archive = await it.git(
    "archive",
    `--remote=${it.url}`,
    "--format=tar",
    "main",
    "README.md",
  );
  assert.equal(archive.code, 0, archive.stdout);
  assert.match(archive.stdout, /# Site/);
  assert.equal(verbs(it).at(-1), "repo.read");
  for (const command of [
    "git-lfs-authenticate me/site.git upload",
    "git-lfs-transfer me/site.git download",
  ]) {
    const ran = await it.kit.run(command);
    assert.equal(ran.code, 126);
    assert.match(
      ran.stderr,
      /large files go over HTTPS, by a grant of `system: git` and `git config lfs\.url/,
    );
  }
  const lists = sshd.log.match(/git-lfs/g);
  assert.equal(lists, null, "the server heard nothing of it");
});
