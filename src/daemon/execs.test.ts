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
  const { promise, resolve } = Promise.withResolvers<{ code: number }>();
  const execution = {
    keeperPid: 7,
    streams: {
      kind: "pipes",
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
    },
    ended: promise,
    go: () => told.push("go"),
    signal: () => {},
    cancel: () => {},
  };
  const run = {
    id: "r-a",
    alive: true,
    isEnding: false,
    living: () => {
      if (isPaused(told)) throw new Fault("daemon.state", "paused");
      return { exec: async () => execution };
    },
    record: async ({ type }: RunEvent) => told.push(type),
  } as unknown as Run;
  const log = { warn() {}, info() {}, error() {} };
  const execs = new Execs(systemClock, log, (id) => told.push(`settled ${id}`));
  return { told, run, execs, end: () => resolve({ code: 0 }) };
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
