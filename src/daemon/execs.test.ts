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
  const ends: (() => void)[] = [];
  const makeExecution = () => ({
    keeperPid: 7,
    streams: {
      kind: "pipes",
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
    },
    ended: new Promise((resolve) => ends.push(() => resolve({ code: 0 }))),
    go: () => told.push("go"),
    signal: () => {},
    cancel: () => {},
  });
  const run = {
    id: "r-a",
    alive: true,
    isEnding: false,
    info: { state: "running" },
    stop: (reason: string) => told.push(`stop ${reason}`),
    living: () => {
      if (isPaused(told)) throw new Fault("daemon.state", "paused");
      return { exec: async () => makeExecution() };
    },
    record: async ({ type }: RunEvent) => told.push(type),
  } as unknown as Run;
  const log = { warn() {}, info() {}, error() {} };
  const execs = new Execs(systemClock, log, (id) => told.push(`settled ${id}`));
  return { told, run, execs, ends, end: () => ends[0]?.() };
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
  const { told, run, execs } = scene((said) => said.includes("exec"));
  await assert.rejects(execs.begin(run, { run: "r-a", argv: ["true"] }), { code: "daemon.state" });
  assert.deepEqual(told, ["exec", "exec.end"]);
  assert.deepEqual(execs.list("r-a"), []);
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
    waits.push(told.filter((one) => one.startsWith("stop")));
  }
  assert.deepEqual(waits, [[], []]);
  const { told: other, run: its, execs: theirs } = scene();
  (await theirs.begin(its, { run: "r-a", argv: ["sleep"] })).cancel("cancelled");
  t.mock.timers.tick(5000);
  assert.deepEqual(other.at(-1), "stop sandbox");
});
