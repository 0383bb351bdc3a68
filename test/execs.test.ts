/** Commands in runs that live: what they are under, how they end, and what is on record. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunInfo } from "../src/api/index.ts";
import type { Client } from "../src/client/index.ts";
import { eventually, TestHome } from "./support/home.ts";
import { clientOf, execute, startIdle } from "./support/rollout.ts";

const home = new TestHome();
let client: Client;
let run: RunInfo;

before(async () => {
  client = await clientOf(home);
  run = await startIdle(client, home);
});

after(async () => home.close());

const sh = async (script: string, options: Parameters<typeof execute>[3] = {}) =>
  execute(client, run.run, ["sh", "-c", script], options);

test("a run without an agent holds still; a command in it has output, input and a status", async () => {
  assert.equal((await client.call("run.show", { run: run.run })).state, "running");
  const { stdout, stderr, end } = await sh("cat; echo no >&2; exit 7", {
    stdin: Buffer.from("yes").toString("base64"),
  });
  assert.deepEqual(
    [stdout, stderr, end],
    ["yes", "no\n", { type: "ended", code: 7, reason: "exited" }],
  );
  const killed = await sh("kill -TERM $$");
  assert.deepEqual(killed.end, { type: "ended", signal: "SIGTERM", reason: "exited" });
});

test("its folder, its environment; what is not there is told", async () => {
  const there = await sh('pwd; echo "$HELLO $COFFERDAM_RUN"', {
    cwd: "/tmp",
    environment: { HELLO: "there" },
  });
  assert.equal(there.stdout, `/tmp\nthere ${run.run}\n`);
  assert.equal((await sh("pwd")).stdout, `${home.workspace}\n`);
  const none = await execute(client, run.run, ["no-such-command"]);
  assert.equal(none.end.code, 127);
  assert.deepEqual([none.end.reason, none.end.detail], ["not-started", "no-such-command: ENOENT"]);
  const nowhere = await execute(client, run.run, ["true"], { cwd: "/nowhere" });
  assert.deepEqual([nowhere.end.reason, nowhere.end.detail], ["not-started", "/nowhere: ENOENT"]);
});

test("much output comes whole; whoever stops reading slows the command", async () => {
  const { stdout } = await sh("head -c 3000000 /dev/zero | tr '\\0' x");
  assert.equal(stdout.length, 3_000_000);
});

test("a terminal", async () => {
  const { stdout } = await sh("tty; stty size", { terminal: { columns: 91, rows: 17 } });
  assert.match(stdout, /^\/dev\/pts\/\d+\r\n17 91\r\n$/);
});

test("INV-221: a command is under the seal of its run", async () => {
  const { stdout } = await sh(
    [
      "grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/self/status",
      "cat /proc/1/environ 2>&1 | head -1",
      "echo x > /proc/sys/kernel/hostname 2>&1; ls /boot 2>&1",
      "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 9), 2)' 2>&1 | tail -1",
      "unshare -Ur true 2>&1",
    ].join("\n"),
  );
  assert.match(stdout, /^CapEff:\s+0000000000000000$/m);
  assert.match(stdout, /^NoNewPrivs:\s+1$/m);
  assert.match(stdout, /^Seccomp:\s+2$/m);
  assert.match(stdout, /environ: Permission denied/);
  assert.match(stdout, /unshare: /);
  assert.match(stdout, /Connection refused|PermissionError|Network is unreachable|No route/);
});

test("INV-221: nothing of the launcher is open in a command, and its keeper cannot be looked into", async () => {
  const { stdout } = await sh(
    "ls -l /proc/self/fd | awk '{print $NF}'; ls /proc/$PPID/fd 2>&1 | head -1; head -c 1 /proc/$PPID/mem 2>&1 | head -1",
  );
  const open = stdout.split("\n").filter((line) => /socket|memfd|anon_inode/.test(line));
  assert.deepEqual(open, []);
  assert.match(stdout, /fd.*Permission denied/);
  assert.match(stdout, /mem.*Permission denied/);
});

test("INV-222: who cancels, or goes, ends all that the command started, and nothing else", async () => {
  await sh("setsid -f sleep 5000 >/dev/null 2>&1 </dev/null"); // Left behind by one that ended: the run's own.
  const script =
    "(setsid setsid sleep 6001 &) ; sleep 6002 & sh -c 'trap \"\" TERM INT HUP; sleep 6003' & echo up; wait";
  const gone = new AbortController();
  const lines = client.stream(
    "run.exec",
    { run: run.run, argv: ["sh", "-c", script] },
    gone.signal,
  );
  for await (const line of lines) {
    if (line.type === "stdout") break; // Leaves: the connection closes.
  }
  const sleeping = async () =>
    (await sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'sleep [56]00[0-9]' | sort -u"))
      .stdout;
  await eventually("their end", 10_000, async () => (await sleeping()) === "sleep 5000\n");
  const ended = (await home.log()).findLast(({ type }) => type === "exec.end");
  assert.ok(ended !== undefined);
  const cancelled = (await home.log()).filter(
    ({ type, data }) => type === "exec.end" && data?.["reason"] === "cancelled",
  );
  assert.equal(cancelled.length, 1);
  assert.deepEqual(await client.call("exec.list", { run: run.run }), []);
});

test("a time that is over ends it; a signal reaches its group; input may come later", async () => {
  const late = await sh("sleep 1000", { timeoutMs: 200 });
  assert.deepEqual(late.end, { type: "ended", signal: "SIGKILL", reason: "timeout" });
  const lines = client.stream("run.exec", {
    run: run.run,
    argv: ["sh", "-c", "trap 'echo caught; exit 3' INT; echo up; cat; sleep 1000 & wait"],
    interactive: true,
  });
  const heard: string[] = [];
  let exec = "";
  for await (const line of lines) {
    if (line.type === "started") exec = line.exec;
    if (line.type === "ended") heard.push(`${line.code}`);
    if (line.type !== "stdout") continue;
    const said = Buffer.from(line.data, "base64").toString();
    heard.push(said);
    const of = { run: run.run, exec };
    if (said === "up\n")
      await client.call("exec.input", { ...of, data: Buffer.from("more\n").toString("base64") });
    if (said === "more\n") {
      await client.call("exec.input", { ...of, end: true });
      await client.call("exec.signal", { ...of, signal: "SIGINT" });
    }
  }
  assert.deepEqual(heard, ["up\n", "more\n", "caught\n", "3"]);
});

test("INV-222: nobody waits for a command whose run stands still beyond its time; it ends when that goes on", async () => {
  const under = execute(client, run.run, ["sleep", "1007"], { timeoutMs: 2000 });
  const gone = new AbortController();
  const left = (async () => {
    const lines = client.stream("run.exec", { run: run.run, argv: ["sleep", "1008"] }, gone.signal);
    for await (const _ of lines);
  })();
  const list = async () => client.call("exec.list", { run: run.run });
  await eventually("both", 5000, async () => (await list()).length === 2);
  await client.call("run.pause", { run: run.run });
  const { end } = await under;
  assert.deepEqual(
    [end.type, end.reason, end.detail],
    ["ended", "timeout", "its run stands still: by hand"],
  );
  gone.abort();
  await left;
  await eventually("nothing waits", 5000, async () => (await list()).length === 0);
  await new Promise((resolve) => setTimeout(resolve, 6000)); // Longer than what runs has to end.
  await client.call("run.resume", { run: run.run });
  const sleeps = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 100[78]'; true";
  await eventually("their end", 5000, async () => (await sh(sleeps)).stdout === "0\n");
  assert.equal((await client.call("run.show", { run: run.run })).state, "running");
});

test("what a command leaves behind holds nobody up, and may go on writing", async () => {
  const before = performance.now();
  const { stdout } = await sh(
    "(while :; do echo tick || echo broken > /tmp/broken; sleep 0.05; done) & echo done",
  );
  assert.match(stdout, /done/);
  assert.ok(performance.now() - before < 5000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await sh("ls /tmp/broken 2>/dev/null")).stdout, "");
});

test("INV-220: on record before it begins, with its step, which all that follows carries, however late", async () => {
  const step = { trajectory: "t-1", episode: "e-2", step: 3 };
  const own = await startIdle(client, home);
  const dial = (port: number) => `(echo > /dev/tcp/192.0.2.77/${port}) 2>/dev/null`;
  const { exec } = await execute(
    client,
    own.run,
    ["bash", "-c", `(sleep 0.4; ${dial(3001)}) & getent hosts now.example; true`],
    { step, label: "look it up" },
  );
  await client.call("run.step", { run: own.run, trajectory: "t-1", episode: "e-2", step: 9 });
  await execute(client, own.run, ["bash", "-c", "getent hosts other.example; true"]);
  const entries = await eventually("the late dial", 10_000, async () => {
    const all = await home.log();
    return all.some(({ target }) => target?.startsWith("192.0.2.77")) ? all : undefined;
  });
  const begun = entries.find(({ type, data }) => type === "exec" && data?.["exec"] === exec);
  assert.deepEqual(begun?.data?.["label"], "look it up");
  const first = entries.find(({ type, cause }) => type === "process.start" && cause?.exec === exec);
  assert.ok(begun !== undefined && first !== undefined && begun.seq < first.seq);
  for (const [name, at] of [
    ["now.example", 3],
    ["192.0.2.77", 3],
    ["other.example", 9],
  ] as const) {
    const caused = entries.filter(({ target }) => target?.endsWith(name));
    assert.ok(caused.length > 0, name);
    for (const { cause } of caused) assert.equal(cause?.step?.step, at, name);
  }
});

test("faults daemon.no_such_exec, daemon.state, daemon.execs, sandbox.exec: each with its reason", async () => {
  const of = { run: run.run, exec: "x-000000000" };
  await assert.rejects(client.call("exec.cancel", of), { code: "daemon.no_such_exec" });
  await assert.rejects(client.call("exec.resize", { ...of, columns: 1, rows: 1 }), {
    code: "daemon.no_such_exec",
  });
  await client.call("run.pause", { run: run.run });
  await assert.rejects(sh("true"), { code: "daemon.state" });
  await client.call("run.resume", { run: run.run });
  assert.equal((await sh("echo back")).stdout, "back\n");
});

test("a run that is killed ends its commands", async () => {
  const other = await startIdle(client, home);
  const ending = execute(client, other.run, ["sleep", "1000"]);
  await eventually("it", 10_000, async () =>
    (await client.call("exec.list", { run: other.run })).length === 1 ? true : undefined,
  );
  await client.call("run.kill", { run: other.run });
  assert.deepEqual((await ending).end, { type: "ended", signal: "SIGKILL", reason: "run" });
});
