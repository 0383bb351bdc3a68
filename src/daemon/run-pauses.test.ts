/** A finding's pause and a person's, whatever else the run is about at that moment: only a person lets it go on. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Event } from "../action/index.ts";
import type { RunInfo } from "../api/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { compilePolicy, parseTaskFile } from "../policy/index.ts";
import { Recorder } from "./recorder.ts";
import { createRunFiles, filesOf } from "./run-files.ts";
import type { Parts } from "./run-parts.ts";
import type { RunOptions } from "./run-parts.ts";
import { Run } from "./run.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-pauses-"));
process.on("exit", () => rmSync(root, { recursive: true, force: true }));

const TASK = "task: a\npurpose: b\nrestart: on-failure\nrespond: { tunnel: [pause] }\n";
const turn = () => new Promise((resolve) => setImmediate(resolve));
let count = 0;

/** A run that is about to begin, whose parts say when they were stopped and let go. */
function runOf(change: Partial<Parts> = {}) {
  const id = `r-${(count += 1)}`;
  const did: string[] = [];
  const clock = { now: () => ({ wallMs: 0, monoMs: 0 }) };
  const files = filesOf(root, id);
  createRunFiles(files);
  const task = parseTaskFile(TASK, "t", 0);
  const ledger = { append: async (event: Event) => (did.push(event.type), did.length) };
  const info = {
    ...{ run: id, task: "a", purpose: "b", state: "starting", command: ["a"], workspace: "/" },
    ...{ workspaceMode: "overlay", startedAt: "", entries: { first: 0, last: 0 }, publish: [] },
    counts: { flows: 0, actions: 0, denials: 0, findings: 0 },
  } as unknown as RunInfo;
  const run: Run = new Run({
    ...{ info, task, policy: compilePolicy(task), files, clock, held: false },
    recorder: new Recorder(id, ledger as unknown as Ledger, clock, assert.ifError),
    ...{ authorities: new Map(), own: new Map(), lending: {}, desk: {}, unattended: {} },
    log: { warn: () => {} },
    beyond: { changes: async () => [], now: () => "", alert: () => {}, disown: async () => {} },
  } as unknown as RunOptions);
  after(() => run.finish({ reason: "exited" })); // Its lifetime is a timer.
  const parts = {
    pause: async () => void did.push("stands"),
    resume: async () => void did.push("goes"),
    kill: async () => void did.push("killed"),
    pids: () => [],
    ...change,
  } as unknown as Parts;
  const acts = async () => {
    for (let n = 0; n < 20; n += 1) await turn();
    return did.filter((what) => ["stands", "goes", "killed"].includes(what)).join(" ");
  };
  return { run, parts, acts, find: () => run.finding("tunnel", "ssh", {}) };
}

test("INV-160: what was found while its worker was gone is not undone by the next worker", async () => {
  const { run, parts, acts, find } = runOf();
  run.release();
  run.begin(parts, 1);
  await run.freeze("its worker ended");
  find();
  await acts();
  await run.thaw();
  assert.deepEqual([run.info.state, await acts()], ["paused", "stands"]);
  assert.match(run.info.pauseReason ?? "", /tunnel/);
  await run.resume();
  assert.deepEqual([run.info.state, await acts()], ["running", "stands goes"]);
});

test("a worker that ends while a finding's pause is under way does not undo it either", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { run, parts, find, acts } = runOf({ pause: () => promise });
  run.release();
  run.begin(parts, 1);
  find();
  const frozen = run.freeze("its worker ended");
  resolve();
  if (await frozen) await run.thaw();
  await acts();
  assert.equal(run.info.state, "paused");
});

test("where nothing was found the next worker lets it go on", async () => {
  const { run, parts, acts } = runOf();
  run.release();
  run.begin(parts, 1);
  await run.freeze("its worker ended");
  await run.thaw();
  assert.deepEqual([run.info.state, await acts()], ["running", "stands goes"]);
});

test("what is found of its first moments pauses it as soon as it runs", async () => {
  const { run, parts, acts, find } = runOf();
  run.release();
  find();
  assert.equal(await acts(), "");
  run.begin(parts, 1);
  assert.deepEqual([await acts(), run.info.state], ["stands", "paused"]);
});

