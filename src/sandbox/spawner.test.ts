/**
 * Launchers come from a small process of their own: what each of them holds, and what follows when that process dies.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { closeDescriptor, createSocketPair, PollSet } from "../sys/index.ts";
import { launcherPath } from "./prepare.ts";
import { launch, Launcher } from "./launch.ts";
import { launchSandbox } from "./sandbox.ts";
import { makePlace } from "./sandbox.fixture.ts";
import { startLauncher, type Birth } from "./spawner.ts";

/** Ends a launcher that was given no orders: its control stream closes. */
async function end({ control, diagnostics, notes, carrier, gone }: Birth): Promise<void> {
  for (const one of [control, diagnostics, notes]) one.destroy();
  await gone;
  closeDescriptor(carrier);
}

const parentOf = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
};
const filesOf = (pid: number) =>
  new Map(
    readdirSync(`/proc/${pid}/fd`).map((fd) => [Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`)]),
  );

/** A launcher's descriptors once it has closed what came with its fork: it is told as born before. */
async function settled(pid: number): Promise<ReadonlyMap<number, string>> {
  const limit = Date.now() + 10_000;
  for (;;) {
    const files = filesOf(pid);
    if (files.size === 6 || Date.now() > limit) return files;
    await sleep(5);
  }
}

test("INV-249: a launcher holds its own descriptors, none of another run's and none of the spawner's", async (t) => {
  const births = [startLauncher(launcherPath()), startLauncher(launcherPath())];
  t.after(() => Promise.all(births.map(end)));
  const pids = await Promise.all(births.map(({ born }) => born));
  const [one, other] = await Promise.all(pids.map(settled));
  // Its standard error is the daemon's, which may be a socket.
  const spawner = new Map([...filesOf(parentOf(pids[0] ?? 0))].filter(([fd]) => fd > 2));
  assert.ok(one && other);
  for (const files of [one, other]) assert.deepEqual([...files.keys()], [0, 1, 2, 3, 4, 5]);
  const sockets = [one, other, spawner].map(
    (files) => new Set([...files.values()].filter((name) => name.startsWith("socket:"))),
  );
  assert.deepEqual(
    sockets.map(({ size }) => size),
    [4, 4, 2],
  );
  assert.equal(new Set(sockets.flatMap((names) => [...names])).size, 10, "no two hold the same");
  assert.equal(parentOf(pids[0] ?? 0), parentOf(pids[1] ?? 0), "one spawner for both");
  assert.notEqual(parentOf(pids[0] ?? 0), process.pid);
});

test("a launcher that is killed is told as gone, and no other with it", async (t) => {
  const births = [startLauncher(launcherPath()), startLauncher(launcherPath())];
  t.after(() => Promise.all(births.map(end)));
  const [first, second] = births;
  assert.ok(first && second);
  const pid = await second.born;
  first.kill();
  await first.gone;
  assert.equal((await settled(pid)).size, 6, "the other lives");
});

test("INV-250: with the spawner ends every run that it started; the next run gets a new one", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  const sandbox = await launchSandbox(place.spec);
  t.after(() => sandbox.close());
  process.kill(parentOf(sandbox.launcherPid), "SIGKILL");
  await sandbox.exited;
  assert.equal(sandbox.isAlive(), false);
  const birth = startLauncher(launcherPath());
  t.after(() => end(birth));
  assert.equal((await settled(await birth.born)).size, 6);
});

test("INV-250: a spawner that died this moment takes orders that nobody minds; what it was to start is told as not started", async (t) => {
  const first = startLauncher(launcherPath());
  t.after(() => end(first));
  const spawner = parentOf(await first.born);
  process.kill(spawner, "SIGKILL");
  // Without a turn of the loop: for this process it lives yet.
  const limit = Date.now() + 10_000;
  while (!/\) Z /.test(readFileSync(`/proc/${spawner}/stat`, "latin1")))
    assert.ok(Date.now() < limit, "it ends");
  first.kill();
  const late = launch(launcherPath());
  late.kill();
  await assert.rejects(late.born(), { code: "sandbox.launcher" });
  await late.gone;
  await first.gone;
  // Its descriptor is closed: what has the number now is sent nothing.
  const pairs = Array.from({ length: 32 }, () => createSocketPair("packet")).flat();
  t.after(() => pairs.forEach(closeDescriptor));
  first.kill();
  const all = new PollSet(pairs);
  all.wait(0);
  assert.ok(pairs.every((_, at) => all.readiness(at) === "quiet"));
  const next = startLauncher(launcherPath());
  t.after(() => end(next));
  assert.notEqual(parentOf(await next.born), spawner);
});

for (const known of ["before", "after"] as const) {
  test(`INV-250: process 1 follows its launcher, of whose end one is told ${known === "before" ? "behind" : "ahead of"} its number`, async (t) => {
    const first = spawn("sleep", ["1000"], { stdio: "ignore" });
    const ended = once(first, "exit", { signal: AbortSignal.timeout(20_000) });
    const [ours, theirs] = createSocketPair("stream");
    const [carrier, other] = createSocketPair("packet");
    const notes = new PassThrough();
    const gone = Promise.withResolvers<void>();
    const launcher = new Launcher({
      born: Promise.resolve(process.pid),
      control: new Socket({ fd: ours }),
      diagnostics: new PassThrough().end(),
      notes,
      carrier,
      gone: gone.promise,
      kill: () => {},
    });
    t.after(async () => {
      first.kill("SIGKILL");
      closeDescriptor(theirs);
      closeDescriptor(other);
      await launcher.gone;
    });
    const steps = [() => notes.end(`{ "child-pid": ${first.pid} }`), () => gone.resolve()];
    for (const step of known === "before" ? steps : steps.toReversed()) {
      assert.equal(first.exitCode ?? first.signalCode, null);
      step();
      await sleep(50);
    }
    assert.deepEqual(await ended, [null, "SIGKILL"]);
  });
}
