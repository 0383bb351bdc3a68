/** A run's life: streams, terminal, job control, signals, end; each in a real sandbox. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";

import { chmod, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test, type TestContext } from "node:test";
import {
  expectText,
  hold,
  makePlace,
  runCommand,
  type Held,
  type Place,
} from "./sandbox.fixture.ts";
import { launchSandbox } from "./sandbox.ts";
import type { SandboxSpec } from "./spec.ts";

async function open(
  t: TestContext,
  change: Partial<SandboxSpec> = {},
): Promise<Held & { place: Place }> {
  const place = await makePlace(change);
  t.after(() => place.remove());
  const held = await hold(place.spec);
  t.after(() => held.end());
  return { ...held, place };
}

async function openTerminal(t: TestContext, argv: readonly string[]) {
  const held = await open(t);
  const streams = await held.sandbox.start({
    argv,
    environment: { PATH: "/usr/bin:/bin", HOME: "/home/agent", TERM: "dumb", PS1: "$ " },
    cwd: held.place.workspace,
    terminal: { columns: 80, rows: 24 },
  });
  assert.equal(streams.kind, "terminal");
  if (streams.kind !== "terminal") throw new Error("unreachable");
  const { terminal } = streams;
  return {
    ...held,
    terminal,
    expect: expectText(streams),
    type: (text: string) => terminal.write(text),
  };
}

const ENDS: readonly (readonly [readonly string[], object, string])[] = [
  [["sh", "-c", "exit 0"], { code: 0 }, "success"],
  [["sh", "-c", "exit 93"], { code: 93 }, "any code, exactly"],
  [["sh", "-c", "kill -TERM $$"], { signal: "SIGTERM" }, "a signal is not a code"],
  [["sh", "-c", "kill -SEGV $$"], { signal: "SIGSEGV" }, "a crash"],
  [["no-such-command"], { code: 127, problem: "no-such-command: ENOENT" }, "not found"],
  [["/etc/passwd"], { code: 126, problem: "/etc/passwd: EACCES" }, "not executable"],
];
for (const [argv, wanted, why] of ENDS) {
  test(`${argv.join(" ")} ends as ${JSON.stringify(wanted)}: ${why}`, async (t) => {
    const { stdout, stderr, ...exit } = await runCommand(await open(t), argv);
    assert.deepEqual({ ...exit, stdout, stderr }, { ...wanted, stdout: "", stderr: "" });
  });
}

// PATH, working folder, command, end, why
const SEARCHES: readonly (readonly [string, string, string, object, string])[] = [
  ["/nowhere:/usr:/usr/bin", "/", "true", { code: 0 }, "the first folder that has it"],
  [":/nowhere", "/usr/bin", "true", { code: 0 }, "an empty entry is the working folder"],
  ["/usr", "/", "bin", { code: 126, problem: "bin: EACCES" }, "a folder is no program"],
  ["/nowhere", "/", "true", { code: 127, problem: "true: ENOENT" }, "nowhere"],
  [`/${"x".repeat(5000)}:/usr/bin`, "/", "true", { code: 0 }, "an entry that is too long is none"],
];
for (const [path, cwd, command, wanted, why] of SEARCHES) {
  test(`PATH ${path.slice(0, 30)} leads to ${JSON.stringify(wanted)}: ${why}`, async (t) => {
    const options = { cwd, environment: { PATH: path } };
    const { stdout, stderr, ...exit } = await runCommand(await open(t), [command], options);
    assert.deepEqual({ ...exit, stdout, stderr }, { ...wanted, stdout: "", stderr: "" });
  });
}

test("pipes carry bytes both ways, apart, and are pipes that can be opened again", async (t) => {
  const script =
    "cat; echo err >/dev/stderr; test -p /dev/stdin && test -p /dev/stdout && echo pipes";
  const outcome = await runCommand(await open(t), ["sh", "-c", script], { input: "in\n" });
  assert.deepEqual(outcome, { code: 0, stdout: "in\npipes\n", stderr: "err\n" });
});

test("more than a pipe holds arrives whole", async (t) => {
  const { stdout } = await runCommand(await open(t), ["head", "-c", "3000000", "/dev/zero"]);
  assert.equal(stdout.length, 3_000_000);
});

test("a terminal is one: named inside, sized, resized, and with its own signals", async (t) => {
  const script = `tty; stty size; trap 'stty size; echo resized' WINCH; trap 'echo interrupted' INT
    echo ready; while :; do read line && echo "line $line" && test "$line" = end && exit 5; done`;
  const { terminal, expect, type, sandbox } = await openTerminal(t, ["bash", "-c", script]);
  assert.match(await expect("ready"), /\/dev\/pts\/0\r\n24 80\r\n/);
  terminal.resize(132, 50);
  type("a line, since a shell runs no trap while it reads\n");
  assert.match(await expect("resized"), /50 132/);
  type("\u0003");
  await expect("interrupted");
  type("end\n");
  assert.deepEqual(await sandbox.exited, { code: 5 });
});

test("job control works as a person expects: Ctrl-Z, bg, fg, Ctrl-C", async (t) => {
  const { expect, type, sandbox } = await openTerminal(t, ["bash", "--norc", "-i"]);
  await expect("$ ");
  type("sleep 1000\n");
  await expect("sleep 1000");
  // The shell gives the terminal away a moment after it echoes; a key before that is the shell's own.
  await waitFor(() => hasTerminal(sandbox.initPid, "sleep"));
  type("\u001a");
  await expect(/Stopped\s+sleep 1000/);
  type("jobs; bg; fg\n");
  await expect(/sleep 1000 &[^]*\nsleep 1000/);
  await waitFor(() => hasTerminal(sandbox.initPid, "sleep"));
  type("\u0003");
  type("echo status $?\n");
  await expect(/status \d+\r\n/);
  type("exit 3\n");
  assert.deepEqual(await sandbox.exited, { code: 3 });
});

test("a terminal that nobody reads inside takes what fits and blocks nothing", async (t) => {
  const { terminal, expect, sandbox } = await openTerminal(t, [
    "sh",
    "-c",
    "stty raw; echo ready; exec sleep 1000",
  ]);
  await expect("ready");
  terminal.write(Buffer.alloc(1 << 20, 120));
  await sandbox.kill(); // Reached only where the write did not hold this process.
});

test("a signal goes to the agent's whole group", async (t) => {
  const held = await open(t);
  const script =
    "trap 'wait; echo parent; exit 4' TERM; (trap 'echo child; exit' TERM; echo up; while :; do sleep 0.01; done) & while :; do sleep 0.01; done";
  const streams = await held.sandbox.start({
    argv: ["sh", "-c", script],
    environment: { PATH: "/usr/bin:/bin" },
    cwd: "/",
  });
  assert.equal(streams.kind, "pipes");
  if (streams.kind !== "pipes") return;
  let output = "";
  streams.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(streams.stdout, "data");
  held.sandbox.signal("SIGTERM");
  assert.equal((await held.sandbox.exited).code, 4);
  await waitFor(() => streams.stdout.readableEnded || streams.stdout.destroyed);
  assert.match(output, /parent/);
  assert.match(output, /child/);
});

/** A process that left its parent, its group and its session behind. */
const DAEMON =
  "setsid sh -c 'setsid sleep 1000 & exec sleep 1000' </dev/null >/dev/null 2>&1 & sleep 0.05; echo up; sleep 1000";