test("what is found while a person lets it go on pauses it again", async () => {
  const { run, parts, acts, find } = runOf({ resume: async () => find() });
  run.release();
  run.begin(parts, 1);
  find();
  await acts();
  await run.resume();
  assert.deepEqual([await acts(), run.info.state], ["stands stands", "paused"]);
});

test("a command that ends with what was found of it unanswered is not started again", async () => {
  const { run, parts, acts, find } = runOf();
  run.release();
  run.begin(parts, 1);
  const isAgain = run.awaitRestart({ code: 1 }, 1);
  find(); // Its last connection is judged only now.
  assert.equal(await isAgain, false);
  await run.finish({ reason: "exited" });
  assert.deepEqual([(await run.ended).reason, await acts()], ["finding", ""]);
});

test("one of which nothing was found is", async () => {
  const { run, parts } = runOf();
  run.release();
  run.begin(parts, 1);
  assert.equal(await run.awaitRestart({ code: 1 }, 1), true);
});

const CAUSE = "its worker ended";
/** A run that goes, as its agent does. */
function running(change: Partial<Parts> = {}) {
  const it = runOf(change);
  it.run.release();
  it.run.begin(it.parts, 1);
  return it;
}

test("INV-164: paused by a person while its worker is gone, it stands when another serves it", async () => {
  const { run, acts } = running();
  await run.freeze(CAUSE);
  await run.pause("by hand");
  await run.thaw();
  assert.deepEqual([run.info.state, run.info.pauseReason], ["paused", "by hand"]);
  assert.equal(await acts(), "stands");
  await assert.rejects(run.pause("again"), { code: "daemon.state" });
  await run.resume();
  assert.deepEqual([run.info.state, await acts()], ["running", "stands goes"]);
});

test("INV-164: paused by a person before its worker ended, it stands when another serves it", async () => {
  const { run, acts } = running();
  await run.pause("by hand");
  if (await run.freeze(CAUSE)) await run.thaw();
  assert.deepEqual([run.info.state, run.info.pauseReason], ["paused", "by hand"]);
  await run.resume();
  assert.deepEqual([run.info.state, await acts()], ["running", "stands goes"]);
});

test("INV-164: a person who lets it go on while nobody serves it lets it go on with the next worker", async () => {
  const { run, acts } = running();
  await run.freeze(CAUSE);
  await assert.rejects(run.resume(), { code: "daemon.state" });
  await run.pause("by hand");
  await run.resume();
  assert.deepEqual(
    [run.info.state, run.info.pauseReason, await acts()],
    ["paused", CAUSE, "stands"],
  );
  await run.thaw();
  assert.deepEqual([run.info.state, await acts()], ["running", "stands goes"]);
});

test("INV-164: a person's pause that meets the thaw, or the freeze, under way holds", async () => {
  const going = Promise.withResolvers<void>();
  const thawed = running({ resume: () => going.promise });
  await thawed.run.freeze(CAUSE);
  const thaw = thawed.run.thaw();
  await thawed.acts();
  const pause = thawed.run.pause("by hand");
  going.resolve();
  await Promise.all([thaw, pause]);
  assert.deepEqual([thawed.run.info.state, await thawed.acts()], ["paused", "stands stands"]);

  const standing = Promise.withResolvers<void>();
  const frozen = running({ pause: () => standing.promise });
  const freeze = frozen.run.freeze(CAUSE);
  const paused = frozen.run.pause("by hand");
  standing.resolve();
  await Promise.all([freeze, paused]);
  await frozen.run.thaw();
  assert.deepEqual([frozen.run.info.pauseReason, await frozen.acts()], ["by hand", ""]);
});

test("INV-164: a command that ends while a person has paused it starts again and stands", async () => {
  const { run, parts, acts } = running();
  await run.pause("by hand");
  assert.equal(await run.awaitRestart({ code: 1 }, 1), true);
  run.begin(parts, 2);
  assert.deepEqual([await acts(), run.info.state], ["stands stands", "paused"]);
});

test("a pause that fails is told to whoever asked, and holds nothing", async () => {
  let fails = true;
  const { run, acts } = running({
    pause: () => (fails ? Promise.reject(new Error("they do not stop")) : Promise.resolve()),
  });
  await assert.rejects(run.pause("by hand"), /do not stop/);
  fails = false;
  await run.freeze(CAUSE);
  await run.thaw();
  assert.deepEqual([run.info.state, await acts()], ["running", "goes"]);
});
