/** What a command's own step has of what its run uses; the rest is test/execs.test.ts, against a real daemon. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { RunEvent } from "./recorder.ts";
import { Fault, systemClock } from "../base/index.ts";
import { Execs } from "./execs.ts";
import type { Run } from "./run.ts";

function scene(isPaused: (told: readonly string[]) => boolean = () => false) {
  const told: string[] = [];
  const streams: PassThrough[] = [];
  const ends: (() => void)[] = [];
  const makeExecution = () => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    streams.push(stdin, stdout, stderr);
    return {
      keeperPid: 7,
      streams: { kind: "pipes", stdin, stdout, stderr },
      ended: new Promise((resolve) => ends.push(() => resolve({ code: 0 }))),
      go: () => told.push("go"),
      signal: () => {},
      cancel: () => told.push("gate closed"),
    };
  };
  const run = {
    id: "r-a",
    alive: true,
    isEnding: false,
    info: { state: "running" },
    stop: (reason: string) => told.push(`stopped: ${reason}`),
    living: () => {
      if (isPaused(told)) throw new Fault("daemon.state", "paused");
      return { exec: async () => makeExecution() };
    },
    record: async ({ type }: RunEvent) => told.push(type),
  } as unknown as Run;
  const log = { warn() {}, info() {}, error() {} };
  const execs = new Execs(systemClock, log, (id) => told.push(`settled ${id}`));
  return { told, run, execs, streams, ends, end: () => ends[0]?.() };
}

test("a command with a step has what its run used put on record ahead of its beginning, and ahead of its end", async () => {
  const step = { trajectory: "t", episode: "e", step: 3 };
  const { told, run, execs, end } = scene();
  const begun = await execs.begin(run, { run: "r-a", argv: ["true"], step });
  assert.deepEqual(told, ["settled r-a", "exec", "go"]);
  end();
  await begun.close(await begun.ended);
  assert.deepEqual(told.slice(3), ["settled r-a", "exec.end"]);
});

test("benign twin: a command without a step of its own takes none of the run's", async () => {
  const { told, run, execs, end } = scene();
  const begun = await execs.begin(run, { run: "r-a", argv: ["true"] });
  end();
  await begun.close(await begun.ended);
  assert.deepEqual(told, ["exec", "go", "exec.end"]);
});

test("a command that is refused when it is on record has an end there: what comes later is not its", async () => {
  const { told, run, execs, streams } = scene((said) => said.includes("exec"));
  await assert.rejects(execs.begin(run, { run: "r-a", argv: ["true"] }), { code: "daemon.state" });
  assert.deepEqual(told, ["exec", "gate closed", "exec.end"]);
  assert.deepEqual(execs.list("r-a"), []);
  assert.ok(streams.length === 3 && streams.every(({ destroyed }) => destroyed));
});

test("a command that is cancelled while it is put on record, and then refused, does not end its run for it", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  for (const isRefused of [true, false]) {
    const { told, run, execs } = scene((said) => isRefused && said.includes("exec"));
    const record = run.record.bind(run);
    run.record = async (event) => {
      for (const { exec } of execs.list("r-a")) execs.cancel("r-a", exec);
      return record(event);
    };
    const begun = execs.begin(run, { run: "r-a", argv: ["true"] });
    if (isRefused) await assert.rejects(begun, { code: "daemon.state" });
    else await begun;
    t.mock.timers.tick(60_000);
    // The twin: what was begun and does not end takes its run along.
    assert.equal(told.includes("stopped: sandbox"), !isRefused, told.join());
  }
});

test("INV-222: of many that are cancelled at once each has its time; one that does not end takes its run with it", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { told, run, execs, ends } = scene();
  const all = [];
  for (let n = 0; n < 3; n += 1) all.push(await execs.begin(run, { run: "r-a", argv: ["sleep"] }));
  for (const one of all) one.cancel("cancelled");
  const waits: string[][] = [];
  for (const n of [0, 1]) {
    ends[n]?.();
    await all[n]?.ended;
    t.mock.timers.tick(5000);
    waits.push(told.filter((one) => one.startsWith("stopped")));
  }
  assert.deepEqual(waits, [[], []]);
  const { told: other, run: its, execs: theirs } = scene();
  (await theirs.begin(its, { run: "r-a", argv: ["sleep"] })).cancel("cancelled");
  t.mock.timers.tick(5000);
  assert.deepEqual(other.at(-1), "stopped: sandbox");
});
