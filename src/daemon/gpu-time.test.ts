/**
 * GPU time against a budget and against steps, and the mining drill, on recorded answers of nvidia-smi: there is no GPU
 * here. The programs that stand for it print what NVIDIA documents; everything behind is real.
 */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { createDetections, DETECTORS, type Detection } from "../detect/index.ts";
import { GpuReader, readNvidia, type Gpu } from "../sandbox/index.ts";
import { GpuTime } from "./gpu-time.ts";
import type { GpuUser } from "./gpu-users.ts";
import type { RunEvent } from "./recorder.ts";
import { UsageWatch, type UsedRun } from "./usage-watch.ts";

const place = mkdtempSync(join(tmpdir(), "cofferdam-gpu-time-"));
after(() => rmSync(place, { recursive: true }));
const UUID = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77";
const HEAD = `# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command \n# Idx           #    C/G      %      %      %      %      %      %    name \n`;
const node = (name: string) => ({ source: `/dev/${name}`, target: `/dev/${name}`, open: true });
const GPU: Gpu = { number: 0, needs: [node("nvidia0"), node("nvidiactl")], likes: [] };

interface Share {
  readonly pid: number;
  readonly percent: number;
}
const [apps, pmon, gpus] = ["apps", "pmon", "gpus"].map((name) => join(place, name));
const smi = join(place, "nvidia-smi");
writeFileSync(
  smi,
  `#!/bin/sh\ncase "$1" in\n--query-gpu=*) cat ${gpus} ;;\n--query-compute-apps=*) cat ${apps} ;;\npmon) cat ${pmon} ;;\nesac\n`,
);
chmodSync(smi, 0o755);
/** What it prints from now on: a recording of one GPU with these processes on it. */
function recorded(shares: readonly Share[]): void {
  const busy = Math.min(
    100,
    shares.reduce((sum, { percent }) => sum + percent, 0),
  );
  writeFileSync(gpus ?? "", `0, ${UUID}, 00000000:18:00.0, ${busy}, 36537\n`);
  writeFileSync(apps ?? "", shares.map(({ pid }) => `${UUID}, ${pid}, 6000\n`).join(""));
  const line = ({ pid, percent }: Share) =>
    `    0 ${String(pid).padStart(10)}     C ${String(percent).padStart(6)}      9      -      -      -      -    miner          \n`;
  const none =
    "    0          -     -      -      -      -      -      -      -    -              \n";
  writeFileSync(pmon ?? "", HEAD + (shares.length === 0 ? none : shares.map(line).join("")));
  answers.clear();
}
/** An answer that is the same is asked for once: each question is three programs. */
const answers = new Map<string, ReturnType<typeof readNvidia>>();
async function ask(programs: readonly string[]): ReturnType<typeof readNvidia> {
  const key = programs.join(" ");
  const answer = answers.get(key) ?? readNvidia(programs, place);
  answers.set(key, answer);
  return answer;
}

function scene(more: Partial<UsedRun> = {}, programs = [smi]) {
  let monoMs = 0;
  const noted: RunEvent[] = [];
  const ended: string[] = [];
  const clock = { now: () => ({ wallMs: monoMs, monoMs }) };
  const log = { info: () => {}, warn: (event: string) => void assert.fail(event) };
  const watch = new UsageWatch(clock, log, new GpuReader(() => ask(programs)));
  const run: UsedRun = {
    id: "r-a",
    gpus: [GPU],
    limits: {
      usage: () =>
        ({ cpuMs: 0, memoryBytes: 1, pids: 3, writtenBytes: 0 }) as ReturnType<
          UsedRun["limits"]["usage"]
        >,
      pids: () => [40, 41],
    },
    isRunning: () => true,
    note: (event) => void noted.push(event),
    spent: () => {},
    exceeded: (why) => void ended.push(why),
    ...more,
  };
  const begin = () => watch.watch(run);
  const unwatch = begin();
  after(unwatch);
  return {
    watch,
    ended,
    unwatch,
    begin,
    pass: (ms: number) => void (monoMs += ms),
    async wait(ms: number) {
      monoMs += ms;
      await watch.look();
      return noted.splice(0);
    },
    taken: () => noted.splice(0),
    now: () => monoMs,
  };
}
const UNKNOWN = { process: undefined, isPending: false, isGone: false };
const processOf = (pid: number) => ({
  pid,
  exe: "/usr/bin/python3",
  argv: ["python3"],
  knownBy: "seccomp" as const,
  ancestors: [],
});
const secondsOf = (events: readonly RunEvent[]) =>
  events.reduce((sum, { data }) => sum + Number(data?.["gpuSeconds"] ?? 0), 0);

