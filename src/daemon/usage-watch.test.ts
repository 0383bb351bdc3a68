/** What runs use, with processes that really use it and a clock that the test sets. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import type { Event } from "../action/index.ts";
import { GpuReader, type Gpu } from "../sandbox/index.ts";
import type { RunEvent } from "./recorder.ts";
import { UsageWatch, type UsedRun } from "./usage-watch.ts";

const MIB = 2 ** 20;
const GPU: Gpu = {
  number: 0,
  needs: [{ source: "/dev/nvidia0", target: "/dev/nvidia0", open: true }],
  likes: [],
};
type Usage = ReturnType<UsedRun["limits"]["usage"]>;

/** A watch over one run whose counters the test sets; `after` lets time pass and gives what was noted then. */
function scene(
  options: { gpus?: readonly Gpu[]; pids?: readonly number[]; busy?: () => number } = {},
) {
  const warned: string[] = [];
  const noted: Event["data"][] = [];
  const run = { isRunning: true, cpuMs: 0, memoryBytes: 100 * MIB } as {
    isRunning: boolean;
    cpuMs: number | undefined;
    memoryBytes: number | undefined;
    fails?: true;
  };
  let monoMs = 0;
  let asked = 0;
  const reader = new GpuReader(async () => {
    asked += 1;
    const busy = options.busy?.();
    if (busy === undefined) throw new Error("no driver");
    const device = { index: 0, uuid: "GPU-a", bus: "" };
    return {
      gpus: new Map([[0, device]]),
      processes: [{ index: 0, pid: 7, busy }],
      tellsProcesses: true,
    };
  });
  const watch = new UsageWatch(
    { now: () => ({ wallMs: 0, monoMs }) },
    { info: () => {}, warn: (event) => void warned.push(event) },
    reader,
  );
  const unwatch = watch.watch({
    id: "r-a",
    gpus: options.gpus ?? [],
    limits: {
      usage: () => {
        if (run.fails === true) throw new Error("gone");
        const { cpuMs, memoryBytes } = run;
        return { cpuMs, memoryBytes, pids: 3, writtenBytes: 9 } as Usage;
      },
      pids: () => options.pids ?? [7],
    },
    isRunning: () => run.isRunning,
    spent: () => {},
    note: ({ type, data }: RunEvent) => {
      assert.equal(type, "usage");
      noted.push(data);
    },
  });
  after(unwatch);
  const wait = async (ms: number, cores = 0) => {
    monoMs += ms;
    run.cpuMs = run.cpuMs === undefined ? undefined : run.cpuMs + ms * cores;
    await watch.look();
    return noted.splice(0);
  };
  return { run, wait, unwatch, warned, asked: () => asked };
}

const listOf = (data: Event["data"], name: string) =>
  (data?.[name] ?? []) as readonly Readonly<Record<string, unknown>>[];

test("what is used since the last look is noted: at first, when it changes, and once a minute", async () => {
  const { run, wait } = scene();
  const first = { spanMs: 10_000, cpu: 0.1, memory: 100 * MIB, disk: 9, pids: 3 };
  assert.deepEqual(await wait(10_000, 0.1), [first]);
  assert.deepEqual(await wait(10_000, 0.3), [], "a fifth of a core more");
  assert.deepEqual(await wait(10_000, 1.5), [{ ...first, cpu: 1.5 }]);
  assert.deepEqual(await wait(10_000, 1.3), []);
  run.memoryBytes = 120 * MIB;
  assert.deepEqual(await wait(10_000, 1.4), [], "a fifth of its memory");
  run.memoryBytes = 126 * MIB;
  assert.equal((await wait(10_000, 1.4))[0]?.["memory"], 126 * MIB);
  for (let n = 0; n < 5; n += 1) assert.deepEqual(await wait(10_000, 1.4), []);
  assert.equal((await wait(10_000, 1.4)).length, 1, "a minute later, though nothing changed");
});

