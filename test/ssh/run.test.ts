/**
 * SSH from inside a run, end to end: the sandbox's own client, the sealed worker, the vault's key, a person at the
 * command line, and a real sshd.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../../src/api/index.ts";
import { Repository } from "../git/kit.ts";
import { eventually } from "../support/home.ts";
import { LivingRun, UNRELATED } from "../support/living-run.ts";
import { SshHome } from "./kit.ts";

const it = new SshHome();
const site = mkdtempSync(join(tmpdir(), "cofferdam-site-"));
before(() => it.start());
after(async () => {
  await it.close();
  rmSync(site, { recursive: true, force: true });
});

const RULES = `      - verbs: [exec]
        doing: [read, read-private]
      - verbs: [exec]
        on: ["tee ${site}/*"]
      - verbs: [sftp.list, sftp.read, sftp.write, sftp.mkdir, sftp.setstat, sftp.rename, rsync.write]
        on: ["${site}/**"]
`;

async function waiting(summary: RegExp): Promise<ApprovalInfo> {
  return await eventually("something waits", 30_000, async () => {
    const all = await it.home.approvals();
    return all.find((one) => one.state === "requested" && summary.test(one.summary));
  });
}

async function approve(summary: RegExp): Promise<string> {
  const { id } = await waiting(summary);
  const card = await it.home.call(["approvals", "show", id]);
  const code = await it.home.codeOf(id);
  const { stderr, code: status } = await it.home.call(["approvals", "approve", id, "--code", code]);
  assert.equal(status, 0, stderr);
  return card.stdout;
}

test("ssh, scp and sftp work unchanged in a run, with no key, prompt or setting of their own", async () => {
  writeFileSync(join(site, "a.txt"), "from the server");
  const { code, stdout, stderr } = await it.run(
    it.task(RULES),
    `set -e
ssh server.example "uname -s"
scp -q server.example:${site}/a.txt . && cat a.txt && echo
echo new > b.txt && scp -q b.txt server.example:${site}/b.txt
echo "ls ${site}" | sftp -q -b - server.example
ls -la ~/.ssh 2>/dev/null || true`,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Linux\nfrom the server\n/);
  assert.match(stdout, /b\.txt/);
  assert.equal(readFileSync(join(site, "b.txt"), "utf8"), "new\n");
  const log = await it.home.log();
  const verbs = new Set(
    log.filter(({ type }) => type === "action").map(({ data }) => (data as { verb: string }).verb),
  );
  for (const verb of ["session", "exec", "sftp.read", "sftp.write"])
    assert.ok(verbs.has(verb), verb);
  assert.ok(
    !JSON.stringify(log).includes(it.sshd.userKey.slice(50, 150)),
    "the key is nowhere in the record",
  );
});

test("a command that waits runs once a person says so, with the very input that was shown", async () => {
  const running = it.run(
    it.task(RULES),
    `printf shown | ssh server.example "tee ${site}/approved"; echo code=$?`,
  );
  const card = await approve(/approved/);
  assert.match(card, /tee/);
  const { stdout, stderr } = await running;
  assert.equal(stdout, "showncode=0\n", stderr);
  assert.equal(readFileSync(join(site, "approved"), "utf8"), "shown");
});

test("a file that waits is shown with its difference, and written once a person says so", async () => {
  writeFileSync(join(site, "page.html"), "one\ntwo\n");
  mkdirSync(join(site, "bin"), { recursive: true });
  writeFileSync(join(site, "bin/deploy"), "old\n");
  const running = it.run(
    it.task(RULES),
    `echo new > f; scp -q f server.example:${site}/bin/deploy; echo code=$?`,
  );
  const card = await approve(/deploy/);
  assert.match(card, /- old/);
  assert.match(card, /\+ new/);
  const { stdout, stderr } = await running;
  assert.equal(stdout, "code=0\n", stderr);
  assert.equal(readFileSync(join(site, "bin/deploy"), "utf8"), "new\n");
});

test("INV-107: a server with another key than the pinned one is not spoken to", async () => {
  const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const { stdout, stderr } = await it.run(
    it.task(RULES, { hostKey: other }),
    "ssh server.example uptime; echo $?",
  );
  assert.equal(stdout, "255\n");
  assert.match(stderr, /another host key than the grant says/);
});

test("INV-108: a reverse tunnel is refused and named, and what is not granted never starts", async () => {
  const { stdout, stderr } = await it.run(
    it.task(RULES),
    `ssh -o ExitOnForwardFailure=yes -N -R 4444:127.0.0.1:22 server.example; echo $?
ssh server.example "touch ${site}/never"; echo $?
cat /run/cofferdam/denials.jsonl`,
  );
  assert.match(stdout, /^255\n126\n/, stderr);
  assert.match(stdout, /ssh\.tcpip-forward/);
  assert.ok(!existsSync(join(site, "never")));
  const findings = (await it.home.log()).filter(({ type }) => type === "finding");
  assert.ok(findings.some((one) => JSON.stringify(one).includes("tcpip-forward")));
});

test("ssh -J by way of a granted server reaches another granted one, and no other", async () => {
  const { stdout, stderr } = await it.run(
    it.task(RULES, { also: "inner.example" }),
    `ssh -J server.example inner.example "uname -s"; echo $?
ssh -J server.example elsewhere.example "uname -s"; echo $?`,
  );
  assert.equal(stdout, "Linux\n0\n255\n", stderr);
  const log = await it.home.log();
  assert.ok(log.some((one) => one.type === "action" && one.system === "inner"));
});

/** Leave ends within a year. */
const SOON = new Date(Date.now() + 30 * 864e5).toISOString().slice(0, 10);