test("time is told by process, and of others' processes nothing", async () => {
  recorded([
    { pid: 40, percent: 60 },
    { pid: 41, percent: 20 },
    { pid: 99, percent: 15 },
  ]);
  const { wait } = scene();
  const [event] = await wait(10_000);
  assert.equal(event?.data?.["gpuSeconds"], 8);
  assert.equal(event?.data?.["gpuSecondsUnread"], undefined);
  assert.deepEqual(event?.data?.["gpuProcesses"], [
    { pid: 40, seconds: 6 },
    { pid: 41, seconds: 2 },
  ]);
});

test("what is not worth an entry is not lost: the next one has it all", async () => {
  recorded([{ pid: 40, percent: 50 }]);
  const { wait } = scene();
  const all: RunEvent[] = [];
  for (let at = 0; at < 7; at += 1) all.push(...(await wait(10_000)));
  assert.ok(all.length < 4, "few entries");
  assert.equal(secondsOf(all), 35);
});

test("a step has the time until the next one begins, and the run's last one until its end", async () => {
  recorded([{ pid: 40, percent: 100 }]);
  const { watch, wait, pass, taken, unwatch } = scene();
  await wait(10_000);
  pass(4_000);
  watch.settle("r-other");
  assert.deepEqual(taken(), [], "another run's step");
  watch.settle("r-a");
  assert.equal(secondsOf(taken()), 4, "of the step that is over, on record before the next begins");
  pass(3_000);
  unwatch();
  assert.equal(secondsOf(taken()), 3, "at the end, without another look");
});

test("whatever is charged is told of for its lineages, what a step takes included", async () => {
  recorded([
    { pid: 40, percent: 60 },
    { pid: 99, percent: 40 },
  ]);
  const spent: number[] = [];
  const told = (what: string, ms: number) => what === "gpuMs" && spent.push(ms);
  const { watch, wait, pass, unwatch } = scene({ spent: told });
  await wait(10_000);
  pass(5000);
  watch.settle("r-a");
  pass(5000);
  unwatch();
  assert.deepEqual(spent.map(Math.round), [6000, 3000, 3000]);
});

test("INV-239: what goes beyond the budget ends at the next look, and not before; of others' use nothing counts", async () => {
  recorded([
    { pid: 40, percent: 100 },
    { pid: 99, percent: 0 },
  ]);
  const { wait, ended } = scene({ gpuSecondsMax: () => 25 });
  await wait(10_000);
  await wait(10_000);
  assert.deepEqual(ended, []);
  await wait(10_000);
  assert.match(ended[0] ?? "", /^it used 30 s of GPU time, and 25 s are granted$/);
  recorded([{ pid: 99, percent: 100 }]);
  const other = scene({ gpuSecondsMax: () => 5 });
  for (let at = 0; at < 5; at += 1) await other.wait(10_000);
  assert.deepEqual(other.ended, [], "the benign twin: the GPU is busy with somebody else's work");
});

test("INV-239: to fail and be started again begins no new budget; another run has one of its own", async () => {
  recorded([{ pid: 40, percent: 100 }]);
  const { wait, ended, unwatch, begin, watch } = scene({ gpuSecondsMax: () => 15 });
  await wait(10_000);
  unwatch();
  const unwatchSecond = begin();
  await wait(10_000);
  assert.equal(ended.length, 1);
  unwatchSecond();
  ended.length = 0;
  watch.forget("r-a");
  after(begin());
  await wait(10_000);
  assert.deepEqual(ended, []);
});

test("INV-239: time in which it stood still is charged only as far as it may have run", async () => {
  recorded([{ pid: 40, percent: 100 }]);
  let isRunning = true;
  const { wait } = scene({ isRunning: () => isRunning });
  assert.equal(secondsOf(await wait(10_000)), 10);
  isRunning = false;
  await wait(10_000); // It was paused some time before this look.
  await wait(600_000);
  isRunning = true;
  await wait(10_000);
  assert.equal(secondsOf(await wait(60_000)), 10 + 10 + 60);
});