test("what nobody counts is left out; a time too short says nothing; a counter that falls is no use", async () => {
  const { run, wait } = scene();
  assert.deepEqual(await wait(900, 2), []);
  assert.equal((await wait(9_100, 1))[0]?.["cpu"], 1.09, "of the whole time");
  run.cpuMs = 0;
  assert.equal((await wait(10_000))[0]?.["cpu"], 0);
  run.cpuMs = undefined;
  run.memoryBytes = undefined;
  const [sample] = await wait(60_000);
  assert.deepEqual(Object.keys(sample ?? {}), ["spanMs", "disk", "pids"]);
});

test("a paused run is not looked at, and its rest does not thin what it uses afterwards", async () => {
  const { run, wait, unwatch } = scene();
  await wait(10_000, 0.1);
  run.isRunning = false;
  assert.deepEqual(await wait(600_000), []);
  run.isRunning = true;
  assert.deepEqual(await wait(10_000, 2), [], "since when it goes on is not known");
  assert.equal((await wait(10_000, 2))[0]?.["cpu"], 2);
  unwatch();
  assert.deepEqual(await wait(60_000, 0), [], "it is over");
});

test("INV-153: a GPU that cannot be read is named once and with each sample, and a change of it is news", async () => {
  let busy: number | undefined;
  const { run, wait, asked } = scene({ gpus: [GPU], busy: () => busy as number });
  const unread = (data: Event["data"]) => listOf(data, "gpus")[0]?.["unread"];
  assert.equal(unread((await wait(10_000))[0]), "no driver");
  assert.deepEqual(await wait(10_000), [], "said already");
  busy = 0.5;
  assert.deepEqual((await wait(10_000))[0]?.["gpus"], [{ gpu: 0, busy: 0.5, pids: [7] }]);
  busy = 0.55;
  assert.deepEqual(await wait(10_000), []);
  busy = 0.6;
  assert.equal((await wait(10_000)).length, 1, "a tenth more");
  busy = undefined;
  assert.equal(unread((await wait(10_000))[0]), "no driver");
  run.isRunning = false;
  const before = asked();
  await wait(10_000);
  assert.equal(asked(), before, "nobody asks for a run that stands still");
});

test("a run without GPUs asks nobody; one that cannot be looked at hinders no other", async () => {
  const { run, wait, warned, asked } = scene();
  await wait(10_000);
  assert.equal(asked(), 0);
  run.fails = true;
  assert.deepEqual(await wait(10_000), []);
  assert.deepEqual(warned, ["usage.unread"]);
});

/** utime of proc(5), in hundredths of a second. */
const ticksOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[11]);

test("from the second busy look on it is known which processes they are, and what they descend from", async () => {
  // A shell that waits for one that works: what works has a parent within the run.
  const shell = spawn("/bin/sh", ["-c", "/bin/sh -c 'while :; do :; done' & echo $!; wait"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const worker = Number(await new Promise((resolve) => shell.stdout.once("data", resolve)));
  try {
    const { wait } = scene({ pids: [shell.pid ?? 0, worker] });
    assert.equal((await wait(10_000, 1))[0]?.["busiest"], undefined);
    const from = ticksOf(worker);
    // So much shows after a clock of the test's that says ten seconds: two hundredths of a core.
    while (ticksOf(worker) < from + 20) await new Promise((resolve) => setTimeout(resolve, 10));
    const [sample] = await wait(10_000, 1);
    const [busiest, ...others] = listOf(sample, "busiest");
    assert.deepEqual(others, []);
    assert.deepEqual([busiest?.["pid"], busiest?.["parents"]], [worker, [shell.pid]]);
    assert.match(String(busiest?.["exe"]), /sh$/);
    assert.ok(Number(busiest?.["cores"]) > 0);
  } finally {
    process.kill(worker, "SIGKILL");
    shell.kill("SIGKILL");
  }
});