test("INV-134: a command, a terminal and a file session end with the rule that allowed them", async () => {
  const log = join(site, "log");
  writeFileSync(log, "first\n");
  const kept = `      - verbs: [exec]\n        on: [cat]\n        effects: [read]\n`;
  const more = `      - verbs: [exec]
        on: ["tail -f ${log}"]
      - verbs: [sftp.list, sftp.read]
        on: ["${site}/**"]
      - verbs: [shell]
        unattended: { count: 1, reason: A test., expires: ${SOON} }
`;
  const source = (rules: string) => readFileSync(it.task(rules), "utf8");
  const clients = {
    c: "ssh server.example cat",
    t: `ssh server.example "tail -f ${log}"`,
    f: "sftp -q server.example",
    s: "ssh -tt server.example",
  };
  const run = await LivingRun.start(it.home, source(kept + more) + UNRELATED, clients);
  run.say("c", "one");
  run.say("f", `ls ${log}`);
  run.say("s", "echo in-$((40+2))");
  await run.hears(/c: one/, /t: first/, /f: \/.*log/, /in-42/);
  await run.narrow(source(kept + more));
  run.say("c", "two");
  run.say("f", `ls ${log}`);
  run.say("s", "echo in-$((40+3))");
  await run.hears(/c: two/, /f: \/.*log/, /in-43/);
  await run.narrow(source(kept));
  run.say("c", "three");
  run.say("f", `ls ${log}`);
  run.say("s", `echo in-$((40+4)) >${site}/written`);
  const heard = await run.hears(/c: three/, /t: over/, /f: over/, /s: over/);
  assert.match(
    heard,
    /t: Received disconnect .*Cofferdam: what this connection did is not granted any more/,
  );
  await run.end();
  assert.ok(!existsSync(join(site, "written")));
});

test("INV-127: git in a run: a branch of its own goes out, main waits, and once a person saw it the very pack does", async () => {
  const there = new Repository();
  try {
    there.commit({ "src/a.txt": "one\ntwo\nthree\n", "package.json": "{}\n" }, "first");
    there.git(["config", "receive.denyCurrentBranch", "ignore"]);
    const rules = `      - verbs: [repo.read]
      - verbs: [push.create, push.update]
        on: ["refs/heads/agent/**", refs/heads/main]
`;
    const running = it.run(
      it.task(rules, { repos: [there.folder] }),
      `git config --global user.name Agent; git config --global user.email agent@example.org
git clone -q ssh://server.example${there.folder} site && cd site
sed -i 's/^two$/2/' src/a.txt; git commit -qam 'Write two as a digit'
git push -q origin HEAD:agent/digits; echo code=$?
git push -q origin HEAD:main; echo code=$?
git push -q origin :main 2>&1; echo code=$?`,
    );
    const card = await approve(/main/);
    for (const text of [
      "PUBLISHES",
      "refs/heads/main",
      "Write two as a digit",
      "-two",
      "+2",
      "agent@example.org",
    ])
      assert.ok(card.includes(text), `${text} in\n${card}`);
    assert.doesNotMatch(card, /EXECUTES|Not shown/);
    const { stdout, stderr } = await running;
    assert.match(
      stdout,
      /^code=0\ncode=0\n[\s\S]*grants no push\.delete on[\s\S]*code=1\n$/,
      `${stdout}${stderr}`,
    );
    assert.equal(there.text(["log", "-1", "--format=%s", "main"]), "Write two as a digit");
    assert.equal(there.text(["rev-parse", "main"]), there.text(["rev-parse", "agent/digits"]));
    const told = (await it.home.log()).filter(({ data }) => data?.["verb"] === "push.update");
    assert.ok(told.length > 0, "it is on record");
    assert.ok(!JSON.stringify(told).includes('"objects":{'), "without what was looked up");
  } finally {
    there.remove();
  }
});

