import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { constants, release, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as sys from "../sys/index.ts";
import { createWatcher, type ExecSeen, type Watcher } from "./index.ts";
import { actor, notes, startTarget, until, watchCommand } from "./target.fixture.ts";

const { EACCES, EAFNOSUPPORT, EBADF, ECONNREFUSED, EFAULT, EINVAL, ENOTSOCK, EPERM } =
  constants.errno;
const folder = mkdtempSync(join(tmpdir(), "cofferdam-watcher-"));
chmodSync(folder, 0o755);
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

let watcher: Watcher;
before(() => {
  watcher = createWatcher({ onFailure: (error) => assert.ifError(error) });
});
after(async () => {
  await watcher.close();
  rmSync(folder, { recursive: true });
});

test("INV-20: a connect is told with its process before it happens, and goes on", async () => {
  const seen = await watchCommand(watcher, [actor, "connect", "127.0.0.1", "9"]);
  assert.equal(
    seen.output,
    `connect ${ECONNREFUSED}\n`,
    "nothing listens there: the kernel's own no",
  );
  const [connect] = seen.connects;
  assert.equal(seen.connects.length, 1);
  assert.equal(`${connect?.protocol} ${connect?.address}:${connect?.port}`, "tcp 127.0.0.1:9");
  assert.equal(connect?.process.knownBy, "seccomp");
  assert.equal(connect.process.exe, actor);
  assert.equal(connect.process.exeSha256, sha256(actor));
  assert.deepEqual(connect.process.argv, [actor, "connect", "127.0.0.1", "9"]);
  assert.deepEqual(
    connect.process.ancestors.map((one) => one.pid),
    [seen.initPid],
    "ancestors end at the run's first process",
  );
});

const DECISIONS = [
  // errno, what the process sees, why
  [EPERM, EPERM, "an errno is delivered as it is"],
  [ECONNREFUSED, ECONNREFUSED, "a port that looks closed"],
  [-1, EACCES, "no errno refuses"],
  [1.5, EACCES, "half an errno refuses"],
  [5000, EACCES, "the kernel knows no such errno"],
] as const;
for (const [answer, expected, why] of DECISIONS) {
  test(`a decision of ${answer} gives ${sys.errnoName(expected)}: ${why}`, async () => {
    const command = [actor, "connect", "127.0.0.1", "9"];
    const seen = await watchCommand(watcher, command, () => answer);
    assert.equal(seen.output, `connect ${expected}\n`);
  });
}

test("a handler that throws refuses", async () => {
  const seen = await watchCommand(watcher, [actor, "connect", "127.0.0.1", "9"], () => {
    throw new Error("no idea");
  });
  assert.equal(seen.output, `connect ${EACCES}\n`);
  assert.deepEqual(
    seen.odds.map((odd) => [odd.what, odd.detail]),
    [["handler", "no idea"]],
  );
});

test("a datagram to an address is asked for, also as family 0, which Linux takes for IPv4", async () => {
  const seen = await watchCommand(watcher, [actor, "sendto", "127.0.0.1", "9"], () => EPERM);
  assert.equal(seen.output, `sendto ${EPERM}\nunspecified ${EPERM}\n`);
  const told = seen.connects.map((one) => [one.syscall, one.protocol, one.address, one.port]);
  assert.deepEqual(told, [
    ["sendto", "udp", "127.0.0.1", 9],
    ["sendto", "udp", "127.0.0.1", 9],
  ]);
});

test("what cannot be understood is refused, never let on and never left waiting", async () => {
  const seen = await watchCommand(watcher, [actor, "bad", "127.0.0.1", "9"]);
  const results = Object.fromEntries(
    seen.output.split("\n").map((line) => line.split(" ") as [string, string]),
  );
  const { "": _, ...expected } = results;
  assert.deepEqual(expected, {
    pointer: `${EFAULT}`,
    long: `${EINVAL}`,
    negative: `${EINVAL}`,
    empty: `${EINVAL}`,
    short: `${EINVAL}`,
    family: `${EAFNOSUPPORT}`,
    file: `${ENOTSOCK}`,
    closed: `${EBADF}`,
    disconnect: "0",
    "exec-pointer": `${EFAULT}`,
    "exec-argv": `${EFAULT}`,
    unasked: `${EACCES}`,
  });
  assert.deepEqual(seen.connects, [], "nothing of it was asked");
  const kinds = new Set(seen.odds.map((odd) => odd.what));
  assert.deepEqual([...kinds].sort(), ["address", "call", "family"]);
});

test("Unix sockets are nobody's business", async () => {
  const path = join(folder, "unix.sock");
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  chmodSync(path, 0o777);
  const seen = await watchCommand(watcher, [actor, "unix", path], () => EPERM);
  server.close();
  assert.equal(seen.output, "unix 0\n");
  assert.deepEqual(seen.connects, []);
});

test("a thread's connect names thread and process", async () => {
  const seen = await watchCommand(watcher, [actor, "thread", "127.0.0.1", "9"]);
  const [connect] = seen.connects;
  assert.notEqual(connect?.tid, connect?.pid);
  assert.equal(connect?.process.pid, connect?.pid);
  assert.deepEqual(connect?.process.argv.slice(1, 2), ["thread"]);
});

test("a process whose first thread ended is told all the same", async () => {
  const seen = await watchCommand(watcher, [actor, "orphan", "127.0.0.1", "9"]);
  const [connect] = seen.connects;
  const [major = 0, minor = 0] = release().split(".").map(Number);
  if (major < 6 || (major === 6 && minor < 9)) {
    // No handle can be had of a thread alone (PIDFD_THREAD): who cannot be looked at does not connect.
    assert.deepEqual(seen.connects, []);
    assert.match(seen.output, new RegExp(`^thread ${EACCES}$`, "m"));
    return;
  }
  assert.equal(connect?.process.exe, actor);
  assert.deepEqual(connect.process.argv.slice(1, 2), ["orphan"]);
  assert.equal(connect.process.exeSha256, sha256(actor));
});

test("a thousand processes that connect at once are all told apart and answered", async () => {
  const command = [actor, "many", "127.0.0.1", "9", "1000"];
  const seen = await watchCommand(watcher, command, () => ECONNREFUSED);
  assert.equal(seen.output, `errno ${ECONNREFUSED} times 1000\n`);
  assert.equal(new Set(seen.connects.map((one) => one.pid)).size, 1000);
  const parents = new Set(seen.connects.map((one) => one.process.ancestors[0]?.pid));
  assert.equal(parents.size, 1, "each of them descends from the one that made it");
});

for (const [stays, why] of [
  ["stay", "its command lives on"],
  ["", "its command ended, too"],
] as const) {
  test(`a daemon that forked twice keeps its ancestors, where ${why}`, async () => {
    const target = await startTarget([
      "/bin/sh",
      "-c",
      `${actor} daemon 127.0.0.1 9 ${stays}; read line`,
    ]);
    const handlers = notes(() => EPERM);
    const run = `daemon-${stays}`;
    watcher.watch(run, target.sources, handlers);
    await target.printed("daemon");
    target.child.stdin?.end();
    await target.ended;
    await watcher.unwatch(run);
    sys.closeDescriptor(target.listenFd);
    const names = handlers.connects[0]?.process.ancestors.map((one) =>
      one.argv.slice(0, 2).join(" "),
    );
    assert.equal(names?.at(-2)?.startsWith("/bin/sh -c"), true, "the shell that was asked for");
    // Of the two forks in between only the kernel's stream of forks can tell.
    if (hasProcEvents) {
      assert.deepEqual(names?.slice(0, 2), [`${actor} daemon`, `${actor} daemon`]);
    }
  });
}
test("INV-227: what a command left behind has in its line who kept it, though that has ended", async () => {
  const kept = `sleep 60 >/dev/null & echo $$ $!; read line`;
  const target = await startTarget(["/bin/sh", "-c", `/bin/sh -c '${kept}'; echo over; read line`]);
  const handlers = notes();
  watcher.watch("left", target.sources, handlers);
  const isSleep = ({ process }: ExecSeen) => process.argv[0] === "sleep";
  await until(() => handlers.execs.some(isSleep));
  const { pid = 0 } = handlers.execs.find(isSleep) ?? {};
  target.child.stdin?.write("\n");
  await target.printed("over");
  const described = await watcher.describe("left", pid);
  assert.deepEqual(described?.argv, ["sleep", "60"]);
  assert.equal(described.knownBy, "proc");
  assert.equal(described.ancestors[0]?.argv.at(-1), kept);
  assert.equal(described.ancestors.at(-1)?.pid, target.sources.initPid);
  assert.equal(await watcher.describe("another", pid), undefined, "a run that is not watched");
  process.kill(pid, "SIGKILL");
  target.child.stdin?.end();
  await target.ended;
  await watcher.unwatch("left");
  assert.equal(await watcher.describe("left", pid), undefined, "nor is this one any more");
  sys.closeDescriptor(target.listenFd);
});

const hasProcEvents = (() => {
  const events = sys.openProcEvents();
  if (events !== undefined) sys.closeDescriptor(events);
  return events !== undefined;
})();

test("a renamed program is told by its hash, and its claim beside what it is", async () => {
  const innocent = join(folder, "prettier");
  copyFileSync(actor, innocent);
  const script = `exec -a npm ${innocent} connect 127.0.0.1 9`;
  const seen = await watchCommand(watcher, ["/bin/bash", "-c", script], () => EPERM);
  const { process } = seen.connects[0] ?? {};
  assert.equal(process?.exe, innocent);
  assert.equal(process.exeSha256, sha256(actor));
  assert.deepEqual(process.argv.slice(0, 2), ["npm", "connect"], "argv is what it calls itself");
});

test("execs are told in order: a script by its interpreter, a failed one not at all", async () => {
  const script = join(folder, "hello");
  writeFileSync(script, "#!/bin/bash\nread -t 1 < /dev/zero\nexit 0\n", { mode: 0o755 });
  const command = `/no/such/program; ${script} now; ${actor} connect 127.0.0.1 9`;
  const seen = await watchCommand(watcher, ["/bin/sh", "-c", command]);
  const told = seen.execs.map((exec) => exec.path);
  assert.deepEqual(told, ["/bin/sh", script, actor]);
  const hello = seen.execs[1];
  assert.equal(hello?.confirmed, true);
  assert.deepEqual(hello.argv, [script, "now"], "as claimed");
  assert.deepEqual(hello.process.argv, ["/bin/bash", script, "now"], "as found");
  assert.match(hello.process.exe, /bash$/);
  assert.equal(hello.process.exeSha256, sha256("/bin/bash"));
  assert.equal(hello.process.ancestors[0]?.argv[0], "/bin/sh");
});

test("a process that is killed while it waits leaves no trace and stops nobody", async () => {
  const target = await startTarget([
    "/bin/sh",
    "-c",
    `${actor} connect 127.0.0.1 9; ${actor} connect 127.0.0.1 8`,
  ]);
  const handlers = notes((attempt) => {
    // The caller dies within the decision: its answer finds nobody.
    if (attempt.port === 9) process.kill(attempt.pid, "SIGKILL");
    return ECONNREFUSED;
  });
  watcher.watch("killed", target.sources, handlers);
  const { output } = await target.ended;
  assert.equal(output, `connect ${ECONNREFUSED}\n`);
  assert.deepEqual(
    handlers.connects.map((one) => one.port),
    [9, 8],
  );
  await watcher.unwatch("killed");
  sys.closeDescriptor(target.listenFd);
});

test("a run's end ends its watch, and one run's watch is not another's", async () => {
  const seen = await Promise.all(
    [9, 10, 11].map((port) => watchCommand(watcher, [actor, "connect", "127.0.0.1", `${port}`])),
  );
  assert.deepEqual(
    seen.map((one) => one.connects.map((connect) => connect.port)),
    [[9], [10], [11]],
  );
});

test("a run is watched once, and not by a watcher that has ended: provenance.state", async () => {
  const target = await startTarget(["/bin/sh", "-c", "read line"]);
  watcher.watch("twice", target.sources, notes());
  assert.throws(() => watcher.watch("twice", target.sources, notes()), {
    code: "provenance.state",
  });
  target.child.stdin?.end();
  await target.ended;
  await watcher.unwatch("twice");
  sys.closeDescriptor(target.listenFd);
  const ended = createWatcher({ onFailure: (error) => assert.ifError(error) });
  await ended.close();
  assert.throws(() => ended.watch("late", target.sources, notes()), { code: "provenance.state" });
});