test("INV-24: kill ends the whole tree, also what hid from its parent", async (t) => {
  const held = await open(t);
  const streams = await held.sandbox.start({
    argv: ["sh", "-c", DAEMON],
    environment: { PATH: "/usr/bin:/bin" },
    cwd: "/",
  });
  if (streams.kind === "pipes") await once(streams.stdout, "data");
  const space = await readlink(`/proc/${held.sandbox.initPid}/ns/pid`);
  assert.ok((await processesIn(space)).length >= 4, "process 1, the shell, two that hide");
  const begun = performance.now();
  await held.sandbox.kill();
  assert.deepEqual(await processesIn(space), []);
  assert.ok(performance.now() - begun < 1_000, "in under a second");
  assert.deepEqual(await held.sandbox.exited, { signal: "SIGKILL" });
});

test("the end of the command is the end of all that it started", async (t) => {
  const held = await open(t);
  const { initPid } = held.sandbox;
  const space = await readlink(`/proc/${initPid}/ns/pid`);
  const script = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & exit 6";
  assert.equal((await runCommand(held, ["sh", "-c", script])).code, 6);
  assert.deepEqual(await processesIn(space), []);
});

test("INV-15: when the daemon dies, however hard, its runs go with it", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  const holder = fileURLToPath(new URL("testdata/holder.child.ts", import.meta.url));
  const daemon = spawn(process.execPath, [holder, JSON.stringify(place.spec)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(daemon.stdout, "data")) as [Buffer];
  const space = line.toString().trim();
  assert.ok((await processesIn(space)).length >= 3);
  daemon.kill("SIGKILL");
  await once(daemon, "exit");
  const begun = performance.now();
  await waitFor(async () => (await processesIn(space)).length === 0);
  assert.ok(performance.now() - begun < 1_000, "in under a second");
});