test("INV-132: what changed since it was shown is not done, the approval is used up, and that is said", async () => {
  mkdirSync(join(site, "bin"), { recursive: true });
  const [tool, moved] = [join(site, "bin/tool"), join(site, "bin/moved")];
  writeFileSync(tool, "shown\n");
  const rename = `echo "rename ${tool} ${moved}" | sftp -q -b - server.example; echo code=$?`;
  const running = it.run(it.task(RULES), `${rename}; ${rename}`);
  const { id } = await waiting(/Rename .*tool/);
  const card = await it.home.call(["approvals", "show", id]);
  assert.match(card.stdout, /"type": "file"/);
  writeFileSync(tool, "swapped\n");
  await it.home.call(["approvals", "approve", id, "--code", await it.home.codeOf(id)]);
  await approve(/Rename .*tool/); // Asked anew, with what lies there now.
  const { stdout, stderr } = await running;
  assert.match(stdout, /code=1\n[^]*code=0\n$/, stderr);
  assert.match(
    stderr,
    /not what it was when it was shown \(before\); nothing was sent, and the approval is used up/,
  );
  assert.equal(readFileSync(moved, "utf8"), "swapped\n");
  const log = await it.home.log();
  const judged = log.filter(
    ({ type, data }) => type === "action" && data?.["verb"] === "sftp.rename" && data["reason"],
  );
  assert.deepEqual(
    judged.map(({ verdict }) => verdict),
    ["confirm", "confirm", "allow"],
    "INV-131: each is judged once, and the last is what a person approved",
  );
  const asked = log.find(({ type, data }) => type === "approval" && data?.["approval"] === id);
  assert.match(JSON.stringify(asked?.data?.["fields"]), /"sha256"/, "what was shown is on record");
});

test("INV-132: a conversation begins once after a yes, by the very command, and not before", async () => {
  const running = it.run(
    it.task(RULES),
    `mkdir src && echo one > src/f
sync() { rsync -a src/ server.example:${site}/$1/ 2>> said; }
until sync synced; do
  cat said >&2; sync other && echo other
  grep -q "approval p-" said && echo refused; sleep 1
done
echo two > src/f; sync synced; echo third=$?
cat /run/cofferdam/denials.jsonl`,
  );
  const first = await waiting(/rsync .*synced/);
  assert.ok(!existsSync(join(site, "synced")));
  const card = await approve(/rsync .*synced/);
  assert.match(card, /Not shown +\| all that is sent in it/);
  const { stdout, stderr } = await running;
  assert.match(stdout, /^refused\n/, stderr);
  assert.match(stderr, new RegExp(`waits for approval ${first.id}`));
  assert.match(stderr, /repeat the very same command/);
  assert.match(stdout, /third=(?!0\n)\d+\n/);
  assert.doesNotMatch(stdout, /^other$/m);
  assert.equal(readFileSync(join(site, "synced/f"), "utf8"), "one\n");
  assert.ok(!existsSync(join(site, "other")));
  const denials = stdout.split("\n").filter((line) => line.startsWith("{"));
  assert.ok(denials.some((line) => line.includes(first.id) && line.includes("rsync.write")));
  const log = await it.home.log();
  const begun = log.find(({ rule }) => rule === `approval.${first.id}`);
  assert.equal(begun?.verdict, "allow");
  const outcome = log.find(({ type, action }) => type === "outcome" && action === begun?.action);
  assert.equal(outcome?.data?.["exit"], 0);
  const used = log.findLast(({ data }) => data?.["approval"] === first.id);
  assert.equal(used?.data?.["state"], "performed");
});

test("a rule lets rsync into a granted path, and into no other", async () => {
  const expires = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  const rule = `      - verbs: [rsync.write]
        on: ["${site}/**"]
        unattended: { count: 2, reason: It is a copy., expires: ${expires} }
`;
  const { stdout, stderr } = await it.run(
    it.task(rule),
    `echo f > f; for to in ${site}/granted ${site}-not/x; do rsync -a f server.example:$to/; echo $?; done`,
  );
  assert.match(stdout, /^0\n(?!0)\d+\n$/, stderr);
  assert.match(stderr, /grants no rsync\.write/);
  assert.equal(readFileSync(join(site, "granted/f"), "utf8"), "f\n");
});

test("INV-131: what was taken back while its input came asks nobody", async () => {
  const command = `(echo part; sleep 8) | ssh server.example "tee ${site}/narrowed"; echo code=$?`;
  const less = RULES.replace(/ {6}- verbs: \[exec\]\n {8}on: (.*)\n/, "");
  const more = `      - { verbs: [exec], on: ["tee ${site}/*"] }\n`;
  const running = it.run(it.task(`${less}${more}`), command);
  const run = await eventually("it was judged", 30_000, async () => {
    const log = await it.home.log();
    const judged = log.findLast(({ type, data }) => {
      return type === "action" && JSON.stringify(data).includes("/narrowed");
    });
    return judged?.run;
  });
  const narrowed = await it.home.call(["narrow", run, "--task", it.task(less)]);
  assert.equal(narrowed.code, 0, narrowed.stderr);
  const { stdout, stderr } = await running;
  assert.equal(stdout, "code=126\n", stderr);
  assert.match(stderr, /not granted any more .*grants no exec/);
  const list = await it.home.call(["approvals", "list", "--all", "--json"]);
  assert.doesNotMatch(list.stdout, /narrowed/);
  assert.ok(!existsSync(join(site, "narrowed")));
});
