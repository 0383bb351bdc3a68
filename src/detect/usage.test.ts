/** Use of compute against tool calls: whose processes it is. Plain rows of the detector stand in streams.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { every, notice, processOf, type Draft } from "./detectors.fixture.ts";

const HARNESS = 10;
const start = (pid: number, call?: string): Draft => ({
  type: "process.start",
  run: "r-a",
  process: { ...processOf(["/usr/bin/work"]), pid },
  ...(call === undefined
    ? {}
    : { cause: { call: { id: call, name: "Bash", source: "model", by: "argv", confidence: 1 } } }),
});
const call = (id: string, by = HARNESS, source = "model"): Draft => ({
  type: "tool.call",
  run: "r-a",
  data: { call: id, name: "Bash", source },
  ...(source === "model" ? { process: { ...processOf(["/usr/bin/agent"]), pid: by } } : {}),
});
const result = (id: string): Draft => ({ type: "tool.result", run: "r-a", data: { call: id } });
interface Busy {
  readonly pid: number;
  readonly cores: number;
  readonly parents?: number[];
}
const use = (cpu: number, busiest: readonly Busy[], gpus: Draft["data"][] = []): Draft => ({
  type: "usage",
  run: "r-a",
  data: {
    cpu,
    spanMs: 10_000,
    gpus: gpus.map((one) => ({ ...one })),
    busiest: busiest.map(({ pid, cores, parents = [] }) => ({ pid, cores, parents })),
  },
});
/** Eight samples in four minutes. */
const long = (of: Draft) => every(30_000, 8, () => of);
const begun = [start(HARNESS), call("a"), start(20, "a")];
const gpu = (busy: number, pids: number[], more = {}) => [{ gpu: 0, busy, pids, ...more }];

const CASES = [
  // what comes before, the sample, score or nothing, why
  [begun, use(1.9, [{ pid: 20, cores: 1.9 }]), undefined, "the open call's own process"],
  [
    begun,
    use(1.9, [{ pid: 99, cores: 1.9, parents: [20] }]),
    undefined,
    "a fork of the call's process",
  ],
  [begun, use(1.9, [{ pid: HARNESS, cores: 1.9 }]), undefined, "the agent itself"],
  [
    [...begun, start(30)],
    use(1.9, [{ pid: 30, cores: 1.9 }]),
    0.6,
    "what no call started, while a call sleeps",
  ],
  [
    [...begun, start(30)],
    use(1.9, [
      { pid: 30, cores: 0.9 },
      { pid: 20, cores: 0.9 },
    ]),
    undefined,
    "the call works as much",
  ],
  [
    [...begun, start(30)],
    use(1.9, [{ pid: 30, cores: 0.9 }]),
    undefined,
    "short-lived processes that nobody saw: a call's, as far as is known",
  ],
  [
    [...begun, result("a"), call("b")],
    use(1.9, [{ pid: 20, cores: 1.9 }]),
    0.5,
    "what an earlier call left, while another is open",
  ],
  [begun, use(1.9, [{ pid: 77, cores: 1.9 }]), 0.5, "a process whose start was not seen"],
  [
    [...begun, start(30)],
    use(0.1, [{ pid: 30, cores: 0.1 }], gpu(0.9, [30])),
    0.8,
    "a GPU, by what no call started",
  ],
  [begun, use(0.1, [], gpu(0.9, [20])), undefined, "a GPU, by the open call"],
  [
    [...begun, start(30)],
    use(0.1, [], gpu(0.9, [20, 30])),
    undefined,
    "a GPU, by both: which one is not known",
  ],
  [
    [...begun, start(30)],
    use(0.1, [], gpu(0.9, [30], { of: "device" })),
    undefined,
    "a GPU that others use as well",
  ],
  [
    [...begun, start(HARNESS, "a")],
    use(1.9, [{ pid: HARNESS, cores: 1.9 }]),
    undefined,
    "a pid that came round as the call's",
  ],
  [
    [...begun, start(30), { type: "run.restart", run: "r-a" }, start(40), call("c", 40)],
    use(1.9, [{ pid: 40, cores: 1.9 }]),
    undefined,
    "the command that was started again",
  ],
  [
    [...begun, call("x", 20)],
    use(1.9, [{ pid: 20, cores: 1.9 }]),
    undefined,
    "INV-152: a call's process that has a model call a tool is still that call's",
  ],
  [
    [...begun, result("a"), call("x", 20)],
    use(1.9, []),
    0.6,
    "INV-152: and opens none when its own is over",
  ],
  [
    [...begun, result("a"), call("x", 0, "hook")],
    use(1.9, []),
    0.6,
    "a claim opens none where calls are read",
  ],
  [
    [start(HARNESS), call("x", 0, "hook")],
    use(1.9, []),
    undefined,
    "a claim does where nothing else is known",
  ],
] satisfies readonly (readonly [readonly Draft[], Draft, number | undefined, string])[];
for (const [before, sample, score, why] of CASES) {
  test(`mining.usage ${score ?? "says nothing"}: ${why}`, () => {
    const [first] = notice("mining.usage", [...before, ...long(sample)] as readonly Draft[]);
    assert.equal(first?.score, score);
  });
}

test("what a miner uses adds up while calls come and go", () => {
  const samples = every(30_000, 8, () => use(1.9, [{ pid: 30, cores: 1.9 }]));
  const calls = samples.flatMap((sample, n) => [
    { ...call(`c${n}`), monoMs: n * 30_000 },
    { ...sample, monoMs: n * 30_000 + 1 },
    { ...result(`c${n}`), monoMs: n * 30_000 + 2 },
  ]);
  const [first] = notice("mining.usage", [...begun, start(30), ...calls]);
  assert.match(
    first?.why ?? "",
    /^1\.9 cores used for \d+ s by process 30, which no tool call started$/,
  );
});

test("GPU time that is told by process between two samples ends no span, and makes none", () => {
  const time: Draft = {
    ...{ type: "usage", run: "r-a", process: { ...processOf(["/usr/bin/work"]), pid: 30 } },
    data: { spanMs: 0, gpuSeconds: 25, gpuProcesses: [{ pid: 30, seconds: 25 }] },
  };
  const sample = use(0.1, [{ pid: 30, cores: 0.1 }], gpu(0.9, [30]));
  const samples = every(30_000, 8, () => sample).flatMap((one) => [one, { ...one, ...time }]);
  assert.equal(notice("mining.usage", [...begun, start(30), ...samples])[0]?.score, 0.8);
  assert.deepEqual(notice("mining.usage", [...begun, start(30), ...long(time)]), []);
});

test("a sample counts for the time that it is of, and not for that before the last call was over", () => {
  const tuning = { cores: 0.8, gpu: 0.5, seconds: 8 };
  const at = (monoMs: number, of: Draft) => ({ ...of, monoMs });
  const of = (overMs: number) => [
    at(0, start(HARNESS)),
    at(1, call("a")),
    at(overMs, result("a")),
    at(11_000, use(1.5, [])),
  ];
  assert.equal(notice("mining.usage", of(2_000), tuning).length, 1);
  assert.equal(notice("mining.usage", of(6_000), tuning).length, 0);
});