test("a read-only workspace is read, and not written", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  await writeFile(join(place.workspace, "file"), "text\n", { mode: 0o600 });
  const workspace = { path: place.workspace, mode: "read-only" } as const;
  const held = await hold({ ...place.spec, workspace });
  t.after(() => held.end());
  const outcome = await runCommand(held, ["sh", "-c", "cat file; echo x >file"], {
    cwd: place.workspace,
  });
  assert.equal(outcome.stdout, "text\n");
  assert.match(outcome.stderr, /Read-only/);
});

const KNOCK = `
import os, socket, sys
def knock(path):
    try:
        s = socket.socket(socket.AF_UNIX); s.connect(path + "/host.sock"); return "open"
    except OSError: return "closed"
def write(path):
    try:
        os.write(os.open(path + "/fifo", os.O_WRONLY | os.O_NONBLOCK), b"x"); return "open"
    except OSError: return "closed"
own = socket.socket(socket.AF_UNIX); own.bind("/tmp/host.sock"); own.listen()
os.mkfifo("/tmp/fifo"); reader = os.open("/tmp/fifo", os.O_RDONLY | os.O_NONBLOCK)
print(knock("."), write("."), knock("/tmp"), write("/tmp"))
`;
for (const mode of ["overlay", "read-only"] as const) {
  test(`INV-4: a host's socket and FIFO in a workspace (${mode}) lead nowhere; the run's own work`, async (t) => {
    const place = await makePlace();
    t.after(() => place.remove());
    const server = createServer().listen(join(place.workspace, "host.sock"));
    await once(server, "listening");
    t.after(() => server.close());
    await chmod(join(place.workspace, "host.sock"), 0o777);
    execFileSync("mkfifo", ["-m", "666", join(place.workspace, "fifo")]);
    const fifo = openSync(join(place.workspace, "fifo"), constants.O_RDONLY | constants.O_NONBLOCK);
    t.after(() => closeSync(fifo));
    const held = await hold({ ...place.spec, workspace: { path: place.workspace, mode } });
    t.after(() => held.end());
    const command = ["/usr/bin/python3", "-c", KNOCK];
    const { stdout, stderr } = await runCommand(held, command, { cwd: place.workspace });
    assert.equal(stdout, "closed closed open open\n", stderr);
  });
}

test("what a run wrote is there for the next one on the same layer and home", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  await writeFile(join(place.workspace, "gone"), "");
  const first = await hold(place.spec);
  t.after(() => first.end());
  const change = "echo new >made; rm gone; mkdir -p a/b; ln -s nowhere a/link; echo h >~/kept";
  const options = { cwd: place.workspace };
  assert.deepEqual(await runCommand(first, ["sh", "-c", change], options), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  const second = await hold(place.spec);
  t.after(() => second.end());
  const look = await runCommand(
    second,
    ["sh", "-c", "cat made ~/kept; ls; readlink a/link"],
    options,
  );
  assert.deepEqual(look.stdout, "new\nh\na\nmade\nnowhere\n");
  assert.deepEqual(await readdir(place.workspace), ["gone"], "the host sees none of it");
});

test("names that would be overlay or mount syntax are only names", async (t) => {
  const outer = await makePlace();
  t.after(() => outer.remove());
  const odd = join(outer.root, "a,b:c\\d =e \n'f\"");
  await mkdir(odd);
  await writeFile(join(odd, "file"), "odd\n");
  const workspace = { path: odd, mode: "overlay" } as const;
  const held = await hold({
    ...outer.spec,
    workspace,
    layer: join(outer.root, "layer,upperdir=x:y"),
  });
  t.after(() => held.end());
  const outcome = await runCommand(held, ["sh", "-c", "cat file; echo more >>file; cat file"], {
    cwd: odd,
  });
  assert.equal(outcome.stdout, "odd\nodd\nmore\n");
});

test("limits hold inside and are proved; core dumps are always off", async (t) => {
  const RLIMIT_NOFILE = 7;
  const held = await open(t, { limits: new Map([[RLIMIT_NOFILE, [300, 400]]]) });
  const { stdout } = await runCommand(held, ["bash", "-c", "ulimit -Sn; ulimit -Hn; ulimit -Hc"]);
  assert.equal(stdout, "300\n400\n0\n");
});