const UNREAD: readonly (readonly [string, () => readonly string[]])[] = [
  ["there is no nvidia-smi", () => [join(place, "absent")]],
  [
    "a process's name makes lines of its own (INV-154), and the whole GPU is not told either",
    () => {
      recorded([]);
      writeFileSync(gpus ?? "", `0, ${UUID}, 00000000:18:00.0, [N/A], [N/A]\n`);
      writeFileSync(pmon ?? "", `${HEAD}it is I\n`);
      answers.clear();
      return [smi];
    },
  ],
];
for (const [why, prepare] of UNREAD) {
  test(`INV-238: what cannot be read counts in full, and says so: ${why}`, async () => {
    const { wait, ended } = scene({ gpuSecondsMax: () => 15 }, [...prepare()]);
    const [event] = await wait(10_000);
    assert.equal(event?.data?.["gpuSeconds"], 10);
    assert.equal(event?.data?.["gpuSecondsUnread"], 10);
    await wait(10_000);
    assert.equal(ended.length, 1);
  });
}

test("a run without GPUs has no GPU time", async () => {
  recorded([{ pid: 40, percent: 100 }]);
  const { wait, ended } = scene({ gpus: [], gpuSecondsMax: () => 1 });
  const [event] = await wait(10_000);
  assert.equal(event?.data?.["gpuSeconds"], undefined);
  assert.deepEqual(ended, []);
});

test("of those that are not known eight are told, the busiest; the sum has all", () => {
  const time = new GpuTime();
  const shares = Array.from({ length: 20 }, (_, at) => ({ pid: at, busy: at / 1000 }));
  const userOf = (pid: number) => users[pid];
  const users = shares.map(({ pid }): GpuUser => ({ ...UNKNOWN, pid }));
  time.charge([{ gpu: 0, busy: 0.19, pids: [], shares }], 100_000, userOf);
  const { known, rest } = time.take();
  assert.deepEqual(known, []);
  assert.equal(rest?.gpuSeconds, 19);
  assert.deepEqual(
    rest.gpuProcesses?.map(({ pid }) => pid),
    [19, 18, 17, 16, 15, 14, 13, 12],
  );
  assert.equal(time.take().rest, undefined);
});

