/** The package's face for programs, and the command line's `exec` and `cp`, against a real daemon. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, make, type Cofferdam, type Sandbox } from "../src/client/public.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const NOTICED = "bash -c 'echo > /dev/tcp/10.0.0.5/22'";
let host: Cofferdam;
let box: Sandbox;

before(async () => {
  host = await connect({ home: home.state }); // Starts it, too.
  box = await host.create({ workspace: home.workspace });
});
after(async () => home.close());

const idle = async () =>
  eventually("the end of all commands", 20_000, async () =>
    (await host.client.call("exec.list", { run: box.run })).length === 0 ? true : undefined,
  );

test("a command is awaited, or its output read as it comes; its input, place, environment and step", async () => {
  const step = { trajectory: "t", episode: "e", step: 1 };
  const done = await box.exec('cat; pwd; echo "$X" >&2; exit 3', {
    ...{ step, label: "look", cwd: "/tmp", env: { X: "y" }, stdin: "in\n" },
  });
  assert.deepEqual([done.stdout, done.stderr, done.code, done.ok], ["in\n/tmp\n", "y\n", 3, false]);
  const entry = (await home.log()).find(({ seq }) => seq === done.entry);
  assert.deepEqual(entry?.data?.["step"], step);
  const command = box.exec(["sh", "-c", "echo ready; read x; echo got $x"], { interactive: true });
  const heard: string[] = [];
  for await (const { stream, data } of command) {
    heard.push(`${stream} ${data.toString()}`);
    if (heard.length === 1) await command.input("it\n", { end: true });
  }
  assert.deepEqual(heard, ["stdout ready\n", "stdout got it\n"]);
  assert.equal((await command).code, 0);
  await assert.rejects(
    async () => {
      for await (const _ of command) assert.fail("nothing is left");
    },
    { code: "client.read" },
  );
  const parts: Buffer[] = [];
  await box.exec("head -c 300000 /dev/zero; echo e >&2", { onStdout: (data) => parts.push(data) });
  assert.equal(Buffer.concat(parts).length, 300_000);
});

test("INV-259: leaving, aborting and cancelling end a command and all that it started", async () => {
  const script = "echo up; (setsid sleep 5001 &); sleep 5002";
  for await (const _ of box.exec(script)) break;
  await idle();
  const gone = new AbortController();
  const aborted = box.exec(script, { signal: gone.signal, onStdout: () => gone.abort() });
  await assert.rejects(async () => aborted, { name: "AbortError" });
  await idle();
  const cancelled = box.exec(script);
  await cancelled.started;
  await cancelled.cancel();
  assert.equal((await cancelled).reason, "cancelled");
  const late = await box.exec("sleep 5003", { timeoutMs: 100 });
  assert.deepEqual([late.reason, late.signal], ["timeout", "SIGKILL"]);
  const { stdout } = await box.exec(
    "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 500[0-9]'",
  );
  assert.equal(stdout, "0\n");
});

test("faults client.command, client.fork, client.task, cli.profile, client.broken, client.env", async () => {
  await assert.rejects(async () => box.exec("echo why >&2; exit 3", { check: true }), {
    code: "client.command",
    message: /status 3: why/,
  });
  await assert.rejects((await host.sandbox(box.run)).fork(), { code: "client.fork" });
  await assert.rejects(host.create({ source: "task: x", profile: "shell" }), {
    code: "client.task",
  });
  await assert.rejects(host.create({ profile: "none" }), { code: "cli.profile" });
  const other = await host.create({ workspace: home.workspace });
  await other.kill();
  await assert.rejects(async () => other.exec("true"), { code: "daemon.state" });
  const left = box.exec("echo up; sleep 5005");
  for await (const _ of left) break;
  await assert.rejects(async () => left, { code: "client.broken" });
  const env = await make({ workspace: home.workspace }, { reward: () => 0, host });
  await assert.rejects(env.step("true"), { code: "client.env" });
});

test("files, a fork, a pause, what was noticed", async () => {
  const { files } = box;
  assert.equal(await files.write("/tmp/d/a", "one", { mode: "751" }), 3);
  assert.equal((await files.stat("/tmp/d/a")).mode, "751");
  await files.move("/tmp/d/a", "/tmp/d/b");
  await files.makeFolder("/tmp/d/c");
  assert.deepEqual((await files.list("/tmp/d")).map(({ path }) => path).sort(), ["b", "c"]);
  assert.equal((await files.read("/tmp/d/b")).toString(), "one");
  await files.remove("/tmp/d");
  await assert.rejects(files.read("/tmp/d/b"), { code: "daemon.file" });
  await box.exec("echo first > state");
  {
    await using fork = await box.fork();
    assert.equal((await fork.exec("cat state")).stdout, "first\n");
  }
  assert.deepEqual(await host.snapshots(), []);
  assert.equal((await box.pause()).state, "paused");
  assert.equal((await box.resume()).state, "running");
  const step = { trajectory: "t", episode: "e", step: 7 };
  await box.exec(NOTICED, { step });
  const found = await box.findings();
  assert.ok(
    found.length > 0 &&
      found.every(({ type, cause }) => type === "finding" && cause?.step?.step === 7),
  );
});

test("all runs of a job are paused and ended as one", async () => {
  const lineage = "job:j-client";
  await using one = await host.create({ workspace: home.workspace, job: "j-client", agent: "a" });
  const found = (await host.lineages()).find((lineages) => lineages.lineage === lineage);
  assert.deepEqual(found?.runs, [one.run]);
  assert.equal((await host.pause(lineage)).runs, 1);
  assert.equal((await one.info()).state, "paused");
  await host.resume(lineage);
  assert.equal((await host.kill(lineage)).runs, 1);
  assert.equal((await one.info()).state, "ended");
});

test("INV-258: the gym-like surface counts, and its steps are on what follows from them", async () => {
  const spec = {
    workspace: home.workspace,
    setup: ["echo 0 > n"],
    maxSteps: 3,
    endsOnFinding: true,
  };
  const options = { reward: () => 1, trajectory: "gym", host };
  await using env = await make(spec, {
    ...options,
    isOver: (_, { stdout }) => stdout === "over\n",
  });
  await env.reset({ seed: 4 });
  const [observation, reward, terminated, truncated, info] = await env.step(
    "cat n; echo $COFFERDAM_SEED",
  );
  assert.deepEqual(
    [observation.stdout, reward, terminated, truncated],
    ["0\n4\n", 1, false, false],
  );
  assert.deepEqual([info.trajectory, info.episode, info.step], ["gym", "e-1", 1]);
  assert.deepEqual((await env.step("echo over")).slice(2, 4), [true, false]);
  await env.reset();
  const [, , , isTruncated, told] = await env.step(NOTICED);
  assert.equal(isTruncated, true);
  assert.ok(told.findings.length > 0);
  for (const { cause } of told.findings)
    assert.deepEqual([cause?.step?.episode, cause?.step?.step], ["e-2", 1]);
  // What shows behind the last step: nobody asks for it any more, and it belongs to the episode all the same.
  await env.reset();
  const { sandbox } = env;
  await sandbox.files.write("/tmp/late", `until [ -e /tmp/go ]; do sleep 0.05; done; ${NOTICED}`);
  await env.step("sh /tmp/late >/dev/null 2>&1 &");
  await sandbox.exec("touch /tmp/go");
  await eventually("it is noticed", 20_000, async () =>
    (await sandbox.info()).counts.findings > 0 ? true : undefined,
  );
  assert.equal(env.findings.length, 0);
  const [, { findings }] = await env.reset();
  assert.ok(findings.length > 0);
  for (const { cause } of findings)
    assert.deepEqual([cause?.step?.episode, cause?.step?.step], ["e-3", 1]);
  assert.equal(env.findings.length, 0, "and are none of the next");
  await host.removeSnapshot(env.snapshot ?? "");
});

test("a run that ends between two steps ends the episode", async () => {
  await using env = await make({ workspace: home.workspace }, { reward: () => 0, host });
  await env.reset();
  await env.sandbox.kill();
  const [{ code }, , terminated, truncated, info] = await env.step("true");
  assert.deepEqual([code, terminated, truncated], [undefined, true, false]);
  assert.deepEqual([info.state, info.exec, info.entry], ["ended", undefined, undefined]);
});

test("INV-257: nothing is said to a socket where another user could listen", async () => {
  const folder = join(home.root, "others");
  mkdirSync(folder);
  let heard = 0;
  const server = createServer((socket) => {
    heard += 1;
    socket.destroy();
  }).listen(join(folder, "daemon.sock"));
  await once(server, "listening");
  chmodSync(folder, 0o777);
  await assert.rejects(connect({ home: folder, start: false }), { code: "base.folder" });
  assert.equal(heard, 0);
  chmodSync(folder, 0o700);
  await assert.rejects(connect({ home: folder, start: false }), { code: "cli.control" });
  assert.equal(heard, 1);
  server.close();
});

test("`run -d` without CMD holds still; `exec` and `cp` are as if it were here; fault cli.file", async () => {
  const call = home.call.bind(home);
  assert.match((await call(["run"])).stderr, /no command to run/);
  const run = (await call(["run", "-d"])).stdout.trim();
  const exec = async (args: readonly string[], input = "") =>
    call(["exec", run, ...args], { input });
  const said = await exec(
    ["--step", "a/b/c/3", "--json", "--", "sh", "-c", "cat; echo e >&2; exit 5"],
    "in",
  );
  assert.deepEqual([said.code, said.stdout], [5, "in"]);
  const { entry } = JSON.parse(said.stderr.split("\n")[0] ?? "") as { entry: number };
  const recorded = (await home.log()).find(({ seq }) => seq === entry)?.data?.["step"];
  assert.deepEqual(recorded, { trajectory: "a/b", episode: "c", step: 3 });
  assert.equal((await exec(["--", "sh", "-c", "kill -TERM $$"])).code, 128 + 15);
  assert.equal((await exec(["--", "no-such-command"])).code, 127);
  assert.match((await exec(["--step", "bad", "--", "true"])).stderr, /not TRAJECTORY/);
  assert.match(
    (await exec(["-t", "--cwd", "/tmp", "--", "sh", "-c", "tty; pwd"])).stdout,
    /^\/dev\/pts.*\r\n\/tmp\r\n$/,
  );

  writeFileSync(join(home.workspace, "f"), "x".repeat(200_000), { mode: 0o751 });
  assert.equal((await call(["cp", "f", `${run}:sub/`])).code, 0);
  assert.equal((await exec(["--", "stat", "-c", "%a %s", "sub/f"])).stdout, "751 200000\n");
  assert.equal((await call(["cp", `${run}:sub/f`, "-"])).stdout.length, 200_000);
  assert.equal((await call(["cp", `${run}:sub/f`, "back"])).code, 0);
  assert.equal(readFileSync(join(home.workspace, "back"), "utf8").length, 200_000);
  assert.equal((await call(["cp", `${run}:nothing`, "none"])).code, 125);
  assert.ok(!existsSync(join(home.workspace, "none")));
  assert.match((await call(["cp", "f", "back"])).stderr, /RUN:PATH/);
  assert.match((await call(["cp", "nothing", `${run}:x`])).stderr, /not there/);
  assert.equal((await call(["kill", run])).code, 0);
});

test("INV-259: Ctrl-C goes to the command, whose status it is then; where `exec` itself is killed, it ends", async () => {
  const script = "trap 'echo caught; exit 9' INT; echo up; sleep 5009 & wait";
  const child = home.spawn(["exec", box.run, "--", "sh", "-c", script]);
  const heard: string[] = [];
  child.stdout?.on("data", (data: Buffer) => {
    heard.push(data.toString());
    if (heard.length === 1) child.kill("SIGINT");
  });
  const [code] = (await once(child, "close")) as [number];
  assert.deepEqual([heard.join(""), code], ["up\ncaught\n", 9]);
  const killed = home.spawn(["exec", box.run, "--", "sh", "-c", "echo up; setsid sleep 5010"]);
  killed.stdout?.once("data", () => killed.kill("SIGKILL"));
  await once(killed, "close");
  await idle();
  const { stdout } = await box.exec(
    "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 501[0]'",
  );
  assert.equal(stdout, "0\n");
});

test("INV-261: a report is made and proven by a process of its own, and none is given of a record that was changed", async () => {
  await box.exec(NOTICED);
  assert.match(await box.incident("md"), new RegExp(box.run));
  const files = globSync(join(home.state, "ledger", "tile", "entries", "**")).filter((path) =>
    statSync(path).isFile(),
  );
  const before = files.map((path) => readFileSync(path));
  let changed = 0;
  files.forEach((path, n) => {
    const bytes = Buffer.from(before[n] ?? "");
    const at = bytes.indexOf("a shell opens /dev/tcp");
    if (at < 0) return;
    changed += 1;
    bytes.write("A", at);
    writeFileSync(path, bytes);
  });
  assert.ok(changed > 0, "the finding that the report cites was changed");
  await assert.rejects(box.incident("md"), { code: "client.incident" });
  files.forEach((path, n) => writeFileSync(path, before[n] ?? ""));
});