test("a device is there only where it is bound as one", async (t) => {
  const bind = { source: "/dev/null", write: false } as const;
  const held = await open(t, {
    binds: [
      { ...bind, target: "/dev/granted", kind: "device" },
      { ...bind, target: "/dev/not-granted", kind: "file" },
    ],
  });
  const script =
    "echo x >/dev/granted && echo opened; echo x >/dev/not-granted; echo x >/dev/null && ls /dev/kvm";
  const { stdout, stderr } = await runCommand(held, ["sh", "-c", script]);
  assert.equal(stdout, "opened\n");
  assert.match(stderr, /not-granted: Permission denied[^]*\/dev\/kvm.*No such file/);
});

test("a crash calls no core handler of the host, also where the run asks for one", async (t) => {
  const script =
    "ulimit -c 0; ulimit -Hc; grep 'core file' /proc/self/limits; sh -c 'kill -SEGV $$'; ls core*";
  const { stdout } = await runCommand(await open(t), ["bash", "-c", script], { cwd: "/tmp" });
  // A limit of 1 is what the kernel takes for "no handler"; of 0 it would call it.
  assert.match(stdout, /^0\nMax core file size\s+1\s+1\s+bytes\s*\n$/);
});

test("fault sandbox.step: a step that fails is named, with its fix, and nothing runs", async (t) => {
  const place = await makePlace({ limits: new Map([[7, [1 << 30, 1 << 30]]]) }); // Above fs.nr_open.
  t.after(() => place.remove());
  await assert.rejects(launchSandbox(place.spec), {
    code: "sandbox.step",
    message: "limits: setrlimit: EPERM",
    hint: /ulimit -H/,
  });
});

test("fault sandbox.ended: where bubblewrap cannot make the view, its own words are told", async (t) => {
  const place = await makePlace({
    binds: [{ source: "/dev/null", target: "/usr/nowhere/x", kind: "file", write: false }],
  });
  t.after(() => place.remove());
  await assert.rejects(launchSandbox(place.spec), {
    code: "sandbox.ended",
    message: /bwrap: .*nowhere/,
  });
});

test("INV-5, fault sandbox.unproved: a canary that can be read stops the start, and ends the run", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  const canary = join(place.workspace, "seen");
  await writeFile(canary, "");
  await assert.rejects(hold({ ...place.spec, canaries: [canary] }), {
    code: "sandbox.unproved",
    message: /file\.canary\.\d is succeeded, not ENOENT/,
  });
  await hold({ ...place.spec, canaries: [join(place.root, "public")] }).then((held) => held.end());
});

test("nothing starts unproved, and nothing starts twice", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  const sandbox = await launchSandbox(place.spec);
  t.after(async () => {
    await sandbox.kill();
    sandbox.close();
  });
  const order = { argv: ["true"], environment: {}, cwd: "/" };
  await assert.rejects(sandbox.start(order), /after every control is proved/);
});

test("admit sees the launcher before it has made anything", async (t) => {
  let seen = "";
  const held = await open(t, {
    admit: async (pid) => {
      seen = await readlink(`/proc/${pid}/ns/user`);
    },
  });
  assert.equal(seen, await readlink("/proc/self/ns/user"));
  assert.notEqual(seen, await readlink(`/proc/${held.sandbox.initPid}/ns/user`));
});

/** Processes of a pid namespace; not those that are dead and wait for the host's process 1 to say so. */
async function processesIn(space: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lives = async (pid: string) => {
    try {
      if ((await readlink(`/proc/${pid}/ns/pid`)) !== space) return false;
      return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false; // Ended while we looked.
    }
  };
  const alive = await Promise.all(pids.map(lives));
  return pids.filter((_, n) => alive[n]);
}

/** Whether a process `name` of the run is not stopped, and of the group that the terminal belongs to. */
async function hasTerminal(initPid: number, name: string): Promise<boolean> {
  const pids = await processesIn(await readlink(`/proc/${initPid}/ns/pid`));
  const read = (pid: string) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return (await Promise.all(pids.map(read))).some((stat) => {
    // proc_pid_stat(5): pid (comm) state ppid pgrp session tty_nr tpgid
    const [, comm, state, group, terminal] =
      /^\d+ \((.*)\) (\S) -?\d+ (-?\d+) -?\d+ -?\d+ (-?\d+)/.exec(stat) ?? [];
    return comm === name && state !== "T" && group === terminal;
  });
}

async function waitFor(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 12_000; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("did not come true in time");
}