test("what is told adds up to what was charged, to less than a hundredth of a second, whosever it was", () => {
  const user = fc.record({
    process: fc.constantFrom(undefined, processOf(40)),
    isPending: fc.boolean(),
    isGone: fc.boolean(),
  });
  const charge = fc.record({
    spanMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
    shares: fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(
      fc.array(user, { minLength: 4, maxLength: 4 }),
      fc.array(charge, { maxLength: 20 }),
      (users, charges) => {
        const time = new GpuTime();
        let sum = 0;
        const add = ({ known, rest }: ReturnType<GpuTime["take"]>) => {
          for (const { gpuSeconds } of [
            ...known.map(({ spent }) => spent),
            ...(rest ? [rest] : []),
          ])
            sum += gpuSeconds;
          assert.ok(sum <= time.seconds + 1e-6, "never more than was charged");
        };
        const all = users.map((one, pid): GpuUser => ({ ...one, pid }));
        for (const { spanMs, shares } of charges) {
          const told = shares.map((percent, pid) => ({ pid, busy: percent / 100 }));
          const busy = Math.min(
            1,
            told.reduce((whole, one) => whole + one.busy, 0),
          );
          time.charge([{ gpu: 0, busy, pids: [], shares: told }], spanMs, (pid) => all[pid]);
          add(time.take());
        }
        add(time.take(true));
        assert.ok(time.seconds - sum < 0.01, `${sum} of ${time.seconds} s`);
      },
    ),
  );
});

/** Two processes on the GPU, described as the test says; what is told is by process. */
const TWO = [
  { pid: 40, percent: 60 },
  { pid: 41, percent: 20 },
];
const timesOf = (events: readonly RunEvent[]) =>
  events.filter(({ data }) => data?.["gpuSeconds"] !== undefined);
const byProcess = (events: readonly RunEvent[]) =>
  events.flatMap(({ process, data }) =>
    data?.["gpuSeconds"] === undefined ? [] : [[process?.pid, data["gpuSeconds"]]],
  );

test("INV-227: what two processes use is an entry of each, and a sample says it no second time", async () => {
  recorded(TWO);
  const asked: number[] = [];
  const { wait, watch, pass, taken, unwatch } = scene({
    async describe(pid) {
      asked.push(pid);
      return processOf(pid);
    },
  });
  const first = await wait(10_000);
  await turn();
  const said = timesOf([...first, ...taken()]);
  assert.deepEqual(byProcess(said), [
    [40, 6],
    [41, 2],
  ]);
  assert.deepEqual(said[0]?.data, {
    spanMs: 0,
    gpuSeconds: 6,
    gpuProcesses: [{ pid: 40, seconds: 6 }],
  });
  pass(5000);
  watch.settle("r-a");
  pass(10_000);
  unwatch();
  assert.deepEqual(byProcess(taken()), [
    [40, 3],
    [41, 1],
    [40, 6],
    [41, 2],
  ]);
  assert.deepEqual(asked, [40, 41], "once each");
});

for (const [why, describe] of [
  ["has ended", async () => undefined],
  ["cannot be described", () => Promise.reject(new Error("the watcher has ended"))],
] as const) {
  test(`a process that ${why} is told without what it is, the other one with it`, async () => {
    recorded(TWO);
    const { wait, taken } = scene({
      describe: (pid) => (pid === 41 ? describe() : Promise.resolve(processOf(pid))),
    });
    const first = await wait(10_000);
    await turn();
    const [known, other, ...more] = timesOf([...first, ...taken()]);
    assert.deepEqual([known?.process?.pid, other?.process], [40, undefined]);
    assert.deepEqual(other?.data, {
      spanMs: 0,
      gpuSeconds: 2,
      gpuProcesses: [{ pid: 41, seconds: 2 }],
    });
    assert.deepEqual(more, []);
  });
}

test("nothing is lost where the run ends while it is asked whose time it was, nor told twice", async () => {
  recorded(TWO);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const { wait, watch, taken, unwatch } = scene({ describe: () => promise });
  const sampled = await wait(10_000);
  watch.settle("r-a");
  assert.equal(secondsOf([...sampled, ...taken()]), 0, "a step that ends does not wait for it");
  unwatch();
  assert.deepEqual(byProcess(taken()), [[undefined, 8]]);
  resolve(undefined);
  await turn();
  assert.deepEqual(taken(), []);
});

test("a number that is another process's later is asked for again; time of the one before stays its own", async () => {
  recorded([{ pid: 40, percent: 50 }]);
  let pids = [40, 41];
  let asked = 0;
  const { wait, taken } = scene({
    limits: {
      usage: () => ({ cpuMs: 0, memoryBytes: 1 }) as ReturnType<UsedRun["limits"]["usage"]>,
      pids: () => pids,
    },
    describe: async (pid) => ({ ...processOf(pid), argv: [`as ${(asked += 1)}`] }),
  });
  const all = await wait(10_000);
  await turn();
  all.push(...(await wait(10_000)));
  pids = [41];
  all.push(...(await wait(10_000)));
  pids = [40, 41];
  all.push(...(await wait(10_000)));
  await turn();
  all.push(...(await wait(60_000)), ...taken());
  const by = Map.groupBy(all, ({ process }) => process?.argv[0]);
  assert.equal(secondsOf(by.get("as 1") ?? []), 10);
  assert.equal(secondsOf(by.get("as 2") ?? []), 35);
  assert.equal(secondsOf(all), 45);
});

/** The drill: an agent's call is a training; something else on the granted GPU is, or is not. */
async function drill(miner: number | undefined): Promise<readonly Detection[]> {
  const { wait, now, taken } = scene({ describe: async (pid) => processOf(pid) });
  const detections = createDetections(DETECTORS.filter(({ scope }) => scope === "run"));
  const found: Detection[] = [];
  const show = (event: RunEvent) => {
    const at = new Date(now()).toISOString();
    found.push(...detections.observe({ ...event, at, monoMs: now(), run: "r-a" }));
  };
  const call = {
    id: "c1",
    name: "Bash",
    source: "model" as const,
    by: "argv" as const,
    confidence: 1,
  };
  show({ type: "process.start", process: processOf(10) });
  show({
    type: "tool.call",
    process: processOf(10),
    data: { call: "c1", name: "Bash", source: "model" },
  });
  show({ type: "process.start", process: processOf(40), cause: { call } });
  if (miner !== undefined) show({ type: "process.start", process: processOf(miner) });
  recorded(miner === undefined ? [{ pid: 40, percent: 95 }] : [{ pid: miner, percent: 95 }]);
  for (let at = 0; at < 30; at += 1) {
    for (const event of [...(await wait(10_000)), ...taken()]) show(event);
  }
  return found;
}

test("the mining drill: a process that no call started works on the granted GPU, and is found; training is not", async () => {
  const mined = await drill(41);
  const usage = mined.filter(({ kind }) => kind === "usage");
  assert.ok(usage.length > 0, "found");
  assert.match(usage[0]?.detector ?? "", /usage/);
  assert.deepEqual(await drill(undefined), [], "the benign twin: the call's own process trains");
});
