/**
 * The command line end to end: a real daemon, real runs, nothing in place of anything.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RunInfo } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
before(() => writeFileSync(join(home.workspace, "hello.txt"), "hello\n"));
after(() => home.close());

// The shapes are the contract that these tests hold the command line to.
const json = <T>(text: string): T => JSON.parse(text) as T; // oxlint-disable-line typescript/no-unnecessary-type-parameters

describe("run: what a person expects of a command", () => {
  const CASES: readonly (readonly [string, readonly string[], number, string, string])[] = [
    ["exit code passes through", ["sh", "-c", "exit 7"], 7, "", ""],
    ["success is 0", ["true"], 0, "", ""],
    ["a signal is 128 + n", ["sh", "-c", "kill -TERM $$"], 143, "", ""],
    ["streams stay apart", ["sh", "-c", "echo out; echo err >&2"], 0, "out\n", "err\n"],
    ["/dev/stdout can be opened again", ["sh", "-c", "echo again > /dev/stdout"], 0, "again\n", ""],
    ["the workspace is there", ["cat", "hello.txt"], 0, "hello\n", ""],
    ["a command that is not there is 127", ["no-such-command-here"], 127, "", ""],
    [
      "arguments keep their bytes",
      ["printf", "%s|", "a b", "", "*", "$x", "'"],
      0,
      "a b||*|$x|'|",
      "",
    ],
  ];
  for (const [why, cmd, code, stdout, stderr] of CASES) {
    test(why, async () => {
      const result = await home.run(cmd);
      assert.equal(result.code, code, result.stderr);
      assert.equal(result.stdout, stdout);
      if (stderr !== "") assert.equal(result.stderr, stderr);
    });
  }

  test("stdin arrives whole and ends, and a large output arrives whole", async () => {
    const input = Buffer.alloc(3 << 20, "0123456789abcdef\n");
    const result = await home.run(["sh", "-c", "cat; sha256sum < /dev/null >&2"], [], { input });
    assert.equal(result.code, 0, result.stderr);
    const digest = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
    assert.equal(digest(result.stdout), digest(input));
  });

  test("who reads the output late gets all of it, and the run's own exit code", async () => {
    const earlier = new Set((await home.runs({ all: true })).map(({ run }) => run));
    // More than a pipe holds, and less than makes the command line stop taking.
    const script = `{ "$0" run -- head -c 100000 /dev/zero; echo $? >&2; } | { until [ -e read ]; do sleep 0.05; done; wc -c; }`;
    const reading = home.shell(script, home.workspace);
    await eventually("the run's end", 30_000, async () =>
      (await home.runs({ all: true })).find(
        ({ run, state }) => !earlier.has(run) && state === "ended",
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 300)); // The daemon has said so, and left.
    home.write("read", "");
    const { stdout, stderr } = await reading;
    assert.deepEqual([stdout, stderr], ["100000\n", "0\n"]);
  });

  test("only named variables pass in", async () => {
    const file = join(home.root, "environment.yaml");
    writeFileSync(
      file,
      "task: env\npurpose: See which variables pass in.\nenvironment: [PASSED]\n",
    );
    const env = { PASSED: "yes", HIDDEN_VALUE: "no" };
    const result = await home.run(["env"], ["--task", file], { env });
    assert.match(result.stdout, /^PASSED=yes$/m);
    assert.doesNotMatch(result.stdout, /HIDDEN_VALUE/);
  });

  test("--json says start and end on standard error", async () => {
    const result = await home.run(["true"], ["--json"]);
    const lines = result.stderr
      .trim()
      .split("\n")
      .map((line) => json<{ event: string; run: string }>(line));
    assert.deepEqual(
      lines.map((line) => line.event),
      ["run.start", "run.end"],
    );
    assert.match(lines[0]?.run ?? "", /^r-/);
  });
});

describe("INV-37: an agent's profile passes a key in only where it was named or is said aloud", () => {
  const CASES: readonly (readonly [string, string, readonly string[], string, boolean])[] = [
    ["an agent's name", "claude", [], "claude-code", true],
    ["another agent's name", "opencode", [], "opencode", true],
    ["any other name", "sh", [], "shell", false],
    ["a path: it may lead to any program", "./claude", [], "shell", false],
    ["a profile that was named", "claude", ["--profile", "shell"], "shell", false],
    ["a reader of JSON, who finds it in the record", "claude", ["--json"], "claude-code", false],
  ];
  before(() => {
    for (const name of ["claude", "opencode"]) {
      const script = '#!/bin/sh\necho "key ${ANTHROPIC_API_KEY-none}"\n';
      writeFileSync(join(home.workspace, name), script, { mode: 0o755 });
    }
  });
  for (const [why, command, args, profile, aloud] of CASES) {
    test(why, async () => {
      const env = {
        ANTHROPIC_API_KEY: "sk-not-a-key",
        PATH: `${home.workspace}:${process.env["PATH"] ?? ""}`,
      };
      const { code, stdout, stderr } = await home.run([command, "-c", ":"], args, { env });
      assert.equal(code, 0, stderr);
      if (command !== "sh") {
        // What stands for it: the key itself stays outside in any case.
        assert.match(stdout, profile === "shell" ? /^key none\n$/ : /^key (?!none)\S{10,}\n$/);
        assert.ok(!stdout.includes("sk-not-a-key"));
      }
      assert.equal(/^cofferdam: profile (\S+), since CMD is/.exec(stderr)?.[1] === profile, aloud);
      const started = (await home.log()).findLast(({ type }) => type === "run.start");
      assert.equal(started?.data?.["profile"], profile);
    });
  }
});

describe("INV-1: what is not understood grants nothing and starts nothing", () => {
  const BAD: readonly (readonly [string, string, string])[] = [
    ["an empty file", "", "is not 'allow'"],
    ["an unknown key", "task: a\npurpose: P.\nallow_all: true\n", "is not skipped"],
    ["a duplicate key", "task: a\ntask: b\npurpose: P.\n", "has no meaning"],
    ["broken YAML", "task: [a\n", "is not read halfway"],
    ["a wrong unit", "task: a\npurpose: P.\nlifetime: 2 fortnights\n", "is not guessed"],
  ];
  for (const [what, text, why] of BAD) {
    test(`${what} ${why}`, async () => {
      const before = (await home.log()).length;
      const file = join(home.root, "bad.yaml");
      writeFileSync(file, text);
      const result = await home.run(["sh", "-c", "echo ran"], ["--task", file]);
      assert.equal(result.code, 125);
      assert.equal(result.stdout, "");
      assert.match(result.stderr, /bad\.yaml:\d+:\d+/);
      assert.equal((await home.log()).length, before, "nothing was started");
    });
  }

  test("a task file that is missing starts nothing", async () => {
    const result = await home.run(["true"], ["--task", join(home.root, "nowhere.yaml")]);
    assert.equal(result.code, 125);
  });
});

describe("without grants nothing is reachable, and the agent is told so", () => {
  test("INV-1 INV-2: HTTP and HTTPS by name get a 403 that says why; raw addresses are refused", async () => {
    const script = [
      "curl -sS -o /tmp/a -w '%{http_code} ' http://example.com/x",
      "curl -sS -o /tmp/b -w '%{http_code} ' https://example.com/x",
      "curl -sS -m 5 -o /dev/null http://93.184.216.34/ 2>/dev/null; printf '%s ' $?",
      "curl -sS -m 5 -o /dev/null http://127.0.0.1:22/ 2>/dev/null; printf '%s ' $?",
      "curl -sS -m 5 -o /dev/null 'http://[2606:4700::1111]/' 2>/dev/null; printf '%s\\n' $?",
      // The answers come from a worker, the file's lines from the daemon a moment later.
      "until test $(wc -l </run/cofferdam/denials.jsonl) -ge 2; do sleep 0.01; done",
      "cat /tmp/a; cat /tmp/b; cat /run/cofferdam/denials.jsonl",
    ].join("; ");
    const result = await home.run(["sh", "-c", script]);
    assert.equal(result.code, 0, result.stderr);
    const [codes = "", first = "", second = "", ...denials] = result.stdout.trim().split("\n");
    assert.equal(codes, "403 403 7 7 7", result.stdout + result.stderr);
    for (const body of [first, second]) {
      const problem = json<{ status: number; rule: string; detail: string; allowed: unknown }>(
        body,
      );
      assert.equal(problem.status, 403);
      assert.ok(problem.rule.length > 0 && problem.detail.length > 0);
    }
    assert.ok(denials.length >= 2, "the denials file tells the agent");
  });

  test("the record says who, what, by which rule", async () => {
    const denial = (await home.log()).find(
      (entry) => entry.type === "denial" && entry.target?.includes("example.com"),
    );
    assert.ok(denial);
    assert.equal(denial.verdict, "deny");
    assert.ok(denial.rule);
    assert.match(denial.process?.exe ?? "", /curl$/);
    assert.match(denial.process?.exeSha256 ?? "", /^[0-9a-f]{64}$/);
    assert.ok((denial.process?.ancestors.length ?? 0) > 0);
  });
});

describe("runs have a life of their own", () => {
  async function detached(cmd: readonly string[]): Promise<string> {
    const { stdout, stderr, code } = await home.run(cmd, ["-d"]);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }
  const stateOf = async (run: string) => {
    const { stdout } = await home.call(["ps", "--all", "--json"]);
    const all = stdout
      .trim()
      .split("\n")
      .map((line) => json<RunInfo>(line));
    return all.find((info) => info.run === run);
  };

  test("-d, ps, attach, pause, resume, kill", async () => {
    const run = await detached(["sh", "-c", "echo ready; while :; do sleep 0.05; echo tick; done"]);
    assert.equal((await stateOf(run))?.state, "running");
    assert.equal((await home.call(["pause", run])).code, 0);
    assert.equal((await stateOf(run))?.state, "paused");
    assert.equal((await home.call(["pause", run])).code, 125, "a paused run cannot be paused");
    assert.equal((await home.call(["resume", run])).code, 0);
    const viewer = home.spawn(["attach", run]);
    const closed = once(viewer, "close");
    let seen = "";
    viewer.stdout?.on("data", (data: Buffer) => (seen += data.toString()));
    await eventually(
      "the backlog and what follows",
      5000,
      () => /ready[\s\S]*tick/.test(seen) || undefined,
    );
    assert.equal((await home.call(["kill", run])).code, 0);
    const [code] = (await closed) as [number];
    assert.equal(code, 125, "a run that Cofferdam ended is not a success");
    assert.equal((await stateOf(run))?.end?.reason, "killed");
  });

  test("INV-24: kill ends what hid from its parent", async () => {
    const mark = `cofferdam-hidden-${process.pid}`;
    const run = await detached([
      "sh",
      "-c",
      `(setsid bash -c 'exec -a ${mark} sleep 1000' &) ; (setsid bash -c 'exec -a ${mark} sleep 1000' & ) ; sleep 1000`,
    ]);
    const alive = () =>
      readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(mark));
    await eventually("the hidden process", 5000, () => alive().length > 0 || undefined);
    assert.equal((await home.call(["kill", run])).code, 0);
    assert.deepEqual(alive(), []);
  });

  test("a run ends at the end of its lifetime", async () => {
    const file = join(home.root, "short.yaml");
    writeFileSync(file, "task: short\npurpose: End soon.\nlifetime: 1s\n");
    const result = await home.run(["sleep", "60"], ["--task", file]);
    assert.equal(result.code, 125);
    assert.match(result.stderr, /lifetime/);
  });

  test("INV-15 INV-11 INV-23: the daemon's death ends its runs; the record and knowledge of them stay", async () => {
    const mark = `cofferdam-orphan-${process.pid}`;
    const run = await detached(["bash", "-c", `exec -a ${mark} sleep 1000`]);
    const alive = () =>
      readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(mark));
    await eventually("the process", 5000, () => alive().length > 0 || undefined);
    const known = await home.log();
    const pid = home.daemonPid();
    assert.ok(pid !== undefined);
    const second = await home.call(["serve"]);
    assert.equal(second.code, 125, "one home has one daemon");
    assert.match(second.stderr, /another|locked|daemon/i);
    process.kill(pid, "SIGKILL");
    await eventually("the run's end", 1000, () => alive().length === 0 || undefined);
    assert.equal((await stateOf(run))?.end?.reason, "daemon");
    const later = await home.log();
    assert.deepEqual(later.slice(0, known.length), known, "nothing acknowledged was lost");
    assert.equal((await home.call(["verify"])).code, 0);
  });
});

describe("the record", () => {
  test("entries have the stable form, and verify says intact", async () => {
    const entries = await home.log();
    entries.forEach((entry, n) => assert.equal(entry.seq, n));
    const types = new Set(entries.map((entry) => entry.type));
    for (const type of [
      "daemon.start",
      "policy",
      "run.start",
      "run.proved",
      "run.end",
      "process.start",
      "dns",
    ]) {
      assert.ok(types.has(type as (typeof entries)[number]["type"]), `no ${type}`);
    }
    const { code, stdout } = await home.call(["verify", "--json"]);
    assert.equal(code, 0, stdout);
    assert.equal(json<{ ok: boolean }>(stdout).ok, true);
  });

  test("INV-10: an edit of a copied home shows; the untouched copy is intact", async () => {
    const copy = join(home.root, "copy");
    cpSync(join(home.state, "ledger"), join(copy, "ledger"), { recursive: true });
    cpSync(join(home.state, "keys"), join(copy, "keys"), { recursive: true });
    assert.equal((await home.call(["verify", "--home", copy])).code, 0);
    const entries = join(copy, "ledger", "tile", "entries");
    const file = readdirSync(entries, { recursive: true, encoding: "utf8" })
      .map((name) => join(entries, name))
      .find((path) => existsSync(path) && !readdirSafe(path));
    assert.ok(file !== undefined);
    const text = readFileSync(file, "latin1");
    writeFileSync(file, text.replace("run.start", "run.stard"), "latin1");
    const { code, stdout } = await home.call(["verify", "--home", copy]);
    assert.equal(code, 1, stdout);
  });

  test("prove gives a proof of an entry, and none of one that is not there", async () => {
    const { code, stdout } = await home.call(["prove", "0"]);
    assert.equal(code, 0);
    assert.match(stdout, /^c2sp\.org\/tlog-proof@v1\n/);
    assert.equal((await home.call(["prove", "99999999"])).code, 125);
    assert.equal((await home.call(["prove", "first"])).code, 125);
    const several = await home.call(["prove", "1", "0", "--json"]);
    assert.deepEqual(
      several.stdout.split("\n").map((line) => /index (\d+)/.exec(line)?.[1]),
      ["1", "0", undefined],
      "a line each, as they were asked for",
    );
    const asText = await home.call(["prove", "0", "1"]);
    assert.match(asText.stderr, /several with --json/);
    assert.notEqual(asText.code, 0);
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function readdirSafe(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
