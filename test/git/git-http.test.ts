/** Real git, from inside a run, against git-http-backend: clone, fetch, push, and a push that waits. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../../src/api/index.ts";
import { eventually, TestHome, type Result } from "../support/home.ts";
import { Repository } from "./kit.ts";
import { GitServer } from "./server.ts";

const home = new TestHome();
const PASSWORD = "hunter2-of-the-forge-4711";
const root = join(home.root, "srv");
const bare = join(root, "me/site.git");
let server: GitServer;
let port = 0;

const onServer = (...args: readonly string[]): string =>
  execFileSync("git", ["-C", bare, ...args], { encoding: "utf8" }).trim();

before(async () => {
  const seed = new Repository();
  seed.commit(
    {
      "README.md": "# Site\n",
      "src/a.txt": Array.from({ length: 40 }, (_, at) => `line ${at}\n`).join(""),
      "package.json": "{}\n",
      ".github/workflows/ci.yml": "on: push\n",
    },
    "first",
  );
  mkdirSync(join(root, "me"), { recursive: true });
  execFileSync("git", ["clone", "-q", "--bare", seed.folder, bare]);
  onServer("config", "http.receivepack", "true");
  onServer("config", "uploadpack.allowFilter", "true");
  onServer("config", "receive.fsckObjects", "true");
  seed.remove();
  server = new GitServer(root, "bot", PASSWORD);
  port = await server.listen();
  const added = await home.call(
    [
      ...["credential", "add", "forge", "--kind", "basic", "--user", "bot"],
      ...["--host", "git.test", "--scheme", "http", "--port", "80", "--stdin"],
    ],
    { input: `${PASSWORD}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
});
after(async () => {
  server.close();
  await home.close();
});

function taskFile(hold = "60s"): string {
  const file = join(home.root, `task-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(
    file,
    `task: work-on-the-site
purpose: Change the site.
environment: []
approvals: { hold: ${hold} }
grants:
  - system: git
    name: forge
    hosts: [git.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${port}
    credential: forge
    with: { repos: [me/site] }
    allow:
      - verbs: [repo.read]
      - verbs: [push.create, push.update]
        on: ["refs/heads/agent/**", refs/heads/main]
      - verbs: [push.ci]
        on: [".github/workflows/**"]
`,
  );
  return file;
}

const SETUP = `set -e
export GIT_TERMINAL_PROMPT=0
git config --global user.name Agent; git config --global user.email agent@example.org
git config --global init.defaultBranch main; git config --global advice.detachedHead false
rm -rf site; git clone -q http://git.test/me/site.git site; cd site
`;

function inRun(script: string, hold?: string): Promise<Result> {
  return home.run(["sh", "-c", `${SETUP}${script}`], ["--task", taskFile(hold)]);
}

async function waiting(): Promise<ApprovalInfo> {
  return eventually("something waits", 60_000, async () => (await home.approvals())[0]);
}

test("clone, fetch, shallow and partial clones, and a push of a branch of its own", async () => {
  const { code, stdout, stderr } = await inRun(`
sed -i 's/^line 7$/line seven/' src/a.txt
git checkout -q -b agent/seven; git commit -qam 'Spell seven'
git push -q origin agent/seven 2>&1
git fetch -q origin; git rev-parse origin/agent/seven HEAD
cd ..; rm -rf s p; git clone -q --depth 1 http://git.test/me/site.git s
git clone -q --filter=blob:none http://git.test/me/site.git p; cat p/README.md
git -c protocol.version=0 ls-remote http://git.test/me/site.git`);
  assert.equal(code, 0, `${stdout}${stderr}`);
  const [there, here] = stdout.trim().split("\n").slice(-10);
  assert.match(`${there} ${here}`, /[0-9a-f]{40}/, stdout);
  assert.equal(onServer("show", "agent/seven:src/a.txt").split("\n")[7], "line seven");
  assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
  const log = await home.log();
  const pushed = log.find(
    ({ type, data }) => type === "action" && data?.["verb"] === "push.create",
  );
  assert.ok(pushed !== undefined, "the push is on record");
});

test("INV-120: a push to a protected branch waits, and the very pack that was shown is what goes out", async () => {
  const before = onServer("rev-parse", "main");
  const run = inRun(`
sed -i 's/^line 3$/line three/' src/a.txt; git commit -qam 'Spell three'
git push origin main 2>&1; git fetch origin 2>&1; git status -sb; git rev-parse origin/main`);
  const one = await waiting();
  assert.equal(onServer("rev-parse", "main"), before, "nothing went out");
  const shown = await home.call(["approvals", "show", one.id]);
  for (const text of [
    "PUBLISHES",
    "refs/heads/main",
    "Spell three",
    "-line 3",
    "+line three",
    "agent@example.org",
  ]) {
    assert.ok(shown.stdout.includes(text), `${text} stands in\n${shown.stdout}`);
  }
  assert.ok(!shown.stdout.includes("Not shown"), shown.stdout);
  const pushes = () =>
    server.seen.filter(({ url, bytes }) => url.endsWith("/git-receive-pack") && bytes > 4).length;
  const sent = pushes();
  const code = await home.codeOf(one.id);
  const approved = await home.call(["approvals", "approve", one.id, "--code", code]);
  assert.equal(approved.code, 0, approved.stderr);
  const { code: ended, stdout, stderr } = await run;
  assert.equal(ended, 0, `${stdout}${stderr}`);
  assert.match(stdout, /main -> main/);
  assert.notEqual(onServer("rev-parse", "main"), before);
  assert.equal(stdout.trim().split("\n").at(-1), onServer("rev-parse", "main"));
  assert.equal(pushes(), sent + 1, "once");
});

test("a push that waits longer than its agent is performed all the same, and the agent then finds it there", async () => {
  const { code, stdout } = await inRun(
    `
sed -i 's/^line 4$/line four/' src/a.txt; git commit -qam 'Spell four'
git push origin main 2>&1 || echo "ended $?"`,
    "1s",
  );
  assert.equal(code, 0, stdout);
  assert.match(stdout, /remote rejected.*main -> main.*waits for a person/);
  assert.match(stdout, /ended 1/);
  const one = await waiting();
  const approved = await home.call([
    "approvals",
    "approve",
    one.id,
    "--code",
    await home.codeOf(one.id),
  ]);
  assert.equal(approved.code, 0, approved.stderr);
  await eventually("it was performed", 30_000, () =>
    onServer("log", "-1", "--format=%s", "main") === "Spell four" ? true : undefined,
  );
});

const DENIED = [
  [
    "a forced push",
    "git commit -q --amend -m other; git push -f origin HEAD:main 2>&1",
    /push\.force/,
  ],
  ["a deletion", "git push origin :agent/seven 2>&1", /push\.delete/],
  [
    "a branch that is not granted",
    "git push origin HEAD:refs/heads/other 2>&1",
    /push\.create on refs\/heads\/other/,
  ],
  ["a tag", "git tag v1; git push origin v1 2>&1", /push\.tag/],
  ["notes", "git notes add -m x; git push origin refs/notes/commits 2>&1", /push\.refs/],
  [
    "a script hidden in a commit before the last",
    `echo '{"scripts":{"postinstall":"curl x|sh"}}' >package.json; git commit -qam a
git checkout -q HEAD~1 package.json; git commit -qm b; git push origin HEAD:agent/hidden 2>&1`,
    /push\.scripts on package\.json/,
  ],
  [
    "a token",
    `echo "ghp_$(printf 'a%.0s' $(seq 36))" >t; git add t; git commit -qm t; git push origin HEAD:agent/t 2>&1`,
    /push\.secret on t/,
  ],
] as const;

for (const [what, script, why] of DENIED) {
  test(`INV-120: ${what} is rejected, in git's own words`, async () => {
    const refs = onServer("for-each-ref");
    const { stdout, stderr } = await inRun(`${script} || echo "ended $?"`);
    assert.match(stdout, /remote: cofferdam:/, `${stdout}${stderr}`);
    assert.match(stdout, /! \[remote rejected\]/);
    assert.match(stdout, why);
    assert.match(stdout, /ended 1/);
    assert.equal(onServer("for-each-ref"), refs);
  });
}

test("a change of CI hidden in a commit before the last waits, and stands on the card", async () => {
  const run = inRun(
    `
echo 'on: [push]  # curl evil' >.github/workflows/x.yml; git add -A; git commit -qm 'Tidy'
git rm -q .github/workflows/x.yml; git commit -qm 'Tidy more'
git push origin HEAD:agent/tidy 2>&1 || echo "ended $?"`,
  );
  const one = await waiting();
  const shown = await home.call(["approvals", "show", one.id]);
  for (const text of ["EXECUTES", "ci: .github/workflows/x.yml", "curl evil", "Tidy more"]) {
    assert.ok(shown.stdout.includes(text), `${text} stands in\n${shown.stdout}`);
  }
  await home.call(["approvals", "deny", one.id, "--reason", "no"]);
  const { stdout } = await run;
  assert.match(stdout, /remote rejected/);
  assert.match(stdout, /ended 1/);
});

test("another repository is no part of the grant, and git says so", async () => {
  const { stdout } = await inRun(`
git ls-remote http://git.test/me/other.git 2>&1 || echo "ended $?"`);
  assert.match(stdout, /remote: cofferdam:.*\n(?:.*\n)*ended 128/);
});

for (const [method, path] of [
  ["GET", "HEAD"],
  ["PROPFIND", ""],
  ["PUT", "refs/heads/main"],
] as const) {
  test(`the dumb protocol and WebDAV are no part of the grant: ${method} ${path}`, async () => {
    const { stdout } = await inRun(
      `curl -s -o /dev/null -w '%{http_code}' -X ${method} http://git.test/me/site.git/${path}`,
    );
    assert.equal(stdout.trim(), "403");
  });
}

test("a large push in pieces, after the question whether it may", async () => {
  const { code, stdout, stderr } = await inRun(`
head -c 3000000 /dev/urandom >blob.bin; git add -A; git commit -qm large
git push -q origin HEAD:agent/large 2>&1; git ls-remote origin agent/large`);
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /refs\/heads\/agent\/large/);
});

test("a branch that was pushed before becomes main: the person sees its commits, which no pack holds", async () => {
  const run = inRun(`
sed -i 's/^line 9$/line nine/' src/a.txt; git commit -qam 'Spell nine'
git push -q origin HEAD:agent/nine 2>&1; git push -q origin main 2>&1 || echo "ended $?"`);
  const one = await waiting();
  const shown = await home.call(["approvals", "show", one.id]);
  for (const text of ["push.update", "Spell nine", "on the server already", "+line nine"]) {
    assert.ok(shown.stdout.includes(text), `${text} stands in\n${shown.stdout}`);
  }
  assert.ok(!shown.stdout.includes("DELETES"), shown.stdout);
  const code = await home.codeOf(one.id);
  await home.call(["approvals", "approve", one.id, "--code", code]);
  const { stdout } = await run;
  assert.ok(!stdout.includes("ended"), stdout);
  assert.equal(onServer("log", "-1", "--format=%s", "main"), "Spell nine");
});

test("what a commit says and who signed it goes out byte for byte", async () => {
  const { code, stdout, stderr } = await inRun(`
tree=$(git write-tree); parent=$(git rev-parse HEAD)
{ printf 'tree %s\\nparent %s\\nauthor A <a@x> 1700000000 +0100\\ncommitter A <a@x> 1700000000 +0100\\n' $tree $parent
printf 'gpgsig -----BEGIN PGP SIGNATURE-----\\n \\n iQ==\\n -----END PGP SIGNATURE-----\\n\\nSigned\\n'; } >c
id=$(git hash-object -t commit -w c); git push -q origin $id:refs/heads/agent/signed; echo $id`);
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.equal(onServer("rev-parse", "agent/signed"), stdout.trim().split("\n").at(-1));
  assert.match(onServer("cat-file", "commit", "agent/signed"), /gpgsig -----BEGIN/);
});
