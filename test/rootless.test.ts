/**
 * An ordinary user's Cofferdam end to end: command line, daemon, runs, without root's rights at any step.
 * Started by root, the tests become a user that has no account; started by a user, they are that user.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RunInfo } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const isRoot = process.geteuid?.() === 0;
const USER = isRoot
  ? { uid: 12_345, gid: 12_345 }
  : { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
const home = new TestHome(isRoot ? USER : undefined);
const GIT = `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a
  export GIT_COMMITTER_EMAIL=a@example.com HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1`;

/** Runs a script as the user, on the host, in the workspace. */
function onHost(script: string): string {
  const options = { ...(isRoot && USER), cwd: home.workspace, encoding: "utf8" as const };
  const { status, stdout, stderr } = spawnSync("sh", ["-euc", script], options);
  assert.equal(status, 0, stderr);
  return stdout;
}

async function listed(id: string): Promise<RunInfo> {
  const { stdout } = await home.call(["ps", "--all", "--json"]);
  const infos = stdout.split("\n").flatMap((line) => (line ? [JSON.parse(line) as RunInfo] : []));
  const found = infos.find(({ run }) => run === id);
  assert.ok(found, stdout);
  return found;
}

async function lastRun(): Promise<string> {
  return (await home.log()).findLast(({ type }) => type === "run.start")?.run ?? "";
}

/** Processes of the user whose arguments hold `word`. */
function processesWith(word: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      if (!/^\d+$/.test(pid) || statSync(`/proc/${pid}`).uid !== USER.uid) return false;
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(word);
    } catch {
      return false; // Ended meanwhile.
    }
  });
}

describe("rootless: a daemon of an ordinary user, through the command line", () => {
  before(() => {
    writeFileSync(join(home.workspace, "secret"), "old\n", { mode: 0o600 });
    if (isRoot) chownSync(join(home.workspace, "secret"), USER.uid, USER.gid);
    onHost(`${GIT}; git init -qb main; git add .; git commit -qm one`);
  });
  after(() => home.close());

  test("the command's exit code and streams pass through, as nobody's root", async () => {
    const script = "echo out; echo err >&2; cat /proc/self/uid_map; exit 7";
    const { code, stdout, stderr } = await home.run(["sh", "-c", script]);
    assert.equal(code, 7, stderr);
    assert.match(stdout, /^out\n/);
    assert.match(stderr, /^err$/m);
    assert.doesNotMatch(stdout, /^ *0 /m, "id 0 is nobody's there");
    const pid = home.daemonPid() ?? -1;
    assert.equal(statSync(`/proc/${pid}`).uid, USER.uid, "the daemon is the user's");
  });

  test("INV-1 INV-2: what is not granted is denied, told, recorded and provable", async () => {
    // The answer comes from a worker, the file's line from the daemon a moment later.
    const script = `curl -s -o /dev/null -w '%{http_code}' http://example.com/
      until test -s /run/cofferdam/denials.jsonl; do sleep 0.01; done
      cat /run/cofferdam/denials.jsonl`;
    const { code, stdout } = await home.run(["sh", "-c", script]);
    assert.equal(code, 0);
    assert.match(stdout, /^403\{.*example\.com/);
    const run = await lastRun();
    const denial = (await home.log()).find((one) => one.run === run && one.type === "denial");
    assert.match(denial?.process?.exe ?? "", /curl$/);
    assert.equal((await home.call(["verify"])).code, 0);
    const proof = await home.call(["prove", String(denial?.seq)]);
    assert.equal(proof.code, 0, proof.stderr);
  });

  test("INV-16: diff shows, apply brings files with their owner and commits, discard ends it", async () => {
    const script = `${GIT}; echo new >> secret; mkdir made; echo 1 > made/1; git commit -qam two`;
    const { code, stderr } = await home.run(["sh", "-euc", script]);
    assert.equal(code, 0, stderr);
    const run = await lastRun();
    assert.equal(onHost("cat secret"), "old\n", "the host sees nothing yet");
    const shown = await home.call(["diff", run]);
    assert.match(shown.stdout, /^added {6}made\/1/m);
    assert.match(
      shown.stdout,
      /^fetch {5}\.: refs\/heads\/main [0-9a-f]{12} -> refs\/cofferdam\//m,
    );
    const applied = await home.call(["apply", run]);
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    assert.match(applied.stdout, /^fetched {3}\.: refs\/heads\/main/m);
    const ref = `refs/cofferdam/${run}/heads/main`;
    assert.equal(onHost(`git log --format=%s ${ref}`), "two\none\n");
    const { uid, gid, mode } = lstatSync(join(home.workspace, "secret"));
    assert.deepEqual([{ uid, gid }, mode & 0o777], [USER, 0o600]);
    assert.equal(lstatSync(join(home.workspace, "made/1")).uid, USER.uid);
    const entry = (await home.log()).findLast(({ type }) => type === "workspace");
    assert.deepEqual([entry?.data?.["done"], entry?.data?.["refs"]], ["apply", 1]);
    assert.equal((await home.call(["apply", run])).code, 0, "again: nothing is left");
    assert.equal((await home.call(["discard", run])).code, 0);
    assert.equal((await home.call(["diff", run])).code, 125);
  });

  test("a detached run is paused, resumed and killed, with all of its processes", async () => {
    const word = "86421.5";
    const script = `setsid sh -c 'sleep ${word} & sleep ${word}' & sleep ${word}`;
    const { stdout } = await home.call(["run", "-d", "--", "sh", "-c", script]);
    const run = /r-[0-9a-z]+/.exec(stdout)?.[0] ?? "";
    await eventually("its processes run", 10_000, () => processesWith(word).length >= 3);
    assert.equal((await home.call(["pause", run])).code, 0);
    assert.equal((await listed(run)).state, "paused");
    assert.equal((await home.call(["resume", run])).code, 0);
    assert.equal((await home.call(["kill", run])).code, 0);
    assert.equal((await listed(run)).state, "ended");
    assert.deepEqual(processesWith(word), [], "none is left");
  });
});
