/** A real git-lfs, from inside a run: uploads are held to their names, wherever they go, and to a size. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TestHome, type Result } from "../support/home.ts";
import { LfsServer } from "./lfs-server.ts";
import { Repository } from "./kit.ts";
import { GitServer } from "./server.ts";

const home = new TestHome();
const PASSWORD = "hunter2-of-the-forge-4711";
const bare = join(home.root, "srv/me/site.git");
const lfs = new LfsServer("bot", PASSWORD);
let server: GitServer;
let task = "";

before(async () => {
  const seed = new Repository();
  seed.commit({ ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n" }, "first");
  mkdirSync(join(bare, ".."), { recursive: true });
  execFileSync("git", ["clone", "-q", "--bare", seed.folder, bare]);
  execFileSync("git", ["-C", bare, "config", "http.receivepack", "true"]);
  seed.remove();
  server = new GitServer(join(home.root, "srv"), "bot", PASSWORD);
  const [port, filesPort] = await Promise.all([server.listen(), lfs.listen()]);
  const hosts = ["--host", "git.test", "--host", "lfs.test", "--scheme", "http", "--port", "80"];
  const added = await home.call(
    ["credential", "add", "forge", "--kind", "basic", "--user", "bot", ...hosts, "--stdin"],
    { input: `${PASSWORD}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
  const grant = (name: string, to: number, more: string) => `  - system: git
    name: ${name}
    hosts: [${name}.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${to}
${more}`;
  task = join(home.root, "task.yaml");
  writeFileSync(
    task,
    `task: large-files
purpose: Change large files.
environment: []
grants:
${grant(
  "git",
  port,
  `    credential: forge
    allow: [{ verbs: [repo.read] }, { verbs: [push.create], on: ["refs/heads/agent/**"] }]
`,
)}${grant(
      "lfs",
      filesPort,
      `    credential: forge
    with: { repos: [me/site], lfs_bytes: 10000000 }
    allow: [{ verbs: [lfs.read, lfs.upload, lfs.lock, lfs.unlock] }]
`,
    )}${grant(
      "files",
      filesPort,
      `    with: { lfs_bytes: 10000000 }
    allow: [{ verbs: [lfs.read, lfs.upload] }]
`,
    )}`,
  );
});
after(async () => {
  server.close();
  lfs.close();
  await home.close();
});

const SETUP = `export GIT_TERMINAL_PROMPT=0
git config --global user.name Agent; git config --global user.email agent@example.org
git lfs install --skip-repo >/dev/null
rm -rf site; GIT_LFS_SKIP_SMUDGE=1 git clone -q http://git.test/me/site.git site; cd site
git config lfs.url http://lfs.test/me/site.git/info/lfs
`;

function inRun(script: string): Promise<Result> {
  return home.run(["sh", "-c", `${SETUP}${script}`], ["--task", task]);
}

for (const [where, elsewhere] of [
  ["below the repository", undefined],
  ["at another host", "http://files.test"],
] as const) {
  test(`INV-128: a real git-lfs uploads and downloads ${where}`, async () => {
    lfs.elsewhere = elsewhere;
    const branch = `agent/${elsewhere === undefined ? "here" : "there"}`;
    const { code, stdout, stderr } = await inRun(`set -e
head -c 1000 /dev/urandom >small.bin; head -c 9000000 /dev/urandom >large.bin; sha256sum *.bin
git add -A; git commit -qm 'Large files'; git push -q origin HEAD:${branch} 2>&1
git lfs lock small.bin; git lfs locks; git lfs unlock small.bin
rm -rf .git/lfs *.bin; git checkout -q . ; sha256sum *.bin`);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const sums = stdout.match(/^[0-9a-f]{64} /gm) ?? [];
    assert.equal(sums.length, 4, stdout);
    assert.equal(new Set(sums).size, 2, "what came back is what was sent");
    for (const sum of sums) {
      const oid = sum.trim();
      assert.equal(hash("sha256", lfs.objects.get(oid) ?? ""), oid);
    }
    assert.match(stdout, /small\.bin\s+bot/);
    assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
  });
}

test("INV-128: what is not what its name says does not arrive, short or long, here or elsewhere", async () => {
  const named = hash("sha256", "another content");
  lfs.objects.delete(named);
  const count = lfs.objects.size;
  const { stdout } = await inRun(`
head -c 1000 /dev/zero >short; head -c 300000 /dev/zero >long; : >empty
for host in lfs files; do for file in short long empty; do
  curl -s -X PUT -H 'Content-Type: application/octet-stream' -H 'X-Token: for-files' --data-binary @$file \\
    http://$host.test/$([ $host = lfs ] && echo me/site.git/info/lfs/objects || echo storage/a/b)/${named} -w '\\n%{http_code}\\n'
done; done
curl -s -X PUT -H 'Transfer-Encoding: chunked' -H 'Content-Type: application/octet-stream' -T long \\
  http://lfs.test/me/site.git/info/lfs/objects/${named} -w '\\n%{http_code}\\n'
curl -s -X PUT -H 'Content-Type: application/octet-stream' -T long http://lfs.test/me/site.git/info/lfs/objects/${named.replace("a", "%61")} -w '\\n%{http_code}\\n'`);
  const codes = stdout.match(/^\d{3}$/gm);
  assert.equal(codes?.length, 8, stdout);
  assert.ok(
    codes.every((code) => code === "403" || code === "502"),
    stdout,
  );
  assert.match(stdout, /a large file that is not what its name says/);
  assert.ok(stdout.includes('"code":"gateway.content"'), stdout);
  assert.equal(lfs.objects.size, count, "nothing is kept");
});

test("INV-128: more than the grant takes is refused by what is said, and by what comes", async () => {
  lfs.elsewhere = undefined;
  const { stdout, stderr } = await inRun(`
head -c 11000000 /dev/zero >huge.bin; git add -A; git commit -qm huge; git push origin HEAD:agent/huge 2>&1; echo "ended $?"
oid=$(sha256sum huge.bin | cut -c1-64)
curl -s -X PUT -H 'Content-Type: application/octet-stream' -T huge.bin http://lfs.test/me/site.git/info/lfs/objects/$oid -w '\\n%{http_code}\\n'
curl -s -X POST -H 'Content-Type: application/vnd.git-lfs+json' -d '{"operation":"upload","objects":[{"oid":"'$oid'","size":1}]}' \\
  http://lfs.test/me/other.git/info/lfs/objects/batch -w '\\n%{http_code}\\n'`);
  assert.match(
    stdout,
    /a large file of 11000000 bytes, where the grant takes 10000000/,
    `${stdout}${stderr}`,
  );
  assert.match(stdout, /ended 1/);
  assert.match(stdout, /of more than the 10000000 bytes that are taken[\s\S]*502/);
  assert.match(stdout, /403\n$/, "another repository is not granted");
  assert.ok(![...lfs.objects.values()].some(({ length }) => length === 11_000_000));
});
